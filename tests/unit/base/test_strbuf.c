// SPDX-License-Identifier: Apache-2.0
// Growing text: limit, overflow, wiping.
#include "enrolld/base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void pieces_add_up(void **state)
{
	(void)state;
	struct strbuf b = STRBUF_INIT(1000);
	assert_int_equal(strbuf_slice(&b).len, 0);
	assert_false(slice_is_absent(strbuf_slice(&b)));
	strbuf_add_text(&b, "one");
	strbuf_add_char(&b, ' ');
	strbuf_add_slice(&b, SLICE_LIT("two"));
	strbuf_add_slice(&b, SLICE_ABSENT);
	strbuf_add(&b, "\0x", 2);
	strbuf_printf(&b, " %d%s", 3, "");
	assert_int_equal(b.len, 11);
	assert_memory_equal(b.data, "one two\0x 3", 12);
	strbuf_free(&b);
	assert_null(b.data);
	strbuf_free(&b);
}

static void it_grows_over_any_size(void **state)
{
	(void)state;
	struct strbuf b = STRBUF_INIT(100000);
	for (int i = 0; i < 10000; i++)
		strbuf_printf(&b, "%04d,", i);
	assert_int_equal(b.len, 50000);
	assert_int_equal(strlen(b.data), 50000);
	assert_memory_equal(b.data + 5 * 4321, "4321,4322,", 10);
	assert_true(b.size <= 100001);
	strbuf_free(&b);
}

static void the_limit_holds_to_the_byte(void **state)
{
	(void)state;
	struct strbuf b = STRBUF_INIT(10);
	strbuf_add_text(&b, "0123456789");
	assert_false(strbuf_overflowed(&b));
	assert_int_equal(b.size, 11);
	strbuf_add(&b, "", 0);
	assert_false(strbuf_overflowed(&b));
	strbuf_add_char(&b, 'x');
	assert_true(strbuf_overflowed(&b));
	assert_string_equal(b.data, "0123456789");
	strbuf_free(&b);
}

static void nothing_is_added_past_an_overflow(void **state)
{
	(void)state;
	struct strbuf b = STRBUF_INIT(10);
	strbuf_add_text(&b, "abc");
	strbuf_add_text(&b, "does not fit");
	strbuf_add_char(&b, 'd'); // would fit
	strbuf_printf(&b, "%d", 1);
	assert_true(strbuf_overflowed(&b));
	assert_string_equal(b.data, "abc");
	strbuf_reset(&b);
	assert_false(strbuf_overflowed(&b));
	assert_int_equal(b.len, 0);
	strbuf_add_text(&b, "0123456789");
	assert_string_equal(b.data, "0123456789");
	strbuf_free(&b);
}

static void printf_meets_the_limit(void **state)
{
	(void)state;
	struct strbuf b = STRBUF_INIT(200);
	strbuf_printf(&b, "%0200d", 0);
	assert_false(strbuf_overflowed(&b));
	assert_int_equal(b.len, 200);
	strbuf_reset(&b);
	strbuf_add_text(&b, "kept");
	strbuf_printf(&b, "%0197d", 0);
	assert_true(strbuf_overflowed(&b));
	assert_string_equal(b.data, "kept");
	// What was tried is not left behind.
	for (size_t i = b.len; i < b.size; i++)
		assert_int_equal(b.data[i], 0);
	strbuf_free(&b);
}

static void reset_wipes_and_keeps_the_memory(void **state)
{
	(void)state;
	struct strbuf b = STRBUF_INIT(100);
	strbuf_add_text(&b, "a token");
	const char *memory = b.data;
	strbuf_reset(&b);
	assert_memory_equal(memory, "\0\0\0\0\0\0\0", 7);
	strbuf_add_text(&b, "b");
	assert_ptr_equal(b.data, memory);
	assert_string_equal(b.data, "b");
	strbuf_free(&b);
	assert_int_equal(b.limit, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_add_up),
		cmocka_unit_test(it_grows_over_any_size),
		cmocka_unit_test(the_limit_holds_to_the_byte),
		cmocka_unit_test(nothing_is_added_past_an_overflow),
		cmocka_unit_test(printf_meets_the_limit),
		cmocka_unit_test(reset_wipes_and_keeps_the_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
