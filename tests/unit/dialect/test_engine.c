// SPDX-License-Identifier: Apache-2.0
// The vocabulary beyond what the dialects that ship use, on tests/data/dialects/everything.
#include "case.h"

#include "dialect/dialect_private.h"
#include "dialect/reading.h"
#include "dialect/schema.h"

#define ROUTE "/shops/main/register"
#define KEYED "x-key: good\nauthorization: Bearer t"
#define GOOD "\"firstName\":\"jane\",\"password\":\"Secret1\",\"note\":\"abc\""
#define USER "\"user\":{\"email\":\"Jane@Example.com\"}"
#define BODY "{" USER "," GOOD "}"

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, TESTS_DATA_DIR "/dialects", "everything");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return 0;
}

#define ERRORS(status, message, sentences, errors, codes) \
	status " {\"message\":\"" message "\",\"sentences\":[" sentences "],\"errors\":{" errors "},\"joined\":\"" codes "\"}"

static const struct case_request rows[] = {
	{"no key", .body = BODY, .answer = "400 {\"error\":\"key_missing\",\"text\":\"The frontend's key is missing.\"}"},
	{"key that is not active", .headers = "x-key: old", .body = BODY,
	 .answer = "400 {\"error\":\"key_invalid\",\"text\":\"The frontend's key is unknown or not active.\"}"},
	{"no token", .headers = "x-key: good\nauthorization: Basic x", .body = BODY,
	 .answer = "400 {\"error\":\"unauthenticated\",\"text\":\"The bearer token is missing or not valid.\"}"},
	{"redirect", .headers = KEYED, .query = "redirect=1", .body = BODY, .answer = "303"},
	{"unknown members, each", .headers = KEYED, .body = "{" USER "," GOOD ",\"x\":1,\"address\":{\"city\":\"Ulm\",\"zip\":1}}",
	 .answer = ERRORS("422", "property x should not exist (and 1 more error)",
			  "\"x: property x should not exist\",\"zip: property zip should not exist\"",
			  "\"x\":[\"property x should not exist\"],\"address\":{\"zip\":[\"property zip should not exist\"]}",
			  "unknown_field, unknown_field")},
	{"missing by label", .headers = KEYED, .body = "{\"password\":\"Secret1\",\"note\":\"abc\"}",
	 .answer = ERRORS("422", "E-mail is missing. (and 1 more error)",
			  "\"E-mail: E-mail is missing.\",\"Given name: Given name is missing.\"",
			  "\"user\":{\"email\":[\"E-mail is missing.\"]},\"firstName\":[\"Given name is missing.\"]",
			  "required, required")},
	{"in German by query", .headers = KEYED, .query = "lang=de-AT",
	 .body = "{" USER ",\"password\":\"Secret1\",\"note\":\"abc\"}",
	 .answer = ERRORS("422", "Ein Fehler.", "\"Vorname: Vorname fehlt.\"", "\"firstName\":[\"Vorname fehlt.\"]", "required")},
	{"in Arabic by field, which wins", .headers = KEYED, .query = "lang=de", .body = "{\"lang\":\"ar\",\"password\":\"x\"}",
	 .answer = ERRORS(
		 "422", "f",
		 "\"E-mail: E-mail is missing.\",\"Given name: Given name is missing.\",\"note: note is missing.\",\"password: password needs 6\"",
		 "\"user\":{\"email\":[\"E-mail is missing.\"]},\"firstName\":[\"Given name is missing.\"],\"note\":[\"note is missing.\"],"
		 "\"password\":[\"password needs 6\"]",
		 "required, required, required, too_short")},
	{"a later stage", .headers = KEYED,
	 .body = "{" USER ",\"first_name\":\"jane\",\"password\":\"secret\",\"again\":\"other\",\"note\":\"abc\"}",
	 .answer = ERRORS("422", "This needs more kinds of characters. (and 1 more error)",
			  "\"password: This needs more kinds of characters.\",\"again: The two fields do not match.\"",
			  "\"password\":[\"This needs more kinds of characters.\"],\"again\":[\"The two fields do not match.\"]",
			  "too_simple, mismatch")},
	{"taken in the last stage", .headers = KEYED, .body = BODY, .taken = "email",
	 .answer = ERRORS("409", "An account with this e-mail, phone or user name exists.", "\"E-mail: This is already in use.\"",
			  "\"user\":{\"email\":[\"This is already in use.\"]}", "taken")},
	{"taken across fields", .headers = KEYED, .body = "{" USER "," GOOD ",\"nickName\":\"Ada\"}", .taken = "handle",
	 .answer = ERRORS("409", "An account with this e-mail, phone or user name exists.",
			  "\"E-mail: This is already in use.\",\"nickName: This is already in use.\"",
			  "\"user\":{\"email\":[\"This is already in use.\"]},\"nickName\":[\"This is already in use.\"]",
			  "login_taken, login_taken")},
	{"a failing stage hides what is taken", .headers = KEYED, .body = "{" USER ",\"password\":\"Secret1\",\"note\":\"abc\"}",
	 .taken = "email",
	 .answer = ERRORS("422", "Given name is missing.", "\"Given name: Given name is missing.\"",
			  "\"firstName\":[\"Given name is missing.\"]", "required")},
	{"items of lists", .headers = KEYED,
	 .body = "{" USER "," GOOD ",\"tags\":[\"ok\",\"x\",3],\"lines\":[{\"sku\":\"1\"},{},{\"sku\":\"a\"}]}",
	 .answer = ERRORS(
		 "422", "1 needs 2 (and 3 more errors)",
		 "\"1: 1 needs 2\",\"2: This field has the wrong type; it must be: text.\",\"sku: sku is missing.\",\"sku: This does not have the expected form.\"",
		 "\"tags\":{\"1\":[\"1 needs 2\"],\"2\":[\"This field has the wrong type; it must be: text.\"]},\"lines\":{\"1\":{\"sku\":[\"sku is "
		 "missing.\"]},\"2\":{\"sku\":[\"This does not have the expected form.\"]}}",
		 "too_short, invalid_type, required, invalid_format")},
	{"inside what is missing or wrong nothing is asked", .headers = KEYED, .body = "{" USER "," GOOD ",\"address\":\"x\"}",
	 .answer = ERRORS("422", "This field has the wrong type; it must be: object.",
			  "\"address: This field has the wrong type; it must be: object.\"",
			  "\"address\":[\"This field has the wrong type; it must be: object.\"]", "invalid_type")},
	{"inside what is there", .headers = KEYED, .body = "{" USER "," GOOD ",\"address\":{}}",
	 .answer = ERRORS("422", "city is missing.", "\"city: city is missing.\"", "\"address\":{\"city\":[\"city is missing.\"]}",
			  "required")},
	{"a row that is not active", .headers = KEYED, .body = "{" USER "," GOOD ",\"plan\":\"old\"}",
	 .answer = ERRORS("422", "This is not known here.", "\"plan: This is not known here.\"",
			  "\"plan\":[\"This is not known here.\"]", "not_found")},
	{"only under a condition", .headers = KEYED, .body = "{" USER "," GOOD ",\"company\":\"ACME\"}",
	 .answer = ERRORS("422", "vat is missing.", "\"vat: vat is missing.\"", "\"vat\":[\"vat is missing.\"]", "required")},
	{"blank is asked of presence only", .headers = KEYED,
	 .body = "{" USER ",\"firstName\":\"j\",\"password\":\"Secret1\",\"note\":\" \"}",
	 .answer = ERRORS("422", "note is missing.", "\"note: note is missing.\"", "\"note\":[\"note is missing.\"]", "required")},
	{"path parameter", .path = "/shops/A1/register", .headers = KEYED, .body = BODY,
	 .answer = ERRORS("422", "This does not have the expected form.", "\"shop: This does not have the expected form.\"",
			  "\"path/shop\":[\"This does not have the expected form.\"]", "invalid_format")},
	{"query that is no UTF-8", .headers = KEYED, .query = "ref=%ff", .body = BODY,
	 .answer = "400 {\"error\":\"invalid_utf8\",\"text\":\"The body is not valid UTF-8.\"}"},
	{"the fixed path wins for its method only", .method = "GET", .answer = "200"},
	{"no such path", .path = "/shops/a/b/register", .answer = "404"},
	{"all in reverse", .path = "/reversed", .body = "{\"mobile\":{\"number\":1}}",
	 .answer =
		 "400 {\"password\":[\"invalid_type\",\"too_long\",\"too_short\"],\"mobile.number\":[\"invalid_type\",\"long\",\"too_short\"]}"},
	{"too short only", .path = "/reversed", .body = "{\"mobile\":{\"number\":\"1\"},\"password\":\"Secret1\"}",
	 .answer = "400 {\"mobile.number\":[\"too_short\"]}"},
	{"root", .path = "/reversed", .body = "[]", .answer = "400 {\"top\":[\"invalid_type\"]}"},
	{"the first only", .path = "/first", .body = "{\"x\":1}", .answer = "400 {\"error\":\"a is missing.\",\"count\":1}"},
	{"no body is an object", .path = "/first", .type = "", .answer = "400 {\"error\":\"a is missing.\",\"count\":1}"},
	{"one for all unknown", .path = "/first", .body = "{\"a\":\"x\",\"b\":1,\"evil\":1,\"worse\":2}",
	 .answer = "400 {\"error\":\"property  should not exist\",\"count\":1}"},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, ROUTE, rows, ARRAY_LEN(rows));
}

