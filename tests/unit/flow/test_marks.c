// SPDX-License-Identifier: Apache-2.0
// Marks: what must be raised now, what with the next batch, and that nothing is ever lowered.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/marks.h"

static void assignment_is_urgent_passing_is_not(void **state)
{
	(void)state;
	struct marks *marks = marks_create();
	struct mark out[4];
	assert_int_equal(marks_known(marks, "t", 0), -1);
	marks_assigned(marks, "t", 0, 5);
	assert_int_equal(marks_pending(marks, true, out, 4), 1);
	assert_int_equal(out[0].offset, 5);
	marks_raised(marks, out, 1);
	assert_int_equal(marks_pending(marks, true, out, 4), 0);
	marks_passed(marks, "t", 0, 9);
	assert_int_equal(marks_pending(marks, true, out, 4), 0);
	assert_int_equal(marks_pending(marks, false, out, 4), 1);
	assert_int_equal(out[0].offset, 9);
	assert_int_equal(marks_known(marks, "t", 0), 9);
	marks_destroy(marks);
}

static void nothing_is_lowered(void **state)
{
	(void)state;
	struct marks *marks = marks_create();
	struct mark out[4];
	marks_passed(marks, "t", 1, 20);
	marks_assigned(marks, "t", 1, 3); // offsets were set back: the mark stays
	assert_int_equal(marks_known(marks, "t", 1), 20);
	assert_int_equal(marks_pending(marks, true, out, 4), 1);
	assert_int_equal(out[0].offset, 20);
	marks_destroy(marks);
}

static void an_assignment_during_a_raise_stays_urgent(void **state)
{
	(void)state;
	struct marks *marks = marks_create();
	struct mark out[4];
	marks_assigned(marks, "t", 0, 5);
	assert_int_equal(marks_pending(marks, true, out, 4), 1);
	marks_assigned(marks, "t", 0, 8); // while the raise to 5 is under way
	marks_raised(marks, out, 1);
	assert_int_equal(marks_pending(marks, true, out, 4), 1);
	assert_int_equal(out[0].offset, 8);
	marks_destroy(marks);
}

static void partitions_are_apart(void **state)
{
	(void)state;
	struct marks *marks = marks_create();
	struct mark out[64];
	for (int32_t p = 0; p < 40; p++)
		marks_assigned(marks, p % 2 ? "a" : "b", p, p);
	assert_int_equal(marks_count(marks), 40);
	assert_int_equal(marks_pending(marks, true, out, 64), 40);
	marks_destroy(marks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(assignment_is_urgent_passing_is_not),
		cmocka_unit_test(nothing_is_lowered),
		cmocka_unit_test(an_assignment_during_a_raise_stays_urgent),
		cmocka_unit_test(partitions_are_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
