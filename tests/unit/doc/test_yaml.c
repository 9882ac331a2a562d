// SPDX-License-Identifier: Apache-2.0
// YAML in: scalars, places, everything refused, files; and the nearest name.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "enrolld/base/strbuf.h"
#include "enrolld/doc/yaml.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_create(4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static const struct node *parse(const char *text)
{
	const struct node *root = NULL;
	struct fault f = {0};

	if (yaml_parse("x.yaml", slice_of(text), REASON_SETTING_INVALID, arena, &root, &f))
		fail_msg("%s: %s", text, f.detail);
	return root;
}

static void assert_refused(struct slice text, const char *detail)
{
	const struct node *root = NULL;
	struct fault f = {0};

	if (yaml_parse("x.yaml", text, REASON_DIALECT_INVALID, arena, &root, &f) != REASON_DIALECT_INVALID)
		fail_msg("%.*s: passed", (int)text.len, text.ptr);
	assert_null(root);
	assert_int_equal(f.reason, REASON_DIALECT_INVALID);
	if (strcmp(f.detail, detail) != 0)
		fail_msg("%.*s: \"%s\", not \"%s\"", (int)text.len, text.ptr, f.detail, detail);
}

static void test_plain_scalars(void **state)
{
	static const struct {
		const char *text;
		enum node_type type;
	} cases[] = {
		{"~", NODE_NULL},
		{"null", NODE_NULL},
		{"true", NODE_BOOL},
		{"false", NODE_BOOL},
		{"0", NODE_INT},
		{"-0", NODE_INT},
		{"42", NODE_INT},
		{"-7", NODE_INT},
		{"1.5", NODE_REAL},
		{"1e3", NODE_REAL},
		{"-1.5E-3", NODE_REAL},
		// What other readers take for something else.
		{"yes", NODE_TEXT},
		{"no", NODE_TEXT},
		{"on", NODE_TEXT},
		{"True", NODE_TEXT},
		{"NULL", NODE_TEXT},
		{"010", NODE_TEXT},
		{"+49", NODE_TEXT},
		{"0x1f", NODE_TEXT},
		{"1_000", NODE_TEXT},
		{"12:30:00", NODE_TEXT},
		{".inf", NODE_TEXT},
		{".nan", NODE_TEXT},
		{"1.", NODE_TEXT},
		{".5", NODE_TEXT},
		{"1e", NODE_TEXT},
		{"-", NODE_LIST}, // an entry without content
		{"2026-11-24", NODE_TEXT},
		{"127.0.0.1", NODE_TEXT},
		{"10s", NODE_TEXT},
		{"\"1\"", NODE_TEXT},
		{"'true'", NODE_TEXT},
		{"\"\"", NODE_TEXT},
		{"\xef\xbb\xbf"
		 "1",
		 NODE_INT}, // byte order mark
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct node *root = parse(cases[i].text);

		if (root->type != cases[i].type)
			fail_msg("%s: %s", cases[i].text, node_type_name(root->type));
	}
	assert_int_equal(parse("-9223372036854775808")->integer == INT64_MIN, 1);
	assert_true(slice_equal_text(parse("1.10")->written, "1.10"));
	assert_true(slice_equal_text(parse("'1.10'")->text, "1.10"));
}

static void test_tree_with_places(void **state)
{
	const struct node *root = parse("# comment\n"
					"kafka:\n"
					"  bootstrap_servers: 127.0.0.1:9092\n"
					"  properties: {security.protocol: ssl, retries: 3}\n"
					"topics:\n"
					"  - one\n"
					"  - \"t\\x77o\"\n"
					"  -\n"
					"text: |\n"
					"  a\n"
					"  b\n");
	const struct node *kafka = node_member(root, "kafka"), *topics = node_member(root, "topics");

	(void)state;
	assert_int_equal(node_count(root), 3);
	assert_int_equal(root->list.key_lines[1], 5);
	assert_int_equal(kafka->list.key_lines[1], 4);
	assert_int_equal(kafka->list.key_columns[1], 3);
	assert_int_equal(node_member(kafka, "bootstrap_servers")->line, 3);
	assert_int_equal(node_member(kafka, "bootstrap_servers")->column, 22);
	assert_int_equal(node_member(node_member(kafka, "properties"), "retries")->integer, 3);
	assert_int_equal(node_count(topics), 3);
	assert_true(slice_equal_text(node_text(node_item(topics, 1)), "two"));
	assert_true(node_is(node_item(topics, 2), NODE_NULL));
	assert_string_equal(node_member(root, "text")->text.ptr, "a\nb\n");
}

static void test_empty_documents_are_null(void **state)
{
	(void)state;
	assert_true(node_is(parse(""), NODE_NULL));
	assert_true(node_is(parse("# nothing\n"), NODE_NULL));
	assert_true(node_is(parse("---\n"), NODE_NULL));
	assert_int_equal(node_count(parse("[[[[[[[[[[{}]]]]]]]]]]")), 1); // nothing but open containers
}

