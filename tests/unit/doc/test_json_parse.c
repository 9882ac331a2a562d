// SPDX-License-Identifier: Apache-2.0
// JSON in: every kind of value, every reason to refuse, hostile texts.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "enrolld/doc/json.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	json_setup();
	arena = arena_create(4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static const struct node *parse(struct slice text)
{
	const struct node *root = NULL;
	struct fault f = {0};
	enum reason r = json_parse(text, JSON_LIMITS_DEFAULT, arena, &root, &f);

	if (r)
		fail_msg("%.*s: %s: %s", (int)text.len, text.ptr, reason_code(r), f.detail);
	return root;
}

static enum reason refusal(struct slice text, struct json_limits limits, struct fault *f)
{
	static const struct node untouched;
	const struct node *root = &untouched;
	enum reason r = json_parse(text, limits, arena, &root, f);

	if (r) {
		assert_ptr_equal(root, &untouched);
		assert_int_equal(f->reason, r);
		assert_true(f->detail[0] != '\0');
	}
	return r;
}

static void test_every_type(void **state)
{
	const struct node *root = parse(
		SLICE_LIT("{\"t\":\"a\\u00e9\\ud83d\\ude00\",\"i\":-7,\"r\":0.5,\"b\":true,\"n\":null,\"l\":[1,[]],\"m\":{}}"));

	(void)state;
	assert_int_equal(root->type, NODE_MAP);
	assert_int_equal(node_count(root), 7);
	assert_int_equal(root->line, 0);
	assert_true(slice_equal_text(node_text(node_member(root, "t")), "a\xc3\xa9\xf0\x9f\x98\x80"));
	assert_int_equal(node_member(root, "i")->integer, -7);
	assert_true(node_member(root, "r")->real > 0.49 && node_member(root, "r")->real < 0.51);
	assert_true(node_member(root, "b")->boolean);
	assert_true(node_is(node_member(root, "n"), NODE_NULL));
	assert_int_equal(node_item(node_member(root, "l"), 0)->integer, 1);
	assert_true(node_is(node_item(node_member(root, "l"), 1), NODE_LIST));
	assert_int_equal(node_count(node_member(root, "m")), 0);
	assert_null(node_member(root, "x"));
}

static void test_any_type_at_the_top(void **state)
{
	(void)state;
	assert_int_equal(parse(SLICE_LIT(" 12 "))->integer, 12);
	assert_true(node_is(parse(SLICE_LIT("null")), NODE_NULL));
	assert_true(slice_equal_text(parse(SLICE_LIT("\"\""))->text, ""));
	assert_true(node_is(parse(SLICE_LIT("[]")), NODE_LIST));
}

static void test_members_keep_their_order(void **state)
{
	const struct node *root = parse(SLICE_LIT("{\"z\":1,\"a\":2,\"m\":3}"));

	(void)state;
	assert_true(slice_equal_text(root->list.keys[0], "z"));
	assert_true(slice_equal_text(root->list.keys[1], "a"));
	assert_true(slice_equal_text(root->list.keys[2], "m"));
}

static void test_texts_end_in_nul(void **state)
{
	const struct node *root = parse(SLICE_LIT("{\"key\":\"value\"}"));

	(void)state;
	assert_string_equal(root->list.keys[0].ptr, "key");
	assert_string_equal(root->list.items[0]->text.ptr, "value");
}

static void test_number_edges(void **state)
{
	(void)state;
	assert_true(parse(SLICE_LIT("9223372036854775807"))->integer == INT64_MAX);
	assert_true(parse(SLICE_LIT("-9223372036854775808"))->integer == INT64_MIN);
	assert_true(node_is(parse(SLICE_LIT("1e-999")), NODE_REAL)); // too small becomes zero
	assert_true(parse(SLICE_LIT("1e-999"))->real < 1e-300);
	assert_true(node_is(parse(SLICE_LIT("-0")), NODE_INT));
	assert_true(node_is(parse(SLICE_LIT("1e3")), NODE_REAL));
	assert_true(node_is(parse(SLICE_LIT("1.0")), NODE_REAL));
}

static void test_reasons(void **state)
{
// clang-format off
#define CASE(literal, id) {{literal, sizeof(literal) - 1}, REASON_##id}
	// clang-format on
	static const struct {
		struct slice text;
		enum reason reason;
	} cases[] = {
		CASE("", RECORD_EMPTY),
		CASE(" \n\t ", JSON_MALFORMED),
		CASE("{", JSON_MALFORMED),
		CASE("}", JSON_MALFORMED),
		CASE("[1,]", JSON_MALFORMED),
		CASE("{\"a\":1,}", JSON_MALFORMED),
		CASE("{a:1}", JSON_MALFORMED),
		CASE("{\"a\" 1}", JSON_MALFORMED),
		CASE("[1 2]", JSON_MALFORMED),
		CASE("\"open", JSON_MALFORMED),
		CASE("\"bad \\x escape\"", JSON_MALFORMED),
		CASE("\"\\u12\"", JSON_MALFORMED),
		CASE("\"\\", JSON_MALFORMED),
		CASE("\"line\nbreak\"", JSON_MALFORMED),
		CASE("'single'", JSON_MALFORMED),
		CASE("nul", JSON_MALFORMED),
		CASE("True", JSON_MALFORMED),
		CASE("NaN", JSON_MALFORMED),
		CASE("01", JSON_MALFORMED),
		CASE("+1", JSON_MALFORMED),
		CASE("1.", JSON_MALFORMED),
		CASE(".5", JSON_MALFORMED),
		CASE("1e", JSON_MALFORMED),
		CASE("1 2", JSON_MALFORMED),
		CASE("{} x", JSON_MALFORMED),
		CASE("// no\n1", JSON_MALFORMED),
		CASE("\xef\xbb\xbf{}", JSON_MALFORMED), // byte order mark
		CASE("{\"a\":1,\"a\":2}", JSON_DUPLICATE_KEY),
		CASE("{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE_KEY),
		CASE("{\"x\":[{\"a\":1,\"b\":1,\"a\":1}]}", JSON_DUPLICATE_KEY),
		CASE("9223372036854775808", JSON_NUMBER_RANGE),
		CASE("-9223372036854775809", JSON_NUMBER_RANGE),
		CASE("[1e999]", JSON_NUMBER_RANGE),
		CASE("-1e999", JSON_NUMBER_RANGE),
		CASE("\"\\u0000\"", TEXT_NUL),
		CASE("{\"a\\u0000b\":1}", TEXT_NUL),
		CASE("\"a\0b\"", TEXT_NUL),
		CASE("{}\0", TEXT_NUL),
		CASE("\"\xff\"", TEXT_INVALID_UTF8),
		CASE("\"\xc0\xaf\"", TEXT_INVALID_UTF8),         // overlong
		CASE("\"\xed\xa0\x80\"", TEXT_INVALID_UTF8),     // surrogate
		CASE("\"\xf4\x90\x80\x80\"", TEXT_INVALID_UTF8), // above U+10FFFF
		CASE("\"\xe2\x82\"", TEXT_INVALID_UTF8),         // cut
		CASE("{\"\xff\":1}", TEXT_INVALID_UTF8),
		CASE("\xfe\xff", TEXT_INVALID_UTF8),
		CASE("\"\\ud800\"", TEXT_INVALID_UTF8),
		CASE("\"\\ud800x\"", TEXT_INVALID_UTF8),
		CASE("\"\\ud800\\ud800\"", TEXT_INVALID_UTF8),
		CASE("\"\\udc00\\ud800\"", TEXT_INVALID_UTF8),
	};
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		enum reason r = refusal(cases[i].text, JSON_LIMITS_DEFAULT, &f);

		if (r != cases[i].reason)
			fail_msg("%.*s: %s, not %s", (int)cases[i].text.len, cases[i].text.ptr, reason_code(r),
				 reason_code(cases[i].reason));
	}
}

// Where texts may hold a NUL, it is one character of them; keys never may, and as a byte it is no JSON.
static void test_nul_in_texts(void **state)
{
	static const struct json_limits limits = {65536, 32, 10000, true};
	const struct node *root;
	struct fault f;
	(void)state;
	assert_int_equal(json_parse(SLICE_LIT("{\"a\":\"x\\u0000y\",\"b\":[\"\\u0000\"]}"), limits, arena, &root, &f), REASON_OK);
	assert_int_equal(node_text(node_member(root, "a")).len, 3);
	assert_memory_equal(node_text(node_member(root, "a")).ptr, "x\0y", 4);
	assert_int_equal(node_text(node_item(node_member(root, "b"), 0)).len, 1);
	assert_int_equal(refusal(SLICE_LIT("{\"a\\u0000b\":1}"), limits, &f), REASON_TEXT_NUL);
	assert_int_equal(refusal(SLICE_LIT("\"a\0b\""), limits, &f), REASON_TEXT_NUL);
	assert_int_equal(refusal(SLICE_LIT("{}\0"), limits, &f), REASON_TEXT_NUL);
}

static void test_details_never_quote(void **state)
{
	static const char *const texts[] = {"{\"hunter2\":\"hunter2\",\"hunter2\":1}",
					    "[\"hunter2\" hunter2]",
					    "\"hunter2\\u0000\"",
					    "\"hunter2\xff\"",
					    "{\"p\":\"hunter2",
					    "99999999999999999999999"};
	struct fault f;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_not_equal(refusal(slice_of(texts[i]), JSON_LIMITS_DEFAULT, &f), REASON_OK);
		assert_null(strstr(f.detail, "hunter2"));
		assert_null(strstr(f.detail, "9999"));
	}
}

