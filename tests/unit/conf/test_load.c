// SPDX-License-Identifier: Apache-2.0
// Loading: file, environment, secret files and defaults, in their order of precedence.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "unit/conf/example.h"
#include "unit/conf/scratch.h"

static struct conf *conf;

static int setup(void **state)
{
	(void)state;
	scratch_enter();
	conf = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	conf_destroy(conf);
	scratch_leave();
	return 0;
}

static const struct example_conf *load(const char *file, char *const *environment)
{
	struct strbuf report = STRBUF_INIT(65536);
	struct fault f = {0};

	if (file)
		scratch_write("enrolld.yaml", file);
	if (conf_load(&example_tables, file ? "enrolld.yaml" : "", environment, &report, &conf, &f))
		fail_msg("%s", report.data);
	strbuf_free(&report);
	return conf_get(conf, &example_settings);
}

static const struct example_topic *topics(size_t *count)
{
	return conf_get_named(conf, &example_topics, count);
}

static void test_defaults_around_one_value(void **state)
{
	const struct example_conf *c = load("kafka:\n  bootstrap_servers: h:1\n  threads:\n", NULL);
	size_t count;

	(void)state;
	assert_string_equal(c->servers, "h:1");
	assert_int_equal(c->threads, 4);
	assert_int_equal(c->wait_ms, 5000);
	assert_false(c->fast);
	assert_null(c->password);
	assert_null(c->ca_file);
	assert_int_equal(c->realms.count, 2);
	assert_int_equal(c->properties.count, 0);
	(void)topics(&count);
	assert_int_equal(count, 0);
	assert_string_equal(conf_path(conf), "enrolld.yaml");
}

static void test_every_type_from_a_file(void **state)
{
	const struct example_conf *c = load("kafka:\n"
					    "  bootstrap_servers: 'h:1,h:2'\n"
					    "  threads: 7\n"
					    "  wait: 10s\n"
					    "  fast: true\n"
					    "  password: 0123\n"
					    "  ca_file: ca.pem\n"
					    "  realms: [x, 1.10, 'y']\n"
					    "  properties:\n"
					    "    security.protocol: ssl\n"
					    "    retries: 3\n"
					    "    empty:\n",
					    NULL);

	(void)state;
	assert_string_equal(c->servers, "h:1,h:2");
	assert_int_equal(c->threads, 7);
	assert_int_equal(c->wait_ms, 10000);
	assert_true(c->fast);
	assert_string_equal(c->password, "0123");
	assert_string_equal(c->ca_file, "ca.pem");
	assert_int_equal(c->realms.count, 3);
	assert_string_equal(c->realms.items[1], "1.10");
	assert_string_equal(setting_map_get(&c->properties, "security.protocol"), "ssl");
	assert_string_equal(setting_map_get(&c->properties, "retries"), "3");
	assert_string_equal(setting_map_get(&c->properties, "empty"), "");
}

static void test_empty_list_and_list_in_a_text(void **state)
{
	(void)state;
	assert_int_equal(load("kafka: {bootstrap_servers: h, realms: []}", NULL)->realms.count, 0);
	conf_destroy(conf);
	assert_int_equal(load("kafka: {bootstrap_servers: h, realms: 'a, b, c'}", NULL)->realms.count, 3);
}

static void test_environment_alone(void **state)
{
	const struct example_conf *c = load(NULL,
					    ENV("PATH=/bin", "ENROLLD__KAFKA__BOOTSTRAP_SERVERS=h:9", "ENROLLD__KAFKA__REALMS=p, q",
						"ENROLLD_OTHER=x", "ENROLLD__KAFKA__WAIT=2s", "ENROLLD__KAFKA__THREADS="));

	(void)state;
	assert_string_equal(c->servers, "h:9");
	assert_string_equal(c->realms.items[1], "q");
	assert_int_equal(c->wait_ms, 2000);
	assert_int_equal(c->threads, 4);
	assert_null(conf_path(conf));
}

static void test_environment_wins(void **state)
{
	const struct example_conf *c = load("kafka: {bootstrap_servers: h, threads: 2, properties: {a.b: 1, c: 2}}",
					    ENV("ENROLLD__KAFKA__THREADS=3", "ENROLLD__KAFKA__PROPERTIES__A_B=9",
						"ENROLLD__KAFKA__PROPERTIES__SSL.KEY_LOCATION=/k",
						"ENROLLD__KAFKA__PROPERTIES__Security_Protocol=ssl"));

	(void)state;
	assert_int_equal(c->threads, 3);
	assert_int_equal(c->properties.count, 4);
	assert_string_equal(setting_map_get(&c->properties, "a.b"), "9");
	assert_string_equal(setting_map_get(&c->properties, "c"), "2");
	assert_string_equal(setting_map_get(&c->properties, "ssl.key_location"), "/k");
	assert_string_equal(setting_map_get(&c->properties, "security.protocol"), "ssl");
}

