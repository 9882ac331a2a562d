// SPDX-License-Identifier: Apache-2.0
// Password hashes made by other libraries: recognised strictly, judged, verified.
#include "enrolld/crypto/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/crypto/keys.h"

#define SALT "c29tZXNhbHQxMjM0NTY3OA"
#define DIGEST "OOF/1mbSHWdqh00PQrC5RoMevwkGU78aIbVIJA+4us4"
#define BCRYPT_TAIL "9p8rTyrssi53mHnm32Tab.8r9vQd/xBj4SfwL/NXX7fdDafJTZlaa"
#define DJANGO_TAIL "$saltsaltsalt22charslon$69saVSmyYr/hZBpMQTHW22p46ky3viVUYy7VXU+EksM="
#define PASSLIB256_TAIL "$MDEyMzQ1Njc4OWFiY2RlZg$dYcdB2GkUZ.xHpcOIuhDJoQAzrrjRJCia0lBxAiI7Wo"
#define PASSLIB512_TAIL \
	"$//79MDEyMzQ1Njc4OWFiYw$fwlGBb7ClZev.6P.4v6Vyqd9ZO6EH9Fs5b.r2zOHHb7C1RYlo7oR4TDPp4uYN4LxyYrlfLKjkvb.V.pMdSzZPw"

// Made by argon2-cffi, bcrypt, Django 5 and passlib of this password.
static const char password[] = "Gr\xc3\xbc\xc3\x9f"
			       "e, correct horse \xe9\xa6\xac";
static const char *const made_elsewhere[] = {
	"$argon2id$v=19$m=19456,t=2,p=1$" SALT "$" DIGEST,
	"$argon2id$v=19$m=65536,t=3,p=4$" SALT "$+2IbW3Jd+uacIymTB/Xkud0p3dKLQvwF4FqxbanbTZo",
	"$argon2id$v=19$m=102400,t=2,p=8$" SALT "$iVnkmS7JA1td7HaT4RxrV/TCv6BkM7r33nHnVvMWOdE",
	"$argon2i$v=19$m=19456,t=3,p=1$" SALT "$qzAllaoyG65CA6nTrJzeQECA9KIj5q9odCixCF+nPYk",
	"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OHNvbWVzYWx0MTIzNDU2Nzg$v5/LGN2C7ZD9hDCTxACpT8i/r3Sq5FcOioIjP5AOXgBu8ZksuO2gVk5"
	"GCQcikpBHLtjODYEzWYwdRJ1RkYs0yw",
	"$2b$10$" BCRYPT_TAIL,
	"$2a$10$zN7oyc3FNP//Lk/QwgSmOevgwn5HqZBdG7eoRWlld/GPtr8wUvdGG",
	"$2y$10$" BCRYPT_TAIL, // PHP's name of 2b
	"pbkdf2_sha256$100000" DJANGO_TAIL,
	"$pbkdf2-sha256$100000" PASSLIB256_TAIL,
	"$pbkdf2-sha512$35000" PASSLIB512_TAIL,
};

static bool fits(struct slice hash, struct slice candidate)
{
	struct fault f;
	bool it_fits = false;
	assert_int_equal(foreign_verify(NULL, hash, candidate, &it_fits, &f), REASON_OK);
	return it_fits;
}

static void accepts_and_verifies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made_elsewhere); i++) {
		struct slice hash = slice_of(made_elsewhere[i]);
		assert_int_equal(foreign_check(hash), FOREIGN_OK);
		assert_true(fits(hash, slice_of(password)));
		assert_false(fits(hash, (struct slice){password, sizeof(password) - 2}));
		// HMAC fills a short key with zeros, so PBKDF2 alone cannot tell a NUL at the end (RFC 2104).
		bool pbkdf2 = strstr(made_elsewhere[i], "pbkdf2") != NULL;
		assert_int_equal(fits(hash, (struct slice){password, sizeof(password)}), pbkdf2);
		assert_false(fits(hash, SLICE_LIT("")));
		assert_false(fits(hash, SLICE_ABSENT));
	}
}

