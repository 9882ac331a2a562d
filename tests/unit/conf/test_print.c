// SPDX-License-Identifier: Apache-2.0
// The reference, the values in force, and what a reload would change.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "enrolld/doc/json.h"
#include "unit/conf/example.h"
#include "unit/conf/scratch.h"

static struct conf *conf;
static struct strbuf out;
static struct arena *arena;

static struct conf *load(const char *file, char *const *environment)
{
	struct strbuf report = STRBUF_INIT(65536);
	struct conf *loaded = NULL;
	struct fault f = {0};

	scratch_write("x.yaml", file);
	if (conf_load(&example_tables, "x.yaml", environment, &report, &loaded, &f))
		fail_msg("%s", report.data);
	return loaded;
}

static int setup(void **state)
{
	(void)state;
	scratch_enter();
	scratch_write("pw", "hunter2");
	json_setup();
	arena = arena_create(4096);
	out = STRBUF_INIT(65536);
	conf = load("kafka:\n"
		    "  bootstrap_servers: h:1\n"
		    "  wait: 30s\n"
		    "  password_file: pw\n"
		    "  properties: {a.b: c, sasl.password: hunter2}\n"
		    "topics:\n"
		    "  one: {name: n}\n",
		    NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	conf_destroy(conf);
	strbuf_free(&out);
	arena_destroy(arena);
	scratch_leave();
	return 0;
}

static void assert_has(const char *text)
{
	if (!strstr(out.data, text))
		fail_msg("%s---- lacks\n%s", out.data, text);
}

static const struct node *parsed(void)
{
	const struct node *root = NULL;
	struct fault f = {0};

	assert_int_equal(json_parse(strbuf_slice(&out), JSON_LIMITS_DEFAULT, arena, &root, &f), REASON_OK);
	return root;
}

static const struct node *find(const struct node *list, const char *name)
{
	for (size_t i = 0; i < node_count(list); i++)
		if (slice_equal_text(node_text(node_member(node_item(list, i), "name")), name))
			return node_item(list, i);
	fail_msg("%s is not there", name);
	return NULL;
}

static void test_effective_as_text(void **state)
{
	(void)state;
	conf_print_effective(conf, CONF_FORMAT_TEXT, &out);
	assert_string_equal(out.data, "kafka.bootstrap_servers: h:1  # x.yaml:2:3\n"
				      "kafka.threads: 4  # default\n"
				      "kafka.wait: 30s  # x.yaml:3:3\n"
				      "kafka.fast: false  # default\n"
				      "kafka.password: ***  # x.yaml:4:3\n"
				      "kafka.ca_file:   # default\n"
				      "kafka.realms: a, b  # default\n"
				      "kafka.properties.a.b: c  # x.yaml:5:16\n"
				      "kafka.properties.sasl.password: ***  # x.yaml:5:24\n"
				      "topics.one.name: n  # x.yaml:7:9\n"
				      "topics.one.realm: default  # default\n"
				      "topics.one.realm.header:   # default\n"
				      "topics.one.token:   # default\n");
}

static void test_effective_names_the_variable(void **state)
{
	(void)state;
	conf_destroy(conf);
	conf = load("kafka: {bootstrap_servers: h, properties: {a.b: c}}",
		    ENV("ENROLLD__KAFKA__THREADS=9", "ENROLLD__KAFKA__PROPERTIES__D=e", "ENROLLD__KAFKA__PASSWORD=hunter2"));
	conf_print_effective(conf, CONF_FORMAT_TEXT, &out);
	assert_has("kafka.threads: 9  # ENROLLD__KAFKA__THREADS\n");
	assert_has("kafka.properties.a.b: c  # x.yaml:1:44\n");
	assert_has("kafka.properties.d: e  # ENROLLD__KAFKA__PROPERTIES__D\n");
	assert_has("kafka.password: ***  # ENROLLD__KAFKA__PASSWORD\n");
}

static void test_effective_as_json(void **state)
{
	const struct node *root;

	(void)state;
	conf_print_effective(conf, CONF_FORMAT_JSON, &out);
	assert_null(strstr(out.data, "hunter2"));
	root = parsed();
	assert_int_equal(node_count(root), 13);
	assert_int_equal(node_member(find(root, "kafka.threads"), "value")->integer, 4);
	assert_true(node_is(node_member(find(root, "kafka.fast"), "value"), NODE_BOOL));
	assert_int_equal(node_count(node_member(find(root, "kafka.realms"), "value")), 2);
	assert_true(node_is(node_member(find(root, "kafka.ca_file"), "value"), NODE_NULL));
	assert_true(slice_equal_text(node_text(node_member(find(root, "kafka.password"), "value")), "***"));
	assert_true(slice_equal_text(node_text(node_member(find(root, "kafka.wait"), "source")), "x.yaml:3:3"));
}

static void test_reference_as_text(void **state)
{
	(void)state;
	conf_print_reference(&example_tables, CONF_FORMAT_TEXT, &out);
	assert_has(
		"kafka.bootstrap_servers\n    text; required\n    Brokers | to start from.\n    ENROLLD__KAFKA__BOOTSTRAP_SERVERS\n");
	assert_has("kafka.threads\n    integer, 1 to 64 threads; default: 4\n");
	assert_has("kafka.wait\n    duration, 1s to 1m; default: 5s; reloadable\n");
	assert_has("kafka.realms\n    list of texts; default: a,b\n");
	assert_has("ENROLLD__KAFKA__PASSWORD, also with _FILE\n");
	assert_has("ENROLLD__KAFKA__PROPERTIES__ENTRY\n");
	assert_has("ENROLLD__TOPICS__NAME__REALM__HEADER\n");
}

static void test_reference_as_markdown(void **state)
{
	(void)state;
	conf_print_reference(&example_tables, CONF_FORMAT_MARKDOWN, &out);
	assert_has("## kafka\n\nThe brokers.\n\n| setting | type | default | reload | meaning |\n|---|---|---|---|---|\n");
	assert_has("| `kafka.bootstrap_servers` | text | required | no | Brokers \\| to start from. |\n");
	assert_has("| `kafka.wait` | duration, 1s to 1m | `5s` | yes | How long. |\n");
	assert_has("| `topics.*.token` | secret | not set | no | A token. |\n");
}

static void test_reference_as_json(void **state)
{
	const struct node *rows, *wait;

	(void)state;
	conf_print_reference(&example_tables, CONF_FORMAT_JSON, &out);
	rows = node_at(parsed(), SLICE_LIT("/0/settings"));
	wait = find(rows, "kafka.wait");
	assert_int_equal(node_member(wait, "min")->integer, 1000);
	assert_true(slice_equal_text(node_text(node_member(wait, "unit")), "ms"));
	assert_true(node_member(wait, "reloadable")->boolean);
	assert_true(node_member(find(rows, "kafka.password"), "secret")->boolean);
	assert_null(node_member(find(rows, "kafka.password"), "default"));
}

static void test_reference_as_yaml_is_a_settings_file(void **state)
{
	struct strbuf report = STRBUF_INIT(65536);
	struct conf *none = NULL;
	struct fault f = {0};

	(void)state;
	conf_print_reference(&example_tables, CONF_FORMAT_YAML, &out);
	assert_has("kafka:\n  # Brokers | to start from.\n  # text\n  bootstrap_servers:\n");
	assert_has("#  threads: 4\n");
	assert_has("topics:\n#  NAME:\n");
	scratch_write("reference.yaml", out.data);
	// Whoever fills in what is required has a file that loads.
	assert_int_equal(conf_load(&example_tables, "reference.yaml", NULL, &report, &none, &f), REASON_SETTING_INVALID);
	assert_string_equal(report.data,
			    "reference.yaml: kafka.bootstrap_servers: must be set, here or by ENROLLD__KAFKA__BOOTSTRAP_SERVERS\n");
	assert_int_equal(
		conf_load(&example_tables, "reference.yaml", ENV("ENROLLD__KAFKA__BOOTSTRAP_SERVERS=h"), &report, &none, &f),
		REASON_OK);
	conf_destroy(none);
	strbuf_free(&report);
}

static void note(void *ctx, const char *name, bool reloadable)
{
	strbuf_printf(ctx, "%s%s\n", name, reloadable ? "" : " (restart)");
}

static void test_diff(void **state)
{
	struct conf *after = load("kafka:\n"
				  "  bootstrap_servers: h:1\n"
				  "  wait: 31s\n"
				  "  password: other\n"
				  "  properties: {sasl.password: hunter2, a.b: c}\n"
				  "topics:\n"
				  "  one: {name: n, realm: r}\n"
				  "  two: {name: m}\n",
				  NULL);

	(void)state;
	assert_int_equal(conf_diff(conf, after, note, &out), 4);
	assert_string_equal(out.data, "kafka.wait\nkafka.password (restart)\ntopics.one.realm\ntopics.two (restart)\n");
	strbuf_reset(&out);
	assert_int_equal(conf_diff(after, conf, note, &out), 4);
	assert_has("topics.two (restart)\n");
	assert_int_equal(conf_diff(after, after, note, &out), 0);
	conf_destroy(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_effective_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_effective_names_the_variable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_effective_as_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reference_as_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reference_as_markdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reference_as_json, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reference_as_yaml_is_a_settings_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diff, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
