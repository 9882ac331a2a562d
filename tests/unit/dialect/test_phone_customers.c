// SPDX-License-Identifier: Apache-2.0
// Customers by phone and code: each row was seen at the running application, byte for byte.
#include "case.h"

#include <string.h>

#include "enrolld/crypto/sign.h"
#include "enrolld/doc/json.h"

#define PATH "/api/customers/authenticate/"
#define DEVICE "\"device\":{\"registration_id\":\"reg-1\",\"device_id\":\"dev-1\",\"type\":\"android\"}"
#define REST "\"otp\":\"48213\"," DEVICE ",\"language\":\"en\""
#define PHONE "\"phone_number\":\"+201234567890\""
#define ERROR(code, detail, attr) "{\"code\":\"" code "\",\"detail\":\"" detail "\",\"attr\":\"" attr "\"}"
#define ERRORS(list) "400 {\"type\":\"validation_error\",\"errors\":[" list "]}"
#define CLIENT(status, code, detail) \
	status " {\"type\":\"client_error\",\"errors\":[{\"code\":\"" code "\",\"detail\":\"" detail "\",\"attr\":null}]}"
#define MISSING(attr) ERROR("required", "This field is required.", attr)
#define NO_NUMBER ERROR("invalid", "Enter a valid phone number.", "phone_number")
#define NO_COUNTRY ERROR("invalid", "Country code not found for phone", "phone_number.phone_number")

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, ENROLLD_SCHEMAS_DIR "/dialects", "phone-customers");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return 0;
}

