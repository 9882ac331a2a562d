// SPDX-License-Identifier: Apache-2.0
// Word lists: what is found, and which files are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/rules/rules.h"

static void test_small(void **state)
{
	static const char *const in[] = {"password", "PASSWORD", "123456", "strasse", "STRA\xc3\x9f\x45", "#hash", "last"};
	static const char *const out[] = {"", "passwor", "password ", "password\n", "1234567", "\xff"};
	struct word_list *list;
	struct fault f;
	(void)state;
	assert_int_equal(word_list_load(TESTS_DATA_DIR "/wordlists/small.txt", &list, &f), REASON_OK);
	assert_int_equal(word_list_size(list), 5);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_true(word_list_has(list, slice_of(in[i])));
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		assert_false(word_list_has(list, slice_of(out[i])));
	assert_false(word_list_has(list, SLICE_ABSENT));
	word_list_destroy(list);
	word_list_destroy(NULL);
}

static void test_refused(void **state)
{
	struct word_list *list = NULL;
	struct fault f;
	(void)state;
	assert_int_equal(word_list_load(TESTS_DATA_DIR "/wordlists/nowhere.txt", &list, &f), REASON_FILE_UNREADABLE);
	assert_int_equal(word_list_load(TESTS_DATA_DIR "/wordlists", &list, &f), REASON_FILE_UNREADABLE);
	assert_int_equal(word_list_load(TESTS_DATA_DIR "/wordlists/not-utf8.txt", &list, &f), REASON_DIALECT_INVALID);
	assert_non_null(strstr(f.detail, "not-utf8.txt:2: "));
	assert_null(list);
}

// As shipped: NIST SP 800-63B-4 and OWASP ASVS 6.2.4 ask for the 3,000 best-known passwords that the policy would accept.
static void test_shipped(void **state)
{
	static const char *const in[] = {
		"password",        "123456",          "correcthorsebatterystaple", "passwordpassword", "qwertyuiopasdfghjkl",
		"111111111111111", "123456789012345", "iloveyouiloveyou"};
	struct word_list *list;
	struct fault f;
	(void)state;
	assert_int_equal(word_list_load(ENROLLD_SCHEMAS_DIR "/wordlists/common-passwords.txt", &list, &f), REASON_OK);
	assert_true(word_list_size(list) >= 5000);
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		if (!word_list_has(list, slice_of(in[i])))
			fail_msg("%s", in[i]);
	assert_false(word_list_has(list, slice_of("blue heron over the lake")));
	word_list_destroy(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_small), cmocka_unit_test(test_refused),
					   cmocka_unit_test(test_shipped)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
