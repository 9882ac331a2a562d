// SPDX-License-Identifier: Apache-2.0
// A tight loop of password hashes: threads=N seconds=S [memory_kib=65536] [passes=2]. Prints hashes per second and times as JSON.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "args.h"
#include "hash.h"
#include "timing.h"

struct loop {
	pthread_t thread;
	size_t memory_kib;
	unsigned passes;
	int64_t length_ns;
	pthread_barrier_t *start;
	struct timing times;
	double rate;   // hashes per second of this thread, over whole hashes
	double cpu_ms; // processor time it took
};

static double cpu_ms(void)
{
	struct rusage usage;
	if (getrusage(RUSAGE_THREAD, &usage) != 0)
		die("getrusage fails");
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void *run(void *ctx)
{
	struct loop *loop = ctx;
	struct hash_way *way = hash_way_create(loop->memory_kib, loop->passes);
	hash_way_hash(way, "the first one maps memory");
	(void)pthread_barrier_wait(loop->start);
	double used = cpu_ms();
	int64_t begin = now_ns(), last = begin;
	while (last - begin < loop->length_ns) {
		hash_way_hash(way, "correct horse battery staple");
		int64_t now = now_ns();
		timing_add(&loop->times, now - last);
		last = now;
	}
	loop->cpu_ms = cpu_ms() - used;
	loop->rate = (double)loop->times.count * 1e9 / (double)(last - begin);
	hash_way_destroy(way);
	return NULL;
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	size_t threads = (size_t)args_number(&args, "threads", -1);
	struct loop *loops = bench_alloc(threads, sizeof(*loops));
	struct timing all = {0};
	pthread_barrier_t start;
	double rate = 0, cpu = 0;
	if (threads == 0 || pthread_barrier_init(&start, NULL, (unsigned)threads) != 0)
		die("threads=%zu cannot be", threads);
	for (size_t i = 0; i < threads; i++) {
		loops[i] = (struct loop){
			.memory_kib = (size_t)args_number(&args, "memory_kib", 65536),
			.passes = (unsigned)args_number(&args, "passes", 2),
			.length_ns = args_number(&args, "seconds", -1) * 1000000000,
			.start = &start,
		};
		int error = pthread_create(&loops[i].thread, NULL, run, &loops[i]);
		if (error)
			die("thread: %s", strerrordesc_np(error));
	}
	for (size_t i = 0; i < threads; i++) {
		(void)pthread_join(loops[i].thread, NULL);
		rate += loops[i].rate;
		cpu += loops[i].cpu_ms;
		timing_append(&all, &loops[i].times);
		timing_free(&loops[i].times);
	}
	printf("{\"threads\": %zu, \"per_second\": %.3f, \"cpu_ms_each\": %.3f, ", threads, rate, cpu / (double)all.count);
	timing_print(&all, "hash", 0);
	printf("}\n");
	timing_free(&all);
	free(loops);
	return 0;
}
