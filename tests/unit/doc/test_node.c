// SPDX-License-Identifier: Apache-2.0
// Reading a tree: members, pointers, equality, absent nodes.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "enrolld/doc/json.h"

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

	assert_int_equal(json_parse(slice_of(text), JSON_LIMITS_DEFAULT, arena, &root, &f), REASON_OK);
	return root;
}

// The examples of RFC 6901, section 5.
static void test_pointers_of_the_rfc(void **state)
{
	const struct node *root = parse("{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
					"\"k\\\"l\":6,\" \":7,\"m~n\":8}");
	static const struct {
		const char *pointer;
		int64_t value;
	} cases[] = {{"/", 0},     {"/a~1b", 1}, {"/c%d", 2}, {"/e^f", 3}, {"/g|h", 4},
		     {"/i\\j", 5}, {"/k\"l", 6}, {"/ ", 7},   {"/m~0n", 8}};

	(void)state;
	assert_ptr_equal(node_at(root, SLICE_LIT("")), root);
	assert_true(node_is(node_at(root, SLICE_LIT("/foo")), NODE_LIST));
	assert_true(slice_equal_text(node_text(node_at(root, SLICE_LIT("/foo/0"))), "bar"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct node *found = node_at(root, slice_of(cases[i].pointer));

		if (!node_is(found, NODE_INT) || found->integer != cases[i].value)
			fail_msg("%s", cases[i].pointer);
	}
}

static void test_pointers_to_nothing(void **state)
{
	const struct node *root = parse("{\"foo\":[1,2],\"~\":1,\"t\":\"x\"}");
	static const char *const pointers[] = {"foo",
					       "/fo",
					       "/fooo",
					       "/foo/2",
					       "/foo/-",
					       "/foo/01",
					       "/foo/+1",
					       "/foo/",
					       "/foo/0/0",
					       "/~",
					       "/~2",
					       "/t/0",
					       "/foo/99999999999999999999",
					       "//"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pointers); i++)
		if (node_at(root, slice_of(pointers[i])))
			fail_msg("%s leads somewhere", pointers[i]);
	assert_null(node_at(NULL, SLICE_LIT("/a")));
}

static void test_absent_answers_absent(void **state)
{
	(void)state;
	assert_null(node_member(NULL, "a"));
	assert_null(node_member(parse("[1]"), "a"));
	assert_null(node_item(NULL, 0));
	assert_null(node_item(parse("{\"a\":1}"), 0));
	assert_null(node_item(parse("[1]"), 1));
	assert_int_equal(node_count(NULL), 0);
	assert_int_equal(node_count(parse("\"abc\"")), 0);
	assert_true(slice_is_absent(node_text(NULL)));
	assert_true(slice_is_absent(node_text(parse("1"))));
	assert_false(node_is(NULL, NODE_NULL));
}

static void test_equality(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"1", "1", true},
		{"1", "1.0", false},
		{"1.0", "1.00", true},
		{"0.0", "-0.0", true},
		{"\"a\"", "\"\\u0061\"", true},
		{"\"a\"", "\"A\"", false},
		{"null", "false", false},
		{"[1,2]", "[1,2]", true},
		{"[1,2]", "[2,1]", false},
		{"[1]", "[1,2]", false},
		{"{\"a\":1,\"b\":[2]}", "{\"b\":[2],\"a\":1}", true},
		{"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
		{"{\"a\":1}", "{\"a\":1,\"b\":2}", false},
		{"{}", "[]", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (node_equal(parse(cases[i].a), parse(cases[i].b)) != cases[i].equal)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	assert_true(node_equal(NULL, NULL));
	assert_false(node_equal(NULL, parse("null")));
}

static void test_type_names(void **state)
{
	(void)state;
	assert_string_equal(node_type_name(NODE_NULL), "null");
	assert_string_equal(node_type_name(NODE_MAP), "map");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pointers_of_the_rfc),
		cmocka_unit_test(test_pointers_to_nothing),
		cmocka_unit_test(test_absent_answers_absent),
		cmocka_unit_test(test_equality),
		cmocka_unit_test(test_type_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
