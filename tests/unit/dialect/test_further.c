// SPDX-License-Identifier: Apache-2.0
// Forms of answers and of access, on tests/data/dialects/further.
#include "case.h"

#include <stdio.h>

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, TESTS_DATA_DIR "/dialects", "further");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return 0;
}

#define ROUTE "/en/register"
#define USER "\"user\":{\"name\":\"Ada L\",\"password\":\"longenough\"}"
#define ITEM(type, loc, msg, input, got) \
	"{\"type\":\"" type "\",\"loc\":[" loc "],\"msg\":\"" msg "\",\"input\":" input ",\"got\":\"" got "\"}"

static const struct case_request rows[] = {
	{"text", .body = "{" USER "}", .answer = "201 hello Ada L"},
	{"text of a reason", .type = "text/plain", .body = "x",
	 .answer = "400 The content type is not accepted here. <unsupported_media_type>\n"},
	{"html, chosen by what failed, its values escaped", .body = "{" USER ",\"note\":\"<b>&'\\\"\"}",
	 .answer = "400 <p>at most 5: &lt;b&gt;&amp;&#39;&quot; &amp; a%2Fb</p>"},
	{"where it cannot be read", .body = "{\"a\":\n x}",
	 .answer = "422 {\"loc\":[\"body\",7],\"msg\":\"Expecting value\",\"at\":\"2:2\"}"},
	{"what is missing, in the path's language", .path = "/fr/register", .body = "{}",
	 .answer = "422 {\"detail\":[" ITEM("required", "\"body\",\"user\"", "user manque", "null",
					    "undefined") "],\"names\":\"user user\"}"},
	{"a secret with its data", .body = "{\"user\":{\"name\":\"A\",\"password\":\"short\"}}",
	 .answer =
		 "422 {\"detail\":[{\"type\":\"string_too_short\",\"loc\":[\"body\",\"user\",\"password\"],\"msg\":\"This is too short: at least 8 characters "
		 "are needed.\",\"input\":null,\"got\":\"string\",\"ctx\":{\"min_length\":8},\"url\":\"https://example.com/e/short\"}],\"names\":\"user.password "
		 "user[password]\"}"},
	{"what holds a secret is not shown", .body = "{\"user\":[\"secret\"]}",
	 .answer = "422 {\"detail\":[" ITEM("invalid_type", "\"body\",\"user\"",
					    "This field has the wrong type; it must be: object.", "null",
					    "array") "],\"names\":\"user user\"}"},
	{"unknown ones first, items of lists, members of objects, queries", .query = "ref=long",
	 .body = "{" USER ",\"lines\":[{}],\"x\":1,\"meta\":{\"a/b\":1,\"c\":\"long\"}}",
	 .answer =
		 "422 {\"detail\":["
		 "{\"type\":\"unknown_field\",\"loc\":[\"body\",\"x\"],\"msg\":\"Unknown parameter: x\",\"input\":null,\"got\":null}," ITEM(
			 "too_long", "\"query\",\"ref\"", "at most 3", "\"long\"",
			 "string") "," ITEM("required", "\"body\",\"lines\",0,\"sku\"", "This field is required.", "null",
					    "undefined") "," ITEM("invalid_type", "\"body\",\"meta\",\"a/b\"",
								  "This field has the wrong type; it must be: text.", "1",
								  "integer") "," ITEM("too_long", "\"body\",\"meta\",\"c\"",
										      "at most 3", "\"long\"",
										      "string") "],\"names\":\"x x, ref ref, lines[0].sku lines[0][sku], meta.a/b meta[a/b], meta.c meta[c]\"}"},
	{"user and secret", .path = "/basic", .headers = "authorization: basic Y2s6Y3M=", .body = "{\"a\":1}",
	 .answer = "200 {\"key\":\"basic\"}"},
	{"no base64", .path = "/basic", .headers = "authorization: Basic ck:cs", .body = "{\"a\":1}",
	 .answer = "400 The frontend's key is missing. <key_missing>\n"},
	{"another scheme", .path = "/basic", .headers = "authorization: Bearer Y2s6Y3M=", .body = "{\"a\":1}",
	 .answer = "400 The frontend's key is missing. <key_missing>\n"},
	{"unknown ones hide the rest", .path = "/basic", .headers = "authorization: Basic Y2s6Y3M=", .body = "{\"b\":1}",
	 .answer = "422 {\"detail\":[{\"type\":\"unknown_field\",\"loc\":[\"body\",\"b\"],\"msg\":\"Unknown parameter: "
		   "b\",\"input\":null,\"got\":null}],\"names\":\"b b\"}"},
	{"key in the query", .path = "/v1/accounts:signUp", .query = "key=AIza", .body = "{\"a\":\"<i>\"}",
	 .answer = "200 <b>query &lt;i&gt;</b>"},
	{"no key in the query", .path = "/v1/accounts:signUp", .query = "k=AIza", .body = "{}",
	 .answer = "400 The frontend's key is missing. <key_missing>\n"},
	{"wrong key in the query", .path = "/v1/accounts:signUp", .query = "key=aiza", .body = "{}",
	 .answer = "400 The frontend's key is unknown or not active. <key_invalid>\n"},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, ROUTE, rows, ARRAY_LEN(rows));
}

