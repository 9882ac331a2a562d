// SPDX-License-Identifier: Apache-2.0
// Records of gateways to requests: what is asked, under which id, when.
#include "record.h"

#include "enrolld/base/clock.h"
#include "enrolld/crypto/digest.h"

static struct reading r;

static int setup(void **state)
{
	(void)state;
	reading_start(&r);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reading_end(&r);
	return 0;
}

static void raw(const char *method, const char *path, const char *value)
{
	reading_clear(&r);
	reading_text(&r, ":method", method);
	reading_text(&r, ":path", path);
	reading_value(&r, value);
}

static void test_raw(void **state)
{
	(void)state;
	raw("post", "/v1/accounts?a=1&b=%20", "{}");
	reading_text(&r, "Content-Type", " Application/JSON ; charset=UTF-8");
	reading_text(&r, "Idempotency-Key", "k-1");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_true(r.addressed);
	assert_text(r.request.method, "POST");
	assert_text(r.request.path, "/v1/accounts");
	assert_text(r.request.query, "a=1&b=%20");
	assert_text(r.request.event_type, NULL);
	assert_text(r.request.content_type, "application/json");
	assert_text(r.request.body, "{}");
	assert_text(r.request.realm, "default");
	assert_text(r.request.route, "");
	assert_text(r.request.request_id, "k-1");
	assert_int_equal(r.request.id_source, REQUEST_ID_HEADER);
	assert_int_equal(r.request.asked_ms, 1700000000000);
}

static void test_header_case(void **state)
{
	(void)state;
	reading_clear(&r);
	reading_text(&r, ":METHOD", "POST");
	reading_text(&r, ":Path", "/a");
	reading_text(&r, "IDEMPOTENCY-KEY", "first");
	reading_text(&r, "idempotency-key", "last");
	reading_value(&r, "x");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_text(r.request.path, "/a");
	assert_text(r.request.query, NULL);
	assert_text(r.request.request_id, "last");
}

static void event(const char *id, const char *source)
{
	reading_clear(&r);
	reading_text(&r, "ce_specversion", "1.0");
	reading_text(&r, "ce_type", "enrolld.signup.v1");
	if (source)
		reading_text(&r, "ce_source", source);
	if (id)
		reading_text(&r, "ce_id", id);
	reading_text(&r, "content-type", "application/json");
	reading_value(&r, "{}");
}

static void test_event(void **state)
{
	(void)state;
	static const enum shape shapes[] = {SHAPE_CLOUDEVENTS, SHAPE_AUTO};
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		r.topic.shape = (int)shapes[i];
		event("e-1", "/shop");
		assert_int_equal(reading_read(&r), REASON_OK);
		assert_true(r.addressed);
		assert_text(r.request.event_type, "enrolld.signup.v1");
		assert_text(r.request.method, NULL);
		assert_text(r.request.path, NULL);
		assert_text(r.request.request_id, "/shop e-1");
		assert_int_equal(r.request.id_source, REQUEST_ID_EVENT);
	}
	r.topic.shape = SHAPE_RAW;
	event("e-1", "/shop");
	assert_int_equal(reading_read(&r), REASON_RECORD_UNADDRESSED);
	assert_false(r.addressed);
}

static void test_event_ids_that_do_not_join(void **state)
{
	char huge[300];
	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	const char *const pairs[][2] = {{"\xc3\xa4", "/shop"}, {"1", "a source"}, {"1\n2", "/shop"}, {huge, "/shop"}};
	r.topic.shape = SHAPE_CLOUDEVENTS;
	struct slice last = SLICE_LIT("");
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		event(pairs[i][0], pairs[i][1]);
		assert_int_equal(reading_read(&r), REASON_OK);
		assert_int_equal(r.request.request_id.len, 36);
		assert_int_equal(r.request.id_source, REQUEST_ID_EVENT);
		assert_false(slice_equal(r.request.request_id, last));
		last = r.request.request_id;
		assert_int_equal(reading_read(&r), REASON_OK);
		assert_true(slice_equal(r.request.request_id, last));
	}
}

static void test_invalid_events(void **state)
{
	(void)state;
	r.topic.shape = SHAPE_CLOUDEVENTS;
	event(NULL, "/shop");
	assert_int_equal(reading_read(&r), REASON_EVENT_INVALID);
	assert_true(r.addressed);
	assert_int_equal(r.request.id_source, REQUEST_ID_COORDINATES);
	event("", "/shop");
	assert_int_equal(reading_read(&r), REASON_EVENT_INVALID);
	event("1", NULL);
	assert_int_equal(reading_read(&r), REASON_EVENT_INVALID);
	event("1", "/shop");
	reading_text(&r, "ce_specversion", "0.3");
	assert_int_equal(reading_read(&r), REASON_EVENT_INVALID);
	event("1", "/shop");
	reading_text(&r, "ce_type", "");
	assert_int_equal(reading_read(&r), REASON_RECORD_UNADDRESSED);
}

