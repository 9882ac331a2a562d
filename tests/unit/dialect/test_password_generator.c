// SPDX-License-Identifier: Apache-2.0
// The password generator's sign-up: each row was seen at the running application, byte for byte, but for tokens and the columns it should not show.
#include "case.h"

#include "enrolld/doc/json.h"

#define PATH "/api/sign-up/"
#define REST "\"username\":\"johndoe\",\"password\":\"SecurePass123!\""
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static struct dialect_case c;

static int setup(void **state)
{
	(void)state;
	case_start(&c, ENROLLD_SCHEMAS_DIR "/dialects", "password-generator");
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
	 .answer =
		 "400 {\"password\":[\"This field is required.\"],\"username\":[\"This field is required.\"],\"email\":[\"This field is required.\"]}"},
	{"missing and taken", .body = "{\"email\":\"john@example.com\",\"password\":\"SecurePass123!\"}", .taken = "email",
	 .answer = "400 {\"username\":[\"This field is required.\"],\"email\":[\"user with this email already exists.\"]}"},
	{"user name taken", .body = "{\"email\":\"john@example.com\"," REST "}", .taken = "username",
	 .answer = "400 {\"username\":[\"A user with that username already exists.\"]}"},
	{"both taken", .body = "{\"email\":\"john@example.com\"," REST "}", .taken = "email username",
	 .answer =
		 "400 {\"username\":[\"A user with that username already exists.\"],\"email\":[\"user with this email already exists.\"]}"},
	{"phone of eleven", .body = "{\"email\":\"john@example.com\"," REST ",\"number_phone\":\"55512345678\"}",
	 .answer = "400 {\"number_phone\":[\"Ensure this field has no more than 10 characters.\"]}"},
	{"phone as number", .body = "{\"email\":\"john@example.com\"," REST ",\"number_phone\":55512345678}",
	 .answer = "400 {\"number_phone\":[\"Ensure this field has no more than 10 characters.\"]}"},
	{"address", .body = "{\"email\":\"nope\"," REST "}", .answer = "400 {\"email\":[\"Enter a valid email address.\"]}"},
	{"alphabet", .body = "{\"email\":\"john@example.com\",\"username\":\"john doe\",\"password\":\"x\"}",
	 .answer =
		 "400 {\"username\":[\"Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.\"]}"},
	{"alphabet and length", .body = "{\"email\":\"john@example.com\",\"username\":\"" X50 X50 X50 " x\",\"password\":\"x\"}",
	 .answer =
		 "400 {\"username\":[\"Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.\",\"Ensure this field has "
		 "no more than 150 characters.\"]}"},
	{"length", .body = "{\"email\":\"john@example.com\",\"username\":\"" X50 X50 X50 "x\",\"password\":\"x\"}",
	 .answer = "400 {\"username\":[\"Ensure this field has no more than 150 characters.\"]}"},
	{"nulls", .body = "{\"email\":null,\"username\":null,\"password\":null,\"first_name\":null,\"last_name\":null}",
	 .answer =
		 "400 {\"password\":[\"This field may not be null.\"],\"username\":[\"This field may not be null.\"],\"email\":[\"This field may not be "
		 "null.\"],\"first_name\":[\"This field may not be null.\"],\"last_name\":[\"This field may not be null.\"]}"},
	{"blanks", .body = "{\"email\":\"\",\"username\":\" \",\"password\":\"\",\"first_name\":\"\"}",
	 .answer =
		 "400 {\"password\":[\"This field may not be blank.\"],\"username\":[\"This field may not be blank.\"],\"email\":[\"This field may not be blank.\"]}"},
	{"avatar", .body = "{\"email\":\"john@example.com\"," REST ",\"avatar\":\"x.png\"}",
	 .answer = "400 {\"avatar\":[\"The submitted data was not a file. Check the encoding type on the form.\"]}"},
	{"a password of 129",
	 .body = "{\"email\":\"john@example.com\",\"username\":\"x\",\"password\":\"" X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}",
	 .answer = "400 {\"password\":[\"Ensure this field has no more than 128 characters.\"]}"},
	{"a list", .body = "[]", .answer = "400 {\"non_field_errors\":[\"Invalid data. Expected a dictionary, but got list.\"]}"},
	{"broken", .body = "{",
	 .answer =
		 "500 {\"error\":\"JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\"}"},
	{"text type", .type = "text/plain", .body = "x",
	 .answer = "500 {\"error\":\"Unsupported media type \\\"text/plain\\\" in request.\"}"},
	{"another method", .method = "PUT", .body = "{}", .answer = "405 {\"detail\":\"Method \\\"PUT\\\" not allowed.\"}"},
};

static void test_table(void **state)
{
	(void)state;
	case_table(&c, PATH, rows, ARRAY_LEN(rows));
}

static const struct node *answer_of(const char *body, const char *taken)
{
	const struct case_request row = {.path = PATH, .body = body, .taken = taken};
	const struct node *root;
	const char *answer = case_exchange(&c, &row);
	if (json_parse(slice_of(strchr(answer, ' ') + 1), JSON_LIMITS_DEFAULT, c.arena, &root, &c.fault) != REASON_OK)
		fail_msg("%s: %s", answer, c.fault.detail);
	return root;
}

static int sextet(char ch)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	return (int)(strchr(digits, ch) - digits);
}

