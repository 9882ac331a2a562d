// SPDX-License-Identifier: Apache-2.0
// The broker hangs or dies: waits are bounded, what happened is told, and work resumes unaided with every output once.
#include "rig.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/thread.h"

#define S ((int64_t)1000000000)
#define TRANSACTION_MS 3000 // short, so that the test is

struct names {
	char in[RIG_NAME_SIZE], out[RIG_NAME_SIZE], group[RIG_NAME_SIZE];
};

static struct names name_all(void)
{
	struct names n;
	rig_topic(rig_name(n.in, "in"), 2, NULL, NULL);
	rig_topic(rig_name(n.out, "out"), 2, NULL, NULL);
	rig_name(n.group, "group");
	return n;
}

static void service(const char *command)
{
	char *script = strdup(ENROLLD_SCHEMAS_DIR "/../scripts/services"), *word = strdup(command), *name = strdup("kafka");
	char *argv[] = {script, word, name, NULL};
	pid_t pid;
	int status = -1;
	assert_int_equal(posix_spawn(&pid, script, NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("scripts/services %s kafka: %d", command, status);
	free(script);
	free(word);
	free(name);
}

struct plan {
	int64_t before_ms, between_ms;
	const char *first, *second;
};

static void carry_out(void *ctx)
{
	const struct plan *plan = ctx;
	clock_sleep_ms(plan->before_ms);
	service(plan->first);
	clock_sleep_ms(plan->between_ms);
	service(plan->second);
}

static struct worker *start_worker(const struct names *n, int results)
{
	struct worker *w = worker_create(n->group, n->group, n->in, n->out);
	w->conf.results = results;
	w->conf.transaction_timeout_ms = TRANSACTION_MS;
	worker_open(w);
	return w;
}

struct tally {
	size_t done, retried, rewound, troubles;
	int64_t longest_ns; // of one commit
};

static void step(struct worker *w, size_t count, struct tally *tally)
{
	worker_step(w);
	tally->troubles += w->reason != REASON_OK;
	size_t n = w->taken_count < count ? w->taken_count : count;
	if (n == 0)
		return;
	int64_t begin = clock_mono_ns();
	enum reason reason = worker_commit(w, n);
	int64_t took = clock_mono_ns() - begin;
	if (took > tally->longest_ns)
		tally->longest_ns = took;
	switch (reason) {
	case REASON_OK: tally->done += n; break;
	case REASON_KAFKA_UNAVAILABLE: tally->retried++; break;
	case REASON_ASSIGNMENT_STALE: break;
	case REASON_KAFKA_ABORTED:
	case REASON_KAFKA_UNKNOWN:
	case REASON_KAFKA_FENCED:
		printf("  %s: %s\n", reason_code(reason), w->fault.detail);
		tally->rewound++;
		source_rewind(w->source);
		break;
	default: fail_msg("%s: %s", reason_code(reason), w->fault.detail);
	}
}

// Everything that was produced has an output; at_most_once: and no second one.
static bool all_out(const struct names *n, int count, bool once)
{
	struct rig_outputs outputs = rig_read(n->out, 2);
	bool all = true;
	for (int p = 0; p < 2; p++)
		for (int i = 0; i < count; i++) {
			char value[40];
			(void)snprintf(value, sizeof(value), "p%d-%d", p, i);
			size_t seen = rig_count(&outputs, value);
			if (once && seen > 1)
				fail_msg("%s came %zu times", value, seen);
			all = all && seen >= 1;
		}
	rig_free(&outputs);
	return all;
}

static void outage(int results, struct plan plan, const char *what)
{
	enum { COUNT = 1500 };
	struct names n = name_all();
	struct tally tally = {0};
	pthread_t thread;
	struct fault f;
	rig_produce(n.in, 0, 0, COUNT);
	rig_produce(n.in, 1, 0, COUNT);
	struct worker *w = start_worker(&n, results);
	worker_until_taken(w, 100);
	assert_int_equal(thread_start("outage", carry_out, &plan, &thread, &f), REASON_OK);
	int64_t begin = clock_mono_ns();
	// An unknown commit may have gone through, so what is done is not counted but read.
	while (clock_mono_ns() - begin < plan.between_ms * 1000000 + 3 * S)
		step(w, 10, &tally);
	thread_join(thread);
	struct source_lag lag = {.records = 1};
	while (clock_mono_ns() - begin < 90 * S &&
	       (lag.records > 0 || lag.running < 2 || w->taken_count > 0 || w->reason != REASON_OK)) {
		step(w, 500, &tally);
		source_lag(w->source, &lag);
	}
	if (w->reason != REASON_OK)
		fail_msg("%s: %s", reason_code(w->reason), w->fault.detail);
	printf("%s: %zu rewinds, %zu tries without a broker, %zu troubles told, longest commit %.1f s\n", what, tally.rewound,
	       tally.retried, tally.troubles, (double)tally.longest_ns / 1e9);
	assert_true(tally.longest_ns < 5 * TRANSACTION_MS * (int64_t)1000000);
	assert_true(tally.troubles > 0);
	assert_true(all_out(&n, COUNT, results == KAFKA_RESULTS_TRANSACTIONAL));
	for (int p = 0; p < 2; p++)
		assert_int_equal(rig_committed(n.group, n.in, p), COUNT);
	worker_destroy(w);
}

static void test_hang(void **state)
{
	(void)state;
	outage(KAFKA_RESULTS_TRANSACTIONAL, (struct plan){200, 15000, "pause", "resume"}, "a broker that hangs for 15 s");
}

static void test_crash(void **state)
{
	(void)state;
	outage(KAFKA_RESULTS_TRANSACTIONAL, (struct plan){200, 3000, "kill", "start"}, "a broker that dies");
}

static void test_crash_idempotent(void **state)
{
	(void)state;
	outage(KAFKA_RESULTS_IDEMPOTENT, (struct plan){200, 3000, "kill", "start"}, "a broker that dies, idempotent results");
}

// The broker hangs when EndTxn(commit) is the next request: it will be read when the broker is back, or not.
static void test_unknown_commit(void **state)
{
	struct names n = name_all();
	struct plan plan = {500, 12000, "pause", "resume"};
	pthread_t thread;
	struct fault f;
	(void)state;
	if (failpoint_setup("sink.offsets_sent=stall:2s@1", &f) != REASON_OK)
		skip(); // a build without failpoints
	rig_produce(n.in, 0, 0, 100);
	rig_produce(n.in, 1, 0, 100);
	struct worker *w = start_worker(&n, KAFKA_RESULTS_TRANSACTIONAL);
	worker_until_taken(w, 200);
	assert_int_equal(thread_start("outage", carry_out, &plan, &thread, &f), REASON_OK);
	int64_t begin = clock_mono_ns();
	enum reason reason = worker_commit(w, 0);
	printf("the commit ended %s after %.1f s: %s\n", reason_code(reason), (double)(clock_mono_ns() - begin) / 1e9,
	       w->fault.detail);
	assert_int_equal(reason, REASON_KAFKA_UNKNOWN);
	assert_true(clock_mono_ns() - begin < 15 * S);
	source_rewind(w->source);
	thread_join(thread);
	begin = clock_mono_ns();
	struct tally tally = {0};
	struct source_lag lag = {0};
	w->event_count = 0;
	while (clock_mono_ns() - begin < 60 * S && (worker_events(w, RIG_ASSIGNED) < 2 || lag.records > 0 || w->taken_count > 0)) {
		step(w, 500, &tally);
		source_lag(w->source, &lag);
	}
	printf("it was %s\n", tally.done == 0 ? "committed" : "not committed");
	assert_true(tally.done == 0 || tally.done == 200);
	assert_true(all_out(&n, 100, true));
	worker_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_commit),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_crash_idempotent),
	};
	return cmocka_run_group_tests_name("kafka outages", tests, NULL, NULL);
}