static void test_depth_limit_is_exact(void **state)
{
	struct json_limits limits = {.bytes = 1000, .depth = 3, .nodes = 100};
	struct fault f;

	(void)state;
	assert_int_equal(refusal(SLICE_LIT("[[{}]]"), limits, &f), REASON_OK);
	assert_int_equal(refusal(SLICE_LIT("[[{\"a\":[]}]]"), limits, &f), REASON_JSON_TOO_DEEP);
	assert_int_equal(refusal(SLICE_LIT("[[],[],[[]]]"), limits, &f), REASON_OK);
	assert_int_equal(refusal(SLICE_LIT("[\"[[[[[[\\\"[[[[\"]"), limits, &f), REASON_OK); // brackets in a text
	limits.depth = JSON_DEPTH_MAX;
	char deep[2 * JSON_DEPTH_MAX];

	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		deep[i] = '[';
		deep[2 * JSON_DEPTH_MAX - 1 - i] = ']';
	}
	assert_int_equal(refusal((struct slice){deep, sizeof(deep)}, limits, &f), REASON_OK);
}

static void test_value_limit_is_exact(void **state)
{
	struct json_limits limits = {.bytes = 1000, .depth = 32, .nodes = 4};
	struct fault f;

	(void)state;
	assert_int_equal(refusal(SLICE_LIT("[1,2,3]"), limits, &f), REASON_OK);
	assert_int_equal(refusal(SLICE_LIT("[[],{ },[\n]]"), limits, &f), REASON_OK);
	assert_int_equal(refusal(SLICE_LIT("{\"a\":{\"b\":[\",,,,\"]}}"), limits, &f), REASON_OK);
	assert_int_equal(refusal(SLICE_LIT("[1,2,3,4]"), limits, &f), REASON_RECORD_TOO_LARGE);
	assert_int_equal(refusal(SLICE_LIT("[[],[],[],[]]"), limits, &f), REASON_RECORD_TOO_LARGE);
}

