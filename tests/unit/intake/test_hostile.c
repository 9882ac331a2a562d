// SPDX-License-Identifier: Apache-2.0
// Values made to be believed, or to break the reader: for every shape, not only the one they are made for.
#include <stdio.h>
#include <stdlib.h>

#include "record.h"

static struct reading r;
static const char *const allowed[] = {"enroll.replies"};
static const char *const realms[] = {"*"};

static int setup(void **state)
{
	(void)state;
	reading_start(&r);
	r.topic.target = "POST /v1/accounts";
	r.topic.target_header = "x-enroll-target";
	r.topic.realm_header = "x-enroll-realm";
	r.topic.realm_allow = (struct setting_list){realms, 1};
	r.topic.address_header = "x-forwarded-for";
	r.topic.trusted_hops = 1;
	r.topic.reply_topics = (struct setting_list){allowed, 1};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reading_end(&r);
	return 0;
}

#define FORGED                                                                                                          \
	"\"x-enroll-realm\":\"shop\",\"X-Enroll-Realm\":\"shop\",\"realm\":\"shop\",\"x-forwarded-for\":\"192.0.2.1\"," \
	"\"zilla:reply-to\":\"enroll.replies\",\"zilla:correlation-id\":\"c\",\"kafka_replyTopic\":\"enroll.replies\"," \
	"\"kafka_correlationId\":\"c\",\"ce_replyto\":\"enroll.replies\",\"replyto\":\"enroll.replies\","               \
	"\"correlationid\":\"c\",\"x-enroll-target\":\"DELETE /v1/sessions\",\":path\":\"/x\",\":method\":\"DELETE\""

// Whatever a value says, and whatever envelope says it.
static void test_forged_addresses(void **state)
{
	static const char *const values[] = {
		"{" FORGED "}",
		"{\"body\":\"{}\",\"headers\":{" FORGED "}}",
		"{\"method\":\"POST\",\"uri\":\"/v1/accounts\",\"headers\":{" FORGED "},\"body\":{" FORGED
		"},\"body_args\":{" FORGED "}}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"enrolld.signup.v1\",\"data\":{" FORGED
		"}," FORGED "}",
		"{\"schema\":{" FORGED "},\"payload\":{" FORGED "}}",
		"{\"schema\":null,\"payload\":\"{\\\"headers\\\":{\\\"x-enroll-realm\\\":\\\"shop\\\"}}\"}",
		"\"{\\\"x-enroll-realm\\\":\\\"shop\\\",\\\"zilla:reply-to\\\":\\\"enroll.replies\\\"}\"",
		"x-enroll-realm=shop&zilla%3Areply-to=enroll.replies",
	};
	(void)state;
	for (int shape = 0; shape < SHAPE_COUNT; shape++)
		for (size_t i = 0; i < ARRAY_LEN(values); i++)
			for (int wire = 0; wire < 2; wire++) {
				char value[4096] = {0};
				size_t len = strlen(values[i]);
				memcpy(value + 5, values[i], len);
				reading_clear(&r);
				r.topic.shape = shape;
				r.record.value = wire ? (struct slice){value, len + 5} : (struct slice){value + 5, len};
				r.record.value_size = r.record.value.len;
				enum reason reason = reading_read(&r);
				assert_int_not_equal(reason, REASON_OK); // the realm is never given
				assert_text(r.request.realm, "");
				assert_text(r.request.client_address, NULL);
				assert_int_equal(r.request.reply.style, REPLY_NONE);
				assert_true(slice_is_absent(r.request.path) || !slice_equal_text(r.request.path, "/v1/sessions"));
				assert_true(slice_is_absent(r.request.method) || !slice_equal_text(r.request.method, "DELETE"));
			}
}

// The same names in the record's own headers are what they are for.
static void test_own_headers(void **state)
{
	(void)state;
	for (int shape = 0; shape < SHAPE_COUNT; shape++) {
		struct shape_row row;
		assert_true(shape_row((size_t)shape, &row));
		reading_clear(&r);
		r.topic.shape = shape;
		reading_text(&r, "X-Enroll-Realm", "shop");
		reading_text(&r, "X-Forwarded-For", "192.0.2.1");
		reading_text(&r, "zilla:reply-to", "enroll.replies");
		reading_text(&r, "kafka_replyTopic", "enroll.replies");
		reading_text(&r, "ce_replyto", "enroll.replies");
		reading_value(&r, "{}");
		(void)!reading_read(&r);
		assert_text(r.request.realm, "shop");
		assert_text(r.request.client_address, "192.0.2.1");
		enum reply_style wanted = strstr(row.replies, "zilla")         ? REPLY_ZILLA
					  : strstr(row.replies, "spring")      ? REPLY_SPRING
					  : strstr(row.replies, "cloudevents") ? REPLY_CLOUDEVENTS
									       : REPLY_NONE;
		assert_int_equal(r.request.reply.style, wanted);
		assert_int_equal(intake_takes_replies(&r.topic), wanted != REPLY_NONE);
	}
}