static const struct case_request rows[] = {
	{"nothing", .body = "{}",
	 .answer = ERRORS(MISSING("phone_number") "," MISSING("otp") "," MISSING("device") "," MISSING("language"))},
	{"no number", .body = "{\"phone_number\":\"12345\"," REST "}", .answer = ERRORS(NO_NUMBER)},
	{"without plus", .body = "{\"phone_number\":\"201234567890\"," REST "}", .answer = ERRORS(NO_NUMBER)},
	{"letters", .body = "{\"phone_number\":\"+20abc4567890\"," REST "}", .answer = ERRORS(NO_NUMBER)},
	{"too short", .body = "{\"phone_number\":\"+20123\"," REST "}", .answer = ERRORS(NO_NUMBER)},
	{"blank number", .body = "{\"phone_number\":\" \"," REST "}",
	 .answer = ERRORS(ERROR("blank", "This field may not be blank.", "phone_number"))},
	{"null number", .body = "{\"phone_number\":null," REST "}",
	 .answer = ERRORS(ERROR("null", "This field may not be null.", "phone_number"))},
	{"country that is not active", .body = "{\"phone_number\":\"+971501234567\"," REST "}", .answer = ERRORS(NO_COUNTRY)},
	{"country that is not served", .body = "{\"phone_number\":\"+4930123456\"," REST "}", .answer = ERRORS(NO_COUNTRY)},
	{"language", .body = "{" PHONE ",\"otp\":\"1\"," DEVICE ",\"language\":\"fr\"}",
	 .answer = ERRORS(ERROR("invalid_choice", "\\\"fr\\\" is not a valid choice.", "language"))},
	{"language of another type", .body = "{" PHONE ",\"otp\":\"1\"," DEVICE ",\"language\":true}",
	 .answer = ERRORS(ERROR("invalid_choice", "\\\"True\\\" is not a valid choice.", "language"))},
	{"language as a list", .body = "{" PHONE ",\"otp\":\"1\"," DEVICE ",\"language\":[\"en\",1]}",
	 .answer = ERRORS(ERROR("invalid_choice", "\\\"['en', 1]\\\" is not a valid choice.", "language"))},
	{"empty language", .body = "{" PHONE ",\"otp\":\"1\"," DEVICE ",\"language\":\"\"}",
	 .answer = ERRORS(ERROR("invalid_choice", "\\\"\\\" is not a valid choice.", "language"))},
	{"empty device", .body = "{" PHONE ",\"otp\":\"1\",\"device\":{},\"language\":\"en\"}",
	 .answer = ERRORS(MISSING("device.registration_id") "," MISSING("device.device_id"))},
	{"null device", .body = "{" PHONE ",\"otp\":\"1\",\"device\":null,\"language\":\"en\"}",
	 .answer = ERRORS(ERROR("null", "This field may not be null.", "device"))},
	{"device is no object", .body = "{" PHONE ",\"otp\":\"1\",\"device\":\"x\",\"language\":\"en\"}",
	 .answer = ERRORS(ERROR("invalid", "Invalid data. Expected a dictionary, but got str.", "device.non_field_errors"))},
	{"device type",
	 .body = "{" PHONE
		 ",\"otp\":\"1\",\"device\":{\"registration_id\":\"r\",\"device_id\":\"d\",\"type\":\"tv\"},\"language\":\"en\"}",
	 .answer = ERRORS(ERROR("invalid_choice", "\\\"tv\\\" is not a valid choice.", "device.type"))},
	{"top first, then nested", .body = "{" PHONE ",\"device\":{\"registration_id\":\"\"},\"language\":\"fr\"}",
	 .answer = ERRORS(MISSING("otp") "," ERROR("invalid_choice", "\\\"fr\\\" is not a valid choice.", "language") "," ERROR(
		 "blank", "This field may not be blank.", "device.registration_id") "," MISSING("device.device_id"))},
	{"code as truth", .body = "{" PHONE ",\"otp\":true," DEVICE ",\"language\":\"en\"}",
	 .answer = ERRORS(ERROR("invalid", "Not a valid string.", "otp"))},
	{"a list", .body = "[]",
	 .answer = ERRORS(ERROR("invalid", "Invalid data. Expected a dictionary, but got list.", "non_field_errors"))},
	{"broken", .body = "{\"a\" 1}",
	 .answer = CLIENT("400", "parse_error", "JSON parse error - Expecting ':' delimiter: line 1 column 6 (char 5)")},
	{"another method", .method = "GET", .answer = CLIENT("405", "method_not_allowed", "Method \\\"GET\\\" not allowed.")},
	{"not acceptable", .headers = "accept: text/html", .body = "{}",
	 .answer = CLIENT("406", "not_acceptable", "Could not satisfy the request Accept header.")},
	{"text type", .type = "text/plain", .body = "x",
	 .answer = CLIENT("415", "unsupported_media_type", "Unsupported media type \\\"text/plain\\\" in request.")},
	{"Arabic", .headers = "accept-language: ar-EG,en;q=0.5",
	 .body = "{" PHONE ",\"otp\":\"1\",\"device\":{},\"language\":\"fr\"}",
	 .answer = ERRORS(ERROR(
		 "invalid_choice",
		 "\\\"fr\\\" \xd9\x84\xd9\x8a\xd8\xb3\xd8\xaa \xd9\x88\xd8\xa7\xd8\xad\xd8\xaf\xd8\xa9 \xd9\x85\xd9\x86 "
		 "\xd8\xa7\xd9\x84\xd8\xae\xd9\x8a\xd8\xa7\xd8\xb1\xd8\xa7\xd8\xaa \xd8\xa7\xd9\x84\xd8\xb5\xd8\xa7\xd9\x84\xd8\xad\xd8\xa9.",
		 "language") "," ERROR("required",
				       "\xd9\x87\xd8\xb0\xd8\xa7 \xd8\xa7\xd9\x84\xd8\xad\xd9\x82\xd9\x84 \xd9\x85\xd8\xb7\xd9\x84\xd9\x88\xd8\xa8.",
				       "device.registration_id") "," ERROR("required",
									   "\xd9\x87\xd8\xb0\xd8\xa7 \xd8\xa7\xd9\x84\xd8\xad\xd9\x82\xd9\x84 \xd9\x85\xd8\xb7\xd9\x84\xd9\x88\xd8\xa8.",
									   "device.device_id"))},
	{"code for nobody", .path = "/api/sms/send-auth-otp/", .body = "{\"otp_type\":\"x\"}",
	 .answer = ERRORS(MISSING("phone_number") "," ERROR("invalid_choice", "\\\"x\\\" is not a valid choice.", "otp_type"))},
	{"refresh without token", .path = "/api/refresh-token/", .body = "{}", .answer = ERRORS(MISSING("refresh"))},
	{"log out without both", .path = "/api/users/logout-device/", .body = "{}",
	 .answer = ERRORS(MISSING("refresh_token") "," MISSING("registration_id"))},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, PATH, rows, ARRAY_LEN(rows));
}