static void test_headers(void **state)
{
	static const struct case_request good = {.path = ROUTE, .body = "{" USER "}"}, bad = {.path = ROUTE, .body = "{}"};
	static const char *const expected[][2] = {{"set-cookie", "a=1; Path=/"},
						  {"set-cookie", "b=Ada%20L; Path=/"},
						  {"x-request-id", "own"},
						  {"content-type", "text/plain; charset=utf-8"}};
	char id[40];
	(void)state;
	(void)case_exchange(&c, &good);
	assert_int_equal(c.answer.header_count, ARRAY_LEN(expected));
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		assert_true(slice_equal_text(c.answer.headers[i].name, expected[i][0]));
		assert_true(slice_equal_text(c.answer.headers[i].value, expected[i][1]));
	}
	(void)case_exchange(&c, &bad);
	(void)snprintf(id, sizeof(id), "%s", case_header(&c, "x-request-id"));
	assert_int_equal(strlen(id), 32);
	(void)case_exchange(&c, &bad); // the same request again
	assert_string_equal(case_header(&c, "x-request-id"), id);
	c.request.request_id = SLICE_LIT("id-2");
	dialect_answer(c.dialect, c.route, &c.request, &c.registration, &c.receipt, c.arena, &c.answer);
	assert_string_not_equal(case_header(&c, "x-request-id"), id);
}

// An opaque token of a session, alone and behind the number that people know it by.
static void test_opaque(void **state)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const struct session_seed seed = {{{7}}, 1, 0};
	static const struct {
		const char *before;
		int characters;
		const char *after;
		bool ours;
	} forms[] = {
		{"Bearer ", 48, "", true},    {"Bearer 17|", 48, "", true}, {"bearer  17|", 48, " ", true},
		{"Bearer x", 0, "", false},   {"Bearer ", 47, "", false},   {"Bearer ", 48, "x", false},
		{"Bearer 17|", 0, "", false}, {"Bearer ", 48, "|", false},
	};
	char token[SESSION_TOKEN_MAX + 1], header[160];
	uint8_t digest[DIGEST_SIZE];
	(void)state;
	session_token(c.keys, "token.further.personal", SLICE_LIT("default"), &seed, letters, 48, token);
	session_name_digest(c.keys, "further", SLICE_LIT("default"), &seed, digest);
	const struct session_use *use = &c.registration.session;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		(void)snprintf(header, sizeof(header), "authorization: %s%.*s%s", forms[i].before, forms[i].characters, token,
			       forms[i].after);
		(void)case_exchange(&c, &(struct case_request){.path = "/leave", .headers = header});
		assert_int_equal(c.receipt.reason, forms[i].ours ? REASON_OK : REASON_TOKEN_INVALID);
		if (!forms[i].ours)
			continue;
		assert_int_equal(c.answer.status, 204);
		assert_true(use->access && use->digest_count == 1 && use->expires_ms == 0 && use->scope == SESSION_ALL);
		assert_memory_equal(use->digests[0], digest, DIGEST_SIZE);
		assert_memory_equal(use->token.ptr, token, 48);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_opaque),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