// No proper beginning of a hash is one, nor a hash with something behind it.
static void refuses_the_torn_and_the_longer(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made_elsewhere); i++) {
		struct slice hash = slice_of(made_elsewhere[i]);
		bool argon2 = strncmp(hash.ptr, "$argon2", 7) == 0;
		size_t most = argon2 ? (size_t)(strrchr(hash.ptr, '$') + 1 - hash.ptr)
				     : hash.len; // its digest may be of many lengths
		for (size_t len = 0; len < most; len++)
			assert_int_equal(foreign_check((struct slice){hash.ptr, len}), FOREIGN_UNKNOWN);
		static const char *const behind[] = {"$", "=", " ", "\n", "*"};
		for (size_t j = 0; j < ARRAY_LEN(behind); j++) {
			char longer[FOREIGN_TEXT_MAX + 1];
			(void)snprintf(longer, sizeof(longer), "%s%s", hash.ptr, behind[j]);
			assert_int_equal(foreign_check(slice_of(longer)), FOREIGN_UNKNOWN);
			assert_false(fits(slice_of(longer), slice_of(password)));
		}
		char with_nul[FOREIGN_TEXT_MAX + 1] = "";
		memcpy(with_nul, hash.ptr, hash.len);
		assert_int_equal(foreign_check((struct slice){with_nul, hash.len + 1}), FOREIGN_UNKNOWN);
	}
}

