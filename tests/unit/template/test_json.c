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
	{.name = "words", .kind = TEMPLATE_TEXT, .text = LIT("red, dark blue")},
	{.name = "euro",
	 .kind = TEMPLATE_TEXT,
	 .text = LIT("\xe2\x82\xac"
		     "12")},
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

static const struct template_value mobile[] = {{.name = "field", .kind = TEMPLATE_TEXT, .text = LIT("/mobile/number")},
					       {.name = "text", .kind = TEMPLATE_TEXT, .text = LIT("m")},
					       {0}};
static const struct template_value email[] = {{.name = "field", .kind = TEMPLATE_TEXT, .text = LIT("/email")},
					      {.name = "text", .kind = TEMPLATE_TEXT, .text = LIT("e")},
					      {0}};
static const struct template_value email_too[] = {{.name = "field", .kind = TEMPLATE_TEXT, .text = LIT("/email")},
						  {.name = "text", .kind = TEMPLATE_TEXT, .text = LIT("f")},
						  {0}};
static const struct template_value code[] = {{.name = "field", .kind = TEMPLATE_TEXT, .text = LIT("/mobile/a~1b")},
					     {.name = "text", .kind = TEMPLATE_TEXT, .text = LIT("c")},
					     {0}};
static const struct template_value whole[] = {
	{.name = "field", .kind = TEMPLATE_TEXT, .text = LIT("")}, {.name = "text", .kind = TEMPLATE_TEXT, .text = LIT("w")}, {0}};
static const struct template_value *const faults[] = {email, mobile, email_too, code, whole, NULL};

static bool find(void *context, struct slice name, struct template_value *value)
{
	(void)context;
	if (slice_equal_text(name, "at"))
		*value = (struct template_value){.kind = TEMPLATE_TIME, .integer = INT64_C(1700000000123)};
	else if (slice_equal_text(name, "uuid"))
		*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = LIT("01234567-89ab-8def-8123-456789abcdef")};
	else if (slice_equal_text(name, "faults"))
		*value = (struct template_value){.kind = TEMPLATE_LIST, .items = faults};
	else
		return false;
	return true;
}

static void shout(struct slice text, struct strbuf *out)
{
	strbuf_add_slice(out, text);
	strbuf_add_char(out, '!');
}

static const struct template_function more[] = {{"shout", shout}, {"upper", shout}, {0}};

static const char *render_found(const char *yaml, const char *language)
{
	const struct node *tree;
	const struct template *t;
	struct fault f;
	struct strbuf out = STRBUF_INIT(4096);
	const struct template_origin origin = {"d.yaml", 0, arena, more};
	const struct template_scope scope = {values, find, NULL, slice_of(language)};
	assert_int_equal(yaml_parse("d.yaml", arena_copy(arena, slice_of(yaml)), REASON_DIALECT_INVALID, arena, &tree, &f),
			 REASON_OK);
	if (template_compile_tree(tree, &origin, &t, &f) != REASON_OK)
		fail_msg("%s: %s", yaml, f.detail);
	template_render_scope(t, &scope, &out);
	const char *text = arena_copy(arena, strbuf_slice(&out)).ptr;
	strbuf_free(&out);
	return text;
}