// An event forwarded through an HTTP gateway must not choose its own reading.
static void test_path_and_method_are_always_raw(void **state)
{
	(void)state;
	for (int shape = 0; shape < SHAPE_COUNT; shape++) {
		r.topic.shape = shape;
		event("e-1", "/shop");
		reading_text(&r, ":method", "POST");
		reading_text(&r, ":path", "/v1/accounts");
		assert_int_equal(reading_read(&r), REASON_OK);
		assert_text(r.request.path, "/v1/accounts");
		assert_text(r.request.event_type, NULL);
		assert_int_equal(r.request.id_source, REQUEST_ID_COORDINATES);
	}
}

static void test_buried(void **state)
{
	(void)state;
	reading_clear(&r);
	assert_int_equal(reading_read(&r), REASON_RECORD_TOMBSTONE);
	assert_false(r.addressed);
	assert_int_equal(r.request.request_id.len, 36);
	assert_text(r.request.realm, "default");
	reading_value(&r, "{}");
	assert_int_equal(reading_read(&r), REASON_RECORD_UNADDRESSED);
	reading_clear(&r);
	reading_text(&r, ":method", "POST");
	assert_int_equal(reading_read(&r), REASON_RECORD_UNADDRESSED);
	reading_clear(&r);
	reading_header(&r, ":path", SLICE_ABSENT); // a header with a null value
	reading_value(&r, "{}");
	assert_int_equal(reading_read(&r), REASON_RECORD_UNADDRESSED);
	// A value that was not read because of its size is no tombstone.
	reading_clear(&r);
	r.record.value_size = 1 << 20;
	assert_int_equal(reading_read(&r), REASON_RECORD_UNADDRESSED);
	raw("GET", "/v1/verify", NULL);
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_text(r.request.body, NULL);
}

static void test_too_large(void **state)
{
	static char big[65537];
	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	raw("POST", "/v1/accounts", big);
	assert_int_equal(reading_read(&r), REASON_OK);
	r.record.value_size++;
	r.record.value = SLICE_ABSENT;
	assert_int_equal(reading_read(&r), REASON_RECORD_TOO_LARGE);
	assert_true(r.addressed);
	struct fingerprint first = r.request.fingerprints[0];
	struct slice id = r.request.request_id;
	// Whether the source kept the bytes or not must make no difference.
	r.record.value = (struct slice){big, sizeof(big)};
	assert_int_equal(reading_read(&r), REASON_RECORD_TOO_LARGE);
	assert_memory_equal(first.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);
	assert_true(slice_equal(id, r.request.request_id));
	assert_text(r.request.body, NULL);
}

