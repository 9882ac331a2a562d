// SPDX-License-Identifier: Apache-2.0
// Codes: derived, typed, compared.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "enrolld/model/code.h"

static struct keyring *keys;
static const struct code_seed seed = {.nonce = {{9, 8, 7}}, .epoch = 1};

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

static void derive(struct slice purpose, const char *realm, const struct code_seed *from, const struct code_form *form, char *out)
{
	memset(out, 'x', CODE_TEXT_SIZE);
	code_derive(keys, purpose, slice_of(realm), from, form, out);
}

static void has_the_form_that_is_asked_for(void **state)
{
	static const char *const letters[] = {"0123456789", "BCDFGHJKLMNPQRSTVWXZ", "23456789BCDFGHJKLMNPQRSTVWXZ"};
	(void)state;
	for (int a = 0; a < CODE_ALPHABET_COUNT; a++)
		for (unsigned length = CODE_LENGTH_MIN; length <= CODE_LENGTH_MAX; length++) {
			const struct code_form form = {length, (enum code_alphabet)a};
			char code[CODE_TEXT_SIZE];
			derive(SLICE_LIT("sign_in"), "main", &seed, &form, code);
			assert_int_equal(strlen(code), length);
			assert_int_equal(strspn(code, letters[a]), length);
			for (size_t i = length; i < CODE_TEXT_SIZE; i++)
				assert_int_equal(code[i], '\0');
		}
}

static void is_bound_to_purpose_realm_and_challenge(void **state)
{
	const struct code_form form = {10, CODE_ALPHANUMERIC};
	struct code_seed other = seed;
	char codes[5][CODE_TEXT_SIZE];
	(void)state;
	derive(SLICE_LIT("sign_in"), "main", &seed, &form, codes[0]);
	derive(SLICE_LIT("sign_up"), "main", &seed, &form, codes[1]);
	derive(SLICE_LIT("sign_in"), "other", &seed, &form, codes[2]);
	other.nonce.bytes[15] = 1;
	derive(SLICE_LIT("sign_in"), "main", &other, &form, codes[3]);
	other = seed;
	other.serial = 1;
	derive(SLICE_LIT("sign_in"), "main", &other, &form, codes[4]);
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(codes[i], codes[j]);
}

static void assert_normal(const char *typed, unsigned length, enum code_alphabet alphabet, const char *normal)
{
	char out[CODE_TEXT_SIZE], wanted[CODE_TEXT_SIZE] = "";
	memcpy(wanted, normal, strlen(normal));
	code_normalise(slice_of(typed), &(struct code_form){length, alphabet}, out);
	assert_memory_equal(out, wanted, CODE_TEXT_SIZE);
}

static void typing_is_forgiven_what_means_nothing(void **state)
{
	(void)state;
	assert_normal("123456", 6, CODE_DIGITS, "123456");
	assert_normal(" 123 456 ", 6, CODE_DIGITS, "123456");
	assert_normal("123-456", 6, CODE_DIGITS, "123456");
	assert_normal("42", 6, CODE_DIGITS, "000042"); // as a number arrives
	assert_normal("bcd-fgh", 6, CODE_LETTERS, "BCDFGH");
	assert_normal("bcd", 6, CODE_LETTERS, "BCD");
	assert_normal("1234567", 6, CODE_DIGITS, "");
	assert_normal("", 6, CODE_DIGITS, "");
	assert_normal(" - ", 6, CODE_DIGITS, "");
	assert_normal("0000000000000000000000000000000000000000000000", 10, CODE_DIGITS, "");
}

static void nothing_equals_nothing(void **state)
{
	static const char none[CODE_TEXT_SIZE], a[CODE_TEXT_SIZE] = "123456", b[CODE_TEXT_SIZE] = "1234567";
	(void)state;
	assert_true(code_equal(a, a));
	assert_false(code_equal(a, b));
	assert_false(code_equal(b, a));
	assert_false(code_equal(none, none));
	assert_false(code_equal(none, a));
}

static void names_are_found_again(void **state)
{
	(void)state;
	for (int a = 0; a < CODE_ALPHABET_COUNT; a++)
		assert_int_equal(code_alphabet_find(slice_of(code_alphabet_name((enum code_alphabet)a))), a);
	assert_int_equal(code_alphabet_find(SLICE_LIT("runes")), CODE_DIGITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_form_that_is_asked_for),
		cmocka_unit_test(is_bound_to_purpose_realm_and_challenge),
		cmocka_unit_test(typing_is_forgiven_what_means_nothing),
		cmocka_unit_test(nothing_equals_nothing),
		cmocka_unit_test(names_are_found_again),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
