// SPDX-License-Identifier: Apache-2.0
// Comparing borrowed bytes.
#include "enrolld/base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void absent_is_not_empty(void **state)
{
	(void)state;
	assert_true(slice_is_absent(SLICE_ABSENT));
	assert_true(slice_is_absent(slice_of(NULL)));
	assert_false(slice_is_absent(slice_of("")));
	assert_true(slice_equal(SLICE_ABSENT, slice_of(""))); // no bytes are no bytes
}

static void equal_looks_at_every_byte(void **state)
{
	(void)state;
	assert_true(slice_equal_text(SLICE_LIT("name"), "name"));
	assert_false(slice_equal_text(SLICE_LIT("name"), "names"));
	assert_false(slice_equal_text(SLICE_LIT("name"), "nama"));
	assert_false(slice_equal(SLICE_LIT("a\0b"), SLICE_LIT("a\0c")));
	assert_int_equal(SLICE_LIT("a\0b").len, 3);
}

static void nocase_is_for_ascii_letters(void **state)
{
	(void)state;
	assert_true(slice_equal_nocase(SLICE_LIT("Content-Type"), SLICE_LIT("cOnTENT-tYPE")));
	assert_false(slice_equal_nocase(SLICE_LIT("a"), SLICE_LIT("ab")));
	assert_false(slice_equal_nocase(SLICE_LIT("@"), SLICE_LIT("`")));
	assert_false(slice_equal_nocase(SLICE_LIT("["), SLICE_LIT("{")));
	assert_false(slice_equal_nocase(SLICE_LIT("\xc3\x89"), SLICE_LIT("\xc3\xa9")));
	assert_true(slice_equal_nocase(SLICE_ABSENT, SLICE_LIT("")));
}

static void order_is_that_of_bytes(void **state)
{
	(void)state;
	static const struct {
		struct slice a, b;
		int order;
	} cases[] = {
		{{"", 0}, {"", 0}, 0},    {{NULL, 0}, {"a", 1}, -1},     {{"a", 1}, {"ab", 2}, -1},
		{{"b", 1}, {"ab", 2}, 1}, {{"a\0b", 3}, {"a", 1}, 1},    {{"\xff", 1}, {"a", 1}, 1}, // bytes are unsigned
		{{"Z", 1}, {"a", 1}, -1}, {{"same", 4}, {"same", 4}, 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(slice_compare(cases[i].a, cases[i].b), cases[i].order);
		assert_int_equal(slice_compare(cases[i].b, cases[i].a), -cases[i].order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_not_empty),
		cmocka_unit_test(equal_looks_at_every_byte),
		cmocka_unit_test(nocase_is_for_ascii_letters),
		cmocka_unit_test(order_is_that_of_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
