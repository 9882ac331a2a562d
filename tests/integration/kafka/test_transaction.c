// SPDX-License-Identifier: Apache-2.0
// Transactions that fail: aborted, fenced, by a twin, by a zombie; on a real broker.
#include "rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "kafka/producer.h"

#define S ((int64_t)1000000000)

struct names {
	char in[RIG_NAME_SIZE], out[RIG_NAME_SIZE], group[RIG_NAME_SIZE], passed[RIG_NAME_SIZE + 8], other[RIG_NAME_SIZE];
};

static struct names name_all(const char *config, const char *value)
{
	struct names n;
	rig_topic(rig_name(n.in, "in"), 1, NULL, NULL);
	rig_topic(rig_name(n.out, "out"), 1, config, value);
	(void)snprintf(n.passed, sizeof(n.passed), "%s.passed", rig_name(n.group, "group"));
	rig_name(n.other, "other");
	return n;
}

static void expect(struct worker *w, enum reason got, enum reason wanted)
{
	if (got != wanted)
		fail_msg("%s instead of %s: %s", reason_code(got), reason_code(wanted), w->fault.detail);
}

static void read_again(struct worker *w, size_t count)
{
	source_rewind(w->source);
	w->event_count = 0;
	worker_until_event(w, RIG_ASSIGNED, 1);
	assert_int_equal(worker_events(w, RIG_DROPPED), 1);
	worker_until_taken(w, count);
}

static void check_each_once(const struct names *n, size_t count)
{
	struct rig_outputs outputs = rig_read(n->out, 1);
	assert_int_equal(outputs.count, count);
	for (size_t i = 0; i < count; i++) {
		char value[40];
		(void)snprintf(value, sizeof(value), "p0-%zu", i);
		assert_int_equal(rig_count(&outputs, value), 1);
	}
	rig_free(&outputs);
}

static void test_aborted(void **state)
{
	struct names n = name_all("max.message.bytes", "2000");
	(void)state;
	rig_produce(n.in, 0, 0, 20);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_taken(w, 20);
	expect(w, worker_commit(w, 10), REASON_OK);
	char large[4000];
	memset(large, 'x', sizeof(large));
	struct output outputs[] = {
		{.topic = slice_of(n.out), .partition = -1, .value = SLICE_LIT("never seen")},
		{.topic = slice_of(n.out), .partition = -1, .value = {large, sizeof(large)}},
	};
	for (int i = 0; i < 2; i++) { // as a batch, then one by one
		assert_true(sink_output_limit(w->sink, slice_of(n.out)) > sizeof(large));
		struct passage passage = {n.in, 0, w->taken[0].epoch, 20, 0};
		expect(w, sink_commit(w->sink, w->source, outputs, 2, &passage, 1, &w->fault), REASON_KAFKA_ABORTED);
		assert_int_equal(rig_committed(n.group, n.in, 0), 10);
		assert_int_equal(rig_committed(n.passed, n.in, 0), 10);
		read_again(w, 10);
		assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->a, 10);
	}
	assert_int_equal(sink_output_limit(w->sink, slice_of(n.out)), sizeof(large) - 1); // learned
	struct passage passage = {n.in, 0, w->taken[0].epoch, 20, 0};
	expect(w, sink_commit(w->sink, w->source, outputs, 2, &passage, 1, &w->fault), REASON_OUTPUT_TOO_LARGE);
	expect(w, worker_commit(w, 0), REASON_OK);
	check_each_once(&n, 20);
	worker_destroy(w);
}

