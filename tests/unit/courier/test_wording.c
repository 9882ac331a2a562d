// SPDX-License-Identifier: Apache-2.0
// The messages that ship, in their languages, and what is wrong with broken ones.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "courier/wording.h"
#include "enrolld/base/attr.h"
#include "enrolld/base/utf8.h"

static struct wordings *shipped;

static int load(void **state)
{
	(void)state;
	struct fault f;
	if (wordings_load(ENROLLD_SCHEMAS_DIR "/messages", &shipped, &f) == REASON_OK)
		return 0;
	print_error("%s\n", f.detail);
	return -1;
}

static int unload(void **state)
{
	(void)state;
	wordings_free(shipped);
	return 0;
}

static struct wording_text render(const char *kind, const char *locale, const struct wording_values *values)
{
	struct wording_text text = {0};
	const struct wording *w = wordings_find(shipped, slice_of(kind));
	assert_non_null(w);
	assert_int_equal(wording_render(w, slice_of(locale), "en", values, &text, NULL), REASON_OK);
	return text;
}

static struct wording_values values_full(void)
{
	return (struct wording_values){
		.brand = SLICE_LIT("Tickets & Co"),
		.name = SLICE_LIT("O'Neil"),
		.code = SLICE_LIT("012345"),
		.link = SLICE_LIT("https://example.com/v?a=1&token=abc"),
		.life_ms = 24 * 3600000,
	};
}

static void has(const struct strbuf *text, const char *part)
{
	if (!strstr(text->data, part))
		fail_msg("\"%s\" is not in:\n%s", part, text->data);
}

static void mail_in_english(void **state)
{
	(void)state;
	struct wording_values v = values_full();
	struct wording_text t = render("verify_email", "en-GB", &v);
	assert_string_equal(t.subject.data, "Confirm your e-mail address");
	assert_string_equal(
		t.text.data,
		"Hello O'Neil,\n\n"
		"someone, hopefully you, signed up for Tickets & Co with this address. Please confirm that it is yours.\n\n"
		"Your confirmation code:\n\n    012345\n\nOr open this link:\n\nhttps://example.com/v?a=1&token=abc\n\n"
		"Valid for 24 h. Please do not share the code with anyone.\n\n"
		"If it was not you, there is nothing to do: without the code the address stays unconfirmed.");
	has(&t.html, "<html lang=\"en\" dir=\"ltr\">");
	has(&t.html, ">012345</p>");
	has(&t.html, "href=\"https://example.com/v?a=1&amp;token=abc\"");
	has(&t.html, "Tickets &amp; Co");
	has(&t.html, "Hello O&#39;Neil,");
	wording_text_free(&t);
}

static void absent_values(void **state)
{
	(void)state;
	struct wording_values v = values_full();
	v.link = SLICE_ABSENT;
	v.name = SLICE_ABSENT;
	v.life_ms = 10 * 60000 - 1;
	struct wording_text t = render("verify_email", "en", &v);
	has(&t.text, "Hello,\n");
	has(&t.text, "    012345\n\nValid for 10 min.");
	assert_null(strstr(t.text.data, "link"));
	assert_null(strstr(t.html.data, "href"));
	wording_text_free(&t);
}

static void life_to_the_nearest_minute(void **state)
{
	(void)state;
	static const struct {
		int64_t life_ms;
		const char *said;
	} rows[] = {
		{24 * 3600000 - 400, "Valid for 24 h."},
		{3 * 3600000 - 60000, "Valid for 2 h."},
		{7170000, "Valid for 2 h."},
		{7169999, "Valid for 119 min."},
		{90000, "Valid for 2 min."},
		{89999, "Valid for 1 min."},
		{1, "Valid for 1 min."},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wording_values v = values_full();
		v.life_ms = rows[i].life_ms;
		struct wording_text t = render("verify_email", "en", &v);
		has(&t.text, rows[i].said);
		wording_text_free(&t);
	}
}

static void no_code_in_subjects(void **state)
{
	(void)state;
	static const char *const languages[] = {"en", "es", "ar"};
	for (size_t i = 0; i < ARRAY_LEN(languages); i++) {
		struct wording_values v = values_full();
		struct wording_text t = render("verify_email", languages[i], &v);
		assert_true(slice_equal_text(t.language, languages[i]));
		assert_null(strstr(t.subject.data, "012345"));
		assert_true(utf8_valid(strbuf_slice(&t.text)));
		has(&t.text, "012345");
		has(&t.html, "012345");
		has(&t.html, strcmp(languages[i], "ar") == 0 ? "dir=\"rtl\"" : "dir=\"ltr\"");
		assert_null(strstr(t.text.data, "{{"));
		assert_null(strstr(t.html.data, "{{"));
		wording_text_free(&t);
		t = render("verify_phone", languages[i], &v);
		has(&t.text, "012345");
		assert_null(strchr(t.text.data, '\n'));
		assert_int_equal(t.html.len, 0);
		wording_text_free(&t);
	}
}