static void test_refusals(void **state)
{
	(void)state;
	assert_refused(SLICE_LIT("a: 1\nb: 2\na: 3\n"), "x.yaml:3:1: a: given twice, first in line 1");
	assert_refused(SLICE_LIT("x:\n  {a: 1, b: 2, \"b\": 2, a: 3}"), "x.yaml:2:16: b: given twice, first in line 2");
	assert_refused(SLICE_LIT("a: &x 1\nb: *x\n"), "x.yaml:1:4: anchors and aliases are not used here");
	assert_refused(SLICE_LIT("a: *x\n"), "x.yaml:1:4: anchors and aliases are not used here");
	assert_refused(SLICE_LIT("a: !!str 1\n"), "x.yaml:1:4: tags are not used here");
	assert_refused(SLICE_LIT("a: ! 1\n"), "x.yaml:1:4: tags are not used here");
	assert_refused(SLICE_LIT("!m {a: 1}\n"), "x.yaml:1:1: tags are not used here");
	assert_refused(SLICE_LIT("a: 1\n---\nb: 1\n"), "x.yaml:2:1: only one document may be in a file");
	assert_refused(SLICE_LIT("? [a]\n: 1\n"), "x.yaml:1:3: a key must be a text");
	assert_refused(SLICE_LIT("<<: {a: 1}\n"), "x.yaml:1:1: merge keys are not used here");
	assert_refused(SLICE_LIT("'': 1\n"), "x.yaml:1:1: empty key");
	assert_refused(SLICE_LIT("a: 9223372036854775808\n"), "x.yaml:1:4: number out of range; quote it if it is a text");
	assert_refused(SLICE_LIT("a: 1e999\n"), "x.yaml:1:4: number out of range; quote it if it is a text");
	assert_refused(SLICE_LIT("a: \"x\\0y\"\n"), "x.yaml:1:4: NUL in a text");
	assert_refused(
		SLICE_LIT("a: b: c\n"),
		"x.yaml:1:5: mapping values are not allowed in this context; write a text that has \": \" in it in quotes, and begin a key in its map's column");
	assert_refused(SLICE_LIT("a: [1, 2\nb: 3\n"),
		       "x.yaml:2:2: did not find expected ',' or ']'; a list that begins with [ ends with ]");
	assert_refused(
		SLICE_LIT("a:\n\t- 1\n"),
		"x.yaml:2:1: found character that cannot start any token; indent with spaces, and write a text that begins with @, %, ` or a tab in quotes");
	assert_refused(SLICE_LIT("a: 1\nb: \xff\n"), "x.yaml:2:4: invalid leading UTF-8 octet");
	assert_refused(SLICE_LIT("a: \0 1\n"), "x.yaml:1:4: control characters are not allowed");
}

static void test_depth_limit(void **state)
{
	char text[2 * (YAML_DEPTH_MAX + 1)];
	const struct node *root = NULL;
	struct fault f;

	(void)state;
	memset(text, '[', YAML_DEPTH_MAX);
	memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
	assert_int_equal(yaml_parse("x.yaml", (struct slice){text, 2 * YAML_DEPTH_MAX}, REASON_SETTING_INVALID, arena, &root, &f),
			 REASON_OK);
	memset(text, '[', YAML_DEPTH_MAX + 1);
	memset(text + YAML_DEPTH_MAX + 1, ']', YAML_DEPTH_MAX + 1);
	assert_refused((struct slice){text, sizeof(text)}, "x.yaml:1:33: nested too deeply");
}

static void test_size_limit(void **state)
{
	size_t len = YAML_BYTES_MAX + 1;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	assert_refused((struct slice){text, len}, "x.yaml: larger than 1048576 bytes");
	free(text);
}

static void test_many_keys_are_quick(void **state)
{
	struct strbuf text = STRBUF_INIT(YAML_BYTES_MAX);
	const struct node *root;

	(void)state;
	for (int i = 0; i < 50000; i++)
		strbuf_printf(&text, "k%d: 1\n", i);
	root = parse(text.data);
	assert_int_equal(node_count(root), 50000);
	strbuf_free(&text);
}

static void test_file(void **state)
{
	char path[] = "/tmp/enrolld-yaml-XXXXXX";
	int fd = mkstemp(path);
	const struct node *root = NULL;
	struct fault f = {0};

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a: 1\n", 5), 5);
	(void)close(fd);
	assert_int_equal(yaml_parse_file(path, REASON_SETTING_INVALID, arena, &root, &f), REASON_OK);
	assert_int_equal(node_member(root, "a")->integer, 1);
	(void)unlink(path);
	assert_int_equal(yaml_parse_file(path, REASON_SETTING_INVALID, arena, &root, &f), REASON_FILE_UNREADABLE);
	assert_non_null(strstr(f.detail, "No such file"));
	assert_int_equal(yaml_parse_file("/tmp", REASON_SETTING_INVALID, arena, &root, &f), REASON_FILE_UNREADABLE);
	assert_string_equal(f.detail, "/tmp: Is a directory");
}

static void test_nearest(void **state)
{
	static const char *const names[] = {"kafka.bootstrap_servers", "kafka.group", "kafka.instance", "log.level", "ab"};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{"kafka.bootstap_servers", "kafka.bootstrap_servers"},
		{"kafka.bootstrap_servers", "kafka.bootstrap_servers"},
		{"kafka.gruop", "kafka.group"}, // a swap costs one
		{"Kafka.Group", "kafka.group"},
		{"log.lvl", "log.level"},
		{"log", NULL},
		{"ax", NULL}, // a third of two is nothing
		{"store.dsn", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *nearest = doc_nearest(slice_of(cases[i].word), names, ARRAY_LEN(names));

		if ((nearest == NULL) != (cases[i].nearest == NULL) || (nearest && strcmp(nearest, cases[i].nearest) != 0))
			fail_msg("%s: %s", cases[i].word, nearest ? nearest : "nothing");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_scalars),
		cmocka_unit_test(test_tree_with_places),
		cmocka_unit_test(test_empty_documents_are_null),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_depth_limit),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_many_keys_are_quick),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