// Outputs, marks or an abort of a transaction that was given up may still be on their way: INIT of another producer has fenced them.
static void test_given_up(void **state)
{
	static const char *const steps[] = {"sink.begun=fail@1", "sink.passed_sent=fail@1", "sink.produced=fail@1",
					    "sink.offsets_sent=fail@1"};
	struct names n = name_all(NULL, NULL);
	struct fault f;
	(void)state;
	rig_produce(n.in, 0, 0, 20);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_taken(w, 20);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (failpoint_setup(steps[i], &f) != REASON_OK)
			skip(); // a build without failpoints
		char name[64];
		(void)snprintf(name, sizeof(name), "%s", rd_kafka_name(w->sink->rk));
		expect(w, worker_commit(w, 10), REASON_KAFKA_ABORTED);
		assert_string_not_equal(rd_kafka_name(w->sink->rk), name);
		read_again(w, 20);
	}
	expect(w, worker_commit(w, 0), REASON_OK);
	check_each_once(&n, 20);
	worker_destroy(w);
}

// A topic that takes less than a batch of ours, but every message of it.
static void test_small_topic(void **state)
{
	struct names n = name_all("max.message.bytes", "20000");
	(void)state;
	rig_produce(n.in, 0, 0, 4000);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	size_t left = 4000, tries = 0;
	while (left > 0 && tries++ < 20) {
		worker_until_taken(w, left);
		enum reason reason = worker_commit(w, 2000);
		if (reason == REASON_OK) {
			left -= 2000;
			continue;
		}
		expect(w, reason, REASON_KAFKA_ABORTED);
		read_again(w, left);
	}
	assert_int_equal(left, 0);
	check_each_once(&n, 4000);
	printf("a topic that takes 20 kB: %zu tries for two transactions\n", tries);
	worker_destroy(w);
}

static void test_nothing_to_say(void **state)
{
	struct names n = name_all(NULL, NULL);
	(void)state;
	rig_produce(n.in, 0, 0, 5);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_taken(w, 5);
	struct passage passage = {n.in, 0, w->taken[0].epoch, 5, 0};
	expect(w, sink_commit(w->sink, w->source, NULL, 0, &passage, 1, &w->fault), REASON_OK); // replays have no output
	assert_int_equal(rig_committed(n.group, n.in, 0), 5);
	assert_int_equal(rig_committed(n.passed, n.in, 0), 5);
	worker_destroy(w);
}

static void test_twin(void **state)
{
	struct names n = name_all(NULL, NULL);
	(void)state;
	rig_produce(n.in, 0, 0, 40);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_taken(w, 40);
	expect(w, worker_commit(w, 10), REASON_OK);
	const char *topics[] = {n.out};
	struct sink_options options = {
		.conf = &w->conf, .group = n.group, .transactional_id = n.group, .topics = topics, .topic_count = 1};
	struct sink *twin[3] = {0};
	size_t left = 30;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(sink_create(&options, NULL, NULL, &twin[i], &w->fault), REASON_OK);
		enum reason reason = worker_commit(w, 10);
		if (i == 2) { // three times within a minute is no accident
			expect(w, reason, REASON_KAFKA_FATAL);
			assert_non_null(strstr(w->fault.detail, "instance"));
			break;
		}
		expect(w, reason, REASON_KAFKA_FENCED);
		read_again(w, left);
		expect(w, worker_commit(w, 10), REASON_OK);
		left -= 10;
	}
	check_each_once(&n, 30);
	assert_int_equal(rig_committed(n.group, n.in, 0), 30);
	for (int i = 0; i < 3; i++)
		sink_close(twin[i], 5000);
	worker_destroy(w);
}

// Ten records, and a producer of that name that died in a transaction about them.
static void leave_open(const struct names *n, const char *transactional_id)
{
	rig_produce(n->in, 0, 0, 10);
	rd_kafka_t *dead = rig_producer(transactional_id);
	rig_check(rd_kafka_begin_transaction(dead));
	rig_send(dead, (struct rig_message){.topic = n->out, .key = "never seen"});
	rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata_new(n->group);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, n->in, 0)->offset = 9;
	rig_check(rd_kafka_send_offsets_to_transaction(dead, list, metadata, 5000));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_group_metadata_destroy(metadata);
	assert_int_equal(rd_kafka_flush(dead, 5000), 0);
	rd_kafka_destroy(dead);
}

