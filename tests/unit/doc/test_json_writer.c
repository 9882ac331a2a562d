// SPDX-License-Identifier: Apache-2.0
// JSON out: what is written reads back the same, and always parses.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "enrolld/doc/json.h"

static struct arena *arena;
static struct strbuf out;
static struct json_writer w;

static int setup(void **state)
{
	(void)state;
	json_setup();
	arena = arena_create(4096);
	out = STRBUF_INIT(1 << 20);
	json_begin(&w, &out);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	strbuf_free(&out);
	return 0;
}

static void assert_written(const char *expected)
{
	struct slice text = strbuf_slice(&out);

	if (!slice_equal_text(text, expected))
		fail_msg("%.*s, not %s", (int)text.len, text.ptr, expected);
}

static const struct node *read_back(struct slice text)
{
	const struct node *root = NULL;
	struct fault f = {0};
	enum reason r = json_parse(text, (struct json_limits){1 << 20, JSON_DEPTH_MAX, 10000, false}, arena, &root, &f);

	if (r)
		fail_msg("%.*s: %s", (int)text.len, text.ptr, f.detail);
	return root;
}

static void test_commas_and_nesting(void **state)
{
	(void)state;
	json_open_map(&w);
	json_member_text(&w, "a", SLICE_LIT("x"));
	json_member_text(&w, "left_out", SLICE_ABSENT);
	json_member_int(&w, "b", INT64_MIN);
	json_key(&w, "c");
	json_open_list(&w);
	json_close_list(&w);
	json_key(&w, "d");
	json_open_list(&w);
	json_bool(&w, true);
	json_nil(&w);
	json_text(&w, SLICE_ABSENT);
	json_open_map(&w);
	json_close_map(&w);
	json_raw(&w, SLICE_LIT("{\"r\":1}"));
	json_close_list(&w);
	json_key_slice(&w, SLICE_LIT("e\"\n"));
	json_text(&w, SLICE_LIT(""));
	json_close_map(&w);
	assert_written("{\"a\":\"x\",\"b\":-9223372036854775808,\"c\":[],\"d\":[true,null,null,{},{\"r\":1}],\"e\\\"\\n\":\"\"}");
}

static void test_escapes_only_where_needed(void **state)
{
	(void)state;
	json_text(&w, SLICE_LIT("\"\\/\b\f\n\r\t\x01\x1f\x7f<é\xf0\x9f\x98\x80"));
	assert_written("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f<é\xf0\x9f\x98\x80\"");
}

static void test_every_byte_and_ill_formed_text_still_parses(void **state)
{
	char bytes[256];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (char)(i == 0 ? 1 : i); // NUL would be refused by the reader
	json_text(&w, (struct slice){bytes, sizeof(bytes)});
	assert_true(node_is(read_back(strbuf_slice(&out)), NODE_TEXT));
	strbuf_reset(&out);
	json_begin(&w, &out);
	json_text(&w, SLICE_LIT("a\xe2\x82"));
	assert_written("\"a\xef\xbf\xbd\"");
}

static void test_reals_read_back_equal(void **state)
{
	static const double values[] = {
		0.0, 1.0, -1.0, 0.1, 0.30000000000000004, 1e21, 1e-7, 5e-324, 1.7976931348623157e308, 1.0 / 3, 123456789.125};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		const struct node *back;

		strbuf_reset(&out);
		json_begin(&w, &out);
		json_double(&w, values[i]);
		back = read_back(strbuf_slice(&out));
		assert_int_equal(back->type, NODE_REAL);
		assert_memory_equal(&back->real, &values[i], sizeof(double));
	}
	strbuf_reset(&out);
	json_begin(&w, &out);
	json_double(&w, 0.1);
	assert_written("0.1");
}

static void test_trees_round_trip(void **state)
{
	static const char *const texts[] = {
		"{\"z\":[1,2.5,true,null,\"é\\n\"],\"a\":{\"b\":{}},\"c\":[[[]]]}", "[]", "\"text\"", "-0.0", "{\"\":\"\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct node *root = read_back(slice_of(texts[i]));

		strbuf_reset(&out);
		json_begin(&w, &out);
		json_node(&w, root);
		assert_written(texts[i]);
		assert_true(node_equal(root, read_back(strbuf_slice(&out))));
	}
}

static void test_deepest_tree_can_be_written(void **state)
{
	char deep[2 * JSON_DEPTH_MAX + 1] = {0};

	(void)state;
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		deep[i] = '[';
		deep[2 * JSON_DEPTH_MAX - 1 - i] = ']';
	}
	json_node(&w, read_back(slice_of(deep)));
	assert_written(deep);
}

static void value_without_key(void)
{
	json_open_map(&w);
	json_int(&w, 1);
}

static void key_in_list(void)
{
	json_open_list(&w);
	json_key(&w, "k");
}

static void key_without_value(void)
{
	json_open_map(&w);
	json_key(&w, "k");
	json_close_map(&w);
}

static void wrong_close(void)
{
	json_open_map(&w);
	json_close_list(&w);
}

static void second_top_value(void)
{
	json_int(&w, 1);
	json_int(&w, 2);
}

static void not_a_number(void)
{
	json_double(&w, (double)NAN);
}

static void too_deep(void)
{
	for (int i = 0; i <= JSON_DEPTH_MAX; i++)
		json_open_list(&w);
}

static void test_misuse_is_a_panic(void **state)
{
	static void (*const misuses[])(void) = {value_without_key, key_in_list,  key_without_value, wrong_close,
						second_top_value,  not_a_number, too_deep};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(misuses); i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			(void)!freopen("/dev/null", "w", stderr);
			misuses[i]();
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("misuse %zu passed", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commas_and_nesting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_escapes_only_where_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_every_byte_and_ill_formed_text_still_parses, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reals_read_back_equal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trees_round_trip, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deepest_tree_can_be_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_misuse_is_a_panic, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
