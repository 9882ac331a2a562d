// SPDX-License-Identifier: Apache-2.0
// Findings of enrolld check that need no service.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

#include "app/check.h"

static struct checkup c;

static int set_up(void **state)
{
	(void)state;
	c = (struct checkup){.arena = arena_create(1024), .subject = "settings"};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(c.findings);
	arena_destroy(c.arena);
	return 0;
}

static void test_loopback(void **state)
{
	static const struct {
		const char *host;
		bool loopback;
	} cases[] = {
		{"127.0.0.1", true},
		{"127.1.2.3", true},
		{"localhost", true},
		{"LocalHost", true},
		{"::1", true},
		{"[::1]", true},
		{"", false},
		{"127", false},
		{"localhost.evil.test", false},
		{"128.0.0.1", false},
		{"[2001:db8::1]", false},
		{"::", false},
		{"0.0.0.0", false},
		{"[]", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (check_is_loopback(cases[i].host, strlen(cases[i].host)) != cases[i].loopback)
			fail_msg("%s", cases[i].host);
}

static void test_findings_are_kept_and_counted(void **state)
{
	char what[32];
	(void)state;
	for (int i = 0; i < 200; i++) {
		(void)snprintf(what, sizeof(what), "thing %d", i);
		check_add(&c, i % 4 == 0 ? CHECK_FAIL : i % 2 == 0 ? CHECK_WARN : CHECK_OK, what, "mend it", "found %d", i);
	}
	assert_int_equal(c.count, 200);
	assert_int_equal(c.levels[CHECK_FAIL], 50);
	assert_int_equal(c.levels[CHECK_WARN], 50);
	assert_int_equal(c.levels[CHECK_OK], 100);
	assert_string_equal(c.findings[7].what, "thing 7");
	assert_string_equal(c.findings[199].found, "found 199");
}

static void test_refused_settings(void **state)
{
	struct strbuf report = STRBUF_INIT(1000);
	struct fault f = {.reason = REASON_SETTING_INVALID, .detail = "the first"};
	(void)state;
	strbuf_add_text(&report, "/etc/e.yaml:3:5: kafka.bootstap_servers: unknown setting, did you mean kafka.bootstrap_servers?\n"
				 "ENROLLD__X: not the name of a setting\nplain words");
	check_settings_refused(&c, "/etc/e.yaml", &report, &f);
	strbuf_free(&report);
	assert_int_equal(c.count, 4);
	assert_string_equal(c.findings[0].what, "kafka.bootstap_servers");
	assert_string_equal(c.findings[0].found, "/etc/e.yaml:3:5: unknown setting, did you mean kafka.bootstrap_servers?");
	assert_non_null(strstr(c.findings[0].remedy, "/etc/e.yaml:3:5"));
	assert_string_equal(c.findings[1].found, "ENROLLD__X: not the name of a setting");
	assert_string_equal(c.findings[2].found, "plain words");
	assert_int_equal(c.levels[CHECK_FAIL], 3);
	assert_string_equal(c.findings[3].what, "everything else");
}

static void test_refused_file(void **state)
{
	struct strbuf report = STRBUF_INIT(1000);
	struct fault f = {.reason = REASON_FILE_UNREADABLE, .detail = "/etc/e.yaml: no such file"};
	(void)state;
	check_settings_refused(&c, "/etc/e.yaml", &report, &f);
	assert_string_equal(c.findings[0].what, "/etc/e.yaml");
	assert_string_equal(c.findings[0].found, "/etc/e.yaml: no such file");
	assert_non_null(strstr(c.findings[0].remedy, "--config"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback),
		cmocka_unit_test_setup_teardown(test_findings_are_kept_and_counted, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_refused_file, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