// A worker that was killed in a transaction: its next life settles it at once.
static void test_left_open(void **state)
{
	struct names n = name_all(NULL, NULL);
	(void)state;
	leave_open(&n, n.group);
	int64_t begin = clock_mono_ns();
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_taken(w, 10);
	int64_t took = clock_mono_ns() - begin;
	printf("an open transaction of the last life was settled and reading began in %.0f ms\n", (double)took / 1e6);
	assert_true(took < 10 * S); // its timeout was 20 s
	expect(w, worker_commit(w, 0), REASON_OK);
	check_each_once(&n, 10);
	worker_destroy(w);
}

// It does not come back: who has its partition now is told, and may end the transaction.
static void test_left_open_by_another(void **state)
{
	struct names n = name_all(NULL, NULL);
	(void)state;
	leave_open(&n, n.other);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_event(w, RIG_UNDECIDED, 1);
	assert_int_equal(worker_events(w, RIG_ASSIGNED), 0);
	const char *const instances[] = {n.other, n.group};
	bool present[2] = {true, false};
	assert_int_equal(source_present(w->source, instances, 2, 5000, present, &w->fault), REASON_OK);
	assert_false(present[0]);
	assert_true(present[1]);
	assert_int_equal(sink_fence(&w->conf, n.other, 5000, &w->fault), REASON_OK);
	int64_t begin = clock_mono_ns();
	worker_until_taken(w, 10);
	assert_true(clock_mono_ns() - begin < 5 * S); // its timeout was 20 s
	expect(w, worker_commit(w, 0), REASON_OK);
	check_each_once(&n, 10);
	worker_destroy(w);
}

// --- a process that is stopped while others go on without it ---

static void child_main(const struct names *n, int in, int out)
{
	char command;
	struct worker *w = worker_create(n->group, n->other, n->in, n->out);
	w->conf.session_timeout_ms = 2000;
	w->conf.static_membership = false;
	worker_open(w);
	worker_until_taken(w, 50);
	if (write(out, "r", 1) != 1 || read(in, &command, 1) != 1)
		_exit(3);
	enum reason reason = worker_commit(w, 0); // the first thing that it does when it wakes up
	unsigned char code = (unsigned char)reason;
	if (write(out, &code, 1) != 1 || read(in, &command, 1) != 1)
		_exit(3);
	_exit(0);
}

static void test_zombie(void **state)
{
	struct names n = name_all(NULL, NULL);
	int down[2], up[2], status;
	char byte;
	(void)state;
	rig_produce(n.in, 0, 0, 50);
	assert_int_equal(pipe(down) | pipe(up), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		child_main(&n, down[0], up[1]);
	assert_int_equal(read(up[0], &byte, 1), 1); // it has all records in hand
	assert_int_equal(kill(child, SIGSTOP), 0);

	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	worker_open(w);
	worker_until_taken(w, 50); // after the other's session has ended
	expect(w, worker_commit(w, 0), REASON_OK);
	assert_int_equal(write(down[1], "g", 1), 1);
	assert_int_equal(kill(child, SIGCONT), 0);
	unsigned char code;
	assert_int_equal(read(up[0], &code, 1), 1);
	enum reason reason = (enum reason)code;
	printf("the stopped worker's commit ended %s\n", reason_code(reason));
	assert_true(reason == REASON_KAFKA_ABORTED || reason == REASON_ASSIGNMENT_STALE);
	assert_int_equal(write(down[1], "q", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	check_each_once(&n, 50);
	worker_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zombie), // first: it forks, so no thread may be there yet
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_small_topic),
		cmocka_unit_test(test_nothing_to_say),
		cmocka_unit_test(test_twin),
		cmocka_unit_test(test_left_open),
		cmocka_unit_test(test_left_open_by_another),
	};
	return cmocka_run_group_tests_name("kafka transactions", tests, NULL, NULL);
}
