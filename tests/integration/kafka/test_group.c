// SPDX-License-Identifier: Apache-2.0
// Partitions that move, are read again, or do not fit their offsets; on a real broker.
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"

#define PARTITIONS 4
#define S ((int64_t)1000000000)

struct names {
	char in[RIG_NAME_SIZE], out[RIG_NAME_SIZE], group[RIG_NAME_SIZE], passed[RIG_NAME_SIZE + 8], other[RIG_NAME_SIZE];
};

static struct names name_all(int partitions)
{
	struct names n;
	rig_topic(rig_name(n.in, "in"), partitions, NULL, NULL);
	rig_topic(rig_name(n.out, "out"), 2, NULL, NULL);
	(void)snprintf(n.passed, sizeof(n.passed), "%s.passed", rig_name(n.group, "group"));
	rig_name(n.other, "other");
	return n;
}

static struct worker *start_worker(const struct names *n, const char *instance, const char *strategy)
{
	struct worker *w = worker_create(n->group, instance, n->in, n->out);
	if (strategy)
		rig_property(&w->conf.consumer_properties, "partition.assignment.strategy", strategy);
	worker_open(w);
	return w;
}

// What is in hand of each partition must follow on without a gap: these topics hold no control records.
static void check_order(const struct worker *w, int64_t next[PARTITIONS])
{
	for (size_t i = 0; i < w->taken_count; i++) {
		int p = w->taken[i].at.partition;
		assert_int_equal(w->taken[i].at.offset, next[p]);
		next[p]++;
	}
}

static void check_each_once(const struct names *n, int partitions, int count)
{
	struct rig_outputs outputs = rig_read(n->out, 2);
	int *seen = calloc((size_t)(partitions * count), sizeof(*seen));
	assert_non_null(seen);
	for (size_t i = 0; i < outputs.count; i++) {
		char *end;
		long p = strtol(outputs.items[i].value + 1, &end, 10), k = strtol(end + 1, NULL, 10);
		assert_true(p >= 0 && p < partitions && k >= 0 && k < count);
		seen[p * count + k]++;
	}
	for (int i = 0; i < partitions * count; i++)
		if (seen[i] != 1)
			fail_msg("record %d of partition %d has %d outputs", i % count, i / count, seen[i]);
	free(seen);
	rig_free(&outputs);
}

static void rewind_many(const char *strategy)
{
	enum { COUNT = 3000 };
	struct names n = name_all(PARTITIONS);
	for (int p = 0; p < PARTITIONS; p++)
		rig_produce(n.in, p, 0, COUNT);
	struct worker *w = start_worker(&n, n.group, strategy);
	int64_t start[PARTITIONS] = {0}, next[PARTITIONS];
	for (int round = 0; round < 30; round++) {
		worker_until_taken(w, (size_t)(round * 37 % 900) + 1);
		memcpy(next, start, sizeof(next));
		check_order(w, next);
		if (round % 3 == 2) { // some of it passes, so that the next round starts elsewhere
			size_t n_commit = w->taken_count / 2;
			for (size_t i = 0; i < n_commit; i++)
				start[w->taken[i].at.partition] = w->taken[i].at.offset + 1;
			if (n_commit > 0 && worker_commit(w, n_commit) != REASON_OK)
				fail_msg("%s", w->fault.detail);
		}
		uint64_t epoch = w->taken_count > 0 ? w->taken[0].epoch : 0;
		int32_t partition = w->taken_count > 0 ? w->taken[0].at.partition : 0;
		source_rewind(w->source);
		assert_false(source_current(w->source, n.in, partition, epoch));
		if (w->taken_count > 0)
			assert_int_equal(worker_commit(w, 0), REASON_ASSIGNMENT_STALE);
		w->event_count = 0;
		worker_until_event(w, RIG_ASSIGNED, PARTITIONS);
		assert_int_equal(worker_events(w, RIG_DROPPED), PARTITIONS);
		for (size_t i = 0; i < PARTITIONS; i++) {
			const struct rig_event *e = worker_event(w, RIG_ASSIGNED, i);
			assert_int_equal(e->a, start[e->partition]);
			assert_int_equal(e->b, start[e->partition]);
		}
	}
	worker_destroy(w);
}

static void test_rewind(void **state)
{
	(void)state;
	rewind_many(NULL);
}

static void test_rewind_range(void **state)
{
	(void)state;
	rewind_many("range");
}

