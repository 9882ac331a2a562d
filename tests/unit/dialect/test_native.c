// SPDX-License-Identifier: Apache-2.0
// The native dialect as shipped: what sign-ups it takes, and in which words it refuses.
#include "case.h"

#define GOOD "blue heron over the lake"
#define LONG64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, ENROLLD_SCHEMAS_DIR "/dialects", "native");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return 0;
}

static const struct {
	const char *name;
	const char *body;
	enum reason reason;
	const char *violations;
} bodies[] = {
	{"e-mail and password", "{\"email\":\"a@example.com\",\"password\":\"" GOOD "\"}", REASON_OK, ""},
	{"phone and password", "{\"phone\":\"+49 30 1234567\",\"password\":\"" GOOD "\"}", REASON_OK, ""},
	{"user name and password", "{\"username\":\"Jos\\u00e9.1\",\"password\":\"" GOOD "\"}", REASON_OK, ""},
	{"all fields",
	 "{\"email\":\"a@example.com\",\"phone\":\"+4930123456\",\"username\":\"heinz\",\"password\":\"" GOOD
	 "\",\"given_name\":\"Heinz\","
	 "\"family_name\":\"M\\u00fcller\",\"display_name\":\"Heinz M.\",\"birth_date\":\"1990-02-28\",\"locale\":\"de-de\","
	 "\"attributes\":{\"b\":1,\"a\":[true,null,\"x\"]}}",
	 REASON_OK, ""},
	{"nulls are missing",
	 "{\"email\":\"a@example.com\",\"phone\":null,\"locale\":null,\"attributes\":null,\"password\":\"" GOOD "\"}", REASON_OK,
	 ""},
	{"empty texts are missing", "{\"email\":\"a@example.com\",\"phone\":\"\",\"given_name\":\"  \",\"password\":\"" GOOD "\"}",
	 REASON_OK, ""},
	{"unknown members are dropped", "{\"email\":\"a@example.com\",\"password\":\"" GOOD "\",\"is_admin\":true}", REASON_OK, ""},
	{"nothing", "{}", REASON_INVALID, ":identity_required /password:required"},
	{"no identity", "{\"password\":\"" GOOD "\"}", REASON_INVALID, ":identity_required"},
	{"no password", "{\"email\":\"a@example.com\"}", REASON_INVALID, "/password:required"},
	{"null password", "{\"email\":\"a@example.com\",\"password\":null}", REASON_INVALID, "/password:required"},
	{"empty password", "{\"email\":\"a@example.com\",\"password\":\"\"}", REASON_INVALID, "/password:too_short"},
	{"password as number", "{\"email\":\"a@example.com\",\"password\":123456789012345678}", REASON_INVALID,
	 "/password:invalid_type"},
	{"14 code points",
	 "{\"email\":\"a@example.com\",\"password\":\"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9abcdefg\"}", REASON_INVALID,
	 "/password:too_short"},
	{"15 code points",
	 "{\"email\":\"a@example.com\",\"password\":\"\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9\\u00e9abcdefgh\"}", REASON_OK, ""},
	{"256 bytes", "{\"email\":\"a@example.com\",\"password\":\"" LONG64 LONG64 LONG64 LONG64 "\"}", REASON_OK, ""},
	{"257 bytes are refused, not cut", "{\"email\":\"a@example.com\",\"password\":\"" LONG64 LONG64 LONG64 LONG64 "x\"}",
	 REASON_INVALID, "/password:too_long"},
	{"spaces count", "{\"email\":\"a@example.com\",\"password\":\"   ab   cd   ef\"}", REASON_OK, ""},
	{"common, whatever the case", "{\"email\":\"a@example.com\",\"password\":\"CorrectHorseBatteryStaple\"}", REASON_INVALID,
	 "/password:too_common"},
	{"short and common", "{\"email\":\"a@example.com\",\"password\":\"PassWord\"}", REASON_INVALID,
	 "/password:too_short /password:too_common"},
	{"the address as password", "{\"email\":\"Jane.Doe@example.com\",\"password\":\"jane.doe@EXAMPLE.com\"}", REASON_INVALID,
	 "/password:similar_to_identity"},
	{"the name and little more", "{\"email\":\"a@example.com\",\"given_name\":\"Maximilian\",\"password\":\"maximilian12345\"}",
	 REASON_INVALID, "/password:similar_to_identity"},
	{"the password stands before the name",
	 "{\"password\":\"maximilian12345\",\"email\":\"a@example.com\",\"given_name\":\"Maximilian\"}", REASON_INVALID,
	 "/password:similar_to_identity"},
	{"the service's name", "{\"email\":\"a@example.com\",\"password\":\"enrolldenrolldenrolld\"}", REASON_INVALID,
	 "/password:similar_to_identity"},
	{"the name in a long sentence",
	 "{\"email\":\"a@example.com\",\"given_name\":\"Maximilian\",\"password\":\"maximilian sails at dawn\"}", REASON_OK, ""},
	{"invalid identities", "{\"email\":\"a@b\",\"phone\":\"030 1\",\"username\":\"x\",\"password\":\"" GOOD "\"}",
	 REASON_INVALID, "/email:invalid_email /phone:invalid_phone /username:invalid_username"},
	{"types", "{\"email\":[],\"given_name\":1,\"attributes\":\"x\",\"birth_date\":true,\"password\":\"" GOOD "\"}",
	 REASON_INVALID, "/email:invalid_type /given_name:invalid_type /birth_date:invalid_type /attributes:invalid_type"},
	{"line break in a name", "{\"email\":\"a@example.com\",\"given_name\":\"a\\r\\nBcc: x\",\"password\":\"" GOOD "\"}",
	 REASON_INVALID, "/given_name:invalid_characters"},
	{"text that turns around", "{\"email\":\"a@example.com\",\"given_name\":\"a\\u202eb\",\"password\":\"" GOOD "\"}",
	 REASON_INVALID, "/given_name:invalid_characters"},
	{"a day that never was", "{\"email\":\"a@example.com\",\"birth_date\":\"2023-02-29\",\"password\":\"" GOOD "\"}",
	 REASON_INVALID, "/birth_date:invalid_date"},
	{"tomorrow", "{\"email\":\"a@example.com\",\"birth_date\":\"2023-11-15\",\"password\":\"" GOOD "\"}", REASON_INVALID,
	 "/birth_date:invalid_date"},
	{"attributes too deep",
	 "{\"email\":\"a@example.com\",\"attributes\":{\"a\":{\"b\":{\"c\":{\"d\":{}}}}},\"password\":\"" GOOD "\"}",
	 REASON_INVALID, "/attributes:too_large"},
	{"four levels of attributes",
	 "{\"email\":\"a@example.com\",\"attributes\":{\"a\":{\"b\":{\"c\":1}}},\"password\":\"" GOOD "\"}", REASON_OK, ""},
	{"password and hash",
	 "{\"email\":\"a@example.com\",\"password\":\"" GOOD
	 "\",\"password_hash\":\"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}",
	 REASON_INVALID, "/password_hash:conflicting"},
	{"bcrypt",
	 "{\"email\":\"a@example.com\",\"password_hash\":\"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}",
	 REASON_OK, ""},
	{"weak bcrypt",
	 "{\"email\":\"a@example.com\",\"password_hash\":\"$2b$04$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}",
	 REASON_INVALID, "/password_hash:hash_too_weak"},
	{"costly bcrypt",
	 "{\"email\":\"a@example.com\",\"password_hash\":\"$2b$20$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}",
	 REASON_INVALID, "/password_hash:hash_too_costly"},
	{"no hash", "{\"email\":\"a@example.com\",\"password_hash\":\"plaintext\"}", REASON_INVALID, "/password_hash:unknown_hash"},
	{"a list", "[]", REASON_JSON_NOT_OBJECT, ""},
	{"no JSON", "email=a@example.com", REASON_JSON_MALFORMED, ""},
	{"cut off", "{\"email\":\"a@exa", REASON_JSON_MALFORMED, ""},
	{"key twice", "{\"email\":\"a@example.com\",\"email\":\"b@example.com\"}", REASON_JSON_DUPLICATE_KEY, ""},
	{"key twice by escape", "{\"email\":\"a@example.com\",\"e\\u006dail\":\"b@example.com\"}", REASON_JSON_DUPLICATE_KEY, ""},
	{"bad UTF-8", "{\"email\":\"a\xff@example.com\"}", REASON_TEXT_INVALID_UTF8, ""},
	{"overlong UTF-8", "{\"email\":\"a\xc0\xaf@example.com\"}", REASON_TEXT_INVALID_UTF8, ""},
	{"lone surrogate", "{\"email\":\"a\\ud800@example.com\"}", REASON_TEXT_INVALID_UTF8, ""},
	{"escaped NUL", "{\"email\":\"a\\u0000@example.com\"}", REASON_INVALID, "/email:invalid_email /password:required"},
	{"escaped NUL in a key", "{\"e\\u0000\":\"a@example.com\"}", REASON_TEXT_NUL, ""},
	{"escaped NUL in a password", "{\"email\":\"a@example.com\",\"password\":\"blue heron\\u0000over the lake\"}",
	 REASON_INVALID, "/password:nul_character"},
	{"escaped NUL that no rule is about",
	 "{\"email\":\"a@example.com\",\"password\":\"blue heron over the lake\",\"attributes\":{\"a\":[\"\\u0000\"]}}",
	 REASON_TEXT_NUL, ""},
	{"escaped NUL in what nobody reads",
	 "{\"email\":\"a@example.com\",\"password\":\"blue heron over the lake\",\"other\":\"\\u0000\"}", REASON_OK, ""},
	{"huge integer", "{\"n\":99999999999999999999}", REASON_JSON_NUMBER_RANGE, ""},
	{"huge real", "{\"n\":1e999}", REASON_JSON_NUMBER_RANGE, ""},
	{"too deep", "{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", REASON_JSON_TOO_DEEP, ""},
	{"empty", "", REASON_RECORD_EMPTY, ""},
};