static void test_shapes_and_functions(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{"{e: {$group: faults, $key: '{{field}}', $item: '{{text}}'}}",
		 "{\"e\":{\"/email\":[\"e\",\"f\"],\"/mobile/number\":[\"m\"],\"/mobile/a~1b\":[\"c\"],\"\":[\"w\"]}}"},
		{"{$group: faults, $key: '{{field}}', $one: '{{text}}'}",
		 "{\"/email\":\"e\",\"/mobile/number\":\"m\",\"/mobile/a~1b\":\"c\",\"\":\"w\"}"},
		{"{$tree: faults, $item: '{{text}}'}",
		 "{\"email\":[\"e\",\"f\"],\"mobile\":{\"number\":[\"m\"],\"a/b\":[\"c\"]},\"\":[\"w\"]}"},
		{"{$tree: faults, $one: '{{text}}'}", "{\"email\":\"e\",\"mobile\":{\"number\":\"m\",\"a/b\":\"c\"},\"\":\"w\"}"},
		{"{$tree: missing, $item: x}", "{}"},
		{"{$group: missing, $key: x, $item: x}", "{}"},
		{"{a: {$if: {count: 3}, $then: yes, $else: no}, b: {$if: {count: [1, 2]}, $then: 1}}", "{\"a\":\"yes\"}"},
		{"{a: {$if: {missing: missing, id: present, not: {id: y}}, $then: {x: '{{id}}'}}}", "{\"a\":{\"x\":\"x-1\"}}"},
		{"[{$if: {nothing: present}, $then: 1}, {$if: {yes: 'true'}, $then: 2}]", "[2]"},
		{"{a: {$plural: count, one: '{{count}} thing', other: '{{count}} things'}}", "{\"a\":\"3 things\"}"},
		{"{a: {$plural: count, '=3': three, other: x}}", "{\"a\":\"three\"}"},
		{"['{{at}}', '{{at|iso_s}}', '{{at|iso_us}}', '{{at|iso_offset}}']",
		 "[\"2023-11-14T22:13:20.123Z\",\"2023-11-14T22:13:20Z\",\"2023-11-14T22:13:20.123000Z\",\"2023-11-14T22:13:20+00:00\"]"},
		{"['{{at|date}}', '{{at|sql}}', '{{at|http}}', '{{at|seconds}}', '{{at|millis}}']",
		 "[\"2023-11-14\",\"2023-11-14 22:13:20\",\"Tue, 14 Nov 2023 22:13:20 GMT\",1700000000,1700000000123]"},
		{"['{{uuid|hex24}}', '{{uuid|hex32}}', '{{count|text}}', '{{count|text|number}}', '{{id|number}}']",
		 "[\"0123456789ab8def81234567\",\"0123456789ab8def8123456789abcdef\",\"3\",3,\"x-1\"]"},
		{"{$each: faults, $item: '{{text}}', $when: {field: /email}}", "[\"e\",\"f\"]"},
		{"{$each: faults, $item: '{{text}}', $skip: 1, $take: 2}", "[\"m\",\"f\"]"},
		{"{$each: faults, $item: '{{text}}', $take: 2, $page: count}", "[\"w\"]"},
		{"{$each: faults, $item: '{{text}}', $take: missing, $skip: id}", "[\"e\",\"m\",\"f\",\"c\",\"w\"]"},
		{"{$each: faults, $item: '{{text}}', $when: {not: {field: ''}}, $take: count}", "[\"e\",\"m\",\"f\"]"},
		{"{$group: faults, $key: '{{field}}', $item: '{{text}}', $when: {text: [m, w]}}",
		 "{\"/mobile/number\":[\"m\"],\"\":[\"w\"]}"},
		{"{$tree: faults, $key: '{{field}}/{{text}}', $one: 1, $take: 3}",
		 "{\"email\":{\"e\":1,\"f\":1},\"mobile\":{\"number\":{\"m\":1}}}"},
		{"{$merge: [{a: 1, b: '{{id}}'}, {$group: faults, $key: '{{field}}', $item: '{{text}}', $take: 1}, '{{object}}', {a: 2}]}",
		 "{\"a\":2,\"b\":\"x-1\",\"/email\":[\"e\"],\"k\":[1]}"},
		{"{$merge: [{a: 1}, {$if: {count: 3}, $then: {c: 1}}, {$if: {count: 4}, $then: {d: 1}}, '{{nothing}}', '{{?missing}}']}",
		 "{\"a\":1,\"c\":1}"},
		{"{$concat: [body, {$each: faults, $item: '{{text}}', $take: 2}, ['{{count}}'], '{{?missing}}', null]}",
		 "[\"body\",\"e\",\"m\",3,null]"},
		{"{$$schema: x, $$a$: 1}", "{\"$schema\":\"x\",\"$a$\":1}"},
		{"[{$if: {words: {has: red}}, $then: 1}, {$if: {words: {has: [x, dark blue]}}, $then: 2}, {$if: {words: {has: re}}, $then: 3}]",
		 "[1,2]"},
		{"['{{at|time:%d/%m/%Y %H:%M:%S.%f}}', '{{at|time:%-d %b %y, %-I %p}}', '{{at|time:%A %e %B %j %s %z %L %N %a %%}}']",
		 "[\"14/11/2023 22:13:20.123000\",\"14 Nov 23, 10 PM\",\"Tuesday 14 November 318 1700000000 +0000 123 123000000 Tue %\"]"},
		{"['{{at|plus:3h|time:%H:%M+03:00}}', '{{at|minus:1d|date}}', '{{at|plus:1h|seconds}}', '{{id|plus:1h}}']",
		 "[\"01:13+03:00\",\"2023-11-13\",1700003600,\"x-1\"]"},
		{"['{{words|before:,}}', '{{words|behind:,}}', '{{id|before:@}}', '{{id|behind:@}}', '{{words|cut:3|upper}}', '{{euro|cut:2}}']",
		 "[\"red\",\" dark blue\",\"x-1\",\"\",\"red!\",\"\xe2\x82\xac"
		 "1\"]"},
		{"['{{id|shout|url}}', 'a {{id|shout}} b', '{{yes|python}}', '{{nothing|python}}', '{{?missing|shout}}']",
		 "[\"x-1%21\",\"a x-1! b\",\"True\",\"None\"]"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *json = render_found(cases[i].yaml, "en");
		if (strcmp(json, cases[i].json) != 0)
			fail_msg("%s: %s, not %s", cases[i].yaml, json, cases[i].json);
	}
	assert_string_equal(render_found("{a: {$plural: count, few: few, other: x}}", "ar-EG"), "{\"a\":\"few\"}");
}

