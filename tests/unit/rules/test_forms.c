// SPDX-License-Identifier: Apache-2.0
// Normal forms: what is accepted, and the key that decides whether two are the same.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/rules/rules.h"

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A60 A50 "aaaaaaaaaa"
#define A63 A60 "aaa"

struct form {
	const char *text;
	const char *key; // NULL: refused
};

static struct arena *arena;

static void check(const char *kind, bool (*function)(struct slice, struct arena *, struct slice *), const struct form *forms,
		  size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct slice key = SLICE_ABSENT;
		bool valid = function(slice_of(forms[i].text), arena, &key);
		if (valid != (forms[i].key != NULL))
			fail_msg("%s \"%s\": %s", kind, forms[i].text, valid ? key.ptr : "refused");
		if (valid && !slice_equal_text(key, forms[i].key))
			fail_msg("%s \"%s\": \"%.*s\", not \"%s\"", kind, forms[i].text, (int)key.len, key.ptr, forms[i].key);
	}
}

static const struct form emails[] = {
	{"a@example.com", "a@example.com"},
	{"Jane.Doe+tag@Example.COM", "jane.doe+tag@example.com"},
	{"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
	{A60 "aaaa@example.com", A60 "aaaa@example.com"},
	{A60 "aaaaa@example.com", NULL},                                                                // 65 bytes
	{A60 "aaaa@" A63 "." A63 "." A50 "aaaaaaaaa.c", A60 "aaaa@" A63 "." A63 "." A50 "aaaaaaaaa.c"}, // 254 bytes
	{A60 "aaaa@" A63 "." A63 "." A60 ".c", NULL},                                                   // 255 bytes
	{"a@" A63 ".com", "a@" A63 ".com"},
	{"a@a" A63 ".com", NULL},
	{"a@b\xc3\xbc"
	 "cher.example",
	 "a@xn--bcher-kva.example"},
	{"a@B\xc3\x9c"
	 "CHER.example",
	 "a@xn--bcher-kva.example"},
	{"a@bu\xcc\x88"
	 "cher.example",
	 "a@xn--bcher-kva.example"}, // decomposed
	{"a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
	{"a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example"},
	{"a@xn--a.example", NULL},                        // no Punycode
	{"a@fa\xc3\x9f.example", "a@xn--fa-hia.example"}, // sharp s stays itself (nontransitional)
	{"a@\xef\xbd\x85xample\xe3\x80\x82"
	 "com",
	 "a@example.com"},                                // full-width letter, ideographic stop
	{"a@\xd0\xb5xample.com", "a@xn--xample-2of.com"}, // Cyrillic: another domain
	{"a@exa\xc2\xadmple.com", NULL},                  // soft hyphen
	{"a@exa\xe2\x80\x8bmple.com", NULL},              // zero width space
	{"a@ex_ample.org", NULL},
	{"a@exa$mple.org", NULL},
	{"a@\xc3\xa4x_ample.org", NULL},
	{"a@\xc3\xa4x ample.org", NULL},
	{"a@\xef\xbc\x9f"
	 "a.org",
	 NULL}, // full-width question mark
	{"a@localhost", NULL},
	{"a@127.0.0.1", NULL},
	{"a@example.1", NULL},
	{"a@[127.0.0.1]", NULL},
	{"a@example.com.", NULL},
	{"a@.example.com", NULL},
	{"a@example..com", NULL},
	{"a@-example.com", NULL},
	{"a@example-.com", NULL},
	{"a.@example.com", NULL},
	{".a@example.com", NULL},
	{"a..b@example.com", NULL},
	{"\"q q\"@example.com", NULL},
	{"a b@example.com", NULL},
	{"a(c)@example.com", NULL},
	{"\xc3\xbc@example.com", NULL},
	{"a@b@example.com", NULL},
	{"a\r\nBcc: b@example.com", NULL},
	{"a@example.com\n", NULL},
	{"a@exam\xffple.com", NULL},
	{"@example.com", NULL},
	{"a@", NULL},
	{"a", NULL},
	{"", NULL},
};

static const struct form phones[] = {
	{"+4930123456", "+4930123456"},
	{"+49 (30) 12-34.56", "+4930123456"},
	{"+1(555)123-4567", "+15551234567"},
	{"+123456789012345", "+123456789012345"},
	{"+1234567890123456", NULL},
	{"+12345678", "+12345678"},
	{"+1234567", NULL},
	{"+012345678", NULL},
	{"004930123456", NULL},
	{"030123456", NULL},
	{"+4930123456x", NULL},
	{"+ 4930123456", NULL},
	{"+4930123456-", NULL},
	{"+49\xd9\xa3\xd9\xa0"
	 "123456",
	 NULL}, // Arabic digits
	{"+4930\n123456", NULL},
	{"tel:+4930123456", NULL},
	{"+", NULL},
	{"", NULL},
};

static const struct form usernames[] = {
	{"jane", "jane"},
	{"Jane.Doe_99-x", "jane.doe_99-x"},
	{"\xef\xbc\xaa\xef\xbd\x81ne", "jane"}, // full-width
	{"\xf0\x9d\x90\x80"
	 "bc",
	 "abc"}, // bold A, folded only after NFKC
	{"\xe2\x84\xaa"
	 "elvin",
	 "kelvin"}, // Kelvin sign
	{"Stra\xc3\x9f"
	 "e",
	 "strasse"}, // full case folding
	{"Jos\xc3\xa9", "jos\xc3\xa9"},
	{"Jose\xcc\x81", "jos\xc3\xa9"},
	{"\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd", "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd"},
	{"\xe7\x94\xb0\xe4\xb8\xad\xe3\x81\x95\xe3\x82\x93",
	 "\xe7\x94\xb0\xe4\xb8\xad\xe3\x81\x95\xe3\x82\x93"}, // Han and Hiragana
	{"p\xd0\xb0ypal", NULL},                              // Cyrillic a among Latin
	{"\xe3\x81\x82\xed\x95\x9c\xea\xb5\xad", NULL},       // Hiragana and Hangul
	{"ab\xd9\xa1"
	 "1",
	 NULL}, // two kinds of digits
	{"ab", NULL},
	{"abc", "abc"},
	{A60 "aaaa", A60 "aaaa"},
	{A60 "aaaaa", NULL},
	{".abc", NULL},
	{"abc-", NULL},
	{"a b c", NULL},
	{"a@b.c", NULL},
	{"a/b", NULL},
	{"abc\xe2\x80\x8d", NULL}, // zero width joiner
	{"abc\xef\xb8\x8f", NULL}, // variation selector
	{"\xcc\x81"
	 "abc",
	 NULL},                        // a mark first
	{"abc\xf0\x9f\x98\x80", NULL}, // emoji
	{"abc\xe2\x80\xae"
	 "def",
	 NULL},                // turned around
	{"abc\xcd\xb8", NULL}, // not assigned
	{"ab\xff", NULL},
	{"", NULL},
};

static const struct form locales[] = {
	{"en", "en"},
	{"EN-gb", "en-GB"},
	{"zh-hant-tw", "zh-Hant-TW"},
	{"sr-LATN", "sr-Latn"},
	{"es-419", "es-419"},
	{"de-1996", "de-1996"},
	{"sl-rozaj-biske", "sl-rozaj-biske"},
	{"en-u-CA-gregory", "en-u-ca-gregory"},
	{"en-x-Private1", "en-x-private1"},
	{"zh-cmn-Hans", "zh-cmn-Hans"},
	{"en_GB", NULL},
	{"e", NULL},
	{"english", "english"}, // a registered language may have 5 to 8 letters
	{"engl", NULL},
	{"en-", NULL},
	{"en--gb", NULL},
	{"en-gb-hant", NULL},
	{"en-u", NULL},
	{"en-x", NULL},
	{"en-a-b-cc", NULL},
	{"x-private", NULL},
	{"en-\xc3\xa4", NULL},
	{"en\r\n", NULL},
	{"aa-bbb-ccc-ddd-eeee-ff-ggggg-hhhhh-i", NULL}, // 36 bytes
	{"*", NULL},
	{"", NULL},
};

static void test_email(void **state)
{
	(void)state;
	check("email", rules_email, emails, ARRAY_LEN(emails));
}

static void test_phone(void **state)
{
	(void)state;
	check("phone", rules_phone, phones, ARRAY_LEN(phones));
}

static void test_username(void **state)
{
	(void)state;
	check("username", rules_username, usernames, ARRAY_LEN(usernames));
}

static void test_locale(void **state)
{
	(void)state;
	check("locale", rules_locale, locales, ARRAY_LEN(locales));
}

// A key is its own key: what is stored can be looked up again.
static void test_keys_settle(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(emails); i++)
		if (emails[i].key)
			check("email", rules_email, &(struct form){emails[i].key, emails[i].key}, 1);
	for (size_t i = 0; i < ARRAY_LEN(usernames); i++)
		if (usernames[i].key)
			check("username", rules_username, &(struct form){usernames[i].key, usernames[i].key}, 1);
}

static void test_nul_inside(void **state)
{
	struct slice key;
	(void)state;
	assert_false(rules_email((struct slice){"a\0b@example.com", 15}, arena, &key));
	assert_false(rules_email((struct slice){"a@exa\0mple.com", 14}, arena, &key));
	assert_false(rules_email((struct slice){"a@ex\xc3\xa4\0mple.com", 15}, arena, &key));
	assert_false(rules_phone((struct slice){"+4930\0"
						"123456",
						12},
				 arena, &key));
	assert_false(rules_username((struct slice){"ab\0cd", 5}, arena, &key));
	assert_false(rules_locale((struct slice){"en\0gb", 5}, arena, &key));
}

static void test_date(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} dates[] = {
		{"1990-01-15", true},   {"2000-02-29", true},  {"1900-02-29", false}, {"2023-02-29", false}, {"1900-01-01", true},
		{"1899-12-31", false},  {"2023-11-14", true},  {"2023-11-15", false}, {"1990-1-15", false},  {"1990-13-01", false},
		{"1990-00-01", false},  {"1990-01-00", false}, {"1990-04-31", false}, {"1990/01/15", false}, {"+990-01-15", false},
		{"1990-01-15T", false}, {"", false},           {"01-15-1990", false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		if (rules_date(slice_of(dates[i].text), INT64_C(1700000000000)) != dates[i].valid)
			fail_msg("%s", dates[i].text);
}

static void test_trim(void **state)
{
	static const struct {
		const char *text, *trimmed;
	} texts[] = {
		{"a", "a"},
		{" a ", "a"},
		{"\t\r\n a b \n", "a b"},
		{"\xc2\xa0"
		 "a\xe3\x80\x80",
		 "a"},
		{"\xe2\x80\x8b", "\xe2\x80\x8b"},
		{"   ", ""},
		{"", ""},
		{"\xc3\xa4 ", "\xc3\xa4"},
		{" \xff ", "\xff"},
		{"a\x85", "a\x85"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!slice_equal_text(rules_trim(slice_of(texts[i].text)), texts[i].trimmed))
			fail_msg("\"%s\"", texts[i].text);
}

static int setup(void **state)
{
	(void)state;
	arena = arena_create(65536);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_email),  cmocka_unit_test(test_phone),       cmocka_unit_test(test_username),
		cmocka_unit_test(test_locale), cmocka_unit_test(test_keys_settle), cmocka_unit_test(test_nul_inside),
		cmocka_unit_test(test_date),   cmocka_unit_test(test_trim),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
