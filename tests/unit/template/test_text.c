// SPDX-License-Identifier: Apache-2.0
// Text templates: places, sections, escaping, and what is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/template/template.h"

#define LIT(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

static struct arena *arena;

static const struct template_value first[] = {{.name = "code", .kind = TEMPLATE_TEXT, .text = {"a", 1}}, {0}};
static const struct template_value second[] = {{.name = "code", .kind = TEMPLATE_TEXT, .text = {"b", 1}}, {0}};
static const struct template_value *const items[] = {first, second, NULL};
static const struct template_value *const none[] = {NULL};
static const struct template_value values[] = {
	{.name = "name", .kind = TEMPLATE_TEXT, .text = LIT("<O'Neil & \"S\xc3\xb6hne\">")},
	{.name = "user.name", .kind = TEMPLATE_TEXT, .text = {"dotted", 6}},
	{.name = "empty", .kind = TEMPLATE_TEXT, .text = {"", 0}},
	{.name = "absent", .kind = TEMPLATE_TEXT, .text = {NULL, 0}},
	{.name = "count", .kind = TEMPLATE_INT, .integer = -7},
	{.name = "yes", .kind = TEMPLATE_BOOL, .integer = 1},
	{.name = "no", .kind = TEMPLATE_BOOL},
	{.name = "nothing", .kind = TEMPLATE_NULL},
	{.name = "list", .kind = TEMPLATE_LIST, .items = items},
	{.name = "empty_list", .kind = TEMPLATE_LIST, .items = none},
	{.name = "template", .kind = TEMPLATE_TEXT, .text = {"{{name}}", 8}},
	{0},
};

static const char *render(const char *source, enum template_escape escape)
{
	const struct template *t;
	struct fault f;
	struct strbuf out = STRBUF_INIT(4096);
	if (template_compile_text(slice_of(source), escape, "mail.txt", arena, &t, &f) != REASON_OK)
		fail_msg("%s: %s", source, f.detail);
	template_render(t, values, &out);
	const char *text = arena_copy(arena, strbuf_slice(&out)).ptr;
	strbuf_free(&out);
	return text;
}

