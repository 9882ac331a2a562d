// SPDX-License-Identifier: Apache-2.0
// JSON templates: whatever the values are, one well-formed value of the template's shape comes out.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/doc/json.h"
#include "enrolld/doc/yaml.h"
#include "enrolld/template/template.h"

#define LIT(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

static struct arena *arena;

static const struct template_value first[] = {{.name = "field", .kind = TEMPLATE_TEXT, .text = {"/a", 2}},
					      {.name = "note", .kind = TEMPLATE_TEXT, .text = {"n", 1}},
					      {0}};
static const struct template_value second[] = {{.name = "field", .kind = TEMPLATE_TEXT, .text = {"/b", 2}}, {0}};
static const struct template_value *const items[] = {first, second, NULL};
static const struct template_value values[] = {
	{.name = "id", .kind = TEMPLATE_TEXT, .text = {"x-1", 3}},
	{.name = "hostile", .kind = TEMPLATE_TEXT, .text = LIT("\",\"admin\":true,\"x\":\"\n\\\xff")},
	{.name = "count", .kind = TEMPLATE_INT, .integer = 3},
	{.name = "yes", .kind = TEMPLATE_BOOL, .integer = 1},
	{.name = "nothing", .kind = TEMPLATE_NULL},
	{.name = "object", .kind = TEMPLATE_JSON, .text = {"{\"k\":[1]}", 9}},
	{.name = "list", .kind = TEMPLATE_LIST, .items = items},
	{0},
};

static enum reason compile(const char *yaml, const struct template **t, struct fault *f)
{
	const struct node *tree;
	assert_int_equal(yaml_parse("d.yaml", arena_copy(arena, slice_of(yaml)), REASON_DIALECT_INVALID, arena, &tree, f),
			 REASON_OK);
	return template_compile_json(tree, "d.yaml", arena, t, f);
}

static struct slice render(const char *yaml)
{
	const struct template *t;
	struct fault f;
	struct strbuf out = STRBUF_INIT(4096);
	if (compile(yaml, &t, &f) != REASON_OK)
		fail_msg("%s: %s", yaml, f.detail);
	template_render(t, values, &out);
	struct slice text = arena_copy(arena, strbuf_slice(&out));
	strbuf_free(&out);
	return text;
}

static void test_values(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{"{id: '{{id}}', n: 1, r: 1.5, b: true, z: null, t: text}",
		 "{\"id\":\"x-1\",\"n\":1,\"r\":1.5,\"b\":true,\"z\":null,\"t\":\"text\"}"},
		{"{n: '{{count}}', y: '{{ yes }}', z: '{{nothing}}', o: '{{object}}'}",
		 "{\"n\":3,\"y\":true,\"z\":null,\"o\":{\"k\":[1]}}"},
		{"{a: '{{missing}}', b: '{{?missing}}', c: '{{?id}}'}", "{\"a\":null,\"c\":\"x-1\"}"},
		{"['{{?missing}}', '{{count}}', 'n={{count}}']", "[3,\"n=3\"]"},
		{"{t: 'id {{id}}, {{missing}}.'}", "{\"t\":\"id x-1, .\"}"},
		{"{v: {$each: list, $item: {f: '{{field}}', n: '{{?note}}', c: '{{count}}'}}}",
		 "{\"v\":[{\"f\":\"/a\",\"n\":\"n\",\"c\":3},{\"f\":\"/b\",\"c\":3}]}"},
		{"{v: {$each: list, $item: '{{?note}}'}}", "{\"v\":[\"n\"]}"},
		{"{v: {$each: missing, $item: x}}", "{\"v\":[]}"},
		{"{v: {$each: id, $item: x}}", "{\"v\":[]}"},
		{"'{{id}}'", "\"x-1\""},
		{"[]", "[]"},
		{"{z: 1, a: 2}", "{\"z\":1,\"a\":2}"}, // order as written
		{"{'{{id}}': 1}", "{\"{{id}}\":1}"},   // keys are no templates
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct slice json = render(cases[i].yaml);
		if (!slice_equal_text(json, cases[i].json))
			fail_msg("%s: %s, not %s", cases[i].yaml, json.ptr, cases[i].json);
	}
}

static void test_hostile_values(void **state)
{
	static const char *const yamls[] = {"{a: '{{hostile}}'}", "{a: 'x {{hostile}} y'}", "['{{hostile}}{{hostile}}']"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yamls); i++) {
		const struct node *root;
		struct fault f;
		struct slice json = render(yamls[i]);
		if (json_parse(json, JSON_LIMITS_DEFAULT, arena, &root, &f) != REASON_OK)
			fail_msg("%s: %s", json.ptr, f.detail);
		assert_int_equal(node_count(root), 1);
	}
}

static const struct {
	const char *yaml, *detail;
} wrong[] = {
	{"a: 1\nb: 'x {{?id}}'", "d.yaml:2: \"{{?name}}\" must be the whole text, since it stands for the member"},
	{"a: 1\nb: '{{id'", "d.yaml:2: \"{{\" without \"}}\""},
	{"'{{?id}}'", "d.yaml:1: \"{{?name}}\" needs a member or item to leave out"},
	{"{$each: list}", "d.yaml:1: a list is made by {$each: name of the list, $item: what each becomes}, and nothing besides"},
	{"{$each: list, $item: 1, other: 2}",
	 "d.yaml:1: a list is made by {$each: name of the list, $item: what each becomes}, and nothing besides"},
	{"{$item: 1}", "d.yaml:1: $each and $item go together; no other key begins with $"},
	{"[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "d.yaml:1: the template is nested too deeply"},
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct template *t;
		struct fault f;
		assert_int_equal(compile(wrong[i].yaml, &t, &f), REASON_DIALECT_INVALID);
		assert_string_equal(f.detail, wrong[i].detail);
	}
}

static void test_names(void **state)
{
	static const char *const names[] = {"id", "list", "field"};
	const struct template *t;
	struct fault f;
	(void)state;
	assert_int_equal(compile("{a: '{{id}}', v: {$each: list, $item: ['{{field}}']}}", &t, &f), REASON_OK);
	assert_int_equal(template_check_names(t, names, ARRAY_LEN(names), &f), REASON_OK);
	assert_int_equal(compile("a: 1\nv: {$each: list, $item: ['{{feild}}']}", &t, &f), REASON_OK);
	assert_int_equal(template_check_names(t, names, ARRAY_LEN(names), &f), REASON_DIALECT_INVALID);
	assert_string_equal(f.detail, "d.yaml:2: there is no value \"feild\" here; did you mean \"field\"?");
}

static int setup(void **state)
{
	(void)state;
	json_setup();
	arena = arena_create(65536);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
