// SPDX-License-Identifier: Apache-2.0
// A PosBytz store: the gateway's token, what the database says, ids and tokens. What its rules say is held in tests/conformance/cases.
#include "case.h"

#define PATH "/ecommerce/v1/auth/signup"
#define BEARER "authorization: Bearer opaque"
#define MOBILE "\"mobile\":{\"code\":\"+91\",\"number\":\"99627 94005\"}"
#define GOOD "{\"email\":\"harish@bytize.in\"," MOBILE ",\"password\":\"secret123\"}"
#define TAKEN(text) "422 {\"statusCode\":422,\"errors\":{\"email\":[\"" text "\"]}}"

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, ENROLLD_SCHEMAS_DIR "/dialects", "posbytz");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return 0;
}

static const struct case_request rows[] = {
	{"no token", .body = "{",
	 .answer = "401 {\"error\":\"invalid_request\",\"error_description\":\"The access token is missing\"}"},
	{"e-mail taken", .headers = BEARER, .body = GOOD, .taken = "email", .answer = TAKEN("Email already exists")},
	{"mobile taken", .headers = BEARER, .body = GOOD, .taken = "phone",
	 .answer = TAKEN("The mobile number has already been taken.")},
	{"both taken: the first is told", .headers = BEARER, .body = GOOD, .taken = "email phone",
	 .answer = TAKEN("Email already exists")},
	{"taken is told only where all else is well", .headers = BEARER,
	 .body = "{\"email\":\"harish@bytize.in\",\"password\":\"short\"}", .taken = "email",
	 .answer =
		 "400 {\"statusCode\":400,\"errors\":{\"password\":[\"password must be longer than or equal to 8 characters\"]},\"message\":\"Bad Request\"}"},
	{"a link's parts", .method = "GET", .path = "/ecommerce/v1/auth/email/verify", .query = "userId=632c34752269f12c5795227",
	 .headers = BEARER,
	 .answer =
		 "400 {\"statusCode\":400,\"errors\":{\"userId\":[\"userId must be a mongodb id\"],\"token\":[\"token must be a string\"]},\"message\":\"Bad "
		 "Request\"}"},
	{"another method", .method = "GET", .path = PATH, .headers = BEARER,
	 .answer = "404 {\"statusCode\":404,\"message\":\"Cannot GET /ecommerce/v1/auth/signup\",\"error\":\"Not Found\"}"},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, PATH, rows, ARRAY_LEN(rows));
}

static void test_accepted(void **state)
{
	static const struct case_request row = {.path = PATH, .headers = BEARER, .body = GOOD};
	static const struct case_request other = {.path = PATH, .headers = "authorization: bearer other", .body = GOOD};
	(void)state;
	const char *answer = case_exchange(&c, &row);
	assert_non_null(strstr(answer, "\"number\":\"99627 94005\"")); // as it was written
	assert_null(strstr(answer, "secret123"));
	assert_true(slice_equal_text(registration_claim(&c.registration, CLAIM_PHONE)->value, "+919962794005"));
	assert_false(c.registration.unverified[CLAIM_PHONE] || c.registration.unverified[CLAIM_EMAIL]);
	struct slice digest = c.registration.bearer_digest;
	assert_int_equal(digest.len, 32);
	assert_null(memmem(digest.ptr, digest.len, "opaque", 6));
	(void)case_exchange(&c, &other);
	assert_false(slice_equal(c.registration.bearer_digest, digest));
	(void)case_exchange(&c, &row);
	assert_true(slice_equal(c.registration.bearer_digest, digest));
}

static void test_link_token(void **state)
{
	static const struct case_request row = {.path = PATH, .headers = BEARER, .body = GOOD};
	struct dialect_case hidden;
	(void)state;
	assert_non_null(strstr(case_exchange(&c, &row), "\"id\":\"harish@bytize.in\",\"token\":"));
	case_start_with(&hidden, ENROLLD_SCHEMAS_DIR "/dialects", "posbytz", "link_token", "hidden");
	assert_non_null(strstr(case_exchange(&hidden, &row), "\"id\":\"harish@bytize.in\",\"verified\":false"));
	case_end(&hidden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_link_token),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
