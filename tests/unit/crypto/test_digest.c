// SPDX-License-Identifier: Apache-2.0
// Keyed digests and fingerprints. The expected values come from an independent computation with Python's hashlib.blake2b.
#include "enrolld/crypto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/hex.h"

static struct keyring *ring;

static void digest_has_a_known_value(void **state)
{
	(void)state;
	const struct slice parts[] = {SLICE_LIT("a"), SLICE_LIT("bc")};
	uint8_t digest[DIGEST_SIZE];
	char hex[HEX_TEXT_SIZE(DIGEST_SIZE)];
	digest_keyed(ring, 1, "token", parts, 2, digest);
	hex_encode(digest, sizeof(digest), hex);
	assert_string_equal(hex, "ab225ac61cb1318f627593641f677b98b9d6d795186c4d3e7ab570c3d42627af");
}

static void fingerprint_has_a_known_value(void **state)
{
	(void)state;
	const struct slice parts[] = {SLICE_LIT("POST"), SLICE_LIT("/v1"), SLICE_ABSENT};
	uint8_t print[FINGERPRINT_SIZE];
	char hex[HEX_TEXT_SIZE(FINGERPRINT_SIZE)];
	digest_fingerprint(ring, 1, parts, 3, print);
	hex_encode(print, sizeof(print), hex);
	assert_string_equal(hex, "9eb8cccf2570da8ba8c3197c6a5e34f5");
}

static void bounds_and_purposes_count(void **state)
{
	(void)state;
	const struct {
		const char *purpose;
		struct slice parts[2];
		size_t count;
	} cases[] = {
		{"token", {SLICE_LIT("a"), SLICE_LIT("bc")}, 2},   {"token", {SLICE_LIT("ab"), SLICE_LIT("c")}, 2},
		{"token", {SLICE_LIT("abc"), SLICE_LIT("")}, 2},   {"token", {SLICE_LIT("abc"), SLICE_ABSENT}, 2},
		{"token", {SLICE_LIT("abc"), SLICE_ABSENT}, 1},    {"token", {SLICE_ABSENT, SLICE_ABSENT}, 0},
		{"address", {SLICE_LIT("a"), SLICE_LIT("bc")}, 2},
	};
	uint8_t digests[ARRAY_LEN(cases)][DIGEST_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		digest_keyed(ring, 1, cases[i].purpose, cases[i].parts, cases[i].count, digests[i]);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(digests[i], digests[j], DIGEST_SIZE);
	}
}

static void short_hash_is_steady(void **state)
{
	(void)state;
	assert_true(digest_short(SLICE_LIT("key")) == digest_short((struct slice){"keys", 3}));
	assert_true(digest_short(SLICE_LIT("key")) != digest_short(SLICE_LIT("kez")));
	assert_true(digest_short(SLICE_ABSENT) == digest_short(SLICE_LIT("")));
}

static void equality(void **state)
{
	(void)state;
	assert_true(digest_equal("abcd", "abce", 3));
	assert_false(digest_equal("abcd", "abce", 4));
	assert_true(digest_equal("a", "b", 0));
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
		cmocka_unit_test(digest_has_a_known_value),
		cmocka_unit_test(fingerprint_has_a_known_value),
		cmocka_unit_test(bounds_and_purposes_count),
		cmocka_unit_test(short_hash_is_steady),
		cmocka_unit_test(equality),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
