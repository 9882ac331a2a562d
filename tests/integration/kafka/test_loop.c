// SPDX-License-Identifier: Apache-2.0
// Consume, produce, commit on a real broker: contents, order, offsets of both groups, times.
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"

static void check_outputs(const char *out, int partitions, const int *counts, int in_partitions)
{
	struct rig_outputs outputs = rig_read(out, partitions);
	size_t expected = 0;
	for (int p = 0; p < in_partitions; p++) {
		expected += (size_t)counts[p];
		for (int i = 0; i < counts[p]; i++) {
			char value[40];
			(void)snprintf(value, sizeof(value), "p%d-%d", p, i);
			assert_int_equal(rig_count(&outputs, value), 1);
		}
	}
	assert_int_equal(outputs.count, expected);
	rig_free(&outputs);
}

static void run_loop(int results)
{
	char in[RIG_NAME_SIZE], out[RIG_NAME_SIZE], group[RIG_NAME_SIZE], passed[RIG_NAME_SIZE + 8];
	const int counts[] = {300, 120, 0};
	rig_topic(rig_name(in, "in"), 3, NULL, NULL);
	rig_topic(rig_name(out, "out"), 2, NULL, NULL);
	rig_produce(in, 0, 0, counts[0]);
	rig_produce(in, 1, 0, counts[1]);
	(void)snprintf(passed, sizeof(passed), "%s.passed", rig_name(group, "group"));

	struct worker *w = worker_create(group, group, in, out);
	w->conf.results = results;
	worker_open(w);
	for (size_t done = 0; done < 420;) {
		worker_until_taken(w, 1);
		size_t n = w->taken_count;
		if (worker_commit(w, 0) != REASON_OK)
			fail_msg("%s", w->fault.detail);
		done += n;
	}
	assert_int_equal(worker_events(w, RIG_ASSIGNED), 3);
	assert_int_equal(worker_events(w, RIG_DROPPED), 0);
	assert_true(source_ready(w->source));
	struct source_lag lag;
	source_lag(w->source, &lag);
	assert_int_equal(lag.records, 0);
	assert_int_equal(lag.running, 3);
	assert_string_not_equal(source_cluster_id(w->source, 1000), "");
	for (int p = 0; p < 3; p++) {
		int64_t expected = counts[p] > 0 ? counts[p] : -1;
		assert_int_equal(rig_committed(group, in, p), expected);
		assert_int_equal(rig_committed(passed, in, p), expected);
	}
	worker_close(w);
	assert_int_equal(worker_events(w, RIG_DROPPED), 3);
	check_outputs(out, 2, counts, 3);

	w->event_count = 0;
	worker_open(w); // the next life starts where the last one ended
	worker_until_event(w, RIG_ASSIGNED, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct rig_event *e = worker_event(w, RIG_ASSIGNED, i);
		assert_int_equal(e->a, counts[e->partition]);
		assert_int_equal(e->b, counts[e->partition]);
	}
	worker_destroy(w);
}

static void test_transactional(void **state)
{
	(void)state;
	run_loop(KAFKA_RESULTS_TRANSACTIONAL);
}

static void test_idempotent(void **state)
{
	(void)state;
	run_loop(KAFKA_RESULTS_IDEMPOTENT);
}

