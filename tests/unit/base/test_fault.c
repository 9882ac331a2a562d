// SPDX-License-Identifier: Apache-2.0
// Reasons, their table, and faults that carry them.
#include "enrolld/base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "panic.h"

static void fault_set_fills_and_returns(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(fault_set(&f, REASON_STORE_UNAVAILABLE, "host %s, try %d", "db1", 3), REASON_STORE_UNAVAILABLE);
	assert_int_equal(f.reason, REASON_STORE_UNAVAILABLE);
	assert_string_equal(f.detail, "host db1, try 3");
	assert_int_equal(fault_set(NULL, REASON_INVALID, "nobody reads this"), REASON_INVALID);
}

static void fault_set_takes_its_own_detail(void **state)
{
	(void)state;
	struct fault f;
	(void)fault_set(&f, REASON_INVALID, "inner");
	(void)fault_set(&f, REASON_INTERNAL, "outer (%s)", f.detail);
	assert_string_equal(f.detail, "outer (inner)");
}

static void a_long_detail_ends_with_a_whole_character(void **state)
{
	(void)state;
	static const char *const tails[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}; // 2, 3 and 4 bytes
	for (size_t t = 0; t < ARRAY_LEN(tails); t++) {
		size_t tail_len = strlen(tails[t]);
		for (size_t fit = 0; fit <= tail_len; fit++) {
			// fit bytes of the tail find room
			struct fault f;
			int pad = (int)(FAULT_DETAIL_SIZE - 1 - fit);
			(void)fault_set(&f, REASON_INVALID, "%0*d%s", pad, 0, tails[t]);
			size_t want = fit == tail_len ? FAULT_DETAIL_SIZE - 1 : (size_t)pad;
			assert_int_equal(strlen(f.detail), want);
		}
	}
}

static void prefixes_stand_before(void **state)
{
	(void)state;
	struct fault f;
	(void)fault_set(&f, REASON_SETTING_INVALID, "not a number");
	assert_int_equal(fault_prefix(&f, "line %d", 7), REASON_SETTING_INVALID);
	assert_int_equal(fault_prefix(&f, "%s", "enrolld.yaml"), REASON_SETTING_INVALID);
	assert_string_equal(f.detail, "enrolld.yaml: line 7: not a number");

	(void)fault_set(&f, REASON_SETTING_INVALID, "%s", "");
	(void)fault_prefix(&f, "alone");
	assert_string_equal(f.detail, "alone");
}

static void a_prefix_pushes_the_end_out(void **state)
{
	(void)state;
	struct fault f;
	(void)fault_set(&f, REASON_INVALID, "%0*d\xc3\xa9", FAULT_DETAIL_SIZE - 5, 0);
	assert_int_equal(strlen(f.detail), FAULT_DETAIL_SIZE - 3);
	(void)fault_prefix(&f, "a");
	// Three bytes more leave room for half of the last character.
	assert_int_equal(strlen(f.detail), FAULT_DETAIL_SIZE - 2);
	assert_memory_equal(f.detail, "a: 000", 6);
	assert_int_equal(f.detail[FAULT_DETAIL_SIZE - 3], '0');

	(void)fault_prefix(&f, "%0*d", 2 * FAULT_DETAIL_SIZE, 0);
	assert_int_equal(strlen(f.detail), FAULT_DETAIL_SIZE - 1);
}

static void every_row_is_complete_and_its_code_unique(void **state)
{
	(void)state;
	for (int i = 0; i < REASON_COUNT; i++) {
		const char *code = reason_code((enum reason)i);
		assert_true(code[0] != '\0');
		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_-"), strlen(code));
		assert_int_equal(reason_find(code), i); // the first with this code, so there is no second
		const char *text = reason_text((enum reason)i);
		assert_true(strlen(text) > 1);
		assert_int_equal(text[strlen(text) - 1], '.');
	}
	assert_int_equal(reason_find("no such code"), REASON_COUNT);
	assert_int_equal(reason_find(NULL), REASON_COUNT);
}

static void verdicts_come_from_the_table(void **state)
{
	(void)state;
	assert_int_equal(reason_verdict(REASON_OK), VERDICT_DONE);
	assert_int_equal(reason_verdict(REASON_INVALID), VERDICT_REFUSE);
	assert_int_equal(reason_verdict(REASON_STORE_REJECTS), VERDICT_BURY);
	assert_int_equal(reason_verdict(REASON_STORE_UNAVAILABLE), VERDICT_RETRY);
	assert_int_equal(reason_verdict(REASON_SETTING_INVALID), VERDICT_HALT);
	assert_string_equal(verdict_name(VERDICT_DONE), "done");
	assert_string_equal(verdict_name(VERDICT_HALT), "halt");
	// Only success is done, so that no fault can pass for one.
	for (int i = 1; i < REASON_COUNT; i++)
		assert_int_not_equal(reason_verdict((enum reason)i), VERDICT_DONE);
}

static void an_unknown_number_is_a_defect(void **state)
{
	(void)state;
	assert_string_equal(reason_code((enum reason)REASON_COUNT), "internal");
	assert_int_equal(reason_verdict((enum reason)9999), VERDICT_HALT);
	assert_string_equal(verdict_name((enum verdict)99), "unknown");
}

static void do_panic(void *ctx)
{
	PANIC("number %d", *(const int *)ctx);
}

static void panic_says_where_and_aborts(void **state)
{
	(void)state;
	int number = 42;
	assert_panics(do_panic, &number, "test_fault.c:");
	assert_panics(do_panic, &number, "number 42");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fault_set_fills_and_returns),
		cmocka_unit_test(fault_set_takes_its_own_detail),
		cmocka_unit_test(a_long_detail_ends_with_a_whole_character),
		cmocka_unit_test(prefixes_stand_before),
		cmocka_unit_test(a_prefix_pushes_the_end_out),
		cmocka_unit_test(every_row_is_complete_and_its_code_unique),
		cmocka_unit_test(verdicts_come_from_the_table),
		cmocka_unit_test(an_unknown_number_is_a_defect),
		cmocka_unit_test(panic_says_where_and_aborts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
