// SPDX-License-Identifier: Apache-2.0
// UTF-8 decoding against the table of well-formed sequences.
#include "enrolld/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static size_t encode(uint32_t c, char out[static 4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	for (size_t i = more; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	static const unsigned char marks[] = {0, 0xc0, 0xe0, 0xf0};
	out[0] = (char)(marks[more] | c);
	return more + 1;
}

static void every_scalar_value_is_read_back(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x110000; c++) {
		char bytes[4];
		size_t len = encode(c, bytes);
		uint32_t got;
		size_t step = utf8_next((struct slice){bytes, len}, &got);
		bool scalar = c < 0xd800 || (c > 0xdfff && c <= 0x10ffff);
		if (got != (scalar ? c : UTF8_INVALID) || (scalar && step != len))
			fail_msg("U+%04X", (unsigned)c);
	}
}

static void ill_formed_parts_are_as_unicode_counts_them(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t step;
	} cases[] = {
		{"\x80", 1},
		{"\xc0\x80", 1},
		{"\xc1\xbf", 1},
		{"\xe0\x80\x80", 1},
		{"\xe0\xa0", 2},
		{"\xed\xa0\x80", 1},
		{"\xf0\x80\x80\x80", 1},
		{"\xf4\x90\x80\x80", 1},
		{"\xf5\x80\x80\x80", 1},
		{"\xff", 1},
		{"\xf1\x80\x80", 3},
		{"\xe2\x82"
		 "A",
		 2},
		{"\xc3", 1},
		{"\xf0\x9f\x98"
		 "A",
		 3},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint32_t got;
		assert_int_equal(utf8_next(slice_of(cases[i].text), &got), cases[i].step);
		assert_int_equal(got, UTF8_INVALID);
		assert_false(utf8_valid(slice_of(cases[i].text)));
	}
	assert_int_equal(utf8_length(SLICE_LIT("\xf1\x80\x80\xe1\x80\xc2"
					       "a")),
			 4); // Unicode, table 3-8
}

static void length_counts_code_points(void **state)
{
	(void)state;
	assert_int_equal(utf8_length(SLICE_LIT("")), 0);
	assert_int_equal(utf8_length(SLICE_LIT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")), 4);
	assert_true(utf8_valid(SLICE_LIT("a\0\xc3\xa9")));
	assert_true(utf8_valid(SLICE_ABSENT));
}

static void cut_keeps_whole_code_points(void **state)
{
	(void)state;
	struct slice text = SLICE_LIT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
	for (size_t max = 0; max < ARRAY_LEN(want); max++)
		assert_int_equal(utf8_cut(text, max).len, want[max]);
	assert_int_equal(utf8_cut(SLICE_LIT("\xff\xff\xff"), 2).len, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scalar_value_is_read_back),
		cmocka_unit_test(ill_formed_parts_are_as_unicode_counts_them),
		cmocka_unit_test(length_counts_code_points),
		cmocka_unit_test(cut_keeps_whole_code_points),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
