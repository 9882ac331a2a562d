// SPDX-License-Identifier: Apache-2.0
// What the tokens of a session have in common, and what they have not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/attr.h"
#include "enrolld/model/session.h"

#define HEX "0123456789abcdef"
#define KIND "token.native.refresh"

static struct keyring *keys;
static const struct session_seed seed = {{{1, 2, 3}}, 1, 0};

static void all_tokens_begin_with_the_name(void **state)
{
	static const size_t lengths[] = {SESSION_TOKEN_MIN, 48, SESSION_TOKEN_MAX};
	char first[SESSION_TOKEN_MAX + 1] = "";
	uint8_t digest[DIGEST_SIZE], same[DIGEST_SIZE];
	(void)state;
	session_name_digest(keys, "native", SLICE_LIT("main"), &seed, digest);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		for (uint32_t serial = 0; serial < 4; serial++) {
			char token[SESSION_TOKEN_MAX + 1];
			const struct session_seed used = {seed.nonce, seed.epoch, serial};
			session_token(keys, KIND, SLICE_LIT("main"), &used, HEX, lengths[i], token);
			assert_int_equal(strlen(token), lengths[i]);
			if (i + serial > 0)
				assert_memory_equal(token, first, SESSION_NAME_LENGTH);
			session_digest(keys, "native", 1, slice_of(token), same);
			assert_memory_equal(same, digest, DIGEST_SIZE);
			session_digest(keys, "other", 1, slice_of(token), same);
			assert_memory_not_equal(same, digest, DIGEST_SIZE);
			memcpy(first, token, sizeof(token));
		}
}

static void a_use_a_kind_and_a_realm_have_their_own(void **state)
{
	char one[SESSION_TOKEN_MIN + 1], two[SESSION_TOKEN_MIN + 1];
	(void)state;
	session_token(keys, KIND, SLICE_LIT("main"), &seed, HEX, SESSION_TOKEN_MIN, one);
	session_token(keys, KIND, SLICE_LIT("main"), &(struct session_seed){seed.nonce, 1, 1}, HEX, SESSION_TOKEN_MIN, two);
	assert_string_not_equal(one, two);
	session_token(keys, "token.native.access", SLICE_LIT("main"), &seed, HEX, SESSION_TOKEN_MIN, two);
	assert_string_not_equal(one, two);
	assert_memory_equal(one, two, SESSION_NAME_LENGTH);
	session_token(keys, KIND, SLICE_LIT("other"), &seed, HEX, SESSION_TOKEN_MIN, two);
	assert_memory_not_equal(one, two, SESSION_NAME_LENGTH);
	session_token(keys, KIND, SLICE_LIT("main"), &(struct session_seed){{{1, 2, 4}}, 1, 0}, HEX, SESSION_TOKEN_MIN, two);
	assert_memory_not_equal(one, two, SESSION_NAME_LENGTH);
	session_token(keys, KIND, SLICE_LIT("main"), &seed, HEX, SESSION_TOKEN_MIN, two);
	assert_string_equal(one, two);
}

static void scopes_have_names(void **state)
{
	(void)state;
	assert_string_equal(session_scope_name(SESSION_ONE), "one");
	assert_string_equal(session_scope_name(SESSION_DEVICE), "device");
	assert_string_equal(session_scope_name(SESSION_ALL), "all");
}

static int setup(void **state)
{
	struct fault f;
	(void)state;
	if (crypto_setup(&f) != REASON_OK)
		return -1;
	keys = keyring_for_tests();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keyring_destroy(keys);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_tokens_begin_with_the_name),
		cmocka_unit_test(a_use_a_kind_and_a_realm_have_their_own),
		cmocka_unit_test(scopes_have_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
