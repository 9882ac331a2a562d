// SPDX-License-Identifier: Apache-2.0
// Derived codes, tokens and ids. The expected values come from an independent computation with Python's hashlib.blake2b.
#include "enrolld/crypto/derive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/derive.h"
#include "enrolld/base/hex.h"

static struct keyring *ring;
static const struct nonce nonce = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
static const struct slice shop = {"shop", 4};

static void codes_have_known_values(void **state)
{
	(void)state;
	static const char *const codes[] = {"6358", "61852", "116184", "5299608", "79528504", "187351967", "7975040034"};
	char code[11];
	for (unsigned digits = 4; digits <= 10; digits++) {
		derive_code(ring, 1, "email", shop, &nonce, 7, digits, code);
		assert_string_equal(code, codes[digits - 4]);
	}
	static const char *const serials[] = {"423666", "266846", "297213", "843406"};
	for (uint32_t serial = 0; serial < 4; serial++) {
		derive_code(ring, 1, "email", shop, &nonce, serial, 6, code);
		assert_string_equal(code, serials[serial]);
	}
}

static void token_has_a_known_value(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_SIZE];
	derive_token(ring, 1, "link", shop, &nonce, 0, token);
	assert_string_equal(token, "WlED-wWoRKLTdxEQoexMBcypX1kzLJzlGCNPPJ9jIfo");
}

// Every input counts, and the bounds between them do.
static void each_input_changes_the_value(void **state)
{
	(void)state;
	struct nonce other = nonce;
	other.bytes[15] ^= 1;
	const struct {
		const char *kind;
		struct slice realm;
		const struct nonce *nonce;
		uint32_t serial;
	} cases[] = {
		{"link", shop, &nonce, 0},
		{"lin", SLICE_LIT("kshop"), &nonce, 0},
		{"links", SLICE_LIT("hop"), &nonce, 0},
		{"link", SLICE_LIT(""), &nonce, 0},
		{"link", SLICE_ABSENT, &nonce, 0},
		{"", shop, &nonce, 0},
		{"link", shop, &other, 0},
		{"link", shop, &nonce, 1},
		{"link", shop, &nonce, UINT32_MAX},
	};
	char tokens[ARRAY_LEN(cases)][TOKEN_TEXT_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		derive_token(ring, 1, cases[i].kind, cases[i].realm, cases[i].nonce, cases[i].serial, tokens[i]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(tokens[i], tokens[j]);
	}
}

// 2^64 mod 10^6 is 551616: the highest numbers are thrown away, so that all codes are equally likely.
static void unfair_numbers_are_rejected(void **state)
{
	(void)state;
	uint8_t block[DERIVE_BLOCK_SIZE];
	uint64_t value = 1;
	memset(block, 0xff, sizeof(block));
	assert_false(derive_reduce(block, 1000000, &value));
	assert_int_equal(value, 1);

	memset(block + 56, 0, 8);
	block[63] = 42;
	assert_true(derive_reduce(block, 1000000, &value)); // the eighth
	assert_int_equal(value, 42);

	const uint64_t last_fair = UINT64_MAX - 551616;
	for (int i = 0; i < 8; i++)
		block[i] = (uint8_t)(last_fair >> (56 - 8 * i));
	assert_true(derive_reduce(block, 1000000, &value));
	assert_int_equal(value, 999999);
	for (int i = 0; i < 8; i++)
		block[i] = (uint8_t)((last_fair + 1) >> (56 - 8 * i));
	assert_true(derive_reduce(block, 1000000, &value));
	assert_int_equal(value, 42); // passed over

	memset(block, 0xff, sizeof(block));
	assert_true(derive_reduce(block, 4096, &value)); // divides 2^64: nothing is unfair
	assert_int_equal(value, 4095);
}

static void codes_are_spread(void **state)
{
	(void)state;
	unsigned first[10] = {0};
	char code[11];
	for (uint32_t serial = 0; serial < 10000; serial++) {
		derive_code(ring, 1, "email", shop, &nonce, serial, 6, code);
		assert_int_equal(strlen(code), 6);
		assert_int_equal(strspn(code, "0123456789"), 6);
		first[code[0] - '0']++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(first[i], 850, 1150); // 5 standard deviations; the values are fixed, so this is no game of chance
}

static void texts_have_known_values(void **state)
{
	(void)state;
	char text[DERIVE_TEXT_MAX + 1];
	derive_text(ring, 1, "jti", shop, &nonce, 0, "0123456789abcdef", 32, text);
	assert_string_equal(text, "9c81c90443ff080294a0e42764dcf49a");
	derive_text(ring, 1, "api", shop, &nonce, 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 80, text);
	assert_string_equal(text, "xOtaCYfIrJHc2bJxe7Mh60rwOcVQ5tsa6x5pffZk9vmmQ2fPcHz3bLRYmRBWYjyaDn76o843AWbZcDuy");
	derive_text(ring, 1, "x", shop, &nonce, 0, "ab", 1, text);
	assert_string_equal(text, "b");
	derive_text(ring, 1, "x", shop, &nonce, 0, "abc", 100, text); // more than one block
	assert_string_equal(text,
			    "cbcbbcbbcbabccbaacccbabaacabbbccbabacbaabacaabcaabaabcccacabbbbbcbbbaccaaaaabbbbcbacccabbacaacacaabc");
}

static void texts_are_spread(void **state)
{
	(void)state;
	unsigned seen[3] = {0};
	char text[DERIVE_TEXT_MAX + 1];
	for (uint32_t serial = 0; serial < 30; serial++) {
		derive_text(ring, 1, "x", shop, &nonce, serial, "abc", 1000, text);
		assert_int_equal(strlen(text), 1000);
		for (size_t i = 0; i < 1000; i++)
			seen[text[i] - 'a']++;
	}
	for (size_t i = 0; i < 3; i++)
		assert_in_range(seen[i], 9600, 10400); // 5 standard deviations
}

static void ids_have_known_values(void **state)
{
	(void)state;
	const struct slice parts[] = {SLICE_LIT("a"), SLICE_LIT("bc")}, shifted[] = {SLICE_LIT("ab"), SLICE_LIT("c")};
	char hex[HEX_TEXT_SIZE(16)];
	struct uuid id = derive_id(parts, 2), other = derive_id(shifted, 2), shorter = derive_id(parts, 1);
	hex_encode(id.bytes, sizeof(id.bytes), hex);
	assert_string_equal(hex, "42aa79c9f71580a4980319390e5561b5");
	assert_int_equal(uuid_version(&id), 8);
	assert_false(uuid_equal(&id, &other));
	assert_false(uuid_equal(&id, &shorter));
	struct uuid none = derive_id(NULL, 0);
	assert_int_equal(uuid_version(&none), 8);
}

static void nonces_differ(void **state)
{
	(void)state;
	struct nonce one, two;
	nonce_draw(&one);
	nonce_draw(&two);
	assert_memory_not_equal(&one, &two, sizeof(one));
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		return -1;
	ring = keyring_for_tests();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keyring_destroy(ring);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_have_known_values),
		cmocka_unit_test(token_has_a_known_value),
		cmocka_unit_test(each_input_changes_the_value),
		cmocka_unit_test(unfair_numbers_are_rejected),
		cmocka_unit_test(codes_are_spread),
		cmocka_unit_test(texts_have_known_values),
		cmocka_unit_test(texts_are_spread),
		cmocka_unit_test(ids_have_known_values),
		cmocka_unit_test(nonces_differ),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