static void test_accepted(void **state)
{
	static const struct case_request row = {
		.path = ROUTE,
		.query = "include=all&ref=a%20b",
		.headers = KEYED "\nx-device: phone",
		.body = "{\"email\":\" Ada@Example.com \",\"first_name\":\"ada\",\"password\":\"Secret1\",\"note\":\"abc\",\"age\":\" 20 \",\"news\":\"on\","
			"\"tags\":\"one\",\"address\":{\"city\":\"Ulm\"},\"plan\":\"pro\"}"};
	(void)state;
	const char *answer = case_exchange(&c, &row);
	assert_memory_equal(
		answer,
		"201 {\"data\":{\"type\":\"users\",\"id\":\"7\",\"attributes\":{\"city\":\"Ulm\",\"labels\":[\"one\"],\"news\":true},\"price\":900,\"plan\":"
		"\"pro\",\"name\":\"Ada of MAIN\",\"tags\":[\"one\"],\"device\":\"phone\",\"more\":{\"path\":\"main\",\"key\":\"web\"}},\"session\":\"",
		218);
	assert_int_equal(strlen(strstr(answer, "session\":\"") + 10), 32 + 2);
	const struct registration *r = &c.registration;
	assert_int_equal(r->claim_count, 2);
	assert_true(slice_equal_text(r->claims[0].value, "ada@example.com"));
	assert_int_equal(r->claims[1].kind, CLAIM_HANDLE);
	assert_true(slice_equal_text(r->claims[1].value, "login:ada@example.com"));
	assert_false(r->unique_anyway && r->violation_count);
	assert_int_equal(r->bearer_digest.len, 32);
	assert_int_equal(r->limit_count, 2);
	assert_int_equal(r->limits[0].allowed, 5);
	assert_int_equal(r->limits[1].kind, LIMIT_SLIDING);
	assert_string_equal(case_header(&c, "content-language"), "en");
	assert_string_equal(case_header(&c, "x-ratelimit-limit"), ""); // nobody has counted
}