static void rebalance(const char *strategy)
{
	enum { COUNT = 2000 };
	struct names n = name_all(PARTITIONS);
	for (int p = 0; p < PARTITIONS; p++)
		rig_produce(n.in, p, 0, COUNT);
	struct worker *a = start_worker(&n, n.group, strategy);
	worker_until_event(a, RIG_ASSIGNED, PARTITIONS);
	worker_until_taken(a, 100);
	if (worker_commit(a, 100) != REASON_OK)
		fail_msg("%s", a->fault.detail);
	worker_until_taken(a, 50);
	struct rig_taken old = a->taken[0];

	struct worker *b = start_worker(&n, n.other, strategy);
	int64_t until = clock_mono_ns() + 30 * S;
	size_t done = 100;
	while (done < PARTITIONS * COUNT) {
		struct worker *both[] = {a, b};
		for (int i = 0; i < 2; i++) {
			struct worker *w = both[i];
			worker_step(w);
			size_t some = w->taken_count < 60 ? w->taken_count : 60;
			// Without a second pair of eyes on it half of the records stay in hand while partitions move.
			if (worker_events(b, RIG_ASSIGNED) < 2 && some > 5)
				some = 5;
			if (some == 0)
				continue;
			enum reason reason = worker_commit(w, some);
			if (reason == REASON_OK)
				done += some;
			else if (reason == REASON_KAFKA_ABORTED)
				source_rewind(w->source);
			else if (reason != REASON_ASSIGNMENT_STALE)
				fail_msg("%s", w->fault.detail);
		}
		if (clock_mono_ns() > until)
			fail_msg("%zu outputs of %d", done, PARTITIONS * COUNT);
	}
	struct source_lag lag_a, lag_b;
	source_lag(a->source, &lag_a);
	source_lag(b->source, &lag_b);
	assert_int_equal(lag_a.running, 2);
	assert_int_equal(lag_b.running, 2);
	assert_true(worker_events(a, RIG_DROPPED) >= 2);
	// The epoch that ended with the move stays ended.
	bool moved = false;
	for (size_t i = 0; i < a->event_count; i++)
		moved = moved || (a->events[i].kind == RIG_DROPPED && a->events[i].partition == old.at.partition);
	assert_int_equal(source_current(a->source, n.in, old.at.partition, old.epoch), !moved);
	check_each_once(&n, PARTITIONS, COUNT);
	worker_destroy(a);
	worker_destroy(b);
}

static void test_rebalance(void **state)
{
	(void)state;
	rebalance(NULL);
}

static void test_rebalance_range(void **state)
{
	(void)state;
	rebalance("range");
}

static void test_above_end(void **state)
{
	struct names n = name_all(2);
	struct source_lag lag;
	(void)state;
	rig_produce(n.in, 0, 0, 10);
	rig_produce(n.in, 1, 0, 10);
	rig_set_offset(n.group, n.in, 0, 1000);
	struct worker *w = start_worker(&n, n.group, NULL);
	worker_until_event(w, RIG_GAP, 1);
	const struct rig_event *gap = worker_event(w, RIG_GAP, 0);
	assert_int_equal(gap->partition, 0);
	assert_int_equal(gap->a, 1000);
	assert_int_equal(gap->b, 0);
	assert_int_equal(gap->c, 10);
	assert_int_equal(worker_events(w, RIG_ASSIGNED), 1); // the other one runs
	worker_until_taken(w, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(w->taken[i].at.partition, 1);
	source_lag(w->source, &lag);
	assert_int_equal(lag.paused, 1);
	assert_int_equal(lag.running, 1);
	assert_true(source_ready(w->source));
	source_rewind(w->source); // does not wake it
	w->event_count = 0;
	worker_until_event(w, RIG_ASSIGNED, 1);
	source_lag(w->source, &lag);
	assert_int_equal(lag.paused, 1);
	worker_close(w);

	struct kafka_admin *admin = NULL;
	struct fault f = {0};
	w->conf.session_timeout_ms = 6000;
	assert_int_equal(kafka_admin_create(&w->conf, &admin, &f), REASON_OK);
	assert_int_equal(kafka_admin_forget(admin, n.group, n.in, 0, 5000, &f),
			 REASON_KAFKA_DENIED); // a static member is still there
	int64_t until = clock_mono_ns() + 20 * S;
	while (kafka_admin_forget(admin, n.group, n.in, 0, 5000, &f) != REASON_OK && clock_mono_ns() < until)
		clock_sleep_ms(200);
	assert_int_equal(rig_committed(n.group, n.in, 0), -1);
	assert_int_equal(kafka_admin_forget(admin, n.group, n.in, 0, 5000, &f), REASON_OK); // nothing there: fine
	kafka_admin_destroy(admin);
	w->event_count = 0;
	worker_open(w);
	worker_until_taken(w, 20);
	worker_destroy(w);
}

static void test_passed_above_end(void **state)
{
	struct names n = name_all(1);
	(void)state;
	rig_produce(n.in, 0, 0, 10);
	rig_set_offset(n.passed, n.in, 0, 11); // the topic was made again and only the group's own offset is gone
	struct worker *w = start_worker(&n, n.group, NULL);
	worker_until_event(w, RIG_GAP, 1);
	assert_int_equal(worker_event(w, RIG_GAP, 0)->a, 11);
	assert_int_equal(worker_events(w, RIG_ASSIGNED), 0);
	worker_destroy(w);
}

static void test_below_start(void **state)
{
	struct names n = name_all(1);
	(void)state;
	rig_produce(n.in, 0, 0, 100);
	rig_delete_before(n.in, 0, 50);
	rig_set_offset(n.group, n.in, 0, 10);
	struct worker *w = start_worker(&n, n.group, NULL);
	worker_until_taken(w, 50);
	const struct rig_event *gap = worker_event(w, RIG_GAP, 0);
	assert_int_equal(gap->a, 10);
	assert_int_equal(gap->b, 50);
	assert_int_equal(gap->c, 100);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->a, 50);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->b, 10);
	assert_int_equal(w->taken[0].at.offset, 50);
	worker_destroy(w);
}

