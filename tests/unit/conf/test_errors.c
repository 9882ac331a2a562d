// SPDX-License-Identifier: Apache-2.0
// What is wrong with settings, all of it at once, each with its place and remedy.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/conf/example.h"
#include "unit/conf/scratch.h"

static int setup(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

static enum reason load(const char *file, char *const *environment, struct strbuf *report, struct fault *f)
{
	struct conf *conf = NULL;
	enum reason r;

	if (file)
		scratch_write("x.yaml", file);
	r = conf_load(&example_tables, file ? "x.yaml" : "", environment, report, &conf, f);
	assert_true((r == REASON_OK) == (conf != NULL));
	conf_destroy(conf);
	return r;
}

static void assert_errors(const char *file, char *const *environment, const char *expected)
{
	struct strbuf report = STRBUF_INIT(65536);
	struct fault f = {0};

	if (load(file, environment, &report, &f) != REASON_SETTING_INVALID)
		fail_msg("%s: passed", file ? file : "");
	if (!slice_equal_text(strbuf_slice(&report), expected))
		fail_msg("\n%s---- instead of\n%s", report.data, expected);
	strbuf_free(&report);
}

static void test_unknown_names(void **state)
{
	(void)state;
	assert_errors("kafka: {bootstrap_servers: h, bootstap_servers: x}", NULL,
		      "x.yaml:1:31: kafka.bootstap_servers: unknown setting, did you mean kafka.bootstrap_servers?\n");
	assert_errors("kafak:\n  threads: 1\nkafka: {bootstrap_servers: h}", NULL,
		      "x.yaml:1:1: kafak: unknown setting, did you mean kafka?\n");
	assert_errors("kafka: {bootstrap_servers: h}\ntopics: {a: {name: n, raelm: x}}", NULL,
		      "x.yaml:2:23: topics.a.raelm: unknown setting, did you mean topics.a.realm?\n");
	assert_errors("kafka: {bootstrap_servers: h}\nnothing_like_it: 1", NULL, "x.yaml:2:1: nothing_like_it: unknown setting\n");
	assert_errors("kafka: {bootstrap_servers: h}\nthreads: 1", NULL,
		      "x.yaml:2:1: threads: unknown setting, did you mean kafka.threads?\n");
	assert_errors("kafka: {bootstrap_servers: h}\nkafka.threads: 1", NULL,
		      "x.yaml:2:1: kafka.threads: unknown setting; write nested maps instead of a name with dots\n");
	assert_errors("kafka: {bootstrap_servers: h, threads_file: x}", NULL, "x.yaml:1:31: kafka.threads_file: unknown setting\n");
	assert_errors("kafka: {bootstrap_servers: h, \"a\\nb\": x}", NULL, "x.yaml:1:31: kafka.a?b: unknown setting\n");
}

static void test_unknown_variables(void **state)
{
	(void)state;
	assert_errors("kafka: {bootstrap_servers: h}", ENV("ENROLLD__KAFKA__THRAEDS=1"),
		      "ENROLLD__KAFKA__THRAEDS: unknown setting, did you mean ENROLLD__KAFKA__THREADS?\n");
	assert_errors("kafka: {bootstrap_servers: h}", ENV("ENROLLD__KAFKA__THREADS__X=1"),
		      "ENROLLD__KAFKA__THREADS__X: unknown setting, did you mean ENROLLD__KAFKA__THREADS?\n");
	assert_errors("kafka: {bootstrap_servers: h}", ENV("ENROLLD____X=1", "ENROLLD__=1"),
		      "ENROLLD__: not the name of a setting\nENROLLD____X: not the name of a setting\n");
}

static void test_bad_values(void **state)
{
	(void)state;
	assert_errors("kafka:\n  bootstrap_servers: h\n  threads: 65\n", NULL,
		      "x.yaml:3:3: kafka.threads: 65 is out of range, must be 1 to 64 threads\n");
	assert_errors("kafka:\n  bootstrap_servers: h\n  wait: 500ms\n", NULL,
		      "x.yaml:3:3: kafka.wait: 500ms is out of range, must be 1s to 1m\n");
	assert_errors("kafka: {bootstrap_servers: [h]}", NULL,
		      "x.yaml:1:9: kafka.bootstrap_servers: must be a single text, not a list\n");
	assert_errors("kafka: {bootstrap_servers: h, properties: 1}", NULL,
		      "x.yaml:1:31: kafka.properties: entry 1 is not name=value\n");
	assert_errors("kafka: {bootstrap_servers: h, properties: {a: [1]}}", NULL,
		      "x.yaml:1:47: kafka.properties: an entry must be a text, not a list\n");
	assert_errors("kafka: 5", NULL,
		      "x.yaml:1:1: kafka: must be a map of settings, not a single value\n"
		      "x.yaml: kafka.bootstrap_servers: must be set, here or by ENROLLD__KAFKA__BOOTSTRAP_SERVERS\n");
	assert_errors("kafka: {bootstrap_servers: h}\ntopics: {a: {name: n, realm: ''}}", NULL,
		      "x.yaml:2:23: topics.a.realm: must not be empty\n");
	assert_errors("kafka: {bootstrap_servers: h}", ENV("ENROLLD__KAFKA__FAST=yes"),
		      "ENROLLD__KAFKA__FAST: \"yes\" is neither true nor false\n");
	assert_errors("[1]", NULL,
		      "x.yaml:1:1: must be a map of settings, not a list\n"
		      "x.yaml: kafka.bootstrap_servers: must be set, here or by ENROLLD__KAFKA__BOOTSTRAP_SERVERS\n");
}

static void test_missing_values(void **state)
{
	(void)state;
	assert_errors(NULL, NULL, "kafka.bootstrap_servers: must be set, here or by ENROLLD__KAFKA__BOOTSTRAP_SERVERS\n");
	assert_errors("kafka: {bootstrap_servers: h}\ntopics: {a: , b: {name: x}}", NULL,
		      "x.yaml: topics.a.name: must be set, here or by ENROLLD__TOPICS__NAME__NAME\n");
}

static void test_secrets(void **state)
{
	(void)state;
	scratch_write("pw", "x");
	assert_errors("kafka: {bootstrap_servers: h, password: a, password_file: pw}", NULL,
		      "x.yaml:1:44: kafka.password: given as a text and as a file\n");
	assert_errors("kafka: {bootstrap_servers: h, password_file: none}", NULL,
		      "x.yaml:1:31: kafka.password: none: No such file or directory\n");
	assert_errors("kafka: {bootstrap_servers: h, password_file: [pw]}", NULL,
		      "x.yaml:1:31: kafka.password_file: must be a single path, not a list\n");
	assert_errors("kafka: {bootstrap_servers: h, password: [hunter2]}", NULL,
		      "x.yaml:1:31: kafka.password: must be a single secret, not a list\n");
}

static void test_a_modules_own_check_has_a_place(void **state)
{
	(void)state;
	assert_errors("kafka:\n  bootstrap_servers: h\n  fast: true\n  wait: 20s\n", NULL,
		      "x.yaml:4:3: kafka.wait: at most 10s when kafka.fast is set\n");
	// A value that is wrong by itself comes first.
	assert_errors("kafka: {bootstrap_servers: h, fast: true, wait: 20h}", NULL,
		      "x.yaml:1:43: kafka.wait: 20h is out of range, must be 1s to 1m\n");
}

static void test_a_file_that_is_no_yaml(void **state)
{
	struct strbuf report = STRBUF_INIT(65536);
	struct conf *conf = NULL;
	struct fault f = {0};

	(void)state;
	assert_errors("kafka: {a: 1, a: 2}", NULL, "x.yaml:1:15: a: given twice, first in line 1\n");
	assert_int_equal(conf_load(&example_tables, "none.yaml", NULL, &report, &conf, &f), REASON_FILE_UNREADABLE);
	assert_string_equal(report.data, "none.yaml: No such file or directory\n");
	strbuf_free(&report);
}

static void test_all_errors_at_once(void **state)
{
	struct strbuf file = STRBUF_INIT(65536), report = STRBUF_INIT(65536);
	struct fault f = {0};
	int lines = 0;

	(void)state;
	strbuf_add_text(&file, "kafka:\n  threads: 0\n  wait: x\n");
	for (int i = 0; i < 25; i++)
		strbuf_printf(&file, "  zz%d: 1\n", i);
	assert_int_equal(load(file.data, NULL, &report, &f), REASON_SETTING_INVALID);
	for (size_t i = 0; i < report.len; i++)
		lines += report.data[i] == '\n';
	assert_int_equal(lines, CONF_ERRORS_MAX + 1);
	assert_non_null(strstr(report.data, "... and 8 more\n")); // 25 names, 2 values and a required one
	assert_string_equal(f.detail, "x.yaml:4:3: kafka.zz0: unknown setting (and 27 more)");
	strbuf_free(&file);
	strbuf_free(&report);
}

static void test_errors_never_show_secrets(void **state)
{
	static const char *const files[] = {
		"kafka: {bootstrap_servers: h, password: hunter2, password_file: pw}",
		"kafka: {bootstrap_servers: h, password: hunter2, fast: 1}",
		"kafka: {bootstrap_servers: h, properties: {sasl.password: [hunter2]}}",
		"kafka: {bootstrap_servers: h, passwrd: hunter2}",
	};

	(void)state;
	scratch_write("pw", "hunter2");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct strbuf report = STRBUF_INIT(65536);
		struct fault f = {0};

		assert_int_equal(load(files[i], NULL, &report, &f), REASON_SETTING_INVALID);
		assert_null(strstr(report.data, "hunter2"));
		assert_null(strstr(f.detail, "hunter2"));
		strbuf_free(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unknown_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_variables, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_modules_own_check_has_a_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_file_that_is_no_yaml, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_errors_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_never_show_secrets, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
