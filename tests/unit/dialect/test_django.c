// SPDX-License-Identifier: Apache-2.0
// The e-commerce dialect: each row was seen at the running application (Django REST framework 3.15), byte for byte.
#include "case.h"

#define PATH "/api/v1/customers/"
#define NAMES "\"first_name\":\"John\",\"last_name\":\"Doe\""
#define SECRET "SecureP@ssw0rd123"
#define TWICE(word) "\"password\":\"" word "\",\"password2\":\"" word "\""
#define REST NAMES "," TWICE(SECRET)
#define MAIL "\"email\":\"customer@example.com\""
#define WHOLE "{" MAIL "," REST ",\"date_of_birth\":\"1990-01-15\"}"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X150 X50 X50 X50
#define DATE_TEXT "{\"date_of_birth\":[\"Date has wrong format. Use one of these formats instead: YYYY-MM-DD.\"]}"

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, ENROLLD_SCHEMAS_DIR "/dialects", "django-ecommerce");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	case_end(&c);
	return 0;
}

static const struct case_request rows[] = {
	{"documented", .body = WHOLE,
	 .answer =
		 "201 {\"email\":\"customer@example.com\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"slug\":\"john-doe\",\"date_of_birth\":\"1990-01-"
		 "15\",\"address\":null,\"last_purchase_date\":null}"},
	{"null date, folded domain, trimmed names",
	 .body = "{\"email\":\" A@Example.COM \",\"first_name\":\" Jos\\u00e9 \",\"last_name\":\" N\\u00fa\\u00f1ez\"," TWICE(
		 SECRET) ",\"date_of_birth\":null}",
	 .answer = "201 {\"email\":\"A@example.com\",\"first_name\":\"Jos\xc3\xa9\",\"last_name\":\"N\xc3\xba\xc3\xb1"
		   "ez\",\"slug\":\"jose-nunez\",\"date_of_birth\":null,"
		   "\"address\":null,\"last_purchase_date\":null}"},
	{"blank names", .body = "{" MAIL ",\"first_name\":\"\",\"last_name\":\" \"," TWICE(SECRET) "}",
	 .answer =
		 "201 {\"email\":\"customer@example.com\",\"first_name\":\"\",\"last_name\":\"\",\"slug\":\"customer\",\"date_of_birth\":null,\"address\":null,\"last_"
		 "purchase_date\":null}"},
	{"numbers for texts",
	 .body = "{" MAIL ",\"first_name\":5,\"last_name\":1.5,\"password\":98765432101,\"password2\":\"98765432101a\"}",
	 .answer = "400 {\"password\":[\"This password is entirely numeric.\"]}"},
	{"trimmed passwords", .body = "{" MAIL "," NAMES ",\"password\":\" " SECRET " \",\"password2\":\"" SECRET "\"}",
	 .answer =
		 "201 {\"email\":\"customer@example.com\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"slug\":\"john-doe\",\"date_of_birth\":null,\"address\":null,"
		 "\"last_purchase_date\":null}"},
	{"taken", .body = WHOLE, .taken = "email", .answer = "400 {\"email\":[\"user with this email address already exists.\"]}"},
	{"taken and missing", .body = "{" MAIL "," TWICE(SECRET) ",\"last_name\":\"x\"}", .taken = "email",
	 .answer =
		 "400 {\"email\":[\"user with this email address already exists.\"],\"first_name\":[\"This field is required.\"]}"},
	{"taken hides the mismatch", .body = "{" MAIL "," NAMES ",\"password\":\"" SECRET "\",\"password2\":\"" SECRET "4\"}",
	 .taken = "email", .answer = "400 {\"email\":[\"user with this email address already exists.\"]}"},
	{"mismatch", .body = "{" MAIL "," NAMES ",\"password\":\"" SECRET "\",\"password2\":\"" SECRET "4\"}",
	 .answer = "400 {\"error\":[\"Passwords don't match\"]}"},
	{"a failed field hides the mismatch",
	 .body = "{\"email\":\"x\"," NAMES ",\"password\":\"" SECRET "\",\"password2\":\"" SECRET "4\"}",
	 .answer = "400 {\"email\":[\"Enter a valid email address.\"]}"},
	{"nothing", .body = "{}",
	 .answer =
		 "400 {\"email\":[\"This field is required.\"],\"first_name\":[\"This field is required.\"],\"last_name\":[\"This field is "
		 "required.\"],\"password\":[\"This field is required.\"],\"password2\":[\"This field is required.\"]}"},
	{"no body at all", .type = "text/plain",
	 .answer =
		 "400 {\"email\":[\"This field is required.\"],\"first_name\":[\"This field is required.\"],\"last_name\":[\"This field is "
		 "required.\"],\"password\":[\"This field is required.\"],\"password2\":[\"This field is required.\"]}"},
	{"nulls", .body = "{\"email\":null,\"first_name\":null,\"last_name\":null,\"password\":null,\"password2\":null}",
	 .answer =
		 "400 {\"email\":[\"This field may not be null.\"],\"first_name\":[\"This field may not be null.\"],\"last_name\":[\"This field may not be "
		 "null.\"],\"password\":[\"This field may not be null.\"],\"password2\":[\"This field may not be null.\"]}"},
	{"blanks", .body = "{\"email\":\" \"," NAMES ",\"password\":\"\",\"password2\":\"   \"}",
	 .answer =
		 "400 {\"email\":[\"This field may not be blank.\"],\"password\":[\"This field may not be blank.\"],\"password2\":[\"This field may not be "
		 "blank.\"]}"},
	{"types", .body = "{\"email\":true,\"first_name\":[],\"last_name\":{},\"password\":false,\"password2\":[1]}",
	 .answer =
		 "400 {\"email\":[\"Enter a valid email address.\"],\"first_name\":[\"Not a valid string.\"],\"last_name\":[\"Not a valid "
		 "string.\"],\"password\":[\"Not a valid string.\"],\"password2\":[\"Not a valid string.\"]}"},
	{"short", .body = "{" MAIL "," NAMES "," TWICE("aZ3$x") "}",
	 .answer =
		 "400 {\"password\":[\"This password is too short. It must contain at least 8 characters.\"],\"password2\":[\"This password is too short. It must "
		 "contain at least 8 characters.\"]}"},
	{"common", .body = "{" MAIL "," NAMES "," TWICE("iloveyou") "}",
	 .answer = "400 {\"password\":[\"This password is too common.\"],\"password2\":[\"This password is too common.\"]}"},
	{"common, whatever the case", .body = "{" MAIL "," NAMES "," TWICE("TrustNo1") "}",
	 .answer = "400 {\"password\":[\"This password is too common.\"],\"password2\":[\"This password is too common.\"]}"},
	{"numeric", .body = "{" MAIL "," NAMES "," TWICE("8273645192") "}",
	 .answer =
		 "400 {\"password\":[\"This password is entirely numeric.\"],\"password2\":[\"This password is entirely numeric.\"]}"},
	{"short, common and numeric", .body = "{" MAIL "," NAMES "," TWICE("123456") "}",
	 .answer =
		 "400 {\"password\":[\"This password is too short. It must contain at least 8 characters.\",\"This password is too common.\",\"This password is "
		 "entirely numeric.\"],\"password2\":[\"This password is too short. It must contain at least 8 characters.\",\"This password is too "
		 "common.\",\"This password is entirely numeric.\"]}"},
	{"weak in one only", .body = "{" MAIL "," NAMES ",\"password\":\"" SECRET "\",\"password2\":\"12345678\"}",
	 .answer = "400 {\"password2\":[\"This password is too common.\",\"This password is entirely numeric.\"]}"},
	{"like the name", .body = "{" MAIL "," NAMES "," TWICE("johndoe1") "}",
	 .answer =
		 "201 {\"email\":\"customer@example.com\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"slug\":\"john-doe\",\"date_of_birth\":null,\"address\":null,"
		 "\"last_purchase_date\":null}"},
	{"date as people write it", .body = "{" MAIL "," REST ",\"date_of_birth\":\"15/01/1990\"}", .answer = "400 " DATE_TEXT},
	{"no day of the calendar", .body = "{" MAIL "," REST ",\"date_of_birth\":\"1990-02-30\"}", .answer = "400 " DATE_TEXT},
	{"empty date", .body = "{" MAIL "," REST ",\"date_of_birth\":\"\"}", .answer = "400 " DATE_TEXT},
	{"a number as date", .body = "{" MAIL "," REST ",\"date_of_birth\":19900115}", .answer = "400 " DATE_TEXT},
	{"a time", .body = "{" MAIL "," REST ",\"date_of_birth\":\"1990-01-15T00:00:00Z\"}", .answer = "400 " DATE_TEXT},
	{"tomorrow is a day", .body = "{" MAIL "," REST ",\"date_of_birth\":\"2990-01-15\"}",
	 .answer =
		 "201 {\"email\":\"customer@example.com\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"slug\":\"john-doe\",\"date_of_birth\":\"2990-01-15\","
		 "\"address\":null,\"last_purchase_date\":null}"},
	{"a name of 151", .body = "{" MAIL ",\"first_name\":\"" X150 "x\",\"last_name\":\"Doe\"," TWICE(SECRET) "}",
	 .answer = "400 {\"first_name\":[\"Ensure this field has no more than 150 characters.\"]}"},
	{"an address of 256 that is none", .body = "{\"email\":\"" X150 X50 X50 "@x.com\"," REST "}",
	 .answer = "400 {\"email\":[\"Ensure this field has no more than 254 characters.\"]}"},
	{"long and wrong", .body = "{\"email\":\"" X150 X50 X50 " x.com\"," REST "}",
	 .answer = "400 {\"email\":[\"Ensure this field has no more than 254 characters.\",\"Enter a valid email address.\"]}"},
	{"a list", .body = "[]", .answer = "400 {\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got list.\"]}"},
	{"a text", .body = "\"x\"", .answer = "400 {\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got str.\"]}"},
	{"a number", .body = "1", .answer = "400 {\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got int.\"]}"},
	{"null", .body = "null", .answer = "400 {\"non_field_errors\":[\"No data provided\"]}"},
	{"broken",
	 .body = "{\"email\": ", .answer = "400 {\"detail\":\"JSON parse error - Expecting value: line 1 column 11 (char 10)\"}"},
	{"broken in line 2", .body = "{\n'email'",
	 .answer =
		 "400 {\"detail\":\"JSON parse error - Expecting property name enclosed in double quotes: line 2 column 1 (char 2)\"}"},
	{"text type", .type = "text/plain; charset=utf-8", .body = "x",
	 .answer = "415 {\"detail\":\"Unsupported media type \\\"text/plain; charset=utf-8\\\" in request.\"}"},
	{"another method", .method = "GET", .answer = "405 {\"detail\":\"Method \\\"GET\\\" not allowed.\"}"},
	{"another path", .path = "/api/v1/customer/", .body = "{}", .answer = "404 {\"detail\":\"Not found.\"}"},
	{"not acceptable", .headers = "accept: application/xml", .body = WHOLE,
	 .answer = "406 {\"detail\":\"Could not satisfy the request Accept header.\"}"},
	{"a form", .type = "application/x-www-form-urlencoded",
	 .body = "email=a%40example.com&first_name=John&last_name=van+Doe&password="
		 "SecureP%40ssw0rd123"
		 "&password2=SecureP%40ssw0rd123&date_of_birth=",
	 .answer =
		 "201 {\"email\":\"a@example.com\",\"first_name\":\"John\",\"last_name\":\"van Doe\",\"slug\":\"john-van-doe\",\"date_of_birth\":null,\"address\":null,"
		 "\"last_purchase_date\":null}"},
	{"a multipart form", .type = "multipart/form-data; boundary=XX",
	 .body = "--XX\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nb@example.com\r\n--XX\r\nContent-Disposition: form-data; "
		 "name=\"avatar\"; filename=\"a.png\"\r\n\r\nPNG\r\n--XX--\r\n",
	 .answer =
		 "400 {\"first_name\":[\"This field is required.\"],\"last_name\":[\"This field is required.\"],\"password\":[\"This field is "
		 "required.\"],\"password2\":[\"This field is required.\"]}"},
	{"the last of two keys counts", .body = "{\"email\":\"x\"," MAIL "," NAMES "," TWICE("aZ3$xaZ3$x") "}",
	 .answer =
		 "201 {\"email\":\"customer@example.com\",\"first_name\":\"John\",\"last_name\":\"Doe\",\"slug\":\"john-doe\",\"date_of_birth\":null,\"address\":null,"
		 "\"last_purchase_date\":null}"},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, PATH, rows, ARRAY_LEN(rows));
}

