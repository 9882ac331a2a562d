// SPDX-License-Identifier: Apache-2.0
// Starting threads: name, stack, signal mask and priority in one place.
#include "enrolld/base/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "enrolld/base/clock.h"

#define NAME_SIZE 16 // with NUL, as the kernel keeps it
#define NICE_STEP 5
#define NICE_MAX 19
#define NS_PER_S 1000000000
#define LOOK_NS 100000000

struct start {
	void (*fn)(void *ctx);
	void *ctx;
	char name[NAME_SIZE];
};

static void *run(void *arg)
{
	struct start start = *(struct start *)arg;
	free(arg);
	(void)pthread_setname_np(pthread_self(), start.name);
	start.fn(start.ctx);
	return NULL;
}

// The thread inherits the mask of its creator, so no signal can reach it before it has a mask of its own.
static int create_without_signals(pthread_t *thread, const pthread_attr_t *attr, struct start *start)
{
	static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t blocked, before;
	(void)sigfillset(&blocked);
	for (size_t i = 0; i < ARRAY_LEN(own_faults); i++)
		(void)sigdelset(&blocked, own_faults[i]);
	(void)pthread_sigmask(SIG_BLOCK, &blocked, &before);
	int error = pthread_create(thread, attr, run, start);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static int create_with_small_stack(pthread_t *thread, struct start *start)
{
	pthread_attr_t attr;
	int error = pthread_attr_init(&attr);
	if (error != 0)
		return error;
	error = pthread_attr_setstacksize(&attr, THREAD_STACK_SIZE);
	if (error == 0)
		error = create_without_signals(thread, &attr, start);
	(void)pthread_attr_destroy(&attr);
	return error;
}

enum reason thread_start(const char *name, void (*fn)(void *ctx), void *ctx, pthread_t *thread, struct fault *f)
{
	struct start *start = calloc(1, sizeof(*start));
	if (!start)
		return fault_set(f, REASON_NO_MEMORY, "no memory for thread %s", name);
	start->fn = fn;
	start->ctx = ctx;
	(void)snprintf(start->name, sizeof(start->name), "%s", name);

	pthread_t made = 0;
	int error = create_with_small_stack(&made, start);
	if (error != 0) {
		free(start);
		return fault_set(f, REASON_NO_MEMORY, "cannot start thread %s: %s", name, strerrordesc_np(error));
	}
	*thread = made;
	return REASON_OK;
}

void thread_join(pthread_t thread)
{
	int error = pthread_join(thread, NULL);
	if (error != 0)
		PANIC("thread_join: %s", strerrordesc_np(error));
}

bool thread_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ns)
{
	int64_t look_ns = clock_mono_ns() + LOOK_NS;
	int64_t end_ns = until_ns < look_ns ? until_ns : look_ns;
	struct timespec end = {.tv_sec = end_ns / NS_PER_S, .tv_nsec = end_ns % NS_PER_S};
	return pthread_cond_timedwait(condition, lock, &end) != ETIMEDOUT || end_ns < until_ns;
}

void thread_set_batch_priority(void)
{
	struct sched_param param = {.sched_priority = 0};
	(void)sched_setscheduler(0, SCHED_BATCH, &param); // 0: this thread alone (sched(7), Linux)
	int nice_now = getpriority(PRIO_PROCESS, 0);
	int nice_next = nice_now + NICE_STEP < NICE_MAX ? nice_now + NICE_STEP : NICE_MAX;
	(void)setpriority(PRIO_PROCESS, 0, nice_next);
}