static void test_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		enum reason reason = case_read(&c, "POST", "/v1/accounts", slice_of(bodies[i].body));
		if (reason != bodies[i].reason)
			fail_msg("%s: %s (%s), not %s", bodies[i].name, reason_code(reason), reason ? c.fault.detail : "",
				 reason_code(bodies[i].reason));
		if (strcmp(case_violations(&c), bodies[i].violations) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", bodies[i].name, case_violations(&c), bodies[i].violations);
	}
}

static void assert_slice(struct slice is, const char *wanted)
{
	if (!slice_equal_text(is, wanted))
		fail_msg("\"%.*s\", not \"%s\"", (int)is.len, is.ptr ? is.ptr : "", wanted);
}

static void test_foreign_hash(void **state)
{
	(void)state;
	assert_int_equal(case_read(&c, "POST", "/v1/accounts",
				   slice_of("{\"email\":\"a@example.com\",\"password_hash\":"
					    "\"$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW\"}")),
			 REASON_OK);
	assert_slice(c.registration.password_hash, "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW");
	assert_null(c.registration.password);
}

static void test_registration(void **state)
{
	(void)state;
	assert_int_equal(
		case_read(
			&c, "POST", "/v1/accounts",
			slice_of(
				"{\"email\":\" Jane.Doe@B\\u00fccher.example \",\"phone\":\"+49 (30) 12-34 56\",\"username\":\"\\uff2aane_D\","
				"\"password\":\" " GOOD
				" \",\"given_name\":\" Jane \",\"birth_date\":\"2000-02-29\",\"locale\":\"zh-hant-tw\","
				"\"attributes\":{\"z\":{\"y\":1.5,\"x\":\"\\u00e4\"},\"a\":[2,1]}}")),
		REASON_OK);
	const struct registration *r = &c.registration;
	assert_int_equal(r->operation, OPERATION_SIGN_UP);
	assert_int_equal(r->claim_count, 3);
	assert_slice(registration_claim(r, CLAIM_EMAIL)->value, "jane.doe@xn--bcher-kva.example");
	assert_slice(registration_claim(r, CLAIM_EMAIL)->shown, "Jane.Doe@B\xc3\xbc"
								"cher.example");
	assert_string_equal(registration_claim(r, CLAIM_EMAIL)->field, "/email");
	assert_slice(registration_claim(r, CLAIM_PHONE)->value, "+4930123456");
	assert_slice(registration_claim(r, CLAIM_USERNAME)->value, "jane_d");
	assert_slice(r->given_name, "Jane");
	assert_slice(r->birth_date, "2000-02-29");
	assert_slice(r->locale, "zh-Hant-TW");
	assert_slice(r->attributes, "{\"a\":[2,1],\"z\":{\"x\":\"\xc3\xa4\",\"y\":1.5}}");
	assert_non_null(r->password);
	assert_slice(secret_bytes(r->password), " " GOOD " "); // exactly as sent
}