// A customer as the application shows it, with tokens before it.
static void test_accepted(void **state)
{
	static const struct case_request row = {
		.path = PATH,
		.body = "{\"phone_number\":\" +966 (51) 234-5678\",\"otp\":48213,\"device\":{\"registration_id\":\"reg-9\",\"device_id\":\"dev-9\"},\"language\":\"ar\"}"};
	(void)state;
	const char *answer = case_exchange(&c, &row);
	assert_int_equal(strncmp(answer, "200 {\"access\":\"eyJ", 18), 0);
	assert_string_equal(
		strstr(answer, "\"customer\""),
		"\"customer\":{\"phone_number\":\"+966512345678\",\"full_name\":\"\",\"email\":\"\",\"image\":null,\"gender\":\"NS\",\"birth_"
		"date\":null,\"primary_address\":null,\"is_profile_completed\":false,\"language\":\"ar\",\"country\":{\"code\":\"SA\",\"flag\":"
		"\"/media/flags/SA.png\",\"phone_code\":\"+966\",\"name\":\"Saudi Arabia\"},\"wallet\":{\"balance\":\"0.00\",\"balance_currency\":"
		"\"SAR\",\"is_use_wallet_in_payment\":false}}}");
	const struct registration *r = &c.registration;
	assert_int_equal(r->operation, OPERATION_CODE_CHECK);
	assert_string_equal(r->code.rule->purpose, "customer_auth");
	assert_string_equal(r->code.rule->message, "code"); // workers that know codes of six digits only leave it to others
	assert_true(r->code.has_address && slice_equal_text(r->code.value, "+966512345678"));
	assert_true(slice_equal_text(secret_bytes(r->code.typed), "48213"));
	assert_true(slice_equal_text(r->device.registration, "reg-9") && slice_equal_text(r->device.name, "dev-9") &&
		    slice_equal_text(r->device.kind, "android"));
	struct answer created;
	c.receipt.created = true;
	dialect_answer(c.dialect, c.route, &c.request, r, &c.receipt, c.arena, &created);
	assert_int_equal(created.status, 201);
}

// How a code that is not accepted is told.
static void test_refused(void **state)
{
	static const struct {
		enum reason reason;
		const char *code;
	} cases[] = {
		{REASON_CODE_WRONG, "OTP-006"},      {REASON_CODE_UNKNOWN, "OTP-004"},   {REASON_CODE_EXPIRED, "OTP-004"},
		{REASON_CODE_USED, "OTP-004"},       {REASON_CODE_EXHAUSTED, "OTP-005"}, {REASON_CODE_LOCKED, "OTP-005"},
		{REASON_CODE_SUPERSEDED, "OTP-004"},
	};
	static const struct case_request row = {.path = PATH, .body = "{" PHONE "," REST "}"};
	struct answer answer;
	(void)state;
	(void)case_exchange(&c, &row);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct receipt receipt = {.outcome = OUTCOME_REFUSED, .reason = cases[i].reason, .at_ms = NOW_MS};
		dialect_answer(c.dialect, c.route, &c.request, &c.registration, &receipt, c.arena, &answer);
		assert_int_equal(answer.status, 400);
		assert_non_null(strstr(answer.body.ptr, cases[i].code));
		assert_non_null(strstr(answer.body.ptr, "\"attr\":\"non_field_errors\""));
	}
}

