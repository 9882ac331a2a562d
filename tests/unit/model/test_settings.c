// SPDX-License-Identifier: Apache-2.0
// Settings rows: texts to values with every check, and back without secrets.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "enrolld/model/settings.h"

enum color { RED, GREEN = 7 };

struct example {
	bool flag;
	int64_t count;
	int64_t wait_ms;
	int64_t size;
	const char *text;
	const char *empty;
	const char *path;
	enum color color;
	struct setting_list list;
	struct setting_list colors;
	struct setting_map map;
	const char *secret;
};

static const struct setting_choice colors[] = {{"red", RED, NULL}, {"green", GREEN, "Like grass."}, {0}};

#define AT(type, member) SETTING_AT(type, struct example, member)
static const struct setting rows[] = {
	{"x.flag", AT(BOOL, flag), .fallback = "true"},
	{"x.count", AT(INT, count), .min = -5, .max = 100, .unit = "threads", .fallback = "8"},
	{"x.wait", AT(DURATION, wait_ms), .min = 100, .max = 600000, .fallback = "25s"},
	{"x.size", AT(SIZE, size), .fallback = "64KiB"},
	{"x.text", AT(TEXT, text), .min = 2, .max = 5, .fallback = "abc"},
	{"x.empty", AT(TEXT, empty), .fallback = ""},
	{"x.path", AT(PATH, path)},
	{"x.color", AT(CHOICE, color), .choices = colors, .fallback = "green"},
	{"x.list", AT(LIST, list), .max = 3, .fallback = "a, b"},
	{"x.colors", AT(LIST, colors), .choices = colors},
	{"x.map", AT(MAP, map), .fallback = "a=1, b="},
	{"x.secret", AT(SECRET, secret)},
};
enum { FLAG, COUNT, WAIT, SIZE, TEXT, EMPTY, PATH, COLOR, LIST, COLORS, MAP, SECRET };

static const struct setting_table table = {
	.module = "x", .rows = rows, .count = ARRAY_LEN(rows), .struct_size = sizeof(struct example)};

static struct arena *arena;
static struct example conf;