static void judges(void **state)
{
	(void)state;
#define ARGON2(kind, parameters) "$" kind "$v=19$" parameters "$" SALT "$" DIGEST
	static const struct {
		const char *hash;
		enum foreign_verdict verdict;
	} cases[] = {
		{ARGON2("argon2id", "m=19455,t=2,p=1"), FOREIGN_TOO_WEAK},
		{ARGON2("argon2id", "m=47103,t=1,p=1"), FOREIGN_TOO_WEAK},
		{ARGON2("argon2id", "m=47104,t=1,p=1"), FOREIGN_OK},
		{ARGON2("argon2id", "m=12288,t=3,p=1"), FOREIGN_OK},
		{ARGON2("argon2id", "m=8,t=3,p=1"), FOREIGN_TOO_WEAK},
		{ARGON2("argon2id", "m=262144,t=10,p=16"), FOREIGN_OK},
		{ARGON2("argon2id", "m=262145,t=1,p=1"), FOREIGN_TOO_COSTLY},
		{ARGON2("argon2id", "m=65536,t=11,p=1"), FOREIGN_TOO_COSTLY},
		{ARGON2("argon2id", "m=65536,t=2,p=17"), FOREIGN_TOO_COSTLY},
		{ARGON2("argon2id", "m=4294967295,t=4294967295,p=1"), FOREIGN_TOO_COSTLY},
		{ARGON2("argon2id", "m=4294967296,t=2,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=99999999999999999999,t=2,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2d", "m=65536,t=2,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2", "m=65536,t=2,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=65536,t=0,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=65536,t=2,p=0"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=15,t=2,p=2"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=065536,t=2,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=+65536,t=2,p=1"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=65536,p=1,t=2"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=65536,t=2"), FOREIGN_UNKNOWN},
		{ARGON2("argon2id", "m=65536,t=2,p=1,data=AAAA"), FOREIGN_UNKNOWN},
		{"$argon2id$v=16$m=65536,t=2,p=1$" SALT "$" DIGEST, FOREIGN_UNKNOWN},
		{"$argon2id$m=65536,t=2,p=1$" SALT "$" DIGEST, FOREIGN_UNKNOWN},
		{"$argon2id$v=19$m=65536,t=2,p=1$c2FsdA$" DIGEST, FOREIGN_UNKNOWN},       // 4 bytes of salt
		{"$argon2id$v=19$m=65536,t=2,p=1$" SALT "$OOF/1mbSHWc", FOREIGN_UNKNOWN}, // 8 bytes of digest
		{"$argon2id$v=19$m=65536,t=2,p=1$" SALT "$" DIGEST "=", FOREIGN_UNKNOWN},
		{"$argon2id$v=19$m=65536,t=2,p=1$$" DIGEST, FOREIGN_UNKNOWN},
		{"$2b$09$" BCRYPT_TAIL, FOREIGN_TOO_WEAK},
		{"$2b$04$" BCRYPT_TAIL, FOREIGN_TOO_WEAK},
		{"$2b$14$" BCRYPT_TAIL, FOREIGN_OK},
		{"$2b$15$" BCRYPT_TAIL, FOREIGN_TOO_COSTLY},
		{"$2b$31$" BCRYPT_TAIL, FOREIGN_TOO_COSTLY},
		{"$2b$32$" BCRYPT_TAIL, FOREIGN_UNKNOWN},
		{"$2b$03$" BCRYPT_TAIL, FOREIGN_UNKNOWN},
		{"$2b$1x$" BCRYPT_TAIL, FOREIGN_UNKNOWN},
		{"$2b$12." BCRYPT_TAIL, FOREIGN_UNKNOWN},
		{"$2x$12$" BCRYPT_TAIL, FOREIGN_UNKNOWN},
		{"$2$12$" BCRYPT_TAIL, FOREIGN_UNKNOWN},
		{"$2b$12$!p8rTyrssi53mHnm32Tab.8r9vQd/xBj4SfwL/NXX7fdDafJTZlaa", FOREIGN_UNKNOWN},
		{"$2b$12$:p8rTyrssi53mHnm32Tab.8r9vQd/xBj4SfwL/NXX7fdDafJTZlaa", FOREIGN_UNKNOWN},
		{"$2b$12$-p8rTyrssi53mHnm32Tab.8r9vQd/xBj4SfwL/NXX7fdDafJTZlaa", FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$99999" DJANGO_TAIL, FOREIGN_TOO_WEAK},
		{"pbkdf2_sha256$2000000" DJANGO_TAIL, FOREIGN_OK},
		{"pbkdf2_sha256$2000001" DJANGO_TAIL, FOREIGN_TOO_COSTLY},
		{"pbkdf2_sha256$0" DJANGO_TAIL, FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$-1" DJANGO_TAIL, FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$$" DJANGO_TAIL, FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$600000$short$69saVSmyYr/hZBpMQTHW22p46ky3viVUYy7VXU+EksM=", FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$600000$salt salt salt$69saVSmyYr/hZBpMQTHW22p46ky3viVUYy7VXU+EksM=", FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$600000$saltsaltsalt$69saVSmyYr/hZBpMQTHW22p46ky3viVUYy7VXU+EksM", FOREIGN_UNKNOWN},
		{"pbkdf2_sha256$600000$saltsaltsalt$69saVSmyYr/hZBpMQTHW2w==", FOREIGN_UNKNOWN},
		{"pbkdf2_sha1$600000" DJANGO_TAIL, FOREIGN_UNKNOWN},
		{"$pbkdf2-sha256$99999" PASSLIB256_TAIL, FOREIGN_TOO_WEAK},
		{"$pbkdf2-sha256$600000" PASSLIB256_TAIL, FOREIGN_OK},
		{"$pbkdf2-sha256$2000001" PASSLIB256_TAIL, FOREIGN_TOO_COSTLY},
		{"$pbkdf2-sha256$600000" PASSLIB512_TAIL, FOREIGN_UNKNOWN},
		{"$pbkdf2-sha512$34999" PASSLIB512_TAIL, FOREIGN_TOO_WEAK},
		{"$pbkdf2-sha512$210000" PASSLIB512_TAIL, FOREIGN_OK},
		{"$pbkdf2-sha512$210000" PASSLIB256_TAIL, FOREIGN_UNKNOWN},
		{"$pbkdf2-sha256$600000$MDEyMzQ1Njc4OWFiY2RlZg$dYcdB2GkUZ+xHpcOIuhDJoQAzrrjRJCia0lBxAiI7Wo", FOREIGN_UNKNOWN},
		{"{SSHA}c2FsdHNhbHRzYWx0c2FsdHNhbHQ=", FOREIGN_UNKNOWN},
		{"$6$saltsalt$abc", FOREIGN_UNKNOWN},
		{"$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA", FOREIGN_UNKNOWN},
		{"plain password", FOREIGN_UNKNOWN},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (foreign_check(slice_of(cases[i].hash)) != cases[i].verdict)
			fail_msg("%s: %d", cases[i].hash, foreign_check(slice_of(cases[i].hash)));
	assert_int_equal(foreign_check(SLICE_ABSENT), FOREIGN_UNKNOWN);
}

// Whatever the bytes, reading stays inside the text and the copy (the sanitizers look on).
static void survives_any_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(made_elsewhere); i++) {
		size_t len = strlen(made_elsewhere[i]);
		char changed[FOREIGN_TEXT_MAX];
		for (size_t at = 0; at < len; at++) {
			static const char bytes[] = {'\0', '$', ',', '0', '9', 'z', '=', '\x80', '\xff'};
			for (size_t j = 0; j < sizeof(bytes); j++) {
				if (bytes[j] == made_elsewhere[i][at])
					continue;
				memcpy(changed, made_elsewhere[i], len);
				changed[at] = bytes[j];
				enum foreign_verdict verdict = foreign_check((struct slice){changed, len});
				if (verdict != FOREIGN_UNKNOWN && ((uint8_t)bytes[j] < ' ' || (uint8_t)bytes[j] > '~'))
					fail_msg("%s with byte %zu changed to 0x%02x", made_elsewhere[i], at, (uint8_t)bytes[j]);
			}
		}
	}
	char longest[FOREIGN_TEXT_MAX + 1];
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, made_elsewhere[0], 31);
	assert_int_equal(foreign_check((struct slice){longest, sizeof(longest)}), FOREIGN_UNKNOWN);
	assert_int_equal(foreign_check((struct slice){longest, sizeof(longest) - 1}), FOREIGN_UNKNOWN);
}