// What a session's token is answered with, on the routes that are shown one.
static void test_tokens(void **state)
{
#define NOT_VALID(detail) \
	"{\"type\":\"client_error\",\"errors\":[{\"code\":\"token_not_valid\",\"detail\":\"" detail "\",\"attr\":null}]}"
	static const struct {
		const char *path, *headers, *body;
		enum reason reason;
		const char *answer;
	} cases[] = {
		{"/api/refresh-token/", NULL, "{\"refresh\":\"x\"}", REASON_TOKEN_USED, NOT_VALID("Token is blacklisted")},
		{"/api/refresh-token/", NULL, "{\"refresh\":\"x\"}", REASON_TOKEN_REVOKED, NOT_VALID("Token is blacklisted")},
		{"/api/refresh-token/", NULL, "{\"refresh\":\"x\"}", REASON_TOKEN_INVALID, NOT_VALID("Token is invalid")},
		{"/api/refresh-token/", NULL, "{\"refresh\":\"x\"}", REASON_TOKEN_EXPIRED, NOT_VALID("Token is expired")},
		{"/api/users/logout-all-devices/", "authorization: Bearer x", NULL, REASON_TOKEN_INVALID,
		 NOT_VALID("Given token not valid for any token type")},
		{"/api/users/logout-all-devices/", "authorization: Bearer x", NULL, REASON_TOKEN_EXPIRED,
		 NOT_VALID("Given token not valid for any token type")},
		{"/api/users/logout-all-devices/", NULL, NULL, REASON_UNAUTHENTICATED,
		 "{\"type\":\"client_error\",\"errors\":[{\"code\":\"not_authenticated\",\"detail\":\"Authentication credentials were not "
		 "provided.\",\"attr\":null}]}"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct case_request row = {.path = cases[i].path, .headers = cases[i].headers, .body = cases[i].body};
		(void)case_exchange(&c, &row);
		const struct receipt receipt = {.outcome = OUTCOME_REFUSED, .reason = cases[i].reason, .at_ms = NOW_MS};
		dialect_answer(c.dialect, c.route, &c.request, &c.registration, &receipt, c.arena, &c.answer);
		assert_int_equal(c.answer.status, 401);
		assert_string_equal(c.answer.body.ptr, cases[i].answer);
		assert_string_equal(case_header(&c, "www-authenticate"), "Bearer realm=\"api\"");
	}
}

// Claims of the pair, and that each is known again as what it is.
static void test_pair(void **state)
{
	static const struct sign_form form = {SIGN_HS256, "phone-customers", "JWT"};
	static const struct case_request row = {.path = "/api/refresh-token/", .body = "{\"refresh\":\"x\"}"};
	const struct node *root;
	(void)state;
	assert_int_equal(strncmp(case_exchange(&c, &row), "200 {\"access\":\"eyJ", 18), 0);
	assert_int_equal(json_parse(c.answer.body, (struct json_limits){65536, 4, 10, false}, c.arena, &root, &c.fault), REASON_OK);
	struct slice access = node_text(node_member(root, "access")), refresh = node_text(node_member(root, "refresh"));
	struct slice claims = sign_open(c.keys, c.request.realm, &form, refresh, c.arena);
	static const char begin[] = "{\"token_type\":\"refresh\",\"exp\":1700086400,\"iat\":1700000000,\"jti\":\"";
	assert_memory_equal(claims.ptr, begin, sizeof(begin) - 1);
	assert_non_null(memmem(claims.ptr, claims.len, "\",\"user_id\":", 12));
	const struct case_request shown = {
		.path = "/api/refresh-token/",
		.body = arena_printf(c.arena, "{\"refresh\":\"%.*s\"}", (int)refresh.len, refresh.ptr).ptr};
	(void)case_exchange(&c, &shown);
	assert_true(c.registration.session.digest_count == 1 && !c.registration.session.access);
	assert_int_equal(c.registration.session.expires_ms, 1700086400000);
	assert_memory_equal(c.registration.session.token.ptr, claims.ptr + sizeof(begin) - 1, 32);
	const struct case_request bearer = {
		.path = "/api/users/logout-all-devices/",
		.headers = arena_printf(c.arena, "authorization: Bearer %.*s", (int)access.len, access.ptr).ptr};
	(void)case_exchange(&c, &bearer);
	assert_true(c.registration.session.digest_count == 1 && c.registration.session.access);
	assert_int_equal(c.registration.session.scope, SESSION_ALL);
	const struct case_request wrong = {
		.path = "/api/users/logout-all-devices/",
		.headers = arena_printf(c.arena, "authorization: Bearer %.*s", (int)refresh.len, refresh.ptr).ptr};
	(void)case_exchange(&c, &wrong);
	assert_int_equal(c.receipt.reason, REASON_TOKEN_INVALID);
}

// Five sends an hour for a number and a purpose, in whatever spelling the number comes.
static void test_sends(void **state)
{
	static const struct case_request rows_of_one[] = {
		{.path = "/api/sms/send-auth-otp/", .body = "{" PHONE ",\"otp_type\":\"customer_auth\"}"},
		{.path = "/api/sms/send-auth-otp/",
		 .body = "{\"phone_number\":\" +20 123 456 7890\",\"otp_type\":\"customer_auth\"}"},
	};
	struct answer answer;
	(void)state;
	assert_string_equal(case_exchange(&c, &rows_of_one[0]), "200");
	assert_int_equal(c.registration.limit_count, 2);
	struct limit_use first = c.registration.limits[1];
	assert_string_equal(first.name, "hourly");
	assert_int_equal(first.allowed, 5);
	assert_int_equal(first.stage, LIMIT_AFTER_RULES);
	(void)case_exchange(&c, &rows_of_one[1]);
	assert_true(slice_equal(c.registration.limits[1].subject, first.subject));
	const struct receipt receipt = {.outcome = OUTCOME_REFUSED,
					.reason = REASON_RATE_LIMITED,
					.at_ms = NOW_MS,
					.limits = {{SLICE_LIT("hourly"), 5, 0, NOW_MS + 1000, true}},
					.limit_count = 1};
	dialect_answer(c.dialect, c.route, &c.request, &c.registration, &receipt, c.arena, &answer);
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(answer.body.ptr, "OTP-001"));
}