static int setup(void **state)
{
	(void)state;
	arena = arena_create(4096);
	settings_defaults(&table, arena, &conf);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static void set(size_t row, const char *text)
{
	struct fault f = {0};

	if (setting_set(&rows[row], slice_of(text), arena, &conf, &f))
		fail_msg("%s = %s: %s", rows[row].name, text, f.detail);
}

static void assert_refused(size_t row, const char *text, const char *detail)
{
	struct example before = conf;
	struct fault f = {0};

	if (setting_set(&rows[row], slice_of(text), arena, &conf, &f) != REASON_SETTING_INVALID)
		fail_msg("%s = %s: passed", rows[row].name, text);
	if (strcmp(f.detail, detail) != 0)
		fail_msg("%s = %s: \"%s\", not \"%s\"", rows[row].name, text, f.detail, detail);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(setting_equal(&rows[i], &before, &conf));
}

static void assert_written(size_t row, const char *expected)
{
	struct strbuf out = STRBUF_INIT(1000);

	setting_write(&rows[row], &conf, &out);
	if (!slice_equal_text(strbuf_slice(&out), expected))
		fail_msg("%s: \"%s\", not \"%s\"", rows[row].name, out.data ? out.data : "", expected);
	strbuf_free(&out);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_true(conf.flag);
	assert_int_equal(conf.count, 8);
	assert_int_equal(conf.wait_ms, 25000);
	assert_int_equal(conf.size, 65536);
	assert_string_equal(conf.text, "abc");
	assert_string_equal(conf.empty, "");
	assert_null(conf.path);
	assert_null(conf.secret);
	assert_int_equal(conf.color, GREEN);
	assert_int_equal(conf.list.count, 2);
	assert_string_equal(conf.list.items[1], "b");
	assert_int_equal(conf.colors.count, 0);
	assert_string_equal(setting_map_get(&conf.map, "a"), "1");
	assert_string_equal(setting_map_get(&conf.map, "b"), "");
	assert_null(setting_map_get(&conf.map, "c"));
}

static void test_values(void **state)
{
	(void)state;
	set(FLAG, "false");
	assert_false(conf.flag);
	set(COUNT, "-5");
	assert_int_equal(conf.count, -5);
	set(WAIT, "10m");
	assert_int_equal(conf.wait_ms, 600000);
	set(COLOR, "red");
	assert_int_equal(conf.color, RED);
	set(LIST, "");
	assert_int_equal(conf.list.count, 0);
	set(LIST, " x ,y");
	assert_string_equal(conf.list.items[0], "x");
	set(MAP, "sasl.jaas=a=b, c=d");
	assert_string_equal(setting_map_get(&conf.map, "sasl.jaas"), "a=b");
	set(PATH, "/x");
	assert_string_equal(conf.path, "/x");
	set(PATH, "");
	assert_null(conf.path);
	set(EMPTY, "v");
	set(EMPTY, "");
	assert_string_equal(conf.empty, "");
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused(FLAG, "yes", "\"yes\" is neither true nor false");
	assert_refused(COUNT, "x", "\"x\" is not an integer");
	assert_refused(COUNT, "5s", "\"5s\" is not an integer");
	assert_refused(COUNT, "010", "\"010\" is not an integer");
	assert_refused(COUNT, "", "\"\" is not an integer");
	assert_refused(COUNT, "101", "101 is out of range, must be -5 to 100 threads");
	assert_refused(COUNT, "-6", "-6 is out of range, must be -5 to 100 threads");
	assert_refused(WAIT, "10", "\"10\" is not a duration: a whole number with ms, s, m, h or d, as in 10s");
	assert_refused(WAIT, "1.5s", "\"1.5s\" is not a duration: a whole number with ms, s, m, h or d, as in 10s");
	assert_refused(WAIT, "99ms", "99ms is out of range, must be 100ms to 10m");
	assert_refused(WAIT, "0", "0 is out of range, must be 100ms to 10m");
	assert_refused(SIZE, "64KB", "\"64KB\" is not a size: a whole number of bytes, or with KiB, MiB or GiB, as in 64KiB");
	assert_refused(TEXT, "a", "1 bytes, must be 2 to 5");
	assert_refused(TEXT, "abcdef", "6 bytes, must be 2 to 5");
	assert_refused(TEXT, "", "must not be empty");
	assert_refused(COLOR, "blue", "\"blue\" is none of red or green");
	assert_refused(COLORS, "red, blue", "\"blue\" is none of red or green");
	assert_refused(LIST, "a,b,c,d", "4 entries, must be 0 to 3");
	assert_refused(LIST, "a,,c", "entry 2 is empty");
	assert_refused(LIST, "a,", "entry 2 is empty");
	assert_refused(MAP, "a", "entry 1 is not name=value");
	assert_refused(MAP, "=1", "entry 1 has no name");
	assert_refused(MAP, "a=1,a=2", "a is given twice");
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		bool is_duration, is_size;
		int64_t ms, bytes;
	} cases[] = {
		{"0", true, true, 0, 0},
		{"1ms", true, false, 1, 0},
		{"7d", true, false, 604800000, 0},
		{"2h", true, false, 7200000, 0},
		{"512", false, true, 0, 512},
		{"2GiB", false, true, 0, INT64_C(2) << 30},
		{"9223372036854775807", false, true, 0, INT64_MAX},
		{"9223372036854775808", false, false, 0, 0},
		{"9223372036854775807d", false, false, 0, 0},
		{"9007199254740992KiB", false, false, 0, 0},
		{"-1s", false, false, 0, 0},
		{"+1s", false, false, 0, 0},
		{"1 s", false, false, 0, 0},
		{"1S", false, false, 0, 0},
		{"00s", false, false, 0, 0},
		{"s", false, false, 0, 0},
		{"", false, false, 0, 0},
	};
	int64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (setting_parse_duration(slice_of(cases[i].text), &n) != cases[i].is_duration ||
		    (cases[i].is_duration && n != cases[i].ms))
			fail_msg("%s as duration", cases[i].text);
		if (setting_parse_size(slice_of(cases[i].text), &n) != cases[i].is_size ||
		    (cases[i].is_size && n != cases[i].bytes))
			fail_msg("%s as size", cases[i].text);
	}
	assert_true(setting_parse_int(SLICE_LIT("-9223372036854775807"), &n));
	assert_false(setting_parse_int(SLICE_LIT("-"), &n));
	assert_false(setting_parse_int(SLICE_LIT("--1"), &n));
}

static void test_numbers_are_written_in_the_largest_unit(void **state)
{
	char out[SETTING_NUMBER_SIZE];

	(void)state;
	assert_string_equal(setting_format_duration(0, out), "0");
	assert_string_equal(setting_format_duration(1500, out), "1500ms");
	assert_string_equal(setting_format_duration(90000, out), "90s");
	assert_string_equal(setting_format_duration(7200000, out), "2h");
	assert_string_equal(setting_format_duration(INT64_C(86400000) * 30, out), "30d");
	assert_string_equal(setting_format_size(65536, out), "64KiB");
	assert_string_equal(setting_format_size(65537, out), "65537");
	assert_string_equal(setting_format_size(INT64_C(3) << 30, out), "3GiB");
}

static void test_written_without_secrets(void **state)
{
	(void)state;
	assert_written(FLAG, "true");
	assert_written(WAIT, "25s");
	assert_written(COLOR, "green");
	assert_written(LIST, "a, b");
	assert_written(SECRET, "");
	set(SECRET, "hunter2");
	assert_written(SECRET, "***");
	set(MAP, "ssl.ca.location=/ca.pem, sasl.password=hunter2, ssl.key.password=x, sasl.oauthbearer.client.secret=y");
	assert_written(MAP, "ssl.ca.location=/ca.pem, sasl.password=***, ssl.key.password=***, sasl.oauthbearer.client.secret=***");
}

static void test_equality(void **state)
{
	struct example other = conf;

	(void)state;
	set(MAP, "b=, a=1");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(setting_equal(&rows[i], &conf, &other));
	set(FLAG, "false");
	set(COUNT, "9");
	set(WAIT, "1s");
	set(SIZE, "1");
	set(TEXT, "xyz");
	set(EMPTY, "x");
	set(PATH, "/p");
	set(COLOR, "red");
	set(LIST, "a, c");
	set(COLORS, "red");
	set(MAP, "a=1, b=2");
	set(SECRET, "s");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_false(setting_equal(&rows[i], &conf, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_are_written_in_the_largest_unit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_without_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_equality, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
