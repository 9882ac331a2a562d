// SPDX-License-Identifier: Apache-2.0
// Settings of sign-ups: how long what is sent is good for, by default and at most (NIST SP 800-63A).
#include "enrolld/operation/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void lives_are_what_standards_allow(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	struct operation_conf conf;
	settings_defaults(&operation_settings, arena, &conf);
	assert_true(conf.verify_email && conf.verify_phone);
	assert_int_equal(conf.text_life_ms, 10 * 60000);
	assert_int_equal(conf.email_life_ms, 24 * 3600000);
	assert_false(conf.hash_taken);
	size_t bounded = 0;
	for (size_t i = 0; i < operation_settings.count; i++) {
		const struct setting *row = &operation_settings.rows[i];
		if (strcmp(row->name, "signup.text_life") == 0)
			bounded += row->max == 10 * 60000;
		if (strcmp(row->name, "signup.email_life") == 0)
			bounded += row->max == 24 * 3600000;
	}
	assert_int_equal(bounded, 2);
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lives_are_what_standards_allow)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