static void test_throttle(void **state)
{
	static const struct case_request row = {.path = PATH, .body = "{"};
	struct answer answer;
	(void)state;
	(void)case_exchange(&c, &row); // also what cannot be read is counted
	assert_int_equal(c.registration.limit_count, 1);
	assert_string_equal(c.registration.limits[0].name, "anonymous");
	assert_int_equal(c.registration.limits[0].allowed, 600);
	assert_int_equal(c.registration.limits[0].window_ms, 86400000);
	assert_int_equal(c.registration.limits[0].kind, LIMIT_SLIDING);
	assert_int_equal(c.registration.limits[0].stage, LIMIT_BEFORE_BODY);
	assert_null(strstr(c.registration.limits[0].subject.ptr, "192.0.2.1"));
	struct slice subject = c.registration.limits[0].subject;
	(void)case_exchange(&c, &rows[0]);
	struct receipt receipt = {.outcome = OUTCOME_REFUSED,
				  .reason = REASON_RATE_LIMITED,
				  .at_ms = NOW_MS,
				  .limits = {{SLICE_LIT("anonymous"), 600, 0, NOW_MS + 62001, true}},
				  .limit_count = 1};
	dialect_answer(c.dialect, c.route, &c.request, &c.registration, &receipt, c.arena, &answer);
	assert_int_equal(answer.status, 429);
	assert_string_equal(
		answer.body.ptr,
		"{\"type\":\"client_error\",\"errors\":[{\"code\":\"throttled\",\"detail\":\"Request was throttled. Expected available in "
		"63 seconds.\",\"attr\":null}]}");
	assert_true(slice_equal_text(answer.headers[0].name, "retry-after") && slice_equal_text(answer.headers[0].value, "63"));
	receipt.limits[0].resets_ms = NOW_MS + 10;
	dialect_answer(c.dialect, c.route, &c.request, NULL, &receipt, c.arena, &answer);
	assert_non_null(strstr(answer.body.ptr, "available in 1 second."));
	struct case_request again = rows[1];
	again.path = PATH;
	(void)case_exchange(&c, &again);
	assert_true(slice_equal(c.registration.limits[0].subject, subject));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),    cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_sends),    cmocka_unit_test(test_throttle), cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_throttle), cmocka_unit_test(test_pair),     cmocka_unit_test(test_throttle),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