// The payload of a token in compact serialization.
static const char *payload_of(struct slice token)
{
	const char *at = (const char *)memchr(token.ptr, '.', token.len) + 1, *end = memrchr(token.ptr, '.', token.len);
	char *out = arena_alloc(c.arena, token.len);
	size_t len = 0;
	unsigned bits = 0, held = 0;
	for (; at < end; at++) {
		bits = bits << 6 | (unsigned)sextet(*at);
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[len++] = (char)(bits >> held & 0xff);
		}
	}
	return out;
}

static void test_success(void **state)
{
	(void)state;
	const struct node *root = answer_of(
		"{\"email\":\"john@example.com\"," REST
		",\"first_name\":\"John\",\"last_name\":\"Doe\",\"number_phone\":\"5551234567\",\"is_superuser\":true}",
		NULL);
	assert_int_equal(c.answer.status, 201);
	assert_true(slice_equal_text(root->list.keys[0], "refresh"));
	assert_true(slice_equal_text(root->list.keys[1], "access"));
	struct strbuf user = STRBUF_INIT(1024);
	struct json_writer w;
	json_begin(&w, &user);
	json_node(&w, node_member(root, "user"));
	assert_string_equal(
		user.data,
		"{\"id\":7,\"username\":\"johndoe\",\"email\":\"john@example.com\",\"first_name\":\"John\",\"last_name\":\"Doe\","
		"\"number_phone\":\"5551234567\",\"avatar\":null}");
	strbuf_free(&user);
	struct slice access = node_text(node_member(root, "access")), refresh = node_text(node_member(root, "refresh"));
	assert_memory_equal(access.ptr, "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.", 37);
	const char *payload = payload_of(access);
	assert_memory_equal(payload, "{\"token_type\":\"access\",\"exp\":1700086400,\"iat\":1700000000,\"jti\":\"", 62);
	assert_non_null(strstr(payload, "\",\"user_id\":7}"));
	assert_non_null(strstr(payload_of(refresh), "\"token_type\":\"refresh\""));
	assert_memory_not_equal(strstr(payload, "jti") + 6, strstr(payload_of(refresh), "jti") + 6, 32);
	assert_true(slice_equal_text(c.registration.attributes, "{\"number_phone\":\"5551234567\"}"));
	assert_true(c.registration.wants_number && c.registration.wants_tokens);
	// The same answer once more has the same tokens.
	struct answer again;
	struct slice before = c.answer.body;
	dialect_answer(c.dialect, c.route, &c.request, &c.registration, &c.receipt, c.arena, &again);
	assert_true(slice_equal(again.body, before));
}

static void test_defaults(void **state)
{
	(void)state;
	const struct node *user = node_member(
		answer_of("{\"username\":\"min\",\"email\":\"Min@Example.com\",\"password\":\"S3cure-Enough\"}", NULL), "user");
	assert_true(slice_equal_text(node_text(node_member(user, "first_name")), ""));
	assert_true(slice_equal_text(node_text(node_member(user, "last_name")), ""));
	assert_true(node_is(node_member(user, "number_phone"), NODE_NULL));
	assert_true(slice_equal_text(c.registration.claims[1].value, "Min@Example.com")); // exact
	user = node_member(
		answer_of("{\"username\":\"jos\\u00e9\",\"email\":\"a@x.com\",\"password\":\"x\",\"number_phone\":\"\"}", NULL),
		"user");
	assert_true(slice_equal_text(node_text(node_member(user, "number_phone")), ""));
	assert_int_equal(c.answer.status, 201);
}

static void test_spanish(void **state)
{
	static const struct setting_pair pair = {"language", "es"};
	const struct dialect_conf conf = {"password-generator", {&pair, 1}};
	const struct dialect_options options = {.confs = &conf, .conf_count = 1, .keys = c.keys};
	static const struct case_request spanish[] = {
		{"nothing", .body = "{}",
		 .answer =
			 "400 {\"password\":[\"Este campo es requerido.\"],\"username\":[\"Este campo es requerido.\"],\"email\":[\"Este campo es requerido.\"]}"},
		{"phone", .body = "{\"email\":\"john@example.com\"," REST ",\"number_phone\":\"55512345678\"}",
		 .answer = "400 {\"number_phone\":[\"Aseg\xc3\xbarese de que este campo no tenga m\xc3\xa1s de 10 caracteres.\"]}"},
		{"taken", .body = "{\"email\":\"john@example.com\"," REST "}", .taken = "email",
		 .answer = "400 {\"email\":[\"Ya existe un/a usuario con este/a email.\"]}"},
		{"alphabet", .body = "{\"email\":\"john@example.com\",\"username\":\"a b\",\"password\":\"x\"}",
		 .answer =
			 "400 {\"username\":[\"Introduza un nombre de usuario v\xc3\xa1lido. Este valor puede contener \xc3\xbanicamente letras, n\xc3\xbameros y los "
			 "caracteres @/./+/-/_ \"]}"},
		{"another method", .method = "PUT", .answer = "405 {\"detail\":\"M\xc3\xa9todo \\\"PUT\\\" no permitido.\"}"},
	};
	struct dialect_set *english = c.set;
	const char *name = "password-generator";
	(void)state;
	assert_int_equal(dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", &name, 1, &options, NULL, &c.set, &c.fault), REASON_OK);
	case_table(&c, PATH, spanish, ARRAY_LEN(spanish));
	dialect_set_destroy(c.set);
	c.set = english;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_spanish),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