static void test_refused_keeps_no_secret(void **state)
{
	(void)state;
	assert_int_equal(case_read(&c, "POST", "/v1/accounts", slice_of("{\"email\":\"x\",\"password\":\"" GOOD "\"}")),
			 REASON_INVALID);
	assert_null(c.registration.password);
}

static void test_pool_exhausted(void **state)
{
	struct secret *held[8];
	(void)state;
	secret_release(c.registration.password);
	c.registration.password = NULL;
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		assert_non_null(held[i] = secret_create(c.pool, SLICE_LIT("x")));
	enum reason reason = case_read(&c, "POST", "/v1/accounts", slice_of(bodies[0].body));
	assert_int_equal(reason, REASON_HASH_MEMORY);
	assert_int_equal(reason_verdict(reason), VERDICT_RETRY);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		secret_release(held[i]);
}

static void test_answers(void **state)
{
	(void)state;
	enum reason reason = case_read(&c, "POST", "/v1/accounts", slice_of(bodies[0].body));
	assert_string_equal(
		case_answer(&c, reason),
		"{\"request_id\":\"id-1\",\"account_id\":\"00000000-0000-0000-0000-000000000000\",\"state\":\"active\"}");
	assert_int_equal(c.answer.status, 201);
	assert_int_equal(c.answer.header_count, 1);
	assert_slice(c.answer.headers[0].name, "content-type");
	assert_slice(c.answer.headers[0].value, "application/json");

	reason = case_read(&c, "POST", "/v1/accounts", slice_of("{\"email\":\"a@example.com\",\"password\":\"short\"}"));
	assert_string_equal(
		case_answer(&c, reason),
		"{\"request_id\":\"id-1\",\"reason\":\"invalid\",\"text\":\"One or more fields are not acceptable.\",\"violations\":["
		"{\"field\":\"/password\",\"code\":\"too_short\",\"text\":\"At least 15 characters are needed; spaces count, and a sentence is "
		"fine.\"}]}");
	assert_int_equal(c.answer.status, 422);

	reason = case_read(&c, "POST", "/v1/accounts", slice_of("[]"));
	assert_string_equal(case_answer(&c, reason),
			    "{\"request_id\":\"id-1\",\"reason\":\"not_an_object\",\"text\":\"The body is not a JSON object.\"}");
	assert_int_equal(c.answer.status, 400);
}