// Where no rule is about it, a NUL ends the request; the database is never asked for a name that has one.
static void test_nul(void **state)
{
	static const struct case_request asked[] = {
		{.path = ROUTE, .headers = KEYED, .body = "{" USER "," GOOD ",\"nickName\":\"A\\u0000\"}"},
		{.path = ROUTE, .headers = KEYED, .body = "{\"password\":\"Secret1\",\"nickName\":\"A\\u0000\"}"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		(void)case_exchange(&c, &asked[i]);
		assert_int_equal(c.receipt.reason, i == 0 ? REASON_TEXT_NUL : REASON_INVALID);
		for (size_t n = 0; n < c.registration.claim_count; n++)
			assert_null(memchr(c.registration.claims[n].value.ptr, '\0', c.registration.claims[n].value.len));
	}
}

static void test_redirect_and_limit_headers(void **state)
{
	static const struct case_request row = {.path = ROUTE,
						.query = "redirect",
						.headers = KEYED,
						.body = "{" USER ",\"firstName\":\"J\\u00e4\\r\\nX\",\"password\":"
							"\"Secret1\",\"note\":\"abc\"}"};
	struct answer answer;
	(void)state;
	(void)case_exchange(&c, &row);
	assert_string_equal(case_header(&c, "location"), "/hello?name=J%C3%A4%0D%0AX");
	c.receipt.limits[0] = (struct limit_summary){SLICE_LIT("key"), 5, 2, NOW_MS + 1000, false};
	c.receipt.limit_count = 1;
	dialect_answer(c.dialect, c.route, &c.request, &c.registration, &c.receipt, c.arena, &answer);
	c.answer = answer;
	assert_string_equal(case_header(&c, "x-ratelimit-limit"), "5");
	assert_string_equal(case_header(&c, "x-ratelimit-remaining"), "2");
}

static void test_forms(void **state)
{
	static const struct {
		const char *form, *json;
	} forms[] = {
		{"a=1&b=x+y&c=%C3%A9", "{\"a\":\"1\",\"b\":\"x y\",\"c\":\"\xc3\xa9\"}"},
		{"user[address][city]=Ulm&user[name]=J", "{\"user\":{\"address\":{\"city\":\"Ulm\"},\"name\":\"J\"}}"},
		{"t[]=a&t[]=b", "{\"t\":[\"a\",\"b\"]}"},
		{"t[0]=a&t[1]=b", "{\"t\":[\"a\",\"b\"]}"},
		{"l[0][sku]=1&l[1][sku]=2", "{\"l\":[{\"sku\":\"1\"},{\"sku\":\"2\"}]}"},
		{"a=1&a=2", "{\"a\":\"2\"}"},
		{"a[=1&b]=2", "{\"a[\":\"1\",\"b]\":\"2\"}"},
		{"a[b]c=1", "{\"a\":{\"b\":\"1\"}}"},
		{"a=1&a[b]=2", "{\"a\":{\"b\":\"2\"}}"},
		{"a", "{\"a\":\"\"}"},
		{"&&=x&", "{}"},
		{"", "{}"},
		{"a=%zz%4", "{\"a\":\"%zz%4\"}"},
	};
	struct body body = {.limits = {1 << 20, 8, 100, false}};
	const struct node *root;
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct strbuf out = STRBUF_INIT(1024);
		struct json_writer w;
		assert_int_equal(form_parse(&body, slice_of(forms[i].form), c.arena, &root, &c.fault), REASON_OK);
		json_begin(&w, &out);
		json_node(&w, root);
		if (!slice_equal_text(strbuf_slice(&out), forms[i].json))
			fail_msg("%s: %s", forms[i].form, out.data);
		strbuf_free(&out);
	}
	assert_int_equal(form_parse(&body, SLICE_LIT("a=%ff"), c.arena, &root, &c.fault), REASON_TEXT_INVALID_UTF8);
	assert_int_equal(form_parse(&body, SLICE_LIT("a%00=1"), c.arena, &root, &c.fault), REASON_TEXT_NUL);
	assert_int_equal(form_parse(&body, SLICE_LIT("a[a][a][a][a][a][a][a][a]=1"), c.arena, &root, &c.fault),
			 REASON_JSON_TOO_DEEP);
	body.limits.nodes = 2;
	assert_int_equal(form_parse(&body, SLICE_LIT("a=1&b=1&c=1"), c.arena, &root, &c.fault), REASON_RECORD_TOO_LARGE);
}