static void test_no_offset(void **state)
{
	struct names n = name_all(1);
	(void)state;
	rig_produce(n.in, 0, 0, 30);
	rig_delete_before(n.in, 0, 20);
	struct worker *w = start_worker(&n, n.group, NULL);
	worker_until_taken(w, 10); // a new group starts at the beginning, which is no gap
	assert_int_equal(worker_events(w, RIG_GAP), 0);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->a, 20);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->b, 0);
	worker_destroy(w);
}

static void test_set_back(void **state)
{
	struct names n = name_all(1);
	(void)state;
	rig_produce(n.in, 0, 0, 100);
	rig_set_offset(n.group, n.in, 0, 20);
	rig_set_offset(n.passed, n.in, 0, 70);
	struct worker *w = start_worker(&n, n.group, NULL);
	worker_until_taken(w, 80);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->a, 20); // read again
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->b, 70); // but passed up to here
	worker_destroy(w);
}

// A transaction that is undecided about the partition's offset: the partition waits for it, the others do not.
static void undecided(bool commit)
{
	struct names n = name_all(2);
	(void)commit;
	rig_produce(n.in, 0, 0, 100);
	rig_produce(n.in, 1, 0, 100);
	rig_set_offset(n.group, n.in, 0, 5);
	rd_kafka_t *rk = rig_producer(n.other);
	rig_check(rd_kafka_begin_transaction(rk));
	rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata_new(n.group);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, n.in, 0)->offset = 40;
	rig_check(rd_kafka_send_offsets_to_transaction(rk, list, metadata, 5000));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_group_metadata_destroy(metadata);

	struct worker *w = start_worker(&n, n.group, NULL);
	worker_until_taken(w, 100);
	for (int i = 0; i < 50; i++)
		worker_step(w);
	assert_int_equal(worker_events(w, RIG_ASSIGNED), 1);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 0)->partition, 1);
	assert_false(source_ready(w->source));
	assert_int_equal(w->reason, REASON_OK); // waiting for a transaction is no trouble
	rig_check(commit ? rd_kafka_commit_transaction(rk, -1) : rd_kafka_abort_transaction(rk, -1));
	worker_until_event(w, RIG_ASSIGNED, 2);
	assert_int_equal(worker_event(w, RIG_ASSIGNED, 1)->a, commit ? 40 : 5);
	rd_kafka_destroy(rk);
	worker_destroy(w);
}

static void test_undecided_commit(void **state)
{
	(void)state;
	undecided(true);
}

static void test_undecided_abort(void **state)
{
	(void)state;
	undecided(false);
}

// The log is cut while it is read: the rest is found again, and the cut is told.
static void test_cut_while_reading(void **state)
{
	struct names n = name_all(1);
	(void)state;
	rig_produce(n.in, 0, 0, 100);
	struct worker *w = worker_create(n.group, n.group, n.in, n.out);
	w->conf.prefetch_records = 1;
	w->conf.prefetch_bytes = 65536;
	worker_open(w);
	worker_until_taken(w, 100);
	if (worker_commit(w, 40) != REASON_OK)
		fail_msg("%s", w->fault.detail);
	worker_close(w);
	rig_produce(n.in, 0, 100, 100);
	rig_delete_before(n.in, 0, 150);
	w->event_count = 0;
	worker_open(w);
	worker_until_taken(w, 50);
	assert_int_equal(worker_event(w, RIG_GAP, 0)->a, 40);
	assert_int_equal(w->taken[0].at.offset, 150);
	worker_destroy(w);
}