static void produce_odd(const char *topic)
{
	static char large[2000];
	rd_kafka_t *rk = rig_producer(NULL);
	memset(large, 'x', sizeof(large));
	rd_kafka_headers_t *headers = rd_kafka_headers_new(3);
	assert_int_equal(rd_kafka_header_add(headers, ":Path", -1, "/v1/accounts", -1), 0);
	assert_int_equal(rd_kafka_header_add(headers, "null", -1, NULL, 0), 0);
	assert_int_equal(rd_kafka_header_add(headers, "empty", -1, "", 0), 0);
	rig_send(rk, (struct rig_message){
			     .topic = topic, .key = "k", .value = "value", .headers = headers, .timestamp = 1700000000123});
	rig_send(rk, (struct rig_message){.topic = topic, .key = "tombstone"});
	rig_send(rk, (struct rig_message){.topic = topic, .value = ""});
	rig_send(rk, (struct rig_message){.topic = topic, .key = "large", .value = large, .value_len = sizeof(large)});
	headers = rd_kafka_headers_new(300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(rd_kafka_header_add(headers, "h", 1, "v", 1), 0);
	rig_send(rk, (struct rig_message){.topic = topic, .value = "v", .headers = headers});
	assert_int_equal(rd_kafka_flush(rk, 10000), 0);
	rd_kafka_destroy(rk);
}

static void next_record(struct worker *w, struct arena *arena, struct record *record)
{
	struct fault f;
	int64_t until = clock_mono_ns() + (int64_t)20000000000;
	while (!source_next(w->source, 20, arena, record)) {
		assert_int_equal(source_poll(w->source, 0, &f), REASON_OK);
		if (clock_mono_ns() > until)
			fail_msg("no record");
	}
}

static void test_contents(void **state)
{
	char in[RIG_NAME_SIZE], group[RIG_NAME_SIZE];
	struct record r;
	(void)state;
	rig_topic(rig_name(in, "odd"), 1, NULL, NULL);
	produce_odd(in);
	rig_name(group, "group");
	struct worker *w = worker_create(group, group, in, NULL);
	worker_open(w);
	struct arena *arena = arena_create(4096);

	next_record(w, arena, &r);
	assert_string_equal(r.at.topic, in);
	assert_int_equal(r.at.offset, 0);
	assert_int_equal(r.timestamp_ms, 1700000000123);
	assert_false(r.log_append_time);
	assert_true(slice_equal_text(r.key, "k"));
	assert_true(slice_equal_text(r.value, "value"));
	assert_int_equal(r.value_size, 5);
	assert_int_equal(r.header_count, 3);
	assert_true(slice_equal_text(record_header_value(&r, ":path"), "/v1/accounts"));
	assert_non_null(record_header(&r, "null"));
	assert_true(slice_is_absent(record_header_value(&r, "null")));
	assert_false(slice_is_absent(record_header_value(&r, "empty")));
	assert_int_equal(record_header_value(&r, "empty").len, 0);
	assert_true(source_current(w->source, in, 0, r.epoch));
	assert_false(source_current(w->source, in, 0, r.epoch + 1));
	assert_false(source_current(w->source, in, 1, r.epoch));

	next_record(w, arena, &r); // tombstone
	assert_true(slice_is_absent(r.value));
	assert_int_equal(r.value_size, 0);
	assert_int_equal(r.header_count, 0);
	next_record(w, arena, &r); // empty value, no key
	assert_true(slice_is_absent(r.key));
	assert_false(slice_is_absent(r.value));
	assert_int_equal(r.value.len, 0);
	next_record(w, arena, &r); // over the limit: left in Kafka
	assert_true(slice_is_absent(r.value));
	assert_int_equal(r.value_size, 2000);
	assert_true(slice_equal_text(r.key, "large"));
	next_record(w, arena, &r); // too many headers: left in Kafka whole
	assert_int_equal(r.header_count, 0);
	assert_true(slice_is_absent(r.value));
	assert_true(r.value_size > 1024);
	assert_int_equal(r.at.offset, 4);
	arena_destroy(arena);
	worker_destroy(w);
}

static void test_outputs(void **state)
{
	char in[RIG_NAME_SIZE], out[RIG_NAME_SIZE], group[RIG_NAME_SIZE];
	(void)state;
	rig_topic(rig_name(in, "in"), 1, NULL, NULL);
	rig_topic(rig_name(out, "out"), 4, NULL, NULL);
	rig_produce(in, 0, 0, 1);
	rig_name(group, "group");
	struct worker *w = worker_create(group, group, in, out);
	worker_open(w);
	worker_until_taken(w, 1);
	struct header headers[] = {{SLICE_LIT("ce_id"), SLICE_LIT("1")}, {SLICE_LIT("nothing"), SLICE_ABSENT}};
	struct output outputs[] = {
		{.topic = slice_of(out),
		 .partition = 3,
		 .key = SLICE_LIT("a"),
		 .value = SLICE_LIT("first"),
		 .headers = headers,
		 .header_count = 2},
		{.topic = slice_of(out), .partition = 3, .key = SLICE_ABSENT, .value = SLICE_ABSENT},
		{.topic = slice_of(out), .partition = -1, .key = SLICE_LIT("key-1"), .value = SLICE_LIT("by key")},
	};
	// next is 1, but the mark says 7: <group>.passed gets the higher one
	struct passage passage = {in, 0, w->taken[0].epoch, 1, 7};
	assert_int_equal(sink_commit(w->sink, w->source, outputs, 3, &passage, 1, &w->fault), REASON_OK);
	char passed[RIG_NAME_SIZE + 8];
	(void)snprintf(passed, sizeof(passed), "%s.passed", group);
	assert_int_equal(rig_committed(group, in, 0), 1);
	assert_int_equal(rig_committed(passed, in, 0), 7);

	struct rig_outputs seen = rig_read(out, 4);
	assert_int_equal(seen.count, 3);
	for (size_t i = 0; i < seen.count; i++) {
		if (strcmp(seen.items[i].value, "first") == 0)
			assert_int_equal(seen.items[i].partition, 3);
		if (strcmp(seen.items[i].value, "by key") == 0)
			assert_int_equal(seen.items[i].partition,
					 0); // (murmur2("key-1") & 0x7fffffff) % 4, as Java clients have it
	}
	rig_free(&seen);

	assert_true(sink_has_topic(w->sink, slice_of(out), -1));
	assert_true(sink_has_topic(w->sink, slice_of(out), 3));
	assert_false(sink_has_topic(w->sink, slice_of(out), 4));
	assert_false(sink_has_topic(w->sink, SLICE_LIT("test-there-is-no-such-topic"), -1));
	assert_false(sink_has_topic(w->sink, SLICE_LIT("no/topic name"), -1));

	struct output missing = {
		.kind = OUTPUT_REPLY, .topic = SLICE_LIT("test-there-is-no-such-topic"), .partition = -1, .value = SLICE_LIT("x")};
	assert_int_equal(sink_commit(w->sink, w->source, &missing, 1, &passage, 1, &w->fault), REASON_KAFKA_ABORTED);
	missing.kind = OUTPUT_RESULT;
	assert_int_equal(sink_commit(w->sink, w->source, &missing, 1, &passage, 1, &w->fault), REASON_KAFKA_UNAVAILABLE);
	char *huge = calloc(1, 2000000);
	struct output large = {.topic = slice_of(out), .partition = -1, .value = {huge, 2000000}};
	assert_true(sink_output_limit(w->sink, slice_of(out)) < 1000000);
	assert_int_equal(sink_commit(w->sink, w->source, &large, 1, &passage, 1, &w->fault), REASON_OUTPUT_TOO_LARGE);
	large.value.len = sink_output_limit(w->sink, slice_of(out));
	passage.next = 1;
	if (sink_commit(w->sink, w->source, &large, 1, &passage, 1, &w->fault) != REASON_OK)
		fail_msg("%s", w->fault.detail);
	free(huge);
	worker_destroy(w);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void test_times(void **state)
{
	enum { BATCH = 1000, BATCHES = 20 };
	char in[RIG_NAME_SIZE], out[RIG_NAME_SIZE], group[RIG_NAME_SIZE];
	double ms[BATCHES];
	(void)state;
	rig_topic(rig_name(in, "in"), 4, NULL, NULL);
	rig_topic(rig_name(out, "out"), 4, NULL, NULL);
	for (int p = 0; p < 4; p++)
		rig_produce(in, p, 0, BATCH * BATCHES / 4);
	rig_name(group, "group");
	struct worker *w = worker_create(group, group, in, out);
	worker_open(w);
	worker_until_taken(w, BATCH * BATCHES);
	for (int i = 0; i < BATCHES; i++) {
		int64_t begin = clock_mono_ns();
		if (worker_commit(w, BATCH) != REASON_OK)
			fail_msg("%s", w->fault.detail);
		ms[i] = (double)(clock_mono_ns() - begin) / 1e6;
	}
	double first = ms[0];
	qsort(ms, BATCHES, sizeof(ms[0]), by_value);
	printf("transactions of %d results: first %.1f ms, median %.1f ms, longest %.1f ms\n", BATCH, first, ms[BATCHES / 2],
	       ms[BATCHES - 1]);
	worker_destroy(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transactional), cmocka_unit_test(test_idempotent), cmocka_unit_test(test_contents),
		cmocka_unit_test(test_outputs),       cmocka_unit_test(test_times),
	};
	return cmocka_run_group_tests_name("kafka loop", tests, NULL, NULL);
}