static void test_settings(void **state)
{
	static const struct setting_pair closed[] = {{"registration", "closed"}, {"brand", "Kiosk"}};
	static const struct setting_pair unknown[] = {{"regstration", "closed"}};
	struct dialect_conf conf = {"everything", {closed, 2}};
	const struct dialect_options options = {.confs = &conf, .conf_count = 1, .keys = c.keys};
	static const struct case_request row = {.path = ROUTE, .headers = KEYED, .body = BODY};
	struct dialect_set *open = c.set;
	(void)state;
	assert_int_equal(dialect_load(TESTS_DATA_DIR "/dialects", &c.name, 1, &options, NULL, &c.set, &c.fault), REASON_OK);
	assert_string_equal(case_exchange(&c, &row), "403 {\"error\":\"Kiosk is closed\"}");
	dialect_set_destroy(c.set);
	c.set = open;
	conf.values = (struct setting_map){unknown, 1};
	assert_int_equal(dialect_load(TESTS_DATA_DIR "/dialects", &c.name, 1, &options, NULL, &c.set, &c.fault),
			 REASON_DIALECT_INVALID);
	assert_non_null(strstr(c.fault.detail, "dialects.everything.values names \"regstration\""));
}

// Each was seen in Python 3.11.
static void test_python_errors(void **state)
{
	static const struct {
		const char *text, *message; // NULL: no error
	} errors[] = {
		{"", "Expecting value: line 1 column 1 (char 0)"},
		{"{\"a\":", "Expecting value: line 1 column 6 (char 5)"},
		{"{a}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"},
		{"[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"},
		{"\"abc", "Unterminated string starting at: line 1 column 1 (char 0)"},
		{"{\"a\":\"b\nc\"}", "Invalid control character at: line 1 column 8 (char 7)"},
		{"\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"},
		{"{} x", "Extra data: line 1 column 4 (char 3)"},
		{"[1,]", "Expecting value: line 1 column 4 (char 3)"},
		{"{\"a\":1,}", "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"},
		{"{\"\xc3\xa9\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"},
		{"[\n1,\nx]", "Expecting value: line 3 column 1 (char 5)"},
		{"01", "Extra data: line 1 column 2 (char 1)"},
		{"{\"a\":1e5,\"b\":[true,null]}", NULL},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct json_place place;
		struct slice said = python_json_error(slice_of(errors[i].text), &place)
					    ? arena_printf(c.arena, "%s: line %zu column %zu (char %zu)", place.message, place.line,
							   place.column, place.position)
					    : SLICE_ABSENT;
		if (errors[i].message ? !slice_equal_text(said, errors[i].message) : !slice_is_absent(said))
			fail_msg("%s: %s", errors[i].text, said.ptr ? said.ptr : "nothing");
	}
}

