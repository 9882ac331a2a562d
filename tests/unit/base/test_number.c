// SPDX-License-Identifier: Apache-2.0
// Numbers for machines.
#include "enrolld/base/number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void short_where_short_is_exact(void **state)
{
	(void)state;
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{0.0005, "0.0005"},
		{16384, "16384"},
		{1e21, "1e+21"},
		{1e-7, "1e-07"},
		{NAN, "NaN"},
		{INFINITY, "+Inf"},
		{-INFINITY, "-Inf"},
		{1764025931.125, "1764025931.125"},
		{9007199254740993.0, "9007199254740992"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[NUMBER_TEXT_SIZE];
		assert_string_equal(number_format(cases[i].value, text), cases[i].text);
	}
}

static void every_value_reads_back(void **state)
{
	(void)state;
	static const double values[] = {0.1 + 0.2, 1.0 / 3, DBL_MAX, DBL_MIN, -DBL_MAX, 5e-324, 123456.789012345678};
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		char text[NUMBER_TEXT_SIZE];
		double back = strtod(number_format(values[i], text), NULL);
		assert_memory_equal(&back, &values[i], sizeof(back));
	}
}

static void a_locale_with_commas_changes_nothing(void **state)
{
	(void)state;
	static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8"};
	bool found = false;
	for (size_t i = 0; i < ARRAY_LEN(names) && !found; i++)
		found = setlocale(LC_NUMERIC, names[i]) != NULL;
	if (!found)
		skip(); // the machine has none of them
	char text[NUMBER_TEXT_SIZE];
	(void)number_format(0.25, text);
	(void)setlocale(LC_NUMERIC, "C");
	assert_string_equal(text, "0.25");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_where_short_is_exact),
		cmocka_unit_test(every_value_reads_back),
		cmocka_unit_test(a_locale_with_commas_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