// Once is an accident (a member can meet its former self); twins take the name from each other until one of them gives up.
static void test_twin_instance(void **state)
{
	struct names n = name_all(1);
	(void)state;
	struct worker *a = start_worker(&n, n.group, NULL);
	worker_until_event(a, RIG_ASSIGNED, 1);
	struct worker *b = worker_create(n.group, n.group, n.in, NULL); // the same group.instance.id
	worker_open(b);
	int64_t until = clock_mono_ns() + 60 * S;
	while (a->reason != REASON_KAFKA_FATAL && b->reason != REASON_KAFKA_FATAL && clock_mono_ns() < until) {
		worker_step(a);
		worker_step(b);
	}
	struct worker *loser = a->reason == REASON_KAFKA_FATAL ? a : b, *winner = loser == a ? b : a;
	assert_int_equal(loser->reason, REASON_KAFKA_FATAL);
	assert_non_null(strstr(loser->fault.detail, "instance"));
	assert_int_equal(worker_events(loser, RIG_DROPPED), worker_events(loser, RIG_ASSIGNED));
	assert_true(worker_events(loser, RIG_ASSIGNED) >= 2); // it did come back before
	worker_until_event(winner, RIG_ASSIGNED, worker_events(winner, RIG_DROPPED) + 1);
	worker_destroy(a);
	worker_destroy(b);
}

// A stop may come at any moment of joining.
static void test_close_while_joining(void **state)
{
	struct names n = name_all(1);
	struct fault f;
	(void)state;
	for (int ms = 0; ms < 60; ms += 3) {
		struct worker *w = worker_create(n.group, n.group, n.in, NULL);
		w->conf.static_membership = false;
		worker_open(w);
		int64_t until = clock_mono_ns() + ms * (int64_t)1000000;
		while (clock_mono_ns() < until)
			(void)!source_poll(w->source, 1, &f);
		worker_destroy(w);
	}
}

// Nor must a stop be disturbed by a rebalance that nobody has served since it began.
static void test_close_in_a_rebalance(void **state)
{
	struct names n = name_all(PARTITIONS);
	(void)state;
	struct worker *a = start_worker(&n, n.group, NULL);
	worker_until_event(a, RIG_ASSIGNED, PARTITIONS);
	struct worker *b = start_worker(&n, n.other, NULL);
	int64_t until = clock_mono_ns() + 3 * S;
	while (clock_mono_ns() < until)
		worker_step(b);
	worker_destroy(a);
	worker_destroy(b);
}

static void test_missing_topic(void **state)
{
	struct names n = name_all(1);
	(void)state;
	struct worker *w = worker_create(n.group, n.group, rig_name(n.other, "later"), NULL);
	worker_open(w);
	int64_t until = clock_mono_ns() + 20 * S;
	while (w->reason == REASON_OK && clock_mono_ns() < until)
		worker_step(w);
	assert_int_equal(w->reason, REASON_KAFKA_UNAVAILABLE);
	assert_non_null(strstr(w->fault.detail, n.other));
	for (int i = 0; i < 20; i++)
		worker_step(w);
	assert_int_equal(w->reason, REASON_KAFKA_UNAVAILABLE); // it stays told
	rig_topic(n.other, 1, NULL, NULL);
	worker_until_event(w, RIG_ASSIGNED, 1);
	worker_step(w);
	assert_int_equal(w->reason, REASON_OK);
	worker_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewind),          cmocka_unit_test(test_rewind_range),
		cmocka_unit_test(test_rebalance),       cmocka_unit_test(test_rebalance_range),
		cmocka_unit_test(test_above_end),       cmocka_unit_test(test_passed_above_end),
		cmocka_unit_test(test_below_start),     cmocka_unit_test(test_no_offset),
		cmocka_unit_test(test_set_back),        cmocka_unit_test(test_undecided_commit),
		cmocka_unit_test(test_undecided_abort), cmocka_unit_test(test_cut_while_reading),
		cmocka_unit_test(test_twin_instance),   cmocka_unit_test(test_close_while_joining),
		cmocka_unit_test(test_missing_topic),   cmocka_unit_test(test_close_in_a_rebalance),
	};
	return cmocka_run_group_tests_name("kafka group", tests, NULL, NULL);
}