static void test_plurals(void **state)
{
	static const struct {
		const char *language;
		int64_t n;
		const char *form;
	} cases[] = {
		{"en", 0, "other"},   {"en", 1, "one"},   {"en", 2, "other"},      {"ar", 0, "zero"},  {"ar", 1, "one"},
		{"ar", 2, "two"},     {"ar", 3, "few"},   {"ar", 10, "few"},       {"ar", 11, "many"}, {"ar", 99, "many"},
		{"ar", 100, "other"}, {"ar", 103, "few"}, {"es", 0, "other"},      {"es", 1, "one"},   {"fr", 0, "one"},
		{"ru", 1, "one"},     {"ru", 11, "many"}, {"ru", 22, "few"},       {"pl", 1, "one"},   {"pl", 21, "many"},
		{"pl", 22, "few"},    {"ja", 1, "other"}, {"es", 1000000, "many"}, {"cs", 3, "few"},   {"", 1, "one"},
		{"de", -1, "other"},  {"he", 2, "two"},   {"hi", 0, "one"},        {"hr", 5, "other"}, {"uk", 5, "many"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (strcmp(template_plural(slice_of(cases[i].language), cases[i].n), cases[i].form) != 0)
			fail_msg("%s %lld", cases[i].language, (long long)cases[i].n);
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
	{"a: 1\nb: '{{id'", "d.yaml:2: \"{{\" without \"}}\": a place is written {{name}}"},
	{"'{{?id}}'", "d.yaml:1: \"{{?name}}\", or $if without $else, needs a member or item to leave out"},
	{"{$each: list}",
	 "d.yaml:1: a list is made by {$each: name of the list, $item: what each becomes}, and nothing besides but $when, $skip, $take and $page"},
	{"{$each: list, $item: 1, other: 2}",
	 "d.yaml:1: a list is made by {$each: name of the list, $item: what each becomes}, and nothing besides but $when, $skip, $take and $page"},
	{"{$item: 1}",
	 "d.yaml:1: keys that begin with $ are those of $each, $group, $tree, $if, $plural, $merge and $concat; $$name stands for $name"},
	{"{$each: list, $item: 1, $take: -1}",
	 "d.yaml:1: $skip, $take and $page are whole numbers, or the name of a value that is one"},
	{"{$each: list, $item: 1, $page: count}", "d.yaml:1: $page needs $take: how many are on a page"},
	{"{$merge: [{a: 1}, [1]]}", "d.yaml:1: what $merge joins are objects"},
	{"{$concat: 1}",
	 "d.yaml:1: {$merge: [objects]} makes one object of several, {$concat: [lists]} one list; nothing stands besides"},
	{"a: {$if: {id: {hsa: x}}, $then: 1}",
	 "d.yaml:1: what is asked of a list with commas is written {has: word} or {has: [word, word]}"},
	{"a: '{{id|tmie:%Y}}'", "d.yaml:1: there is no function \"tmie\"; did you mean \"time\"?"},
	{"a: '{{id|time:%Q}}'", "d.yaml:1: \"time\" does not take \"%Q\"; it is written like time:%d.%m.%Y %H:%M"},
	{"a: '{{id|cut:x}}'", "d.yaml:1: \"cut\" does not take \"x\"; it is written like cut:20"},
	{"{$group: list, $item: 1}",
	 "d.yaml:1: a group is made by {$group: name of the list, $key: text, $item: what each becomes}, or $one for the first alone"},
	{"{$tree: list, $item: 1, $one: 1}",
	 "d.yaml:1: a tree is made by {$tree: name of the list, $item: what each becomes}, or $one for the first alone; $key is another pointer"},
	{"a: {$if: {}, $then: 1}",
	 "d.yaml:1: conditions are a map from names to what is asked of them, such as {input.country: EG}"},
	{"a: {$if: {id: []}, $then: 1}", "d.yaml:1: a condition with an empty list never holds"},
	{"a: {$if: {id: x}, $esle: 1}",
	 "d.yaml:1: a choice is made by {$if: conditions, $then: a tree, $else: a tree}; only $else may be left out"},
	{"a: {$plural: id, one: x}", "d.yaml:1: the forms of a sentence need the number they go by and the form \"other\""},
	{"a: {$plural: id, other: x, oen: y}",
	 "d.yaml:1: the forms of a sentence are texts under zero, one, two, few, many, other, or an exact number like \"=0\""},
	{"a: '{{id|uper}}'", "d.yaml:1: there is no function \"uper\""},
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
		cmocka_unit_test(test_values),  cmocka_unit_test(test_shapes_and_functions),
		cmocka_unit_test(test_plurals), cmocka_unit_test(test_hostile_values),
		cmocka_unit_test(test_wrong),   cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
