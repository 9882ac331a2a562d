// SPDX-License-Identifier: Apache-2.0
// Headers are found without regard to case, the last one wins.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/base/attr.h"
#include "enrolld/model/record.h"

static struct header headers[] = {
	{{"Idempotency-Key", 15}, {"one", 3}},
	{{"idempotency-key", 15}, {"two", 3}},
	{{"ce_id", 5}, {NULL, 0}},
	{{"ce_type", 7}, {"", 0}},
	{{"", 0}, {"nameless", 8}},
};
static const struct record record = {.headers = headers, .header_count = ARRAY_LEN(headers)};

static void finds_the_last_of_a_name(void **state)
{
	(void)state;
	assert_ptr_equal(record_header(&record, "IDEMPOTENCY-KEY"), &headers[1]);
	assert_true(slice_equal_text(record_header_value(&record, "idempotency-Key"), "two"));
}

static void tells_null_from_empty_from_missing(void **state)
{
	(void)state;
	assert_non_null(record_header(&record, "CE_ID"));
	assert_true(slice_is_absent(record_header_value(&record, "CE_ID")));
	assert_false(slice_is_absent(record_header_value(&record, "ce_type")));
	assert_int_equal(record_header_value(&record, "ce_type").len, 0);
	assert_null(record_header(&record, "ce_typ"));
	assert_null(record_header(&record, "ce_types"));
	assert_true(slice_is_absent(record_header_value(&record, "nothing")));
}

static void a_record_without_headers_has_none(void **state)
{
	(void)state;
	const struct record bare = {0};
	assert_null(record_header(&bare, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_last_of_a_name),
		cmocka_unit_test(tells_null_from_empty_from_missing),
		cmocka_unit_test(a_record_without_headers_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
