// SPDX-License-Identifier: Apache-2.0
// Replies as each gateway waits for them, and dead letters as tools read them.
#include "record.h"

static struct reading r;
static const char *const allowed[] = {"enroll.replies", "bff-*"};
static struct header answer_headers[] = {
	{{"content-type", 12}, {"application/json", 16}},
	{{"allow", 5}, {"POST", 4}},
};
static const struct answer answer = {.status = 422, .headers = answer_headers, .header_count = 2, .body = {"{}", 2}};
static struct output output;
static const char *reason;

static int setup(void **state)
{
	(void)state;
	reading_start(&r);
	r.topic.reply_topics = (struct setting_list){allowed, ARRAY_LEN(allowed)};
	reading_text(&r, ":method", "POST");
	reading_text(&r, ":path", "/v1/accounts");
	reading_text(&r, "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
	reading_value(&r, "{}");
	r.record.key = SLICE_LIT("key");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reading_end(&r);
	return 0;
}

static bool reply(void)
{
	enum reason read = reading_read(&r);
	assert_int_equal(read, REASON_OK);
	return intake_reply(&r.topic, &r.request, &answer, r.arena, &output, &reason);
}

static struct slice header(const char *name)
{
	struct slice found = SLICE_ABSENT;
	size_t count = 0;
	for (size_t i = 0; i < output.header_count; i++)
		if (slice_equal_text(output.headers[i].name, name)) {
			found = output.headers[i].value;
			count++;
		}
	assert_true(count <= 1);
	return found;
}

static void test_zilla(void **state)
{
	(void)state;
	reading_text(&r, "zilla:reply-to", "enroll.replies");
	reading_text(&r, "zilla:correlation-id", "k-0123");
	assert_true(reply());
	assert_int_equal(output.kind, OUTPUT_REPLY);
	assert_text(output.topic, "enroll.replies");
	assert_int_equal(output.partition, -1);
	assert_text(output.key, "key");
	assert_text(output.value, "{}");
	assert_int_equal(output.header_count, 4);
	assert_text(header("zilla:correlation-id"), "k-0123");
	assert_text(header(":status"), "422");
	assert_text(header("content-type"), "application/json");
	assert_text(header("allow"), "POST");
}

static void test_spring(void **state)
{
	static const char id[16] = "\x00\xff\x01\x80 binary \r\n\x00";
	(void)state;
	reading_text(&r, "kafka_replyTopic", "bff-1");
	reading_header(&r, "kafka_replyPartition", (struct slice){"\x00\x00\x01\x02", 4});
	reading_header(&r, "kafka_correlationId", (struct slice){id, sizeof(id)});
	assert_true(reply());
	assert_text(output.topic, "bff-1");
	assert_int_equal(output.partition, 258);
	struct slice correlation = header("kafka_correlationId");
	assert_int_equal(correlation.len, sizeof(id));
	assert_memory_equal(correlation.ptr, id, sizeof(id));
	assert_text(header("http_status"), "422");
	assert_text(header("traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

static void test_event(void **state)
{
	(void)state;
	r.topic.shape = SHAPE_AUTO;
	reading_clear(&r);
	reading_text(&r, "ce_specversion", "1.0");
	reading_text(&r, "ce_type", "enrolld.signup.v1");
	reading_text(&r, "ce_source", "/shop");
	reading_text(&r, "ce_id", "7");
	reading_text(&r, "ce_replyto", "enroll.replies");
	assert_true(reply());
	assert_text(header("ce_specversion"), "1.0");
	assert_text(header("ce_type"), "enrolld.reply.v1");
	assert_text(header("ce_correlationid"), "7");
	assert_text(header("ce_httpstatus"), "422");
	struct slice id = header("ce_id");
	assert_int_equal(id.len, 36);
	assert_true(reply());
	assert_true(slice_equal(id, header("ce_id"))); // a redelivery gives the same bytes
	reading_text(&r, "ce_correlationid", "c-1");
	assert_true(reply());
	assert_text(header("ce_correlationid"), "c-1");
}

// Who names the types of its headers is told those of the reply's: all but the correlation, which is bytes.
static void test_spring_types(void **state)
{
	(void)state;
	reading_text(&r, "kafka_replyTopic", "bff-1");
	reading_text(&r, "kafka_correlationId", "c");
	assert_true(reply());
	assert_text(header("spring_json_header_types"), NULL);
	reading_text(&r, "spring_json_header_types", "{}");
	assert_true(reply());
	assert_text(header("spring_json_header_types"),
		    "{\"http_status\":\"java.lang.String\",\"content-type\":\"java.lang.String\",\"allow\":\"java.lang.String\","
		    "\"traceparent\":\"java.lang.String\"}");
}

static void structured(const char *type, const char *body)
{
	static struct header headers[2] = {{{"content-type", 12}, {NULL, 0}}, {{"allow", 5}, {"POST", 4}}};
	struct answer other = {.status = 422, .headers = headers, .header_count = 2, .body = slice_of(body)};
	headers[0].value = slice_of(type);
	enum reason read = reading_read(&r);
	assert_int_equal(read, REASON_OK);
	assert_true(intake_reply(&r.topic, &r.request, &other, r.arena, &output, &reason));
}

static void ends_with(struct slice text, const char *end)
{
	size_t len = strlen(end);
	if (text.len < len || memcmp(text.ptr + text.len - len, end, len) != 0)
		fail_msg("%.*s does not end with %s", (int)text.len, text.ptr, end);
}

// Who asks in structured mode is answered in it; the answer's content type is that of the data.
static void test_structured_event(void **state)
{
	(void)state;
	r.topic.shape = SHAPE_CLOUDEVENTS;
	reading_clear(&r);
	reading_text(&r, "ce_replyto", "enroll.replies");
	reading_value(
		&r, "{\"specversion\":\"1.0\",\"id\":\"i\\\"1\",\"source\":\"/shop\",\"type\":\"enrolld.signup.v1\",\"data\":{}}");
	structured("application/problem+json", "{\"a\":1.10}");
	assert_int_equal(output.header_count, 2);
	assert_text(header("content-type"), "application/cloudevents+json");
	assert_text(header("allow"), "POST");
	static const char start[] = "{\"specversion\":\"1.0\",\"type\":\"enrolld.reply.v1\",\"source\":\"/enrolld\",\"id\":\"";
	assert_memory_equal(output.value.ptr, start, sizeof(start) - 1);
	ends_with(
		output.value,
		"\",\"correlationid\":\"i\\\"1\",\"httpstatus\":422,\"datacontenttype\":\"application/problem+json\",\"data\":{\"a\":1.10}}");
	struct slice first = output.value;
	structured("application/problem+json", "{\"a\":1.10}");
	assert_true(slice_equal(first, output.value)); // a redelivery gives the same bytes
	structured("text/html", "<p>\"no\"</p>");
	ends_with(output.value, ",\"datacontenttype\":\"text/html\",\"data\":\"<p>\\\"no\\\"</p>\"}");
	structured("application/json", NULL);
	ends_with(output.value, ",\"httpstatus\":422}");
	reading_text(&r, "ce_correlationid", "c-1");
	structured("application/json", "[]");
	ends_with(output.value,
		  "\"correlationid\":\"c-1\",\"httpstatus\":422,\"datacontenttype\":\"application/json\",\"data\":[]}");
}

// Whatever an answer echoes in its content type, a reply is whole.
static void test_structured_long_type(void **state)
{
	static char type[3 * 8192 + 1];
	(void)state;
	r.topic.shape = SHAPE_CLOUDEVENTS;
	reading_clear(&r);
	reading_text(&r, "ce_replyto", "enroll.replies");
	reading_value(&r, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/shop\",\"type\":\"enrolld.signup.v1\",\"data\":{}}");
	memset(type, '"', sizeof(type) - 1); // each is two bytes in JSON
	structured(type, "{}");
	ends_with(output.value, "\\\"\\\"\",\"data\":{}}");
	assert_true(output.value.len > 2 * (sizeof(type) - 1));
}

// There a correlation is a text, elsewhere it is bytes.
static void test_structured_correlation(void **state)
{
	static const struct slice bad[] = {{"a\0b", 3}, {"\x1b", 1}, {"\xff\xfe", 2}, {"\x7f", 1}};
	(void)state;
	r.topic.shape = SHAPE_CLOUDEVENTS;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		reading_clear(&r);
		reading_text(&r, "ce_replyto", "enroll.replies");
		reading_header(&r, "ce_correlationid", bad[i]);
		reading_value(
			&r,
			"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/shop\",\"type\":\"enrolld.signup.v1\",\"data\":{}}");
		assert_false(reply());
		assert_string_equal(reason, "bad_correlation");
		reading_text(&r, "ce_type", "enrolld.signup.v1");
		reading_text(&r, "ce_specversion", "1.0");
		reading_text(&r, "ce_source", "/shop");
		reading_text(&r, "ce_id", "1");
		assert_true(reply());
		assert_true(slice_equal(header("ce_correlationid"), bad[i]));
	}
}

static void test_unusable(void **state)
{
	static const struct {
		const char *topic, *correlation;
		struct slice partition;
		const char *reason;
	} cases[] = {
		{"enroll.signup", "c", {NULL, 0}, "topic_not_allowed"},
		{"bff-/x", "c", {NULL, 0}, "topic_not_allowed"},
		{"bff-\n", "c", {NULL, 0}, "topic_not_allowed"},
		{"..", "c", {NULL, 0}, "topic_not_allowed"},
		{"bff-1", "", {NULL, 0}, "bad_correlation"},
		{"bff-1", NULL, {NULL, 0}, "bad_correlation"},
		{"bff-1", "c", {"\xff\xff\xff\xff", 4}, "bad_partition"},
		{"bff-1", "c", {"3", 1}, "bad_partition"},
		{"bff-1", "c", {"", 0}, "bad_partition"},
	};
	(void)state;
	assert_false(reply());
	assert_null(reason);
	size_t before = r.record.header_count;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		r.record.header_count = before;
		reading_text(&r, "kafka_replyTopic", cases[i].topic);
		if (cases[i].correlation)
			reading_text(&r, "kafka_correlationId", cases[i].correlation);
		if (cases[i].partition.ptr)
			reading_header(&r, "kafka_replyPartition", cases[i].partition);
		assert_false(reply());
		assert_string_equal(reason, cases[i].reason);
	}
	r.topic.reply_headers = false;
	assert_false(reply());
	assert_null(reason);
}

static void test_hostile_answer_headers(void **state)
{
	struct header headers[] = {
		{SLICE_LIT(":status"), SLICE_LIT("200")},
		{SLICE_LIT("zilla:correlation-id"), SLICE_LIT("x")},
		{SLICE_LIT("x-a"), SLICE_LIT("a\r\nset-cookie: b")},
		{SLICE_LIT("x b"), SLICE_LIT("a")},
		{SLICE_LIT("x-null"), SLICE_ABSENT},
		{SLICE_LIT("x-good"), SLICE_LIT("yes")},
	};
	struct answer hostile = {.status = 200, .headers = headers, .header_count = ARRAY_LEN(headers)};
	(void)state;
	reading_text(&r, "zilla:reply-to", "enroll.replies");
	reading_text(&r, "zilla:correlation-id", "c");
	assert_true(reply());
	assert_true(intake_reply(&r.topic, &r.request, &hostile, r.arena, &output, &reason));
	assert_int_equal(output.header_count, 3);
	assert_text(header("x-good"), "yes");
	assert_text(header(":status"), "200");
	assert_text(output.value, NULL);
}

static void test_dead_letter(void **state)
{
	(void)state;
	enum reason read = reading_read(&r);
	assert_int_equal(read, REASON_OK);
	r.record.timestamp_ms = 0x0102030405060708;
	intake_dead_letter(&r.record, "enrolld", REASON_RECORD_UNADDRESSED, "intake", "enroll.dead", r.arena, &output);
	assert_int_equal(output.kind, OUTPUT_DEAD);
	assert_text(output.topic, "enroll.dead");
	assert_text(output.key, NULL);
	assert_text(output.value, NULL);
	assert_text(header("__connect.errors.topic"), "enroll.signup");
	assert_text(header("__connect.errors.partition"), "7");
	assert_text(header("__connect.errors.offset"), "42");
	assert_text(header("__connect.errors.stage"), "intake");
	assert_text(header("__connect.errors.exception.class.name"), "unaddressed");
	assert_text(header("kafka_dlt-original-topic"), "enroll.signup");
	assert_memory_equal(header("kafka_dlt-original-partition").ptr, "\0\0\0\7", 4);
	assert_int_equal(header("kafka_dlt-original-partition").len, 4);
	assert_memory_equal(header("kafka_dlt-original-offset").ptr, "\0\0\0\0\0\0\0\x2a", 8);
	assert_memory_equal(header("kafka_dlt-original-timestamp").ptr, "\1\2\3\4\5\6\7\x08", 8);
	assert_text(header("kafka_dlt-original-timestamp-type"), "CreateTime");
	assert_text(header("kafka_dlt-original-consumer-group"), "enrolld");
	assert_text(header("kafka_dlt-exception-fqcn"), "enrolld.unaddressed");
	assert_text(header("enrolld-reason"), "unaddressed");
	assert_text(header("traceparent"), "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zilla, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spring_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_structured_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_structured_long_type, setup, teardown),
		cmocka_unit_test_setup_teardown(test_structured_correlation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unusable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile_answer_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dead_letter, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
