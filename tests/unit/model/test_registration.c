// SPDX-License-Identifier: Apache-2.0
// Names of operations and claims are those of settings, dialects and the database.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/attr.h"
#include "enrolld/model/registration.h"

static void operations_are_found_by_their_names(void **state)
{
	(void)state;
	static const char *const names[] = {"sign_up", "set_password", "code_request", "code_check", "verify",
					    "sign_in", "refresh",      "sign_out",     "look_up"};
	assert_int_equal(ARRAY_LEN(names), OPERATION_COUNT);
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		enum operation_kind kind = OPERATION_COUNT;
		assert_string_equal(operation_kind_name((enum operation_kind)i), names[i]);
		assert_true(operation_kind_find(slice_of(names[i]), &kind));
		assert_int_equal(kind, i);
	}
}

static void unknown_names_leave_the_kind_alone(void **state)
{
	(void)state;
	enum operation_kind kind = OPERATION_VERIFY;
	assert_false(operation_kind_find(SLICE_LIT("Sign_up"), &kind));
	assert_false(operation_kind_find(SLICE_LIT("sign_u"), &kind));
	assert_false(operation_kind_find(SLICE_LIT(""), &kind));
	assert_false(operation_kind_find(SLICE_ABSENT, &kind));
	assert_int_equal(kind, OPERATION_VERIFY);
}

static void claims_are_named_as_in_the_database(void **state)
{
	(void)state;
	assert_string_equal(claim_kind_name(CLAIM_EMAIL), "email");
	assert_string_equal(claim_kind_name(CLAIM_PHONE), "phone");
	assert_string_equal(claim_kind_name(CLAIM_USERNAME), "username");
}

static void a_claim_is_found_by_kind(void **state)
{
	(void)state;
	const struct registration r = {
		.claims = {{.kind = CLAIM_USERNAME, .value = SLICE_LIT("ada")},
			   {.kind = CLAIM_EMAIL, .value = SLICE_LIT("ada@a.example")}},
		.claim_count = 2,
	};
	assert_ptr_equal(registration_claim(&r, CLAIM_EMAIL), &r.claims[1]);
	assert_ptr_equal(registration_claim(&r, CLAIM_USERNAME), &r.claims[0]);
	assert_null(registration_claim(&r, CLAIM_PHONE)); // behind the count, all members zero read as e-mail: not a claim
	const struct registration none = {0};
	assert_null(registration_claim(&none, CLAIM_EMAIL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(operations_are_found_by_their_names),
		cmocka_unit_test(unknown_names_leave_the_kind_alone),
		cmocka_unit_test(claims_are_named_as_in_the_database),
		cmocka_unit_test(a_claim_is_found_by_kind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