static void test_plain(void **state)
{
	static const struct {
		const char *source, *text;
	} cases[] = {
		{"", ""},
		{"plain { } }} text", "plain { } }} text"},
		{"{{count}} {{ yes }} {{no}}", "-7 true false"},
		{"{{name}}", "<O'Neil & \"S\xc3\xb6hne\">"},
		{"{{user.name}}", "dotted"},
		{"[{{empty}}{{absent}}{{nothing}}{{list}}{{unknown}}]", "[]"},
		{"a{{! a note }}b", "ab"},
		{"{{template}}", "{{name}}"}, // a value is never a template
		{"{{#yes}}in{{/yes}}{{#no}}out{{/no}}", "in"},
		{"{{^yes}}in{{/yes}}{{^no}}out{{/no}}", "out"},
		{"{{#absent}}x{{/absent}}{{^absent}}y{{/absent}}", "y"},
		{"{{#empty}}present{{/empty}}", "present"},
		{"{{#list}}{{code}},{{/list}}", "a,b,"},
		{"{{#list}}{{code}}{{count}}{{/list}}", "a-7b-7"}, // what stands around is in sight
		{"{{#empty_list}}x{{/empty_list}}{{^empty_list}}none{{/empty_list}}", "none"},
		{"{{^list}}none{{/list}}", ""},
		{"{{#list}}{{#list}}{{code}}{{/list}}{{/list}}", "abab"},
		{"{{#yes}}{{^no}}{{#list}}{{code}}{{/list}}{{/no}}{{/yes}}!", "ab!"},
		{"{{name|url}}", "%3CO%27Neil%20%26%20%22S%C3%B6hne%22%3E"},
		{"line\r\n{{count}}\n", "line\r\n-7\n"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(render(cases[i].source, TEMPLATE_PLAIN), cases[i].text);
}

static void test_escapes(void **state)
{
	(void)state;
	assert_string_equal(render("<b>{{name}}</b>", TEMPLATE_HTML), "<b>&lt;O&#39;Neil &amp; &quot;S\xc3\xb6hne&quot;&gt;</b>");
	assert_string_equal(render("<a href=\"?n={{name|url}}\">", TEMPLATE_HTML),
			    "<a href=\"?n=%3CO%27Neil%20%26%20%22S%C3%B6hne%22%3E\">");
	assert_string_equal(render("?n={{name}}", TEMPLATE_URL), "?n=%3CO%27Neil%20%26%20%22S%C3%B6hne%22%3E");
}

static const struct {
	const char *source, *detail;
} wrong[] = {
	{"a\nb {{name", "mail.txt:2: \"{{\" without \"}}\": a place is written {{name}}"},
	{"{{}}", "mail.txt:1: a name has letters, digits, _, -, dots and brackets: \"{{}}\""},
	{"{{na me}}", "mail.txt:1: a name has letters, digits, _, -, dots and brackets: \"{{na me}}\""},
	{"{{{name}}}", "mail.txt:1: a name has letters, digits, _, -, dots and brackets: \"{{{name}}\""},
	{"{{&name}}", "mail.txt:1: a name has letters, digits, _, -, dots and brackets: \"{{&name}}\""},
	{"\n{{#yes}}\n", "mail.txt:2: the section \"yes\" is not closed"},
	{"{{/yes}}", "mail.txt:1: this closes a section that is not the innermost open one: \"{{yes}}\""},
	{"{{#yes}}{{#no}}{{/yes}}{{/no}}", "mail.txt:1: this closes a section that is not the innermost open one: \"{{yes}}\""},
	{"{{name|dat}}", "mail.txt:1: there is no function \"dat\"; did you mean \"date\"?"},
	{"{{#name|plain}}x{{/name}}", "mail.txt:1: |plain has no place here: \"{{name}}\""},
	{"{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}{{#a}}",
	 "mail.txt:1: too many sections within one another at \"{{a}}\""},
};

static void test_wrong(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		const struct template *t;
		struct fault f;
		assert_int_equal(template_compile_text(slice_of(wrong[i].source), TEMPLATE_PLAIN, "mail.txt", arena, &t, &f),
				 REASON_DIALECT_INVALID);
		assert_string_equal(f.detail, wrong[i].detail);
	}
	const struct template *t;
	struct fault f;
	assert_int_equal(template_compile_text(SLICE_LIT("{{name|plain}}"), TEMPLATE_HTML, "mail.html", arena, &t, &f),
			 REASON_DIALECT_INVALID);
}

static void test_names(void **state)
{
	static const char *const names[] = {"name", "list", "code"};
	const struct template *t;
	struct fault f;
	(void)state;
	assert_int_equal(template_compile_text(SLICE_LIT("{{name}}{{#list}}{{code}}{{/list}}"), TEMPLATE_PLAIN, "m", arena, &t, &f),
			 REASON_OK);
	assert_int_equal(template_check_names(t, names, ARRAY_LEN(names), &f), REASON_OK);
	assert_int_equal(template_compile_text(SLICE_LIT("a\n{{nmae}}"), TEMPLATE_PLAIN, "m", arena, &t, &f), REASON_OK);
	assert_int_equal(template_check_names(t, names, ARRAY_LEN(names), &f), REASON_DIALECT_INVALID);
	assert_string_equal(f.detail, "m:2: there is no value \"nmae\" here; did you mean \"name\"?");
}

static void test_limit(void **state)
{
	const struct template *t;
	struct fault f;
	struct strbuf out = STRBUF_INIT(3);
	(void)state;
	assert_int_equal(template_compile_text(SLICE_LIT("{{user.name}}"), TEMPLATE_PLAIN, "m", arena, &t, &f), REASON_OK);
	template_render(t, values, &out);
	assert_true(strbuf_overflowed(&out));
	strbuf_free(&out);
}

static int setup(void **state)
{
	(void)state;
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
		cmocka_unit_test(test_plain), cmocka_unit_test(test_escapes), cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_names), cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