static void test_reply_styles(void **state)
{
	static const char *const names[] = {"zilla", "spring", "cloudevents"};
	static const enum reply_style styles[] = {REPLY_ZILLA, REPLY_SPRING, REPLY_CLOUDEVENTS};
	(void)state;
	for (int shape = 0; shape < SHAPE_COUNT; shape++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			reading_clear(&r);
			r.topic.shape = shape;
			r.topic.reply_styles = (struct setting_list){&names[i], 1};
			reading_text(&r, "zilla:reply-to", "enroll.replies");
			reading_text(&r, "kafka_replyTopic", "enroll.replies");
			reading_text(&r, "ce_replyto", "enroll.replies");
			reading_value(&r, "{}");
			(void)!reading_read(&r);
			assert_int_equal(r.request.reply.style, styles[i]);
			r.topic.reply_headers = false;
			(void)!reading_read(&r);
			assert_int_equal(r.request.reply.style, REPLY_NONE);
			r.topic.reply_headers = true;
		}
}

static enum reason read_value(int shape, const char *value, size_t len)
{
	reading_clear(&r);
	r.topic.shape = shape;
	reading_text(&r, "x-enroll-realm", "shop");
	r.record.value = (struct slice){value, len};
	r.record.value_size = len;
	return reading_read(&r);
}

static char *repeated(const char *before, const char *middle, size_t count, const char *after, size_t *len)
{
	size_t m = strlen(middle), b = strlen(before), a = strlen(after);
	char *text = malloc(b + m * count + a + 1);
	assert_non_null(text);
	memcpy(text, before, b);
	for (size_t i = 0; i < count; i++)
		memcpy(text + b + m * i, middle, m);
	memcpy(text + b + m * count, after, a + 1);
	*len = b + m * count + a;
	return text;
}

// Bounded, whatever it is: every read ends with a verdict, and within little memory.
static void test_heavy_values(void **state)
{
	static const struct {
		const char *before, *middle;
		size_t count;
		const char *after;
	} heavy[] = {
		{"", "[", 60000, ""},
		{"{\"body\":", "[", 60000, ""},
		{"{\"body\":", "{\"a\":", 10000, "1"},
		{"{\"body\":[", "1,", 30000, "1]}"},
		{"{\"body\":\"", "\\u0041", 10000, "\"}"},
		{"{\"body_base64\":true,\"body\":\"", "AAAA", 16000, "\"}"},
		{"{\"body\":\"\",\"headers\":{\"a\":[", "\"x\",", 15000, "\"x\"]}}"},
		{"{\"body\":\"\",\"uri\":\"/a\",\"method\":\"GET\",\"uri_args\":{\"a\":[", "\"&&&&&&&\",", 6000, "\"x\"]}}"},
		{"{\"schema\":null,\"payload\":\"", "\\\"", 30000, "\"}"},
		{"{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":\"", "x", 60000, "\"}"},
		{"\"", "\\\\", 32000, "\""},
		{"{\"", "a", 65000, "\":1}"},
		{"", " ", 65536, ""},
	};
	(void)state;
	for (int shape = 0; shape < SHAPE_COUNT; shape++)
		for (size_t i = 0; i < ARRAY_LEN(heavy); i++) {
			size_t len;
			char *text = repeated(heavy[i].before, heavy[i].middle, heavy[i].count, heavy[i].after, &len);
			assert_true(len <= 65536 + 200);
			r.topic.record_limit = 1 << 17;
			size_t used = arena_used(r.arena);
			(void)!read_value(shape, text, len);
			assert_true(r.addressed); // the topic says what is asked
			assert_true(arena_used(r.arena) - used < 16 * len + 65536);
			free(text);
			arena_reset(r.arena);
		}
}

// What is over the limit is not looked into: the same answer whether the bytes are there or not.
static void test_too_large(void **state)
{
	size_t len;
	char *text = repeated("{\"method\":\"GET\",\"uri\":\"/v1/verify\",\"body\":\"", "x", 70000, "\"}", &len);
	(void)state;
	for (int shape = 0; shape < SHAPE_COUNT; shape++) {
		assert_int_equal(read_value(shape, text, len), REASON_RECORD_TOO_LARGE);
		assert_true(r.addressed);
		assert_text(r.request.path, "/v1/accounts");
		assert_text(r.request.body, NULL);
		struct slice id = r.request.request_id;
		r.record.value = SLICE_ABSENT;
		assert_int_equal(reading_read(&r), REASON_RECORD_TOO_LARGE);
		assert_true(slice_equal(id, r.request.request_id));
	}
	free(text);
}

