// SPDX-License-Identifier: Apache-2.0
// Times of many steps, and what is printed of them.
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "args.h"

int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void timing_add(struct timing *timing, int64_t ns)
{
	if (timing->count == timing->room) {
		timing->room = timing->room ? 2 * timing->room : 256;
		timing->ns = reallocarray(timing->ns, timing->room, sizeof(*timing->ns));
		if (!timing->ns)
			die("no memory for %zu times", timing->room);
	}
	timing->ns[timing->count++] = ns;
}

void timing_append(struct timing *timing, const struct timing *more)
{
	for (size_t i = 0; i < more->count; i++)
		timing_add(timing, more->ns[i]);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static double at(const int64_t *sorted, size_t count, double share)
{
	double place = share * (double)(count - 1);
	size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;
	double part = place - (double)below;
	return ((double)sorted[below] * (1 - part) + (double)sorted[above] * part) / 1e6;
}

void timing_print(struct timing *timing, const char *name, size_t skip)
{
	if (timing->count <= skip) {
		printf("\"%s\": {\"count\": 0}", name);
		return;
	}
	int64_t *ns = timing->ns + skip;
	size_t count = timing->count - skip;
	double sum = 0;
	qsort(ns, count, sizeof(*ns), compare);
	for (size_t i = 0; i < count; i++)
		sum += (double)ns[i];
	printf("\"%s\": {\"count\": %zu, \"mean_ms\": %.4f, \"min_ms\": %.4f, \"p50_ms\": %.4f, \"p90_ms\": %.4f, \"p99_ms\": %.4f, \"max_ms\": %.4f}",
	       name, count, sum / (double)count / 1e6, at(ns, count, 0), at(ns, count, 0.5), at(ns, count, 0.9),
	       at(ns, count, 0.99), at(ns, count, 1));
}

void timing_free(struct timing *timing)
{
	free(timing->ns);
	*timing = (struct timing){0};
}