static void test_schema_patterns(void **state)
{
	static const struct {
		const char *pcre, *said; // NULL: it cannot be said
	} patterns[] = {
		{"^[a-z]+$", "^[a-z]+$(?!\\n)"},
		{"^\\d{3}\\.x$", "^[0-9]{3}\\.x$(?!\\n)"},
		{"[\\w.@+-]", "[A-Za-z0-9_.@+-]"},
		{"a.b", "a[^\\n]b"},
		{"\\p{L}", NULL},
		{"(?i)a", NULL},
		{"(?:a|b)", "(?:a|b)"},
		{"a++", NULL},
		{"[[:alpha:]]", NULL},
		{"\\bx", NULL},
		{"(?=a)", NULL},
		{"[^\\s]", "[^\\t\\n\\x0b\\f\\r ]"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct slice said = schema_pattern(slice_of(patterns[i].pcre), c.arena);
		if (patterns[i].said ? !slice_equal_text(said, patterns[i].said) : !slice_is_absent(said))
			fail_msg("%s: %.*s", patterns[i].pcre, (int)said.len, said.ptr ? said.ptr : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),         cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_nul),           cmocka_unit_test(test_redirect_and_limit_headers),
		cmocka_unit_test(test_forms),         cmocka_unit_test(test_settings),
		cmocka_unit_test(test_python_errors), cmocka_unit_test(test_schema_patterns),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
