// SPDX-License-Identifier: Apache-2.0
// What the worker and the commands read out of the settings alike.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "app/parts.h"

static struct arena *arena;
static struct conf *conf;

static void load(const char *const *more)
{
	static const char *const least[] = {"ENROLLD__KAFKA__BOOTSTRAP_SERVERS=127.0.0.1:9092",
					    "ENROLLD__DATABASE__DSN=postgresql:///x", "ENROLLD__WORKER__INSTANCE=a"};
	char *environment[16] = {NULL};
	size_t n = 0;
	struct fault f;
	while (n < ARRAY_LEN(least)) {
		environment[n] = arena_text(arena, least[n]);
		n++;
	}
	for (; more && *more && n < ARRAY_LEN(environment) - 1; more++)
		environment[n++] = arena_text(arena, *more);
	if (conf_load(conf_tables(), "", environment, NULL, &conf, &f) != REASON_OK)
		fail_msg("%s", f.detail);
}

static int set_up(void **state)
{
	(void)state;
	arena = arena_create(1024);
	conf = NULL;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	conf_destroy(conf);
	arena_destroy(arena);
	return 0;
}

static void test_topics_by_default(void **state)
{
	size_t count = 0;
	(void)state;
	load(NULL);
	const struct topic_conf *topics = parts_topics(conf, arena, &count);
	assert_int_equal(count, 2);
	assert_string_equal(topics[LANE_SIGNUP].name, "enroll.signup");
	assert_string_equal(topics[LANE_OTP].name, "enroll.otp");
	assert_int_equal(topics[LANE_OTP].lane, LANE_OTP);
	assert_string_equal(topics[LANE_OTP].key, "otp");
	assert_int_equal(topics[LANE_SIGNUP].record_limit, 65536);
}

static void test_topics_as_set(void **state)
{
	size_t count = 0;
	(void)state;
	load((const char *const[]){"ENROLLD__TOPICS__SHOP__NAME=shop.requests", NULL});
	const struct topic_conf *topics = parts_topics(conf, arena, &count);
	assert_int_equal(count, 1);
	assert_string_equal(topics[0].name, "shop.requests");
}

static void test_each_dialect_once(void **state)
{
	size_t topic_count = 0, count = 0;
	(void)state;
	load((const char *const[]){"ENROLLD__TOPICS__A__NAME=a", "ENROLLD__TOPICS__A__DIALECTS=native,shop",
				   "ENROLLD__TOPICS__B__NAME=b", "ENROLLD__TOPICS__B__DIALECTS=forum,native", NULL});
	const struct topic_conf *topics = parts_topics(conf, arena, &topic_count);
	const char *const *names = parts_dialects(topics, topic_count, arena, &count);
	assert_int_equal(count, 3);
	assert_string_equal(names[0], "native");
	assert_string_equal(names[1], "shop");
	assert_string_equal(names[2], "forum");
}

static void test_folders(void **state)
{
	(void)state;
	load((const char *const[]){"ENROLLD__DATA__DIRECTORY=/srv/enrolld", "ENROLLD__COURIER__MESSAGES=/srv/words", NULL});
	assert_string_equal(parts_dialect_folder(conf, arena), "/srv/enrolld/dialects");
	const struct courier_conf *courier = parts_courier(conf, arena);
	assert_string_equal(courier->messages_dir, "/srv/words");
	assert_string_equal(courier->providers_dir, "/srv/enrolld/providers");
}

static void test_groups_and_secrets(void **state)
{
	(void)state;
	load((const char *const[]){"ENROLLD__WORKER__GROUP=blue", "ENROLLD__WORKER__WINDOW_RECORDS=100", NULL});
	const struct flow_conf *flow = conf_get(conf, &flow_settings);
	assert_string_equal(parts_group(flow, LANE_SIGNUP, arena), "blue-signup");
	assert_string_equal(parts_passed_group(flow, LANE_OTP, arena), "blue-otp.passed");
	assert_in_range(parts_secrets(flow), 201, 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_topics_by_default, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_topics_as_set, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_each_dialect_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folders, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_groups_and_secrets, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
