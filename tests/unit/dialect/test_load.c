// SPDX-License-Identifier: Apache-2.0
// What is said of dialect files that are written wrongly: every error in one go, with its line and a remedy.
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ANSWERS "answers:\n  refused: {status: 400}\n  dead: {status: 500}\n  accepted: {status: 201}\n"
#define HEAD "format: 1\ndialect: broken\n" ANSWERS // 6 lines
#define ROUTES HEAD "routes:\n"                     // 7 lines
#define ROUTE ROUTES "  - {name: a, operation: sign_up, method: POST, path: /a}\n"
#define FIELDS ROUTES "  - name: a\n    operation: sign_up\n    method: POST\n    path: /a\n    fields:\n" // 12 lines
#define TOKENS HEAD "tokens: "
#define AFTER_TOKENS "routes:\n  - {name: a, operation: sign_up, method: POST, path: /a}\n"

static char folder[64];

static void write_file(const char *name, const char *text)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	char path[128];
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/enrolld-dialects-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/broken", folder);
	return mkdir(path, 0700);
}

static int teardown(void **state)
{
	char path[128];
	(void)state;
	(void)snprintf(path, sizeof(path), "%s/broken/dialect.yaml", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/broken", folder);
	(void)rmdir(path);
	return rmdir(folder);
}

// The report without the file's path.
static void load(const char *yaml, char *report, size_t size)
{
	static const char *const names[] = {"broken"};
	struct strbuf out = STRBUF_INIT(65536);
	struct dialect_set *set = NULL;
	struct fault f;
	char prefix[128];
	write_file("broken/dialect.yaml", yaml);
	enum reason reason = dialect_load(folder, names, 1, NULL, &out, &set, &f);
	assert_int_equal(reason == REASON_OK, out.len == 0);
	if (reason == REASON_OK)
		dialect_set_destroy(set);
	else
		assert_null(set);
	(void)snprintf(prefix, sizeof(prefix), "%s/broken/dialect.yaml:", folder);
	size_t used = 0;
	for (const char *line = out.data; line && *line; line = strchr(line, '\n') + 1) {
		size_t skip = strncmp(line, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
		used += (size_t)snprintf(report + used, size - used, "%.*s", (int)(strchr(line, '\n') + 1 - line - (int)skip),
					 line + skip);
	}
	report[used] = '\0';
	strbuf_free(&out);
}

static const struct {
	const char *yaml, *report;
} cases[] = {
	{ROUTE, ""},
	{ROUTE "  - {name: b, operation: verify, type: x.v1}\n", ""},
	{HEAD "codes: {a: {then: sign_up}}\nroutes:\n  - {name: a, operation: code_check, type: t, code: {purpose: a}, "
	      "fields: {c: {from: /c, map: code, secret: true, rules: [type: text]}, "
	      "i: {from: /i, map: challenge_id, rules: [uuid]}}}\n",
	 "9: a code that signs up is tried with its address: a field that maps to email or phone\n"},
	{TOKENS "{a: {jwt: {exp: '{{exp}}', jti: '{{jti}}', t: a}, life: 1h, use: access}, "
		"r: {jwt: {exp: '{{exp}}', jti: '{{jti}}', t: r}, life: 1d, use: refresh, reuse: allow}}\n" AFTER_TOKENS,
	 ""},
	{TOKENS "{a: {jwt: {exp: '{{exp}}', jti: '{{jti}}', t: '{{iat}}'}, life: 1h, use: access}, "
		"r: {jwt: {exp: '{{exp}}', jti: '{{jti}}', t: r}, life: 1d, use: refresh}}\n" AFTER_TOKENS,
	 "7: one could be shown as the other: give their payloads a member that tells, such as token_type: refresh\n"},
	{TOKENS
	 "{a: {jwt: {sub: a}, life: 1h, use: access, alg: none}, b: {alphabet: digits, length: 64, use: refresh, reuse: allow, rotation: false}, "
	 "c: {alphabet: hex, length: 47, life: 1h, use: access, grace: 1s}}\n" AFTER_TOKENS,
	 "7: alg \"none\" is not known; there are: HS256, EdDSA\n"
	 "7: a signed token of a session has jti: \"{{jti}}\", which names it, and exp: \"{{exp}}\"\n"
	 "7: a token of a session needs a life: life: 1h\n"
	 "7: an opaque token of a session has 48 to 256 characters, and letters among them\n"
	 "7: an opaque token of a session has 48 to 256 characters, and letters among them\n"
	 "7: grace is of a token with use: refresh\n"
	 "7: sessions have one token of each use\n"
	 "7: reuse: allow needs a token that is signed: nothing else tells an old one from a guess\n"},
	{TOKENS
	 "{r: {alphabet: hex, length: 64, life: 1d, longest: 1h, use: refresh, grace: 2m}}\nroutes:\n"
	 "  - {name: a, operation: refresh, type: t, fields: {t: {from: /t, map: refresh_token, secret: true, rules: [type: text]}}}\n"
	 "  - {name: b, operation: refresh, type: u, fields: {t: {from: /t}}, answers: {accepted: {status: 200, body: {t: '{{token.r}}'}}}}\n"
	 "  - {name: c, operation: sign_out, type: v, ends: some, fields: {t: {from: /t}}}\n"
	 "  - {name: d, operation: sign_out, type: w, ends: {field: u}, fields: {t: {from: /t, map: refresh_token, rules: [required]}}}\n"
	 "  - {name: e, operation: sign_in, type: x, ends: all, access: [{bearer: {header: a, token: r}}]}\n",
	 "7: grace is a duration like 90s, 1h or 7d, from 0 to 1m\n"
	 "7: longest, of the whole session, is shorter than the life of one token\n"
	 "9: the token is used once, so the answer must carry the next one: {{token.r}}\n"
	 "10: a session goes on by a field that maps to refresh_token\n"
	 "11: ends \"some\" is not known; there are: one, device, all\n"
	 "11: a sign-out is of a session: a field that maps to refresh_token, or access: [{bearer: {header: authorization, token: access}}]\n"
	 "12: t maps to refresh_token and so needs the rule \"type\": a token is a text\n"
	 "12: t maps to refresh_token: write \"secret: true\", so that it can never be shown\n"
	 "12: ends is one, device or all, or {field: a field of the route that says it}\n"
	 "13: token names the one under tokens that has use: access\n"
	 "13: ends says which sessions an operation sign_out ends\n"},
	{"format: 1\nformat: 2\n", "2:1: format: given twice, first in line 1\n"},
	{"[]", "1: the file is a map, not list\n"},
	{ROUTES "  - {name: a, operation: sign_up, method: POST, path: /a, verify: []}\n", ""},
	{ROUTES "  - {name: a, operation: sign_up, method: POST, path: /a, verify: [email, fax]}\n",
	 "8: verify \"fax\" is not known; there are: email, phone\n"},
	{"", "0: the file is a map, not null\n"},
	{"dialect: other\nroutez: []\n",
	 "2: in the file, the key \"routez\" is not known; did you mean \"routes\"?\n"
	 "1: the file does not say its format: write format: 1\n"
	 "1: the dialect is called \"other\" but its folder broken\n"
	 "1: answers needs \"refused\", which stands in for every reason that has no answer of its own\n"
	 "1: answers needs \"dead\", which stands in for every reason that has no answer of its own\n"
	 "1: routes is a list of one route or more; begin each with \"- name: ...\"\n"},
	{ROUTES "  - {operation: signup, path: /a}\n",
	 "8: a route needs a name, such as sign_up; it is kept with each request and must not change\n"
	 "8: operation \"signup\" is not known; did you mean \"sign_up\"?\n"
	 "8: method and path go together\n"},
	{ROUTES "  - {name: a, operation: sign_up}\n",
	 "8: a route is reached by method and path, by an event's type, or by both: write at least one\n"},
	{ROUTES "  - {name: a, operation: sign_up, method: post, path: 'a?b'}\n",
	 "8: a method is written in capitals, like POST\n"
	 "8: a path begins with / and has no query; a whole segment may be a parameter: /shops/{shop}/customers\n"},
	{ROUTE "  - {name: a, operation: verify, method: POST, path: /a}\n",
	 "9: two routes are called broken.a\n9: broken.a is reached the same way as broken.a\n"},
	{HEAD "texts: [a]\nbody: {media: 1, depth: 99, values: 0, unknown: ignore, null: drop}\n"
	      "routes:\n  - {name: a, operation: verify, type: t}\n",
	 "8: media is a text; write it in quotes if it looks like something else\n"
	 "8: depth is a whole number from 1 to 64\n"
	 "8: values is a whole number from 1 to 100000\n"
	 "8: unknown \"ignore\" is not known; there are: drop, refuse, refuse_each\n"
	 "8: null \"drop\" is not known; there are: value, missing\n"
	 "7: texts is a map from codes to sentences\n"},
	{"format: 1\ndialect: broken\nanswers:\n  refused: {body: {a: '{{reqest_id}}'}}\n  dead: {status: 99}\n  identity_takn: {status: 409}\n"
	 "  invalid: {like: nothing}\n  expired: {like: dead, status: 410, headers: {X-A: b, x-b: '{{nope}}'}}\nroutes:\n"
	 "  - {name: a, operation: verify, type: t}\n",
	 "4: an answer needs a status, such as 400\n"
	 "5: status is a whole number from 200 to 599\n"
	 "6: there is no outcome or reason \"identity_takn\"; did you mean \"identity_taken\"?\n"
	 "7: no answer \"nothing\" stands before this one\n"
	 "8: a header's name has a-z, 0-9 and -\n"
	 "4: there is no value \"reqest_id\" here; did you mean \"request_id\"?\n"
	 "8: there is no value \"nope\" here\n"},
	{FIELDS "      e: {from: email, map: emial, normalize: trim}\n",
	 "13: in a field, the key \"normalize\" is not known; did you mean \"normalise\"?\n"
	 "13: from is a JSON pointer, such as /email or /user/name; ~ is written ~0 in it\n"
	 "13: map \"emial\" is not known; did you mean \"email\"?\n"},
	{FIELDS "      e: {rules: [email]}\n", "13: the field e does not say where it comes from: write from: /e\n"},
	{FIELDS
	 "      e:\n        from: /e\n        rules:\n          - emial\n          - min_length: 3\n            code: x\n          - max_length: 9\n            code: x\n",
	 "16: unknown rule \"emial\"; did you mean \"email\"?\n"
	 "19: min_length and max_length both give the code \"x\" here but other texts or data; give one of them another code, or both the same (\"as\" is the code that answers show)\n"},
	{FIELDS "      e:\n        from: /e\n        rules: {email: yes}\n",
	 "15: rules is a list of at most 64 entries; begin each with \"- \"\n"},
	{FIELDS "      e:\n        from: /e\n        rules:\n          - min_length: 3\n            text: 'At least {{min}}.'\n",
	 "17: there is no value \"min\" here\n"},
	{FIELDS "      e: {from: /e, map: email}\n",
	 "13: e maps to email and so needs the rule \"email\": only an e-mail address has a key by which it is unique\n"
	 "13: e maps to email and so needs the rule \"unique\": it says how a taken one is answered\n"},
	{FIELDS "      p: {from: /p, map: password, normalise: trim, rules: [type: text, max_bytes: 2000]}\n",
	 "13: max_bytes of a password is at most 1024\n"
	 "13: p maps to password: write \"secret: true\", so that it can never be shown\n"},
	{FIELDS
	 "      p: {from: /u/p, secret: true}\n      again: {from: /again, rules: [same_as: p]}\n      u: {from: /u, keep: true}\n"
	 "      all: {from: '/*', map: attributes, rules: [type: object, object]}\n",
	 "16: a field of each item of a list (\"*\") has no map, keep or default\n"
	 "14: again must equal the secret p: write \"secret: true\" for it too\n"
	 "15: u holds a secret field, so that it has no map or keep\n"
	 "16: all holds a secret field, so that it has no map or keep\n"},
	{FIELDS
	 "      p: {from: /u/p, secret: true}\n      u: {from: /u}\n    answers: {accepted: {status: 200, body: '{{input.u}}'}}\n",
	 "15: \"input.u\" is a secret, or holds one, and is never shown\n"},
	{"format: 1\ndialect: broken\nanswers:\n  refused: {status: 400, text: a, html: b}\n  dead: {status: 500, text: 1}\nroutes:\n"
	 "  - {name: a, operation: verify, type: t, access: [key: {query: k, scheme: Basic, table: t, column: c}]}\n",
	 "4: an answer has one of body, text and html\n"
	 "5: text is a text; write it in quotes if it looks like something else\n"
	 "7: a key comes from a header, perhaps behind a scheme, or from the query\n"
	 "7: a key needs a table under tables and one of its columns: {header: x-key, table: keys, column: key}\n"},
	{FIELDS "      a: {from: /a, map: locale, rules: [locale]}\n      b: {from: /b, map: locale, rules: [locale]}\n",
	 "14: two fields map to locale\n"},
	{FIELDS "      a: {from: /a, rules: [unique]}\n", ""},
	{FIELDS "      a: {from: /a, map: given_name, rules: [max_length: 9, unique]}\n",
	 "13: unique is for fields that map to email, phone, username or nothing, and stand in the request once\n"},
	{FIELDS "      a: {from: /a, map: username, rules: [max_length: 9, unique]}\n",
	 "13: without the rule \"username\", unique must say which spellings are the same: unique: {as: exact}\n"},
	{FIELDS "      a: {from: /a}\n    rules:\n      - any_of: [a, b]\n      - email\n",
	 "15: \"b\" is not a field of this route\n"
	 "16: \"email\" is a rule for one field: put it under that field's rules\n"},
	{FIELDS "      a: {from: /a, rules: [min_length: {setting: lest}]}\n",
	 "13: there is no setting \"lest\" under settings\n"
	 "13: min_length is a whole number from 1 to 1048576\n"},
	{"format: 1\ndialect: broken\nsettings: {least: 3, unit: bytes}\n" ANSWERS
	 "routes:\n  - {name: a, operation: sign_up, method: POST, path: /a, fields: {a: {from: /a, rules: [min_length: {value: {setting: least}, unit: {setting: "
	 "unit}}]}}}\n",
	 ""},
	{FIELDS "      a: {from: /a, rules: [not_common: ../../etc/passwd]}\n",
	 "13: word list: a name has a-z, 0-9, - and _, without folder and .txt\n"},
	{"format: 1\ndialect: broken\nanswers: {refused: {status: 400}, dead: {status: 500}}\nroutes:\n"
	 "  - {name: a, operation: sign_up, method: POST, path: /a, fields: {a: {from: /a}}}\n",
	 "5: neither this route nor the dialect has an answer \"accepted\"\n"},
};

static void test_reports(void **state)
{
	int wrong = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char report[8192];
		load(cases[i].yaml, report, sizeof(report));
		if (strcmp(report, cases[i].report) != 0) {
			print_error("case %zu:\n%sinstead of\n%s", i, report, cases[i].report);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
}

static void test_names(void **state)
{
	static const char *const wrong[] = {"../native", "", "no such", "UPPER", "missing"};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct dialect_set *set = NULL;
		struct fault f;
		enum reason reason = dialect_load(folder, &wrong[i], 1, NULL, NULL, &set, &f);
		assert_int_equal(reason, strcmp(wrong[i], "missing") == 0 ? REASON_FILE_UNREADABLE : REASON_DIALECT_INVALID);
		assert_null(set);
	}
}

static void test_once(void **state)
{
	static const char *const names[] = {"native", "native", "native"};
	struct dialect_set *set;
	struct fault f;
	(void)state;
	assert_int_equal(dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", names, 3, NULL, NULL, &set, &f), REASON_OK);
	dialect_set_destroy(set);
	dialect_set_destroy(NULL);
}

static void test_more(void **state)
{
	static const char *const names[] = {"broken"};
	struct dialect_set *set;
	struct fault f;
	(void)state;
	write_file("broken/dialect.yaml", "dialect: broken\nformat: 7\nroutes: []\n" ANSWERS);
	assert_int_equal(dialect_load(folder, names, 1, NULL, NULL, &set, &f), REASON_DIALECT_INVALID);
	assert_non_null(strstr(f.detail, "dialect.yaml:2: this program reads format: 1 and no other (and 1 more)"));
}

// A damaged file must be told, whatever is missing from it.
static void test_every_front_of_the_native_file(void **state)
{
	char report[65536];
	static char text[32768];
	(void)state;
	FILE *file = fopen(ENROLLD_SCHEMAS_DIR "/dialects/native/dialect.yaml", "r");
	assert_non_null(file);
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	assert_true(len > 1000 && len < sizeof(text) - 1);
	(void)fclose(file);
	for (size_t cut = 0; cut < len; cut += 97) {
		char saved = text[len - cut];
		text[len - cut] = '\0';
		load(text, report, sizeof(report));
		assert_true(strlen(report) > 0); // the name of the folder at least
		text[len - cut] = saved;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_more),
		cmocka_unit_test(test_every_front_of_the_native_file),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
