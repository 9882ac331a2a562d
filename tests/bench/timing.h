// SPDX-License-Identifier: Apache-2.0
// Times of many steps, and what is printed of them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"

int64_t now_ns(void) ATTR_MUST_USE; // CLOCK_MONOTONIC

struct timing {
	int64_t *ns;
	size_t count, room;
};

void timing_add(struct timing *timing, int64_t ns);
void timing_append(struct timing *timing, const struct timing *more);
// Sorts, and prints "<name>": {"count", "mean_ms", "min_ms", "p50_ms", "p90_ms", "p99_ms", "max_ms"} without the first skip entries.
void timing_print(struct timing *timing, const char *name, size_t skip);
void timing_free(struct timing *timing);