// As in every other bcrypt, bytes after the 72nd do not count; and the password is read to its end, not to a NUL.
static void bcrypt_sees_72_bytes(void **state)
{
	(void)state;
	struct slice hash = SLICE_LIT("$2b$10$fr0OnvN8zNQ8NmOsCJd4gO/D1UuqVwNU9YDNdmV2kCfoL7C0BCTma"); // of 72 x
	char text[1024];
	memset(text, 'x', sizeof(text));
	assert_false(fits(hash, (struct slice){text, 71}));
	assert_true(fits(hash, (struct slice){text, 72}));
	assert_true(fits(hash, (struct slice){text, 73}));
	assert_true(fits(hash, (struct slice){text, sizeof(text)}));
	text[100] = '\0';
	assert_false(fits(hash, (struct slice){text, sizeof(text)}));
}

static void our_own_hash_is_verified_in_kept_memory(void **state)
{
	(void)state;
	struct argon2_cost cost = {.memory_kib = 12288, .passes = 3};
	struct argon2_memory *m = argon2_memory_create(cost);
	char text[ARGON2_TEXT_SIZE];
	struct fault f;
	bool it_fits = false;
	assert_int_equal(argon2_hash(m, cost, SLICE_LIT("own"), text, &f), REASON_OK);
	assert_int_equal(foreign_check(slice_of(text)), FOREIGN_OK);
	assert_int_equal(foreign_verify(m, slice_of(text), SLICE_LIT("own"), &it_fits, &f), REASON_OK);
	assert_true(it_fits);
	assert_int_equal(argon2_memory_used(m), m != NULL);
	assert_int_equal(foreign_verify(m, slice_of(text), SLICE_LIT("Own"), &it_fits, &f), REASON_OK);
	assert_false(it_fits);
	assert_int_equal(foreign_verify(m, slice_of(made_elsewhere[0]), slice_of(password), &it_fits, &f), REASON_OK);
	assert_true(it_fits);
	assert_false(argon2_memory_used(m)); // of another cost
	argon2_memory_destroy(m);
}

static void knows_its_own(void **state)
{
	(void)state;
	struct argon2_cost cost = {.memory_kib = 19456, .passes = 2};
	char text[ARGON2_TEXT_SIZE];
	struct fault f;
	assert_true(foreign_is_own(slice_of(made_elsewhere[0]), cost));
	assert_false(foreign_is_own(slice_of(made_elsewhere[0]), (struct argon2_cost){19457, 2}));
	assert_false(foreign_is_own(slice_of(made_elsewhere[0]), (struct argon2_cost){19456, 3}));
	assert_false(foreign_is_own(slice_of(made_elsewhere[1]), (struct argon2_cost){65536, 3})); // four lanes
	assert_false(foreign_is_own(slice_of(made_elsewhere[3]), (struct argon2_cost){19456, 3})); // Argon2i
	assert_false(foreign_is_own(SLICE_LIT("$2b$12$" BCRYPT_TAIL), cost));
	assert_false(foreign_is_own(SLICE_LIT("pbkdf2_sha256$600000" DJANGO_TAIL), cost));
	assert_false(foreign_is_own(SLICE_LIT(""), cost));
	assert_int_equal(argon2_hash(NULL, (struct argon2_cost){8192, 1}, SLICE_LIT("own"), text, &f), REASON_OK);
	assert_true(foreign_is_own(slice_of(text), (struct argon2_cost){8192, 1}));
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	return crypto_setup(&f) == REASON_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_and_verifies),
		cmocka_unit_test(refuses_the_torn_and_the_longer),
		cmocka_unit_test(judges),
		cmocka_unit_test(survives_any_byte),
		cmocka_unit_test(bcrypt_sees_72_bytes),
		cmocka_unit_test(our_own_hash_is_verified_in_kept_memory),
		cmocka_unit_test(knows_its_own),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
