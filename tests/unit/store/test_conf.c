// SPDX-License-Identifier: Apache-2.0
// Defaults of the database settings, and what no single row can say.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/store/store.h"

static void the_defaults_are_sound(void **state)
{
	(void)state;
	struct arena *arena = arena_create(4096);
	struct store_conf conf;
	struct fault f;
	settings_defaults(&store_settings, arena, &conf);
	assert_null(conf.dsn);
	assert_true(conf.prepared);
	assert_int_equal(conf.connect_timeout_ms, 10000);
	assert_int_equal(conf.statement_timeout_ms, 5000);
	assert_int_equal(conf.lock_timeout_ms, 3000);
	assert_int_equal(conf.idle_timeout_ms, 5000);
	assert_int_equal(conf.horizon_ms, INT64_C(30) * 86400000);
	assert_int_equal(store_settings.check(&conf, &f), REASON_OK);
	conf.lock_timeout_ms = 5000;
	assert_int_equal(store_settings.check(&conf, &f), REASON_SETTING_INVALID);
	assert_string_equal(f.detail, "database.lock_timeout: must be below database.statement_timeout");
	arena_destroy(arena);
}

static void the_dsn_is_required_and_secret(void **state)
{
	(void)state;
	const struct setting *dsn = &store_settings.rows[0];
	assert_string_equal(dsn->name, "database.dsn");
	assert_int_equal(dsn->type, SETTING_SECRET);
	assert_true(dsn->required);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_sound),
		cmocka_unit_test(the_dsn_is_required_and_secret),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
