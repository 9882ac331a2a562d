// SPDX-License-Identifier: Apache-2.0
// Signed tokens, against RFC 7515 appendix A.1 and an independent computation with Python's hashlib and hmac.
#include "enrolld/crypto/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/sign.h"
#include "enrolld/base/hex.h"

static struct keyring *ring;
static struct arena *arena;

static void the_rfc_example_has_its_signature(void **state)
{
	(void)state;
	uint8_t key[64];
	assert_true(hex_decode(SLICE_LIT("0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebf"
					 "d3fb5a92d20647ef968ab4c377623d223d2e2172052e4f08c0cd9af567d080a3"),
			       key));
	struct slice token = sign_compact(
		key, sizeof(key), SLICE_LIT("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"),
		SLICE_LIT("{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"), arena);
	assert_true(slice_equal_text(
		token, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
		       ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
		       ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
}

static const char claims[] = "{\"token_type\":\"access\",\"exp\":1700003600,\"iat\":1700000000,\"jti\":\"00\",\"user_id\":7}";

static void a_token_has_a_known_value(void **state)
{
	(void)state;
	struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), slice_of(claims), arena);
	assert_true(slice_equal_text(
		token,
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
		".eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzAwMDAzNjAwLCJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjAwIiwidXNlcl9pZCI6N30"
		".FuzMZHrg0yrnJjyeSeHCm5gogoMjpC6D2Q_SEUPyLcU"));
}

static void a_token_of_one_realm_is_none_in_another(void **state)
{
	(void)state;
	struct slice one = sign_jwt(ring, 1, SLICE_LIT("shop"), slice_of(claims), arena);
	struct slice other = sign_jwt(ring, 1, SLICE_LIT("shop2"), slice_of(claims), arena);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.ptr, other.ptr, one.len - 44);
	assert_memory_not_equal(one.ptr + one.len - 43, other.ptr + other.len - 43, 43);
}

static void empty_claims_are_signed(void **state)
{
	(void)state;
	struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), SLICE_LIT(""), arena);
	assert_int_equal(token.len, 36 + 1 + 0 + 1 + 43);
	assert_memory_equal(token.ptr + 36, "..", 2);
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		return -1;
	ring = keyring_for_tests();
	arena = arena_create(4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keyring_destroy(ring);
	arena_destroy(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rfc_example_has_its_signature),
		cmocka_unit_test(a_token_has_a_known_value),
		cmocka_unit_test(a_token_of_one_realm_is_none_in_another),
		cmocka_unit_test(empty_claims_are_signed),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
