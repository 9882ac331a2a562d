// SPDX-License-Identifier: Apache-2.0
// Signed tokens, against RFC 7515 appendix A.1, RFC 8037 appendix A and an independent computation with Python's hashlib and hmac.
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
static const struct sign_form hs256 = {SIGN_HS256, "native", "JWT"}, eddsa = {SIGN_EDDSA, "native", "at+jwt"};

static void the_rfc_example_has_its_signature(void **state)
{
	(void)state;
	struct sign_key key = {.algorithm = SIGN_HS256, .len = 64};
	assert_true(hex_decode(SLICE_LIT("0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebf"
					 "d3fb5a92d20647ef968ab4c377623d223d2e2172052e4f08c0cd9af567d080a3"),
			       key.bytes));
	struct slice token = sign_compact(
		&key, SLICE_LIT("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}"),
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
	struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), &hs256, slice_of(claims), arena);
	assert_true(slice_equal_text(
		token,
		"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
		".eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzAwMDAzNjAwLCJpYXQiOjE3MDAwMDAwMDAsImp0aSI6IjAwIiwidXNlcl9pZCI6N30"
		".jx8S70L0KqhBkitb6tmr37mjfC5PnJ5iNewc3CK7BO8"));
}

static void a_token_of_one_realm_is_none_in_another(void **state)
{
	(void)state;
	struct slice one = sign_jwt(ring, 1, SLICE_LIT("shop"), &hs256, slice_of(claims), arena);
	struct slice other = sign_jwt(ring, 1, SLICE_LIT("shop2"), &hs256, slice_of(claims), arena);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.ptr, other.ptr, one.len - 44);
	assert_memory_not_equal(one.ptr + one.len - 43, other.ptr + other.len - 43, 43);
}

static void empty_claims_are_signed(void **state)
{
	(void)state;
	struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), &hs256, SLICE_LIT(""), arena);
	assert_int_equal(token.len, 36 + 1 + 0 + 1 + 43);
	assert_memory_equal(token.ptr + 36, "..", 2);
}

// RFC 8037, appendix A.1, A.3 and A.4.
static const char rfc_seed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

static void the_rfc_key_has_its_name_and_signature(void **state)
{
	(void)state;
	struct sign_key key = {.algorithm = SIGN_EDDSA, .len = SIGN_KEY_MAX};
	uint8_t seed[32], public[32];
	char x[SIGN_PUBLIC_TEXT_SIZE], id[SIGN_ID_TEXT_SIZE];
	assert_true(hex_decode(slice_of(rfc_seed), seed));
	assert_int_equal(crypto_sign_seed_keypair(public, key.bytes, seed), 0);
	sign_name_key(public, x, id);
	assert_string_equal(x, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
	assert_string_equal(id, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
	struct slice token = sign_compact(&key, SLICE_LIT("{\"alg\":\"EdDSA\"}"), SLICE_LIT("Example of Ed25519 signing"), arena);
	assert_true(slice_equal_text(token,
				     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
				     ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"));
}

static void opens(const struct sign_form *form, struct slice token, bool wanted)
{
	struct slice payload = sign_open(ring, SLICE_LIT("shop"), form, token, arena);
	assert_int_equal(slice_equal_text(payload, claims), wanted);
	assert_int_equal(slice_is_absent(payload), !wanted);
}

// Any bit of it, the header's and the spare ones of its encoding too.
static void only_what_was_signed_is_opened(void **state)
{
	(void)state;
	const struct sign_form *forms[] = {&hs256, &eddsa};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), forms[i], slice_of(claims), arena);
		opens(forms[i], token, true);
		assert_true(slice_is_absent(sign_open(ring, SLICE_LIT("shop2"), forms[i], token, arena)));
		char *copy = arena_alloc(arena, token.len + 1);
		for (size_t at = 0; at < token.len; at++)
			for (unsigned bit = 1; bit < 0x80; bit <<= 1) {
				memcpy(copy, token.ptr, token.len);
				copy[at] = (char)(copy[at] ^ (char)bit);
				opens(forms[i], (struct slice){copy, token.len}, false);
			}
		opens(forms[i], (struct slice){token.ptr, token.len - 1}, false);
		memcpy(copy, token.ptr, token.len);
		copy[token.len] = '=';
		opens(forms[i], (struct slice){copy, token.len + 1}, false);
	}
}

static void the_form_is_ours_to_say(void **state)
{
	(void)state;
	static const struct sign_form other_type = {SIGN_EDDSA, "native", "JWT"}, hs_type = {SIGN_HS256, "native", "at+jwt"},
				      other_dialect = {SIGN_HS256, "other", "JWT"};
	struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), &eddsa, slice_of(claims), arena);
	opens(&other_type, token, false);
	opens(&hs_type, token, false);
	opens(&other_dialect, sign_jwt(ring, 1, SLICE_LIT("shop"), &hs256, slice_of(claims), arena), false);
	opens(&eddsa, SLICE_LIT("eyJhbGciOiJub25lIn0.e30."), false);
	opens(&eddsa, SLICE_LIT("no token"), false);
	opens(&eddsa, SLICE_LIT("..."), false);
	opens(&eddsa, SLICE_ABSENT, false);
}

static void published_keys_name_what_is_signed(void **state)
{
	(void)state;
	struct strbuf out = STRBUF_INIT(4096);
	sign_key_set(ring, SLICE_LIT("shop"), &out);
	struct slice token = sign_jwt(ring, 1, SLICE_LIT("shop"), &eddsa, slice_of(claims), arena);
	const char *dot = memchr(token.ptr, '.', token.len);
	uint8_t header[256] = {0};
	size_t len = 0;
	assert_true(base64url_decode((struct slice){token.ptr, (size_t)(dot - token.ptr)}, header, &len));
	static const char head[] = "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"";
	assert_memory_equal(header, head, sizeof(head) - 1);
	header[len - 2] = '\0'; // the end of the id
	assert_non_null(strstr(strbuf_slice(&out).ptr, (const char *)header + sizeof(head) - 1));
	assert_non_null(strstr(strbuf_slice(&out).ptr, "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\","));
	strbuf_free(&out);
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
		cmocka_unit_test(the_rfc_key_has_its_name_and_signature),
		cmocka_unit_test(only_what_was_signed_is_opened),
		cmocka_unit_test(the_form_is_ours_to_say),
		cmocka_unit_test(published_keys_name_what_is_signed),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
