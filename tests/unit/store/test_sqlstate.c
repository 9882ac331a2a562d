// SPDX-License-Identifier: Apache-2.0
// The verdict of each SQLSTATE that the worker meets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/sqlstate.h"

static const struct {
	const char *state;
	enum reason fresh, worked;
	bool ends_link;
} cases[] = {
	{NULL, REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, true},
	{"08006", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, true},
	{"0A000", REASON_STORE_FAILED, REASON_STORE_FAILED, true},
	{"21000", REASON_STORE_DATA, REASON_STORE_DATA, false},
	{"22021", REASON_STORE_DATA, REASON_STORE_DATA, false},
	{"22P02", REASON_STORE_DATA, REASON_STORE_DATA, false},
	{"23505", REASON_STORE_DATA, REASON_STORE_DATA, false},
	{"25006", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, true},
	{"25P02", REASON_STORE_FAILED, REASON_STORE_FAILED, false},
	{"25P03", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, true},
	{"26000", REASON_STORE_FAILED, REASON_STORE_FAILED, true},
	{"28000", REASON_STORE_DENIED, REASON_STORE_UNAVAILABLE, true},
	{"28P01", REASON_STORE_DENIED, REASON_STORE_UNAVAILABLE, true},
	{"3D000", REASON_STORE_DENIED, REASON_STORE_UNAVAILABLE, true},
	{"40001", REASON_STORE_CONFLICT, REASON_STORE_CONFLICT, false},
	{"40P01", REASON_STORE_CONFLICT, REASON_STORE_CONFLICT, false},
	{"42501", REASON_STORE_DENIED, REASON_STORE_UNAVAILABLE, false},
	{"42601", REASON_STORE_FAILED, REASON_STORE_FAILED, false},
	{"42P01", REASON_STORE_FAILED, REASON_STORE_FAILED, false},
	{"42P05", REASON_STORE_FAILED, REASON_STORE_FAILED, true},
	{"53100", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, false},
	{"53300", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, false},
	{"55P03", REASON_STORE_CONFLICT, REASON_STORE_CONFLICT, false},
	{"57014", REASON_STORE_CONFLICT, REASON_STORE_CONFLICT, false},
	{"57P01", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, true},
	{"57P03", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, true},
	{"58030", REASON_STORE_UNAVAILABLE, REASON_STORE_UNAVAILABLE, false},
	{"XX000", REASON_STORE_FAILED, REASON_STORE_FAILED, false},
};

static void each_state_has_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (sqlstate_reason(cases[i].state, false) != cases[i].fresh ||
		    sqlstate_reason(cases[i].state, true) != cases[i].worked ||
		    sqlstate_ends_link(cases[i].state) != cases[i].ends_link)
			fail_msg("%s: %s, worked %s", cases[i].state ? cases[i].state : "none",
				 reason_code(sqlstate_reason(cases[i].state, false)),
				 reason_code(sqlstate_reason(cases[i].state, true)));
	}
}

static void only_the_datas_fault_is_bisected(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *s = cases[i].state;
		bool data = s && (strncmp(s, "21", 2) == 0 || strncmp(s, "22", 2) == 0 || strncmp(s, "23", 2) == 0);
		assert_int_equal(sqlstate_reason(s, false) == REASON_STORE_DATA, data);
	}
}

static void five_characters_are_a_state(void **state)
{
	(void)state;
	assert_true(sqlstate_is_valid("57P01"));
	assert_false(sqlstate_is_valid("57P0"));
	assert_false(sqlstate_is_valid("57P011"));
	assert_false(sqlstate_is_valid("57p01"));
	assert_false(sqlstate_is_valid("fused"));
	assert_false(sqlstate_is_valid(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_its_reason),
		cmocka_unit_test(only_the_datas_fault_is_bisected),
		cmocka_unit_test(five_characters_are_a_state),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