static void nearest_language(void **state)
{
	(void)state;
	static const struct {
		const char *locale, *fallback, *language;
	} rows[] = {
		{"es-419", "en", "es"}, {"ES", "en", "es"},         {"ar-EG-u-nu-latn", "en", "ar"}, {"fr-CH", "es-ES", "es"},
		{"fr", "de", "en"},     {"", "ar", "ar"},           {"esperanto", "en", "en"},       {"-", "en", "en"},
		{"e", NULL, "en"},      {"zh-Hant-x-es", "", "en"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wording_values v = values_full();
		struct wording_text t = {0};
		const struct wording *w = wordings_find(shipped, SLICE_LIT("verify_email"));
		assert_int_equal(wording_render(w, slice_of(rows[i].locale), rows[i].fallback, &v, &t, NULL), REASON_OK);
		if (!slice_equal_text(t.language, rows[i].language))
			fail_msg("%s gave %.*s", rows[i].locale, (int)t.language.len, t.language.ptr);
		wording_text_free(&t);
	}
}

static void memory_is_used_again(void **state)
{
	(void)state;
	struct wording_values v = values_full();
	struct wording_text t = {0};
	const struct wording *w = wordings_find(shipped, SLICE_LIT("verify_email"));
	assert_int_equal(wording_render(w, SLICE_LIT("en"), "en", &v, &t, NULL), REASON_OK);
	w = wordings_find(shipped, SLICE_LIT("verify_phone"));
	assert_int_equal(wording_render(w, SLICE_LIT("en"), "en", &v, &t, NULL), REASON_OK);
	assert_int_equal(t.subject.len, 0);
	assert_int_equal(t.html.len, 0);
	assert_string_equal(t.text.data, "Tickets & Co: your code is 012345. Valid for 24 h. Do not share it.");
	wording_text_free(&t);
}

static void unknown_kind(void **state)
{
	(void)state;
	assert_null(wordings_find(shipped, SLICE_LIT("verify_emai")));
	assert_null(wordings_find(shipped, SLICE_LIT("../verify_email")));
}

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void remove_file(const char *dir, const char *name)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}

static void broken(const char *text_layout, const char *catalogue, const char *complaint)
{
	char dir[] = "/tmp/enrolld-wording-XXXXXX", kind[64];
	assert_non_null(mkdtemp(dir));
	(void)snprintf(kind, sizeof(kind), "%s/kind", dir);
	assert_int_equal(mkdir(kind, 0700), 0);
	if (text_layout)
		put_file(kind, "layout.txt", text_layout);
	if (catalogue)
		put_file(kind, "en.yaml", catalogue);
	struct wordings *w = NULL;
	struct fault f = {0};
	enum reason reason = wordings_load(dir, &w, &f);
	wordings_free(w);
	remove_file(kind, "layout.txt");
	remove_file(kind, "en.yaml");
	rmdir(kind);
	rmdir(dir);
	assert_int_equal(reason, complaint ? REASON_DIALECT_INVALID : REASON_OK);
	if (complaint && !strstr(f.detail, complaint))
		fail_msg("\"%s\" is not in \"%s\"", complaint, f.detail);
}

static void broken_files(void **state)
{
	(void)state;
	const char *good = "language: en\ndirection: ltr\nphrases:\n  hello: \"Hi {{name}}\"\n";
	broken("{{t.hello}} {{code}}", good, NULL);
	broken(NULL, good, "layout.txt");
	broken("{{t.hello}}", NULL, "no catalogue");
	broken("{{t.helo}}", good, "t.hello");
	broken("{{passwort}}", good, "passwort");
	broken("{{t.hello}}{{#link}}", good, "not closed");
	broken("{{t.hello}}", "language: en\ndirection: ltr\nphrases:\n  hello: \"{{nmae}}\"\n", "nmae");
	broken("{{t.hello}}", "language: en\ndirection: up\nphrases:\n  hello: x\n", "direction");
	broken("{{t.hello}}", "direction: ltr\nphrases:\n  hello: x\n", "language");
	broken("{{t.hello}}", "language: en\ndirection: ltr\nphrases:\n  hello: 5\n", "must be a text");
	broken("{{t.hello}}", "language: en\ndirection: ltr\nphrase:\n  hello: x\n", "phrase");
	broken("{{t.hello}}", "language: en\ndirection: ltr\n", "phrases");
	struct wordings *w = NULL;
	assert_int_equal(wordings_load("/nonexistent", &w, NULL), REASON_FILE_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_in_english),      cmocka_unit_test(absent_values),
		cmocka_unit_test(no_code_in_subjects),  cmocka_unit_test(nearest_language),
		cmocka_unit_test(memory_is_used_again), cmocka_unit_test(unknown_kind),
		cmocka_unit_test(broken_files),         cmocka_unit_test(life_to_the_nearest_minute),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