static void test_answer_from_receipt(void **state)
{
	(void)state;
	enum reason reason = case_read(&c, "POST", "/v1/accounts", slice_of("{\"email\":\"nobody\",\"password\":\"" GOOD "\"}"));
	const char *first = case_answer(&c, reason);
	// As a receipt from the database gives them: codes only.
	for (size_t i = 0; i < c.receipt.violation_count; i++)
		c.receipt.violations[i].text = SLICE_ABSENT;
	struct answer again;
	dialect_answer(c.dialect, c.route, &c.request, NULL, &c.receipt, c.arena, &again);
	assert_slice(again.body, first);
}

static void test_taken(void **state)
{
	(void)state;
	assert_int_equal(case_read(&c, "POST", "/v1/accounts",
				   slice_of("{\"email\":\"a@example.com\",\"username\":\"heinz\",\"password\":\"" GOOD "\"}")),
			 REASON_OK);
	const bool taken[CLAIMS_MAX] = {false, true};
	struct violation *violations = NULL;
	size_t count = 0;
	dialect_taken(c.route, &c.registration, taken, c.arena, &violations, &count);
	assert_int_equal(count, 1);
	assert_slice(violations[0].field, "/username");
	assert_slice(violations[0].code, "taken");
	c.registration.violations = violations;
	c.registration.violation_count = count;
	assert_string_equal(
		case_answer(&c, REASON_IDENTITY_TAKEN),
		"{\"request_id\":\"id-1\",\"reason\":\"identity_taken\",\"text\":\"An account with this e-mail, phone or user name exists.\","
		"\"violations\":[{\"field\":\"/username\",\"code\":\"taken\",\"text\":\"An account with this value exists already.\"}]}");
	assert_int_equal(c.answer.status, 409);
}

