// SPDX-License-Identifier: Apache-2.0
// What libraries of frontends decide: e-mail syntax, telephone numbers, slugs, keys, steps. The tables were checked against the libraries themselves.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/rules/rules.h"

static struct arena *arena;

#define LONG64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// D: Django, L: Laravel, J: validator.js, H: HTML
static const struct {
	const char *address;
	const char *accepted_by;
} addresses[] = {
	{"plus+tag@example.com", "DLJH"},
	{"user@localhost", "DLH"},
	{"user@[127.0.0.1]", "DL"},
	{"user@[::1]", "DL"},
	{"user@[1::2::3]", "L"},
	{"user@[300.0.0.1]", "L"},
	{"a@b\xc3\xbc"
	 "cher.example",
	 "DLJ"},
	{"a@b", "LH"},
	{"a@example.c", "LH"},
	{"a@b.c", "LH"},
	{"a@127.0.0.1", "LH"}, // Django's last label needs two characters
	{"a.@example.com", "H"},
	{".a@example.com", "H"},
	{"a..b@example.com", "H"},
	{"a@example.com.", ""},
	{"a@-example.com", ""},
	{"a@exa_mple.com", "L"},
	{"\xc3\xbc@example.com", "LJ"},
	{"\"q q\"@example.com", "LJ"},
	{"\"qq\"@example.com", "DLJ"},
	{"a b@example.com", ""},
	{"nope", ""},
	{"", ""},
	{"@example.com", ""},
	{"a@", ""},
	{"a@@example.com", ""},
	{"a\n@example.com", ""},
	{"a@example.com\n", ""},
	{LONG64 "@example.com", "DLJH"},
	{LONG64 "a@example.com", "DLH"},
	{"a@" LONG64 ".com", "L"},
	{"a@xn--bcher-kva.example", "DLJH"},
	{"a@example.xn--p1ai", "DLJH"},
	{"a@example.co1", "DLH"},
};

static void test_addresses(void **state)
{
	static const struct {
		char letter;
		enum email_syntax syntax;
	} libraries[] = {{'D', EMAIL_DJANGO}, {'L', EMAIL_LARAVEL}, {'J', EMAIL_VALIDATOR_JS}, {'H', EMAIL_HTML5}};
	int wrong = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		for (size_t j = 0; j < ARRAY_LEN(libraries); j++) {
			bool accepted = strchr(addresses[i].accepted_by, libraries[j].letter) != NULL;
			if (rules_email_syntax(slice_of(addresses[i].address), libraries[j].syntax, arena) == accepted)
				continue;
			print_error("%c: %s\n", libraries[j].letter, addresses[i].address);
			wrong++;
		}
	assert_int_equal(wrong, 0);
}

static const struct {
	const char *written;
	const char *e164, *region; // NULL: no number
} phones[] = {
	{"+201234567890", "+201234567890", "EG"},
	{" +20 (123) 456-7890 ", "+201234567890", "EG"},
	{"+2001234567890", "+201234567890", "EG"}, // national prefix left in
	{"\xef\xbc\x8b\xef\xbc\x92\xef\xbc\x90"
	 "1234567890",
	 "+201234567890", "EG"}, // full-width +20
	{"201234567890", NULL, NULL},
	{"+20123456", NULL, NULL},
	{"+20123456789012", NULL, NULL},
	{"+20123456789x", NULL, NULL},
	{"+20+1234567890", NULL, NULL},
	{"+966512345678", "+966512345678", "SA"},
	{"+966112345678", "+966112345678", "SA"},
	{"+966212345678", NULL, NULL},
	{"+971501234567", "+971501234567", "AE"},
	{"+919962794005", "+919962794005", "IN"},
	{"+9112", NULL, NULL},
	{"+91123", NULL, NULL},
	{"+16502530000", "+16502530000", "US"},
	{"+14165550123", "+14165550123", "CA"},
	{"+447911123456", "+447911123456", "GG"},
	{"+390236618300", "+390236618300", "IT"}, // a zero that belongs to it
	{"+442079460018", "+442079460018", "GB"},
	{"+80012345678", "+80012345678", "001"},
	{"+999123456789", NULL, NULL},
	{"+", NULL, NULL},
	{"", NULL, NULL},
};

