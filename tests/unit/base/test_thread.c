// SPDX-License-Identifier: Apache-2.0
// Threads: name, stack, signals, priority.
#include "enrolld/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "enrolld/base/clock.h"

struct seen {
	char name[32];
	size_t stack_size;
	sigset_t mask;
	int policy, nice;
};

static void look_around(void *ctx)
{
	struct seen *seen = ctx;
	(void)pthread_getname_np(pthread_self(), seen->name, sizeof(seen->name));
	pthread_attr_t attr;
	if (pthread_getattr_np(pthread_self(), &attr) == 0) {
		(void)pthread_attr_getstacksize(&attr, &seen->stack_size);
		(void)pthread_attr_destroy(&attr);
	}
	(void)pthread_sigmask(SIG_BLOCK, NULL, &seen->mask);
}

static struct seen run_thread(const char *name, void (*fn)(void *ctx))
{
	struct seen seen = {.policy = -1};
	struct fault f;
	pthread_t thread;
	assert_int_equal(thread_start(name, fn, &seen, &thread, &f), REASON_OK);
	thread_join(thread);
	return seen;
}

static void a_thread_has_its_name_and_stack(void **state)
{
	(void)state;
	struct seen seen = run_thread("hash-1", look_around);
	assert_string_equal(seen.name, "hash-1");
	assert_in_range(seen.stack_size, THREAD_STACK_SIZE, 2 * THREAD_STACK_SIZE); // a sanitizer adds to it; 8 MiB is usual
	seen = run_thread("a name that is too long", look_around);
	assert_string_equal(seen.name, "a name that is ");
}

static void signals_do_not_reach_it(void **state)
{
	(void)state;
	sigset_t before, after;
	(void)sigemptyset(&before);
	(void)sigaddset(&before, SIGUSR2);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	struct seen seen = run_thread("masked", look_around);
	static const int blocked[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGALRM, SIGCHLD};
	for (size_t i = 0; i < ARRAY_LEN(blocked); i++)
		assert_int_equal(sigismember(&seen.mask, blocked[i]), 1);
	static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
	for (size_t i = 0; i < ARRAY_LEN(open); i++)
		assert_int_equal(sigismember(&seen.mask, open[i]), 0);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (int s = 1; s < NSIG; s++)
		assert_int_equal(sigismember(&before, s), sigismember(&after, s));
}

static void step_back(void *ctx)
{
	struct seen *seen = ctx;
	thread_set_batch_priority();
	seen->policy = sched_getscheduler(0);
	seen->nice = getpriority(PRIO_PROCESS, 0);
}

static void batch_priority_is_the_threads_own(void **state)
{
	(void)state;
	int policy = sched_getscheduler(0);
	int nice_before = getpriority(PRIO_PROCESS, 0);
	struct seen seen = run_thread("batch", step_back);
	assert_int_equal(seen.policy, SCHED_BATCH);
	assert_int_equal(seen.nice, nice_before + 5 < 19 ? nice_before + 5 : 19);
	assert_int_equal(sched_getscheduler(0), policy);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), nice_before);
}

struct rendezvous {
	pthread_mutex_t lock;
	pthread_cond_t condition;
	bool there;
};

// A signal that the C library loses.
static void come_unannounced(void *ctx)
{
	struct rendezvous *r = ctx;
	clock_sleep_ms(20);
	(void)pthread_mutex_lock(&r->lock);
	r->there = true;
	(void)pthread_mutex_unlock(&r->lock);
}

static void who_waits_looks_without_a_signal(void **state)
{
	(void)state;
	struct rendezvous r = {.lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_condattr_t attr;
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	assert_int_equal(pthread_cond_init(&r.condition, &attr), 0);
	pthread_t thread;
	assert_int_equal(thread_start("guest", come_unannounced, &r, &thread, NULL), REASON_OK);
	(void)pthread_mutex_lock(&r.lock);
	while (!r.there)
		assert_true(thread_wait(&r.condition, &r.lock, THREAD_NO_END));
	int64_t end_ns = clock_mono_ns() + 10 * INT64_C(1000000);
	while (thread_wait(&r.condition, &r.lock, end_ns))
		continue;
	assert_true(clock_mono_ns() >= end_ns);
	(void)pthread_mutex_unlock(&r.lock);
	thread_join(thread);
	(void)pthread_cond_destroy(&r.condition);
	(void)pthread_condattr_destroy(&attr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_has_its_name_and_stack),
		cmocka_unit_test(signals_do_not_reach_it),
		cmocka_unit_test(who_waits_looks_without_a_signal),
		cmocka_unit_test(batch_priority_is_the_threads_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