static void test_byte_limit_is_exact(void **state)
{
	struct json_limits limits = {.bytes = 5, .depth = 32, .nodes = 4};
	struct fault f;

	(void)state;
	assert_int_equal(refusal(SLICE_LIT("[1,2]"), limits, &f), REASON_OK);
	assert_int_equal(refusal(SLICE_LIT("[1,2] "), limits, &f), REASON_RECORD_TOO_LARGE);
}

static void test_a_million_brackets(void **state)
{
	size_t len = 1000000;
	char *text = malloc(len);
	struct json_limits limits = {.bytes = len, .depth = JSON_DEPTH_MAX, .nodes = len};
	struct fault f;

	(void)state;
	assert_non_null(text);
	memset(text, '[', len);
	assert_int_equal(refusal((struct slice){text, len}, limits, &f), REASON_JSON_TOO_DEEP);
	for (size_t i = 0; i + 5 <= len; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	assert_int_equal(refusal((struct slice){text, len}, limits, &f), REASON_JSON_TOO_DEEP);
	free(text);
}

static void test_number_of_ten_thousand_digits(void **state)
{
	char text[10002];
	struct fault f;

	(void)state;
	memset(text, '9', sizeof(text));
	assert_int_equal(refusal((struct slice){text, 10000}, JSON_LIMITS_DEFAULT, &f), REASON_JSON_NUMBER_RANGE);
	text[1] = '.';
	assert_int_equal(refusal((struct slice){text, sizeof(text)}, JSON_LIMITS_DEFAULT, &f), REASON_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_any_type_at_the_top),
		cmocka_unit_test(test_members_keep_their_order),
		cmocka_unit_test(test_texts_end_in_nul),
		cmocka_unit_test(test_number_edges),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_nul_in_texts),
		cmocka_unit_test(test_details_never_quote),
		cmocka_unit_test(test_depth_limit_is_exact),
		cmocka_unit_test(test_value_limit_is_exact),
		cmocka_unit_test(test_byte_limit_is_exact),
		cmocka_unit_test(test_a_million_brackets),
		cmocka_unit_test(test_number_of_ten_thousand_digits),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
