// SPDX-License-Identifier: Apache-2.0
// Threads of the worker: named, with a small stack and without signals, which belong to the main thread.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"

#define THREAD_STACK_SIZE ((size_t)512 << 10)

// name: shown by ps, top and core files; 15 bytes of it are kept. fn(ctx) is the thread's life; ctx stays the caller's and must
// outlive it. All signals are blocked in it but those that a fault of its own raises (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
// SIGTRAP, SIGSYS). *thread must be handed to thread_join() once. Fails with REASON_NO_MEMORY.
enum reason thread_start(const char *name, void (*fn)(void *ctx), void *ctx, pthread_t *thread, struct fault *f) ATTR_MUST_USE;

// Waits for the thread's end.
void thread_join(pthread_t thread);

#define THREAD_NO_END INT64_MAX

// Waits on a condition of CLOCK_MONOTONIC until it is signalled or until_ns (clock_mono_ns(), THREAD_NO_END) has passed, then false. It also returns true every 100 ms,
// so that nobody waits for long without a look at what it waits for: glibc before 2.41 may lose a signal when several wait (bug 25847).
bool thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns);

// Makes the calling thread yield to all others: SCHED_BATCH and nice +5. Where the system forbids it, nothing changes.
void thread_set_batch_priority(void);