static const struct {
	const char *method, *path;
	enum reason reason;
	int status;
	const char *allow;
} routes[] = {
	{"POST", "/v1/account", REASON_ROUTE_UNKNOWN, 404, NULL},
	{"POST", "/v1/accounts/", REASON_ROUTE_UNKNOWN, 404, NULL},
	{"GET", "/v1/accounts", REASON_METHOD_NOT_ALLOWED, 405, "POST"},
	{NULL, "/v1/accounts", REASON_METHOD_NOT_ALLOWED, 405, "POST"},
	{"PUT", "/v1/sessions", REASON_METHOD_NOT_ALLOWED, 405, "POST, DELETE"},
};

static void test_routes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		enum reason reason = case_read(&c, routes[i].method, routes[i].path, SLICE_LIT("{}"));
		assert_int_equal(reason, routes[i].reason);
		assert_null(c.route);
		(void)case_answer(&c, reason);
		assert_int_equal(c.answer.status, routes[i].status);
		if (routes[i].allow) {
			assert_slice(c.answer.headers[0].name, "allow");
			assert_slice(c.answer.headers[0].value, routes[i].allow);
		}
	}
}

static void test_event_route(void **state)
{
	static const char *const names[] = {"native"};
	(void)state;
	c.request = (struct request){.record = &c.record, .event_type = SLICE_LIT("enrolld.signup.v1")};
	assert_int_equal(dialect_route(c.set, names, 1, &c.request, &c.dialect, &c.route, &c.fault), REASON_OK);
	assert_string_equal(route_name(c.route), "native.sign_up");
	assert_slice(c.request.route, "native.sign_up");
	assert_int_equal(route_operation(c.route), OPERATION_SIGN_UP);
	c.request.event_type = SLICE_LIT("enrolld.signup.v2");
	assert_int_equal(dialect_route(c.set, names, 1, &c.request, &c.dialect, &c.route, &c.fault), REASON_ROUTE_UNKNOWN);
}

static void test_operations_that_are_not_there(void **state)
{
	(void)state;
	assert_int_equal(case_read(&c, "POST", "/v1/password", SLICE_LIT("{}")), REASON_INVALID);
	assert_int_equal(c.registration.operation, OPERATION_SET_PASSWORD);
	(void)case_answer(&c, REASON_OPERATION_UNAVAILABLE);
	assert_int_equal(c.answer.status, 501);
}

