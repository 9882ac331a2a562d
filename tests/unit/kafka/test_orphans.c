// SPDX-License-Identifier: Apache-2.0
// Who joins anew, and when, while partitions are with nobody.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kafka/orphans.h"

static struct group_look look(bool stable, size_t orphans, size_t rank)
{
	return (struct group_look){.stable = stable, .orphans = orphans, .rank = rank};
}

static void first_acts_at_the_second_look(void **state)
{
	(void)state;
	struct orphans o = {0};
	struct group_look odd = look(true, 2, 0);
	assert_false(orphans_decide(&o, &odd));
	assert_true(orphans_decide(&o, &odd));
	// It has acted: the next two looks count anew.
	assert_false(orphans_decide(&o, &odd));
	assert_true(orphans_decide(&o, &odd));
}

static void others_give_it_time(void **state)
{
	(void)state;
	struct orphans o = {0};
	struct group_look odd = look(true, 1, 2);
	for (int i = 0; i < 3; i++)
		assert_false(orphans_decide(&o, &odd));
	assert_true(orphans_decide(&o, &odd));
}

static void looks_must_agree_in_a_row(void **state)
{
	(void)state;
	static const struct {
		bool answered, stable;
		size_t orphans;
	} between[] = {{false, false, 0}, {true, false, 3}, {true, true, 0}};
	struct group_look odd = look(true, 1, 0);
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		struct orphans o = {0};
		struct group_look other = look(between[i].stable, between[i].orphans, 0);
		assert_false(orphans_decide(&o, &odd));
		assert_false(orphans_decide(&o, between[i].answered ? &other : NULL));
		assert_false(orphans_decide(&o, &odd));
		assert_true(orphans_decide(&o, &odd));
	}
}

static void looks_are_some_seconds_apart(void **state)
{
	(void)state;
	struct orphans o = {0};
	struct group_look well = look(true, 0, 0), odd = look(true, 1, 0);
	assert_false(orphans_due(&o)); // the first one waits for the group to settle
	o.look_ns = 1;
	assert_true(orphans_due(&o));
	assert_false(orphans_decide(&o, &odd));
	assert_false(orphans_due(&o));
	int64_t soon = o.look_ns;
	assert_false(orphans_decide(&o, &well));
	assert_true(o.look_ns > soon);
	o.look_ns = 1;
	orphans_doubt(&o);
	assert_false(orphans_due(&o));
	assert_int_equal(o.seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_acts_at_the_second_look),
		cmocka_unit_test(others_give_it_time),
		cmocka_unit_test(looks_must_agree_in_a_row),
		cmocka_unit_test(looks_are_some_seconds_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
