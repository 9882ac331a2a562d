// SPDX-License-Identifier: Apache-2.0
// Settings of the hash pool and its floor.
#include "enrolld/credential/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void defaults_are_acceptable(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	struct credential_conf conf;
	struct fault f;
	settings_defaults(&credential_settings, arena, &conf);
	assert_int_equal(conf.threads, 0);
	assert_true(conf.keep_memory);
	assert_false(conf.allow_weak);
	assert_true(conf.renew);
	struct argon2_cost cost = credential_cost(&conf);
	assert_int_equal(cost.memory_kib, 65536);
	assert_int_equal(cost.passes, 2);
	assert_int_equal(credential_settings.check(&conf, &f), REASON_OK);

	conf.memory_bytes = 18 << 20;
	assert_int_equal(credential_settings.check(&conf, &f), REASON_SETTING_INVALID);
	conf.allow_weak = true;
	assert_int_equal(credential_settings.check(&conf, &f), REASON_OK);
	arena_destroy(arena);
}

static void floor_is_owasps(void **state)
{
	(void)state;
	static const struct {
		struct argon2_cost cost;
		enum reason strict, weak;
	} cases[] = {
		{{46 * 1024, 1}, REASON_OK, REASON_OK},
		{{46 * 1024 - 1, 1}, REASON_SETTING_INVALID, REASON_OK},
		{{19 * 1024, 2}, REASON_OK, REASON_OK},
		{{19 * 1024 - 1, 2}, REASON_SETTING_INVALID, REASON_OK},
		{{12 * 1024, 3}, REASON_OK, REASON_OK},
		{{12 * 1024, 4}, REASON_OK, REASON_OK},
		{{12 * 1024, 2}, REASON_SETTING_INVALID, REASON_OK},
		{{12 * 1024 - 1, 32}, REASON_SETTING_INVALID, REASON_OK},
		{{8191, 3}, REASON_SETTING_INVALID, REASON_SETTING_INVALID},
		{{65536, 0}, REASON_SETTING_INVALID, REASON_SETTING_INVALID},
		{{65536, 33}, REASON_SETTING_INVALID, REASON_SETTING_INVALID},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct fault f;
		assert_int_equal(credential_cost_check(cases[i].cost, false, &f), cases[i].strict);
		if (cases[i].strict != REASON_OK && cases[i].weak == REASON_OK)
			assert_non_null(strstr(f.detail, "at least 46MiB with 1 pass, 19MiB with 2, 12MiB with 3 or more"));
		assert_int_equal(credential_cost_check(cases[i].cost, true, &f), cases[i].weak);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_acceptable),
		cmocka_unit_test(floor_is_owasps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
