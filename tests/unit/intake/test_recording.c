// SPDX-License-Identifier: Apache-2.0
// The readable form of a record: every byte can be said, and what cannot be read is named by its line.
#include "enrolld/intake/recording.h"
#include "record.h"

static struct arena *arena;
static struct record record;
static struct fault fault;

static int setup(void **state)
{
	(void)state;
	arena = arena_create(4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static enum reason read_text(const char *text)
{
	return recording_read(slice_of(text), arena, &record, &fault);
}

static void test_everything(void **state)
{
	(void)state;
	assert_int_equal(read_text("# a comment\n"
				   "topic enroll.signup\r\n"
				   "partition 3\n"
				   "offset 42\n"
				   "timestamp 1700000000000\n"
				   "\n"
				   "key a\\x00\\\\b\n"
				   "header :path = /a = b\n"
				   "header x-empty =\n"
				   "header x-space =  \n"
				   "header x-null = \\null\n"
				   "header x-bytes = \\xff\\x0A\n"
				   "header :path = second\n"
				   "value\n"
				   "line 1\n# no comment\n\n"),
			 REASON_OK);
	assert_string_equal(record.at.topic, "enroll.signup");
	assert_int_equal(record.at.partition, 3);
	assert_int_equal(record.at.offset, 42);
	assert_int_equal(record.timestamp_ms, 1700000000000);
	assert_int_equal(record.key.len, 4);
	assert_memory_equal(record.key.ptr, "a\0\\b", 4);
	assert_int_equal(record.header_count, 6);
	assert_text(record.headers[0].name, ":path");
	assert_text(record.headers[0].value, "/a = b");
	assert_text(record.headers[1].value, "");
	assert_text(record.headers[2].value, " ");
	assert_text(record.headers[3].value, NULL);
	assert_text(record.headers[4].value, "\xff\n");
	assert_text(record_header_value(&record, ":path"), "second");
	assert_text(record.value, "line 1\n# no comment\n");
	assert_int_equal(record.value_size, record.value.len);
}

static void test_values(void **state)
{
	static const struct {
		const char *text, *value;
	} cases[] = {
		{"", NULL},
		{"key a", NULL},
		{"value", ""},
		{"value\n", ""},
		{"value\n\n", ""},
		{"value\n\n\n", "\n"},
		{"value\n\\x41\r\n", "\\x41\r"},
		{"value escaped\n\\x41\\\\\\\nB\n", "A\\B"},
		{"value escaped\n", ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(read_text(cases[i].text), REASON_OK);
		assert_text(record.value, cases[i].value);
		assert_int_equal(record.timestamp_ms, -1);
	}
	assert_true(slice_is_absent(record.key));
	assert_string_equal(record.at.topic, "");
}

static void test_faults(void **state)
{
	static const struct {
		const char *text, *detail;
	} cases[] = {
		{"topic a\nbody\n", "line 2: begins with none of"},
		{"value more", "line 1: behind \"value\""},
		{"header a", "line 1: no \"header NAME = VALUE\""},
		{"header  = b", "line 1: no \"header NAME = VALUE\""},
		{"header a =b", "line 1: no space"},
		{"key \\x4", "line 1: a backslash"},
		{"key \\n", "line 1: a backslash"},
		{"key a\\", "line 1: a backslash"},
		{"key \\xzz", "line 1: a backslash"},
		{"partition x", "line 1: no number"},
		{"partition 2147483648", "line 1: no number"},
		{"offset -2", "line 1: no number"},
		{"timestamp", "line 1: no number"},
		{"value escaped\na\\\\\\x", "line 2: the value has a backslash"},
	};
	struct record before = {.at.topic = "kept"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		record = before;
		if (read_text(cases[i].text) != REASON_FILE_UNREADABLE ||
		    strncmp(fault.detail, cases[i].detail, strlen(cases[i].detail)) != 0)
			fail_msg("\"%s\": %s", cases[i].text, fault.detail);
		assert_string_equal(record.at.topic, "kept");
	}
}

static void test_too_many_headers(void **state)
{
	struct strbuf text = STRBUF_INIT(65536);
	(void)state;
	for (int i = 0; i < RECORDING_HEADERS_MAX; i++)
		strbuf_add_text(&text, "header a = b\n");
	assert_int_equal(recording_read(strbuf_slice(&text), arena, &record, &fault), REASON_OK);
	assert_int_equal(record.header_count, RECORDING_HEADERS_MAX);
	strbuf_add_text(&text, "header a = b\n");
	assert_int_equal(recording_read(strbuf_slice(&text), arena, &record, &fault), REASON_FILE_UNREADABLE);
	strbuf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many_headers, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
