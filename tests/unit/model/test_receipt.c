// SPDX-License-Identifier: Apache-2.0
// A receipt comes back as it was written, and what is no receipt is refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/attr.h"
#include "enrolld/doc/json.h"
#include "enrolld/model/receipt.h"

#define ACCOUNT "018f3c5e-7d4a-7000-8000-0123456789ab"
#define CHALLENGE "018f3c5e-7d4a-7000-8000-0123456789ac"

static int set_up(void **state)
{
	json_setup();
	*state = arena_create(4096);
	return 0;
}

static int tear_down(void **state)
{
	arena_destroy(*state);
	return 0;
}

static struct receipt full_receipt(void)
{
	struct receipt receipt = {
		.outcome = OUTCOME_ACCEPTED,
		.reason = REASON_OK,
		.operation = OPERATION_SIGN_UP,
		.at_ms = 1795560731123,
		.has_account = true,
		.has_challenge = true,
		.challenge_kind = CLAIM_PHONE,
		.epoch = 32767,
		.expires_ms = 1795561331123,
	};
	assert_true(uuid_parse(SLICE_LIT(ACCOUNT), &receipt.account_id));
	assert_true(uuid_parse(SLICE_LIT(CHALLENGE), &receipt.challenge_id));
	for (size_t i = 0; i < NONCE_SIZE; i++)
		receipt.nonce.bytes[i] = (uint8_t)(0xf0 + i);
	return receipt;
}

static void an_accepted_receipt_comes_back(void **state)
{
	struct receipt in = full_receipt(), out;
	struct slice json = receipt_write(&in, *state);
	assert_true(slice_equal_text(json, "{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1795560731123,"
					   "\"account_id\":\"" ACCOUNT "\",\"challenge\":{\"id\":\"" CHALLENGE
					   "\",\"kind\":\"phone\",\"nonce\":\"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\",\"epoch\":32767,"
					   "\"expires\":1795561331123}}"));
	assert_int_equal(receipt_read(json, *state, &out, NULL), REASON_OK);
	assert_int_equal(out.outcome, OUTCOME_ACCEPTED);
	assert_int_equal(out.reason, REASON_OK);
	assert_int_equal(out.operation, OPERATION_SIGN_UP);
	assert_int_equal(out.at_ms, in.at_ms);
	assert_true(out.has_account && uuid_equal(&out.account_id, &in.account_id));
	assert_true(out.has_challenge && uuid_equal(&out.challenge_id, &in.challenge_id));
	assert_memory_equal(out.nonce.bytes, in.nonce.bytes, NONCE_SIZE);
	assert_int_equal(out.epoch, 32767);
	assert_int_equal(out.challenge_kind, CLAIM_PHONE);
	assert_int_equal(out.expires_ms, in.expires_ms);
	assert_int_equal(out.violation_count, 0);
	assert_true(slice_equal(receipt_write(&out, *state), json));
}

static void what_was_generated_comes_back(void **state)
{
	struct receipt in = {.outcome = OUTCOME_ACCEPTED,
			     .operation = OPERATION_SIGN_UP,
			     .at_ms = 1,
			     .account_number = 4294967297,
			     .slug = SLICE_LIT("jos\"e-2"),
			     .opening = SLICE_LIT("{\"a\":1}"),
			     .has_mint = true,
			     .mint_epoch = 3,
			     .mint_nonce = {{0xab, 0xcd}}};
	struct receipt out;
	struct slice json = receipt_write(&in, *state);
	assert_true(slice_equal_text(json, "{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,"
					   "\"number\":4294967297,\"slug\":\"jos\\\"e-2\",\"opening\":\"{\\\"a\\\":1}\","
					   "\"mint\":{\"nonce\":\"abcd0000000000000000000000000000\",\"epoch\":3}}"));
	assert_int_equal(receipt_read(json, *state, &out, NULL), REASON_OK);
	assert_int_equal(out.account_number, 4294967297);
	assert_true(slice_equal(out.slug, in.slug));
	assert_true(slice_equal(out.opening, in.opening));
	assert_true(out.has_mint);
	assert_memory_equal(out.mint_nonce.bytes, in.mint_nonce.bytes, NONCE_SIZE);
	assert_int_equal(out.mint_epoch, 3);
	assert_true(slice_equal(receipt_write(&out, *state), json));
}