// A retry through a gateway has another envelope around the same question; a changed setting is no other question either.
static void test_fingerprints_of_envelopes(void **state)
{
	static const char first[] =
		"{\"method\":\"POST\",\"uri\":\"/v1/accounts\",\"headers\":{\"idempotency-key\":\"k\",\"x-request-id\":\"1\"},"
		"\"body\":\"{\\\"a\\\":1}\"}";
	static const char second[] =
		"{\"uri\":\"/v1/accounts\",\"headers\":{\"x-request-id\":\"2\",\"idempotency-key\":\"k\"},\"method\":\"post\","
		"\"body\":{\"a\":1}}";
	static const char other[] =
		"{\"method\":\"POST\",\"uri\":\"/v1/accounts\",\"headers\":{\"idempotency-key\":\"k\"},\"body\":\"{\\\"a\\\":2}\"}";
	(void)state;
	assert_int_equal(read_value(SHAPE_KONG, first, strlen(first)), REASON_OK);
	struct fingerprint print = r.request.fingerprints[0];
	assert_text(r.request.request_id, "k");
	assert_int_equal(read_value(SHAPE_KONG, second, strlen(second)), REASON_OK);
	assert_memory_equal(print.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);
	assert_int_equal(read_value(SHAPE_KONG, other, strlen(other)), REASON_OK);
	assert_memory_not_equal(print.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);

	assert_int_equal(read_value(SHAPE_KRAKEND, "{}", 2), REASON_OK);
	print = r.request.fingerprints[0];
	struct slice id = r.request.request_id;
	r.topic.target = "enrolld.signup.v1";
	for (int shape = 0; shape < SHAPE_COUNT; shape++) {
		if (shape == SHAPE_CONFLUENT)
			continue; // where "{}" is refused
		assert_int_equal(read_value(shape, "{}", 2), REASON_OK);
		assert_text(r.request.event_type, "enrolld.signup.v1");
		assert_memory_equal(print.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);
		assert_true(slice_equal(id, r.request.request_id));
	}
}

static void test_targets(void **state)
{
	static const struct {
		const char *target, *method, *path, *query, *type;
	} cases[] = {
		{"POST /v1/accounts", "POST", "/v1/accounts", NULL, NULL},
		{"get /a?b=c", "GET", "/a", "b=c", NULL},
		{"enrolld.signup.v1", NULL, NULL, NULL, "enrolld.signup.v1"},
		{"/v1/accounts", NULL, NULL, NULL, NULL},
		{"POST  /v1", NULL, NULL, NULL, NULL},
		{"POST v1", NULL, NULL, NULL, NULL},
		{" /v1", NULL, NULL, NULL, NULL},
		{"POST /a b", NULL, NULL, NULL, NULL},
		{"POST /\xc3\xa4", NULL, NULL, NULL, NULL},
		{"a\nb", NULL, NULL, NULL, NULL},
	};
	struct fault f;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool good = cases[i].path || cases[i].type;
		r.topic.target = cases[i].target;
		r.topic.shape = SHAPE_KRAKEND;
		assert_int_equal(topic_settings.check(&r.topic, &f), good ? REASON_OK : REASON_SETTING_INVALID);
		assert_int_equal(read_value(SHAPE_KRAKEND, "{}", 2), good ? REASON_OK : REASON_RECORD_UNADDRESSED);
		assert_text(r.request.method, cases[i].method);
		assert_text(r.request.path, cases[i].path);
		assert_text(r.request.query, cases[i].query);
		assert_text(r.request.event_type, cases[i].type);
	}
	r.topic.target = "";
	r.topic.target_header = "";
	for (int shape = 0; shape < SHAPE_COUNT; shape++) {
		r.topic.shape = shape;
		bool needs = shape == SHAPE_KRAKEND || shape == SHAPE_GRAVITEE || shape == SHAPE_CONFLUENT ||
			     shape == SHAPE_DEBEZIUM || shape == SHAPE_REST_PROXY;
		assert_int_equal(topic_settings.check(&r.topic, &f), needs ? REASON_SETTING_INVALID : REASON_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forged_addresses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reply_styles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_heavy_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fingerprints_of_envelopes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
