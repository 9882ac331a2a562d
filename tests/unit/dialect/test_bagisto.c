// SPDX-License-Identifier: Apache-2.0
// A Bagisto shop: keys and their allowance, what the database says, tokens. What its rules say is held in tests/conformance/cases.
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH "/api/shop/customers"
#define KEY "x-storefront-key: pk_web"
#define JOHN "\"firstName\":\"John\",\"lastName\":\"Doe\",\"email\":\"john@example.com\",\"password\":\"Password123!\""
#define PROBLEM(detail) "400 {\"type\":\"/errors/400\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"" detail "\"}"

static struct dialect_case c;
static char keys_file[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(keys_file, sizeof(keys_file), "/tmp/enrolld-keys-XXXXXX");
	int fd = mkstemp(keys_file);
	assert_true(fd >= 0);
	assert_true(dprintf(fd, "- {key: pk_web, name: web, hourly: 40}\n- {key: pk_old, name: old, hourly: 40, active: false}\n") >
		    0);
	assert_int_equal(close(fd), 0);
	case_start_with(&c, ENROLLD_SCHEMAS_DIR "/dialects", "bagisto", "keys_file", keys_file);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return unlink(keys_file);
}

static const struct case_request rows[] = {
	{"no key", .body = "{",
	 .answer =
		 "401 {\"message\":\"X-STOREFRONT-KEY header is required\",\"error\":\"missing_key\",\"header_name\":\"X-STOREFRONT-KEY\",\"key_type\":\"shop\"}"},
	{"a key that is not active", .headers = "x-storefront-key: pk_old", .body = "{",
	 .answer = "403 {\"message\":\"Invalid or inactive shop API key\",\"error\":\"invalid_key\"}"},
	{"address taken", .headers = KEY, .body = "{" JOHN "}", .taken = "email",
	 .answer = PROBLEM("The email has already been taken.")},
	{"both taken, in the order of the rules", .headers = KEY, .body = "{" JOHN ",\"phone\":\"5550001111\"}",
	 .taken = "email phone", .answer = PROBLEM("The email has already been taken. The phone has already been taken.")},
	{"taken and missing", .headers = KEY, .body = "{\"last_name\":\"Doe\",\"email\":\"john@example.com\",\"password\":\"x\"}",
	 .taken = "email",
	 .answer = PROBLEM(
		 "The first name field must be a string. The first name field is required. The email has already been taken. The password field must be at "
		 "least 6 characters.")},
	{"taken before what is asked later", .headers = KEY, .body = "{" JOHN ",\"gender\":\"x\",\"confirmPassword\":\"y\"}",
	 .taken = "email", .answer = PROBLEM("The email has already been taken.")},
	{"types before all", .headers = KEY, .body = "{" JOHN ",\"gender\":[]}", .taken = "email",
	 .answer =
		 "422 {\"type\":\"/errors/422\",\"title\":\"Unprocessable Entity\",\"status\":422,\"detail\":\"The \\\"gender\\\" field must be of type string, "
		 "array given.\"}"},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, PATH, rows, ARRAY_LEN(rows));
}

static void test_accepted(void **state)
{
	static const struct case_request row = {.path = PATH,
						.headers = KEY,
						.body = "{" JOHN
							",\"phone\":\"12\",\"gender\":\" male\",\"status\":0,\"isVerified\":1}"};
	(void)state;
	const char *answer = case_exchange(&c, &row);
	assert_non_null(strstr(answer, "\"gender\":\"Male\""));
	assert_non_null(strstr(answer, "\"status\":1,"));
	assert_non_null(strstr(answer, "\"isVerified\":0,"));
	assert_null(strstr(answer, "Password123!"));
	assert_true(slice_equal_text(c.registration.attributes, "{\"gender\":\"Male\",\"subscribed_to_news_letter\":false}"));
	assert_true(slice_equal_text(c.registration.display_name, "John Doe"));
	assert_true(slice_equal_text(registration_claim(&c.registration, CLAIM_PHONE)->value, "12"));
	assert_true(c.registration.unverified[CLAIM_PHONE] && !c.registration.unverified[CLAIM_EMAIL]);
}

// Counted by key, whatever the body holds; who is not known is not counted.
static void test_allowance(void **state)
{
	static const struct case_request broken = {.path = PATH, .headers = KEY, .body = "{"};
	static const struct case_request unknown = {.path = PATH, .headers = "x-storefront-key: nope", .body = "{"};
	struct answer answer;
	(void)state;
	(void)case_exchange(&c, &unknown);
	assert_int_equal(c.registration.limit_count, 0);
	(void)case_exchange(&c, &broken);
	assert_int_equal(c.registration.limit_count, 1);
	assert_int_equal(c.registration.limits[0].allowed, 40);
	assert_int_equal(c.registration.limits[0].window_ms, 3600000);
	assert_int_equal(c.registration.limits[0].stage, LIMIT_BEFORE_BODY);
	assert_null(strstr(c.registration.limits[0].subject.ptr, "pk_web"));
	struct receipt receipt = {.outcome = OUTCOME_REFUSED,
				  .reason = REASON_RATE_LIMITED,
				  .at_ms = NOW_MS,
				  .limits = {{SLICE_LIT("key"), 40, 0, NOW_MS + 62001, true}},
				  .limit_count = 1};
	dialect_answer(c.dialect, c.route, &c.request, &c.registration, &receipt, c.arena, &answer);
	assert_int_equal(answer.status, 429);
	assert_string_equal(answer.body.ptr,
			    "{\"message\":\"Rate limit exceeded\",\"error\":\"rate_limit_exceeded\",\"retry_after\":63}");
	c.answer = answer;
	assert_string_equal(case_header(&c, "x-ratelimit-limit"), "40");
	assert_string_equal(case_header(&c, "x-ratelimit-remaining"), "0");
	assert_string_equal(case_header(&c, "x-ratelimit-reset"), "1700000062");
}

// As it is delivered, nobody has a key.
static void test_no_keys(void **state)
{
	static const struct case_request row = {.path = PATH, .headers = KEY, .body = "{" JOHN "}"};
	struct dialect_case bare;
	(void)state;
	case_start(&bare, ENROLLD_SCHEMAS_DIR "/dialects", "bagisto");
	assert_memory_equal(case_exchange(&bare, &row), "403 ", 4);
	case_end(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_allowance),
		cmocka_unit_test(test_no_keys),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