static void test_environment_replaces_a_map(void **state)
{
	const struct example_conf *c = load("kafka: {bootstrap_servers: h, properties: {a: 1, c: 2}}",
					    ENV("ENROLLD__KAFKA__PROPERTIES=x=1,y=2"));

	(void)state;
	assert_int_equal(c->properties.count, 2);
	assert_string_equal(setting_map_get(&c->properties, "y"), "2");
}

static void test_sections_per_name(void **state)
{
	const struct example_topic *t;
	size_t count;

	(void)state;
	(void)load("kafka: {bootstrap_servers: h}\n"
		   "topics:\n"
		   "  enroll.signup: {name: one, realm: {header: x-realm}}\n"
		   "  other: {name: two, realm: r}\n",
		   ENV("ENROLLD__TOPICS__ENROLL_SIGNUP__NAME=first", "ENROLLD__TOPICS__NEW_ONE__NAME=three"));
	t = topics(&count);
	assert_int_equal(count, 3);
	assert_string_equal(t[0].key, "enroll.signup");
	assert_string_equal(t[0].topic, "first");
	assert_string_equal(t[0].realm, "default");
	assert_string_equal(t[0].realm_header, "x-realm");
	assert_string_equal(t[1].realm, "r");
	assert_string_equal(t[1].realm_header, "");
	assert_string_equal(t[2].key, "new.one");
	assert_string_equal(t[2].topic, "three");
}

static void test_a_secret_by_file(void **state)
{
	(void)state;
	scratch_write("pw", "hunter2\n");
	assert_string_equal(load("kafka: {bootstrap_servers: h, password_file: pw}", NULL)->password, "hunter2");
	conf_destroy(conf);
	scratch_write("pw2", "two\nlines\r\n");
	assert_string_equal(
		load("kafka: {bootstrap_servers: h, password_file: pw}", ENV("ENROLLD__KAFKA__PASSWORD_FILE=pw2"))->password,
		"two\nlines");
	conf_destroy(conf);
	assert_string_equal(
		load("kafka: {bootstrap_servers: h, password_file: pw}", ENV("ENROLLD__KAFKA__PASSWORD=direct"))->password,
		"direct");
	conf_destroy(conf);
	assert_string_equal(load("kafka: {bootstrap_servers: h, password: x}", ENV("ENROLLD__KAFKA__PASSWORD_FILE=pw"))->password,
			    "hunter2");
}

static void test_a_secret_by_credential(void **state)
{
	size_t count;

	(void)state;
	scratch_write("kafka.password", "from systemd\n");
	scratch_write("topics.a.token", "tok");
	assert_string_equal(load("kafka: {bootstrap_servers: h}\ntopics: {a: {name: n}}", ENV("CREDENTIALS_DIRECTORY=."))->password,
			    "from systemd");
	assert_string_equal(topics(&count)->token, "tok");
	conf_destroy(conf);
	assert_string_equal(load("kafka: {bootstrap_servers: h, password: x}", ENV("CREDENTIALS_DIRECTORY=."))->password, "x");
}

static void test_paths_start_at_the_files_folder(void **state)
{
	struct fault f = {0};

	(void)state;
	scratch_write("enrolld.yaml", "kafka: {bootstrap_servers: h, ca_file: ca.pem}");
	assert_int_equal(conf_load(&example_tables, "./enrolld.yaml", NULL, NULL, &conf, &f), REASON_OK);
	assert_string_equal(((const struct example_conf *)conf_get(conf, &example_settings))->ca_file, "./ca.pem");
	conf_destroy(conf);
	assert_int_equal(conf_load(&example_tables, "./enrolld.yaml", ENV("ENROLLD__KAFKA__CA_FILE=x.pem"), NULL, &conf, &f),
			 REASON_OK);
	assert_string_equal(((const struct example_conf *)conf_get(conf, &example_settings))->ca_file, "x.pem");
}

static void test_path_from_the_environment(void **state)
{
	struct fault f = {0};

	(void)state;
	scratch_write("other.yaml", "kafka: {bootstrap_servers: via-env}");
	assert_int_equal(conf_load(&example_tables, NULL, ENV("ENROLLD_CONFIG=other.yaml"), NULL, &conf, &f), REASON_OK);
	assert_string_equal(conf_path(conf), "other.yaml");
	assert_string_equal(((const struct example_conf *)conf_get(conf, &example_settings))->servers, "via-env");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_defaults_around_one_value, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_type_from_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_list_and_list_in_a_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(test_environment_replaces_a_map, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sections_per_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_secret_by_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_secret_by_credential, setup, teardown),
		cmocka_unit_test_setup_teardown(test_paths_start_at_the_files_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(test_path_from_the_environment, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
