// SPDX-License-Identifier: Apache-2.0
// Clocks, their text, and waits between tries.
#include "enrolld/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void text_of_known_times(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{1795560731123, "2026-11-24T22:52:11.123Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00.000Z"},
		{-62135596800000, "0001-01-01T00:00:00.000Z"},
		{253402300799999, "9999-12-31T23:59:59.999Z"},
		{INT64_MIN, "0001-01-01T00:00:00.000Z"},
		{INT64_MAX, "9999-12-31T23:59:59.999Z"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[CLOCK_TEXT_SIZE];
		assert_ptr_equal(clock_format_ms(cases[i].ms, text), text);
		assert_string_equal(text, cases[i].text);
	}
}

static void text_agrees_with_the_c_library(void **state)
{
	(void)state;
	for (int64_t day = -719162; day < 2932896; day += 97) { // years 1 to 9999
		time_t seconds = day * 86400 + day % 86400;
		struct tm tm;
		assert_non_null(gmtime_r(&seconds, &tm));
		char want[80], got[CLOCK_TEXT_SIZE];
		(void)snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.007Z", tm.tm_year + 1900, tm.tm_mon + 1,
			       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
		if (day > -719100)
			assert_string_equal(clock_format_ms((int64_t)seconds * 1000 + 7, got), want);
	}
}

static void clocks_go_on(void **state)
{
	(void)state;
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	assert_in_range(clock_wall_ms(), now_ms - 5000, now_ms + 5000);
	int64_t start = clock_mono_ns();
	clock_sleep_ms(20);
	int64_t slept = clock_mono_ns() - start;
	assert_true(slept >= 20 * 1000000);
	start = clock_mono_ns();
	clock_sleep_ms(0);
	clock_sleep_ms(-5);
	assert_true(clock_mono_ns() - start < 1000000000);
}

static void waits_double_up_to_the_limit(void **state)
{
	(void)state;
	static const int64_t full[] = {100, 200, 400, 800, 1000, 1000, 1000};
	int64_t least[ARRAY_LEN(full)], most[ARRAY_LEN(full)] = {0};
	for (size_t i = 0; i < ARRAY_LEN(full); i++)
		least[i] = INT64_MAX;
	for (int round = 0; round < 300; round++) {
		struct backoff b = BACKOFF_INIT(100, 1000);
		for (size_t i = 0; i < ARRAY_LEN(full); i++) {
			int64_t wait = backoff_next_ms(&b);
			assert_in_range(wait, full[i] / 2, full[i]);
			least[i] = wait < least[i] ? wait : least[i];
			most[i] = wait > most[i] ? wait : most[i];
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(full); i++)
		assert_true(most[i] - least[i] > full[i] / 4); // it does spread
}

static void waits_never_overflow(void **state)
{
	(void)state;
	struct backoff b = BACKOFF_INIT(1, INT64_MAX);
	for (int i = 0; i < 200; i++)
		assert_true(backoff_next_ms(&b) > 0);
	b.tries = UINT32_MAX;
	assert_true(backoff_next_ms(&b) >= INT64_MAX / 2);
	assert_true(backoff_next_ms(&b) >= INT64_MAX / 2);
	backoff_reset(&b);
	assert_int_equal(backoff_next_ms(&b), 1);
	struct backoff lone = BACKOFF_INIT(0, 10);
	assert_int_equal(backoff_next_ms(&lone), 1);
	struct backoff above = BACKOFF_INIT(50, 10);
	assert_in_range(backoff_next_ms(&above), 5, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_known_times),  cmocka_unit_test(text_agrees_with_the_c_library),
		cmocka_unit_test(clocks_go_on),         cmocka_unit_test(waits_double_up_to_the_limit),
		cmocka_unit_test(waits_never_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