static void a_session_comes_back(void **state)
{
	struct receipt in = {.outcome = OUTCOME_ACCEPTED,
			     .operation = OPERATION_REFRESH,
			     .at_ms = 1,
			     .has_mint = true,
			     .mint_epoch = 3,
			     .has_session = true,
			     .session_epoch = 2,
			     .session_serial = 2147483647,
			     .session_ends_ms = 1795560731123};
	struct receipt out;
	struct fault f;
	assert_true(uuid_parse(SLICE_LIT(ACCOUNT), &in.session_id));
	struct slice json = receipt_write(&in, *state);
	assert_non_null(
		strstr(json.ptr, "\"session\":{\"id\":\"" ACCOUNT "\",\"epoch\":2,\"serial\":2147483647,\"ends\":1795560731123}"));
	assert_int_equal(receipt_read(json, *state, &out, NULL), REASON_OK);
	assert_true(out.has_session && uuid_equal(&out.session_id, &in.session_id));
	assert_int_equal(out.session_epoch, 2);
	assert_int_equal(out.session_serial, in.session_serial);
	assert_int_equal(out.session_ends_ms, in.session_ends_ms);
	assert_true(slice_equal(receipt_write(&out, *state), json));
	struct slice bare = SLICE_LIT(
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"refresh\",\"at\":1,\"session\":{\"id\":\"" ACCOUNT
		"\",\"epoch\":2,\"serial\":0,\"ends\":1}}");
	assert_int_equal(receipt_read(bare, *state, &out, &f), REASON_INTERNAL); // its tokens are derived from nothing
}

static void a_receipt_of_before_has_nothing_generated(void **state)
{
	struct receipt out;
	struct slice old = SLICE_LIT("{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1}");
	assert_int_equal(receipt_read(old, *state, &out, NULL), REASON_OK);
	assert_int_equal(out.account_number, 0);
	assert_true(slice_is_absent(out.slug));
	assert_false(out.has_mint);
	assert_int_equal(out.limit_count, 0);
	assert_null(receipt_limit(&out));
}

static void limits_come_back(void **state)
{
	struct receipt in = {
		.outcome = OUTCOME_REFUSED,
		.reason = REASON_RATE_LIMITED,
		.operation = OPERATION_SIGN_UP,
		.limits = {{SLICE_LIT("key"), 100, 7, 1795560731123, false}, {SLICE_LIT("client"), 5, 0, 1795560731999, true}},
		.limit_count = 2,
	};
	struct receipt out;
	struct slice json = receipt_write(&in, *state);
	assert_int_equal(receipt_read(json, *state, &out, NULL), REASON_OK);
	assert_int_equal(out.limit_count, 2);
	assert_true(slice_equal_text(out.limits[0].name, "key"));
	assert_int_equal(out.limits[0].allowed, 100);
	assert_int_equal(out.limits[0].remaining, 7);
	assert_int_equal(out.limits[0].resets_ms, 1795560731123);
	assert_false(out.limits[0].reached);
	assert_true(out.limits[1].reached);
	assert_true(slice_equal(receipt_write(&out, *state), json));
}

static void the_limit_that_presses_most_is_spoken_of(void **state)
{
	(void)state;
	struct receipt r = {.limits = {{.remaining = 9}, {.remaining = 2}, {.remaining = 2}}, .limit_count = 3};
	assert_ptr_equal(receipt_limit(&r), &r.limits[1]);
	r.limits[0].reached = true;
	assert_ptr_equal(receipt_limit(&r), &r.limits[0]);
	r.limits[2].reached = true;
	r.limits[2].resets_ms = 1;
	assert_ptr_equal(receipt_limit(&r), &r.limits[2]);
	r.limit_count = 0;
	assert_null(receipt_limit(&r));
}

static void violations_keep_order_field_and_code_only(void **state)
{
	struct violation violations[] = {
		{SLICE_LIT("/user/e\"mail~1"), SLICE_LIT("taken"), SLICE_LIT("Das gibt es schon.")},
		{SLICE_LIT(""), SLICE_LIT("identity_missing"), SLICE_ABSENT},
	};
	struct receipt in = {.outcome = OUTCOME_REFUSED,
			     .reason = REASON_INVALID,
			     .operation = OPERATION_SIGN_UP,
			     .violations = violations,
			     .violation_count = ARRAY_LEN(violations)};
	struct receipt out;
	struct slice json = receipt_write(&in, *state);
	assert_null(memmem(json.ptr, json.len, "gibt", 4));
	assert_int_equal(receipt_read(json, *state, &out, NULL), REASON_OK);
	assert_int_equal(out.outcome, OUTCOME_REFUSED);
	assert_int_equal(out.reason, REASON_INVALID);
	assert_false(out.has_account);
	assert_false(out.has_challenge);
	assert_int_equal(out.violation_count, 2);
	assert_true(slice_equal(out.violations[0].field, violations[0].field));
	assert_true(slice_equal(out.violations[0].code, violations[0].code));
	assert_true(slice_is_absent(out.violations[0].text));
	assert_int_equal(out.violations[1].field.len, 0);
}