static void test_registration(void **state)
{
	static const struct case_request row = {
		.path = PATH,
		.body = "{\"email\":\"Jane@Example.com\",\"first_name\":\"Anne-Marie\",\"last_name\":\"O'Neil\","
			"\"password\":\" " SECRET "\",\"password2\":\"" SECRET "\",\"date_of_birth\":\"1990-01-15\"}"};
	(void)state;
	(void)case_exchange(&c, &row);
	const struct registration *r = &c.registration;
	assert_int_equal(r->claim_count, 1);
	assert_true(slice_equal_text(r->claims[0].value, "Jane@example.com"));
	assert_true(r->unique_anyway);
	assert_int_equal(r->derived_count, 1);
	assert_true(slice_equal_text(r->derived[0].stem, "anne-marie-oneil"));
	assert_int_equal(r->derived[0].max, 50);
	assert_true(slice_equal_text(r->given_name, "Anne-Marie"));
	assert_true(slice_equal_text(r->birth_date, "1990-01-15"));
	assert_true(slice_equal_text(secret_bytes(r->password), SECRET));
	assert_string_equal(case_header(&c, "content-type"), "application/json");
}

static void test_allow(void **state)
{
	static const struct case_request row = {.method = "DELETE", .path = PATH};
	(void)state;
	(void)case_exchange(&c, &row);
	assert_string_equal(case_header(&c, "allow"), "POST, OPTIONS");
}

// A redelivery renders from the receipt's codes and the request read again.
static void test_again(void **state)
{
	static const struct case_request row = {.path = PATH, .body = "{\"email\":\"x\"}", .taken = "email"};
	(void)state;
	const char *first = case_exchange(&c, &row);
	struct answer again;
	for (size_t i = 0; i < c.receipt.violation_count; i++)
		c.receipt.violations[i].text = SLICE_ABSENT;
	dialect_answer(c.dialect, c.route, &c.request, NULL, &c.receipt, c.arena, &again);
	assert_string_equal(first + 4, again.body.ptr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_registration),
		cmocka_unit_test(test_allow),
		cmocka_unit_test(test_again),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
