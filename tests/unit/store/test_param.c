// SPDX-License-Identifier: Apache-2.0
// Parameters as PostgreSQL reads them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/param.h"

static void values_are_text_and_absent_is_null(void **state)
{
	(void)state;
	struct params p;
	params_init(&p, 4);
	param_set_text(&p.at[0], SLICE_LIT("a \"b\" \\ {c}"));
	param_set_text(&p.at[1], SLICE_ABSENT);
	param_set_int(&p.at[2], INT64_MIN);
	param_set_text(&p.at[3], SLICE_LIT(""));
	assert_true(params_finish(&p));
	assert_string_equal(params_value(&p, 0), "a \"b\" \\ {c}");
	assert_null(params_value(&p, 1));
	assert_string_equal(params_value(&p, 2), "-9223372036854775808");
	assert_string_equal(params_value(&p, 3), "");
	params_free(&p);
}

static void arrays_quote_every_text(void **state)
{
	(void)state;
	struct params p;
	params_init(&p, 1);
	param_add_text(&p.at[0], SLICE_LIT("plain"));
	param_add_text(&p.at[0], SLICE_LIT(""));
	param_add_text(&p.at[0], SLICE_ABSENT);
	param_add_text(&p.at[0], SLICE_LIT("NULL"));
	param_add_text(&p.at[0], SLICE_LIT("\"\\,{}'\xc3\xa4\n"));
	assert_true(params_finish(&p));
	assert_string_equal(params_value(&p, 0), "{\"plain\",\"\",NULL,\"NULL\",\"\\\"\\\\,{}'\xc3\xa4\n\"}");
	params_free(&p);
}

static void numbers_ids_and_bytes_have_their_forms(void **state)
{
	(void)state;
	struct uuid id;
	assert_true(uuid_parse(SLICE_LIT("018f3c5e-7d4a-7000-8000-0123456789AB"), &id));
	struct params p;
	params_init(&p, 5);
	param_add_int(&p.at[0], -1);
	param_add_int(&p.at[0], INT64_MAX);
	param_add_uuid(&p.at[1], &id);
	param_add_uuid(&p.at[1], NULL);
	param_add_bytes(&p.at[2], "\x00\xff\x5c", 3);
	param_add_bytes(&p.at[2], NULL, 0);
	param_array(&p.at[3]);
	param_set_uuid(&p.at[4], &id);
	assert_true(params_finish(&p));
	assert_string_equal(params_value(&p, 0), "{-1,9223372036854775807}");
	assert_string_equal(params_value(&p, 1), "{018f3c5e-7d4a-7000-8000-0123456789ab,NULL}");
	assert_string_equal(params_value(&p, 2), "{\"\\\\x00ff5c\",\"\\\\x\"}");
	assert_string_equal(params_value(&p, 3), "{}");
	assert_string_equal(params_value(&p, 4), "018f3c5e-7d4a-7000-8000-0123456789ab");
	params_free(&p);
}

static void long_bytes_are_whole(void **state)
{
	(void)state;
	uint8_t bytes[1000];
	memset(bytes, 0xab, sizeof(bytes));
	struct params p;
	params_init(&p, 1);
	param_add_bytes(&p.at[0], bytes, sizeof(bytes));
	assert_true(params_finish(&p));
	assert_int_equal(strlen(params_value(&p, 0)), strlen("{\"\\\\x\"}") + 2 * sizeof(bytes));
	assert_int_equal(strspn(params_value(&p, 0) + 5, "ab"), 2 * sizeof(bytes));
	params_free(&p);
}

static void a_nul_is_the_datas_fault(void **state)
{
	(void)state;
	static const struct slice bad[] = {{"\0", 1}, {"a\0", 2}, {"\"\0b", 3}, {"a\"b\0", 4}};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct params p;
		params_init(&p, 1);
		param_add_text(&p.at[0], bad[i]);
		assert_false(params_finish(&p));
		params_free(&p);
		params_init(&p, 1);
		param_set_text(&p.at[0], bad[i]);
		assert_false(params_finish(&p));
		params_free(&p);
	}
}

static void a_parameter_has_a_limit(void **state)
{
	(void)state;
	static char megabyte[1 << 20];
	memset(megabyte, 'x', sizeof(megabyte));
	struct params p;
	params_init(&p, 1);
	for (size_t i = 0; i < PARAM_SIZE_LIMIT / sizeof(megabyte); i++)
		param_add_text(&p.at[0], (struct slice){megabyte, sizeof(megabyte)});
	assert_false(params_finish(&p));
	params_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_text_and_absent_is_null),
		cmocka_unit_test(arrays_quote_every_text),
		cmocka_unit_test(numbers_ids_and_bytes_have_their_forms),
		cmocka_unit_test(long_bytes_are_whole),
		cmocka_unit_test(a_nul_is_the_datas_fault),
		cmocka_unit_test(a_parameter_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