// deploy/manual/codes.md, "What standards ask".
static void test_defaults_are_what_standards_ask(void **state)
{
	(void)state;
	static const struct {
		const char *purpose;
		enum code_stranger stranger;
	} purposes[] = {{"verify_email", CODE_STRANGER_SILENT}, {"verify_phone", CODE_STRANGER_SILENT},
			{"sign_in", CODE_STRANGER_SILENT},      {"sign_up", CODE_STRANGER_SEND},
			{"reset", CODE_STRANGER_SILENT},        {"custom", CODE_STRANGER_SEND}};
	for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
		struct slice body = arena_printf(c.arena, "{\"purpose\":\"%s\",\"phone\":\"+442071838750\"}", purposes[i].purpose);
		assert_int_equal(case_read(&c, "POST", "/v1/codes", body), REASON_OK);
		const struct code_rule *rule = c.registration.code.rule;
		assert_string_equal(rule->purpose, purposes[i].purpose);
		assert_int_equal(rule->form.length, 6);
		assert_int_equal(rule->form.alphabet, CODE_DIGITS);
		assert_int_equal(rule->life_ms, 10 * 60000);
		assert_int_equal(rule->request_age_ms, rule->life_ms);
		assert_int_equal(rule->tries, 5);
		assert_int_equal(rule->gap_ms, 60000);
		assert_int_equal(rule->stranger, purposes[i].stranger);
	}
	assert_int_equal(c.registration.limit_count, 2);
	assert_int_equal(c.registration.limits[0].allowed, 5);
	assert_int_equal(c.registration.limits[0].window_ms, 3600000);
	assert_int_equal(c.registration.limits[1].allowed, 10);
	assert_int_equal(c.registration.limits[1].window_ms, 86400000);
	assert_int_equal(
		case_read(&c, "POST", "/v1/sessions", SLICE_LIT("{\"email\":\"a@example.com\",\"password\":\"" GOOD "\"}")),
		REASON_OK);
	const struct session_rule *session = c.registration.session.rule;
	assert_int_equal(session->life_ms, INT64_C(30) * 86400000);
	assert_int_equal(session->longest_ms, INT64_C(90) * 86400000);
	assert_true(session->rotates);
	assert_int_equal(session->reuse, SESSION_REUSE_REVOKE);
	assert_int_equal(session->grace_ms, 0);
}

static void test_media_types(void **state)
{
	static const struct {
		const char *type;
		bool accepted;
	} types[] = {{"application/json", true}, {"application/vnd.x+json", true}, {NULL, true},
		     {"text/plain", false},      {"application/jsonx", false},     {"application/x-www-form-urlencoded", false}};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		assert_int_equal(case_read(&c, "POST", "/v1/accounts", SLICE_LIT("{}")), REASON_INVALID);
		c.request.content_type = slice_of(types[i].type);
		c.request.body = SLICE_LIT("{}");
		enum reason reason = dialect_read(c.route, &c.request, c.pool, NOW_MS, c.arena, &c.registration, &c.fault);
		assert_int_equal(reason, types[i].accepted ? REASON_INVALID : REASON_MEDIA_TYPE_UNSUPPORTED);
	}
}

static void test_request_id_from_body(void **state)
{
	(void)state;
	assert_int_equal(case_read(&c, "POST", "/v1/accounts", SLICE_LIT("{\"request_id\":\"abc\"}")), REASON_INVALID);
	assert_slice(c.request.request_id, "id-1"); // a header was first
	c.request.id_source = REQUEST_ID_COORDINATES;
	c.request.body = SLICE_LIT("{\"request_id\":\"abc\"}");
	assert_int_equal(dialect_read(c.route, &c.request, c.pool, NOW_MS, c.arena, &c.registration, &c.fault), REASON_INVALID);
	assert_slice(c.request.request_id, "abc");
	assert_int_equal(c.request.id_source, REQUEST_ID_BODY);
	c.request.id_source = REQUEST_ID_COORDINATES;
	c.request.request_id = SLICE_LIT("derived");
	c.request.body = SLICE_LIT("{\"request_id\":\"a\\nb\"}");
	assert_int_equal(dialect_read(c.route, &c.request, c.pool, NOW_MS, c.arena, &c.registration, &c.fault),
			 REASON_REQUEST_ID_INVALID);
	assert_slice(c.request.request_id, "derived");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_foreign_hash),
		cmocka_unit_test(test_registration),
		cmocka_unit_test(test_refused_keeps_no_secret),
		cmocka_unit_test(test_pool_exhausted),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_answer_from_receipt),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_event_route),
		cmocka_unit_test(test_operations_that_are_not_there),
		cmocka_unit_test(test_defaults_are_what_standards_ask),
		cmocka_unit_test(test_media_types),
		cmocka_unit_test(test_request_id_from_body),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