static void every_outcome_reason_and_operation_survives(void **state)
{
	for (int outcome = OUTCOME_ACCEPTED; outcome <= OUTCOME_DEAD; outcome++) {
		for (int reason = 0; reason < REASON_COUNT; reason++) {
			struct receipt in = {.outcome = (enum outcome)outcome,
					     .reason = (enum reason)reason,
					     .operation = (enum operation_kind)(reason % OPERATION_COUNT)};
			struct receipt out;
			assert_int_equal(receipt_read(receipt_write(&in, *state), *state, &out, NULL), REASON_OK);
			assert_int_equal(out.outcome, in.outcome);
			assert_int_equal(out.reason, in.reason);
			assert_int_equal(out.operation, in.operation);
		}
	}
	assert_string_equal(outcome_name(OUTCOME_EXPIRED), "expired");
	assert_string_equal(outcome_name(OUTCOME_DEAD), "dead");
}

static void unknown_members_are_skipped(void **state)
{
	struct receipt out;
	assert_int_equal(receipt_read(SLICE_LIT("{\"v\":1,\"outcome\":\"expired\",\"reason\":\"expired\",\"operation\":\"verify\","
						"\"at\":5,\"later\":{\"a\":[1]}}"),
				      *state, &out, NULL),
			 REASON_OK);
	assert_int_equal(out.operation, OPERATION_VERIFY);
}

static void what_is_no_receipt_is_internal(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{",
		"{}",
		"{\"v\":2,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1}",
		"{\"v\":1,\"outcome\":\"maybe\",\"operation\":\"sign_up\",\"at\":1}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_upp\",\"at\":1}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":\"1\"}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\"}",
		"{\"v\":1,\"outcome\":\"refused\",\"reason\":\"no_such\",\"operation\":\"sign_up\",\"at\":1}",
		"{\"v\":1,\"outcome\":\"refused\",\"reason\":7,\"operation\":\"sign_up\",\"at\":1}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"account_id\":\"x\"}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"challenge\":{\"id\":\"" CHALLENGE "\"}}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"challenge\":{\"id\":\"" CHALLENGE
		"\",\"nonce\":\"00\",\"epoch\":1,\"expires\":1}}",
		"{\"v\":1,\"outcome\":\"refused\",\"operation\":\"sign_up\",\"at\":1,\"violations\":[{\"field\":\"/a\"}]}",
		"{\"v\":1,\"outcome\":\"refused\",\"operation\":\"sign_up\",\"at\":1,\"violations\":{}}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"number\":0}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"slug\":\"\"}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"slug\":5}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"opening\":5}",
		"{\"v\":1,\"outcome\":\"accepted\",\"operation\":\"sign_up\",\"at\":1,\"mint\":{\"nonce\":\"00\",\"epoch\":1}}",
		"{\"v\":1,\"outcome\":\"refused\",\"operation\":\"sign_up\",\"at\":1,\"limits\":{}}",
		"{\"v\":1,\"outcome\":\"refused\",\"operation\":\"sign_up\",\"at\":1,\"limits\":[{\"name\":\"a\",\"allowed\":1}]}",
		"{\"v\":1,\"outcome\":\"refused\",\"operation\":\"sign_up\",\"at\":1,\"limits\":[1,2,3,4,5]}",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct receipt out = {.at_ms = 42};
		struct fault f;
		if (receipt_read(slice_of(bad[i]), *state, &out, &f) != REASON_INTERNAL)
			fail_msg("taken for a receipt: %s", bad[i]);
		assert_int_equal(f.reason, REASON_INTERNAL);
		assert_int_equal(out.at_ms, 42);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_receipt_comes_back),
		cmocka_unit_test(what_was_generated_comes_back),
		cmocka_unit_test(a_session_comes_back),
		cmocka_unit_test(a_receipt_of_before_has_nothing_generated),
		cmocka_unit_test(limits_come_back),
		cmocka_unit_test(the_limit_that_presses_most_is_spoken_of),
		cmocka_unit_test(violations_keep_order_field_and_code_only),
		cmocka_unit_test(every_outcome_reason_and_operation_survives),
		cmocka_unit_test(unknown_members_are_skipped),
		cmocka_unit_test(what_is_no_receipt_is_internal),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