static void test_ids(void **state)
{
	static const struct {
		const char *key, *outbox;
		enum reason reason;
		enum request_id_source source;
		const char *id;
	} cases[] = {
		{"k", "o", REASON_OK, REQUEST_ID_HEADER, "k"},
		{NULL, "o", REASON_OK, REQUEST_ID_OUTBOX, "o"},
		{"", "o", REASON_OK, REQUEST_ID_OUTBOX, "o"},
		{"a b\"c", NULL, REASON_OK, REQUEST_ID_HEADER, "a b\"c"},
		{"a\r\nb", NULL, REASON_REQUEST_ID_INVALID, REQUEST_ID_COORDINATES, NULL},
		{"\x7f", NULL, REASON_REQUEST_ID_INVALID, REQUEST_ID_COORDINATES, NULL},
		{"\xc3\xa4", NULL, REASON_REQUEST_ID_INVALID, REQUEST_ID_COORDINATES, NULL},
		{NULL, "\x01", REASON_REQUEST_ID_INVALID, REQUEST_ID_COORDINATES, NULL},
		{NULL, NULL, REASON_OK, REQUEST_ID_COORDINATES, NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		raw("POST", "/v1/accounts", "{}");
		if (cases[i].key)
			reading_text(&r, "idempotency-key", cases[i].key);
		if (cases[i].outbox)
			reading_text(&r, "id", cases[i].outbox);
		assert_int_equal(reading_read(&r), cases[i].reason);
		assert_true(r.addressed);
		assert_int_equal(r.request.id_source, cases[i].source);
		if (cases[i].id)
			assert_text(r.request.request_id, cases[i].id);
		else
			assert_int_equal(r.request.request_id.len, 36);
	}
	char key[258];
	memset(key, 'k', sizeof(key));
	raw("POST", "/v1/accounts", "{}");
	reading_header(&r, "idempotency-key", (struct slice){key, 256});
	assert_int_equal(reading_read(&r), REASON_OK);
	reading_header(&r, "idempotency-key", (struct slice){key, 257});
	assert_int_equal(reading_read(&r), REASON_REQUEST_ID_INVALID);
}

static struct slice derived(void)
{
	enum reason reason = reading_read(&r);
	assert_int_equal(reason, REASON_OK);
	return r.request.request_id;
}

static void test_derived_ids_differ(void **state)
{
	struct slice ids[8];
	(void)state;
	raw("POST", "/v1/accounts", "{}");
	ids[0] = derived();
	assert_true(slice_equal(ids[0], derived())); // a redelivery has the same
	r.record.at.offset++;
	ids[1] = derived();
	r.record.at.partition++;
	ids[2] = derived();
	r.record.timestamp_ms++;
	ids[3] = derived();
	r.record.at.topic = "enroll.other";
	ids[4] = derived();
	reading_value(&r, "{} ");
	ids[5] = derived();
	reading_text(&r, ":path", "/v1/other");
	ids[6] = derived();
	r.intake.cluster_id = "other";
	ids[7] = derived();
	r.intake.cluster_id = "cluster";
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		for (size_t j = 0; j < i; j++)
			assert_false(slice_equal(ids[i], ids[j]));
}

static void test_fingerprints(void **state)
{
	(void)state;
	raw("POST", "/v1/accounts?x=1", "{}");
	reading_text(&r, "x-request-id", "1");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_int_equal(r.request.fingerprint_count, 1);
	struct fingerprint first = r.request.fingerprints[0];
	// A retry through the gateway has other headers, but the same question.
	raw("post", "/v1/accounts?x=1", "{}");
	reading_text(&r, "x-request-id", "2");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_memory_equal(first.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);
	raw("POST", "/v1/accounts?x=2", "{}");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_memory_not_equal(first.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);
	raw("POST", "/v1/accounts?x=1", "{ }");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_memory_not_equal(first.bytes, r.request.fingerprints[0].bytes, FINGERPRINT_SIZE);
}

static void test_time(void **state)
{
	(void)state;
	int64_t now = clock_wall_ms();
	raw("POST", "/a", "{}");
	r.record.timestamp_ms = -1;
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_true(r.request.asked_ms >= now); // nothing is known: now
	r.youngest_ms = 1500;
	r.record.timestamp_ms = 1000;
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_int_equal(r.request.asked_ms, 1000);
	assert_int_equal(r.youngest_ms, 1500);
	r.record.timestamp_ms = -1;
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_int_equal(r.request.asked_ms, 1500);
	r.record.timestamp_ms = now + 4 * 60 * 1000;
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_int_equal(r.request.asked_ms, now + 4 * 60 * 1000);
	r.record.timestamp_ms = now + 3600 * 1000;
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_true(r.request.asked_ms < now + 60 * 1000);
	assert_int_equal(r.youngest_ms, now + 4 * 60 * 1000);
}

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void test_trace(void **state)
{
	static const struct {
		const char *parent;
		bool kept;
	} parents[] = {
		{"00-" TRACE, true},
		{"01-" TRACE, true},
		{"01-" TRACE "-more", true},
		{"00-" TRACE "-more", false},
		{"ff-" TRACE, false},
		{"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false},
		{"00-00000000000000000000000000000000-00f067aa0ba902b7-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", false},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0\n", false},
		{"00", false},
		{"", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parents); i++) {
		raw("POST", "/a", "{}");
		reading_text(&r, "traceparent", parents[i].parent);
		reading_text(&r, "tracestate", "a=1,b@c=2");
		assert_int_equal(reading_read(&r), REASON_OK);
		assert_text(r.request.traceparent, parents[i].kept ? parents[i].parent : NULL);
		assert_text(r.request.tracestate, parents[i].kept ? "a=1,b@c=2" : NULL);
	}
	raw("POST", "/a", "{}");
	reading_text(&r, "traceparent", "00-" TRACE);
	reading_text(&r, "tracestate", "a=1,\r\nset-cookie: x=1");
	assert_int_equal(reading_read(&r), REASON_OK);
	assert_text(r.request.tracestate, NULL);
}

// What comes first is told first; the rest of the request is filled all the same.
static void test_first_fault(void **state)
{
	(void)state;
	raw("POST", "/v1/accounts", "{}");
	r.record.value_size = 1 << 20;
	reading_text(&r, "idempotency-key", "\x01");
	r.topic.realm_header = "x-realm";
	assert_int_equal(reading_read(&r), REASON_REALM_REFUSED);
	assert_text(r.request.path, "/v1/accounts");
	assert_text(r.request.realm, "");
	assert_true(r.addressed);
	r.topic.realm_header = "";
	assert_int_equal(reading_read(&r), REASON_REQUEST_ID_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_raw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_header_case, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event, setup, teardown),
		cmocka_unit_test_setup_teardown(test_event_ids_that_do_not_join, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalid_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path_and_method_are_always_raw, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buried, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_derived_ids_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fingerprints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first_fault, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