static void test_phones(void **state)
{
	const struct numbering *numbering;
	struct fault f;
	int wrong = 0;
	(void)state;
	if (numbering_load(ENROLLD_SCHEMAS_DIR "/phones/numbering.tsv", arena, &numbering, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	for (size_t i = 0; i < ARRAY_LEN(phones); i++) {
		struct slice e164 = SLICE_ABSENT, region = SLICE_ABSENT;
		bool valid = numbering_read(numbering, slice_of(phones[i].written), arena, &e164, &region);
		if (valid == (phones[i].e164 != NULL) &&
		    (!valid || (slice_equal_text(e164, phones[i].e164) && slice_equal_text(region, phones[i].region))))
			continue;
		print_error("%s: %s %s\n", phones[i].written, valid ? e164.ptr : "no number", valid ? region.ptr : "");
		wrong++;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(numbering_load("/nowhere.tsv", arena, &numbering, &f), REASON_FILE_UNREADABLE);
	assert_int_equal(numbering_load(ENROLLD_SCHEMAS_DIR "/phones/README.md", arena, &numbering, &f), REASON_DIALECT_INVALID);
}

// As measured on django-autoslug 1.9.9.
static const struct {
	const char *text, *slug;
} slugs[] = {
	{"Jos\xc3\xa9 N\xc3\xba\xc3\xb1"
	 "ez",
	 "jose-nunez"},
	{"Anne-Marie O'Neil", "anne-marie-oneil"},
	{"A.J. Smith, Jr.", "aj-smith-jr"},
	{"Jean-Luc _Picard_", "jean-luc-_picard"},
	{"Stra\xc3\x9f"
	 "e \xc5\x81",
	 "strae"},
	{"\xe6\x9d\x8e \xe9\x9b\xb7", "customer"},
	{"John Doe 2", "john-doe-2"},
	{"  a - ! - b  ", "a-b"},
	{"", "customer"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, // 49, then "-"
	{LONG64, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
};

static void test_slugs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(slugs); i++) {
		struct slice slug = rules_slug(slice_of(slugs[i].text), SLICE_LIT("customer"), 50, arena);
		if (!slice_equal_text(slug, slugs[i].slug))
			fail_msg("%s: %.*s", slugs[i].text, (int)slug.len, slug.ptr);
	}
}

static void test_keys(void **state)
{
	static const struct {
		enum key_form form;
		const char *text, *key;
	} keys[] = {
		{KEY_EMAIL, "Jane@Example.COM", "jane@example.com"},
		{KEY_EMAIL, "User@LocalHost", "user@localhost"}, // not ours, but folded all the same
		{KEY_PHONE, "+49 30 123456", "+4930123456"},
		{KEY_USERNAME, "Jane", "jane"},
		{KEY_EXACT, "Jane ", "Jane "},
		{KEY_FOLDED,
		 "Stra\xc3\x9f"
		 "E",
		 "strasse"},
		{KEY_DOMAIN, "Jane@Example.COM", "Jane@example.com"},
		{KEY_DOMAIN, "Jane", "Jane"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct slice key = rules_key(slice_of(keys[i].text), keys[i].form, arena);
		if (!slice_equal_text(key, keys[i].key))
			fail_msg("%s as %s: %.*s", keys[i].text, key_form_name(keys[i].form), (int)key.len, key.ptr);
	}
}

static void test_steps(void **state)
{
	static const struct {
		const char *step, *text, *result;
	} steps[] = {
		{"trim",
		 " \xc2\xa0"
		 "a b\n",
		 "a b"},
		{"lower",
		 "\xc3\x84"
		 "BC",
		 "\xc3\xa4"
		 "bc"},
		{"upper",
		 "\xc3\xa4"
		 "bc",
		 "\xc3\x84"
		 "BC"},
		{"ucfirst", "van doe", "Van doe"},
		{"ucfirst", "", ""},
		{"ucwords", "van doe", "Van Doe"},
		{"digits", "+1 (23)", "123"},
		{"collapse", "a  b\t\nc", "a b c"},
		{"nfc", "e\xcc\x81", "\xc3\xa9"},
		{"nfkc", "\xef\xbd\x81", "a"},
		{"domain_lower", "Jane@Example.COM", "Jane@example.com"},
		{"domain_lower", "Jane", "Jane"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		const struct rules_step *step = rules_steps;
		struct strbuf out = STRBUF_INIT(256);
		while (step->name && strcmp(step->name, steps[i].step) != 0)
			step++;
		assert_non_null(step->name);
		step->apply(slice_of(steps[i].text), &out);
		if (!slice_equal_text(strbuf_slice(&out), steps[i].result))
			fail_msg("%s of %s: %s", steps[i].step, steps[i].text, strbuf_slice(&out).ptr);
		strbuf_free(&out);
	}
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
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_phones), cmocka_unit_test(test_slugs),
		cmocka_unit_test(test_keys),      cmocka_unit_test(test_steps),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
