// SPDX-License-Identifier: Apache-2.0
// Providers as data: requests in three encodings, answers by rules, and what is wrong with broken files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "courier/provider.h"
#include "enrolld/base/attr.h"

static enum reason load_text(const char *yaml, struct provider **p, struct fault *f)
{
	char path[] = "/tmp/enrolld-provider-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	close(fd);
	enum reason reason = provider_load(path, p, f);
	unlink(path);
	return reason;
}

static struct provider *provider_of(const char *yaml)
{
	struct provider *p = NULL;
	struct fault f = {0};
	if (load_text(yaml, &p, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	return p;
}

static struct provider_values values_full(void)
{
	return (struct provider_values){
		.url = SLICE_LIT("https://api.example.com"),
		.to = SLICE_LIT("+4915112345678"),
		.from = SLICE_LIT("Example"),
		.text = SLICE_LIT("Code \"012345\" & más\n"),
		.message_id = SLICE_LIT("0198c0de-0000-8000-8000-000000000001"),
		.realm = SLICE_LIT("shop"),
		.purpose = SLICE_LIT("verify_phone"),
		.language = SLICE_LIT("es"),
		.brand = SLICE_LIT("Example"),
		.user = SLICE_LIT("AC 1/2"),
		.password = SLICE_LIT("secret"),
	};
}

static const char *header(const struct provider_request *r, const char *name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		size_t len = strlen(name);
		if (strncmp(r->headers[i].data, name, len) == 0 && strncmp(r->headers[i].data + len, ": ", 2) == 0)
			return r->headers[i].data + len + 2;
	}
	return "";
}

static void generic_request(void **state)
{
	(void)state;
	struct provider *p = NULL;
	struct fault f = {0};
	if (provider_load(ENROLLD_SCHEMAS_DIR "/providers/generic.yaml", &p, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	struct provider_values v = values_full();
	struct provider_request r;
	assert_int_equal(provider_write(p, &v, &r, NULL), REASON_OK);
	assert_string_equal(r.method, "POST");
	assert_string_equal(r.url.data, "https://api.example.com");
	assert_string_equal(header(&r, "Idempotency-Key"), "0198c0de-0000-8000-8000-000000000001");
	assert_string_equal(header(&r, "Content-Type"), "application/json");
	assert_string_equal(
		r.body.data,
		"{\"id\":\"0198c0de-0000-8000-8000-000000000001\",\"to\":\"+4915112345678\",\"from\":\"Example\","
		"\"text\":\"Code \\\"012345\\\" & más\\n\",\"language\":\"es\",\"purpose\":\"verify_phone\",\"realm\":\"shop\"}");
	provider_request_free(&r);
	v.from = SLICE_ABSENT;
	assert_int_equal(provider_write(p, &v, &r, NULL), REASON_OK);
	assert_null(strstr(r.body.data, "from"));
	provider_request_free(&r);
	assert_false(provider_idempotent(p));
	assert_int_equal(provider_auth(p, NULL, NULL), PROVIDER_AUTH_NONE);
	assert_int_equal(provider_auth(p, "u", "p"), PROVIDER_AUTH_BASIC);
	assert_int_equal(provider_auth(p, NULL, "p"), PROVIDER_AUTH_BEARER);
	provider_free(p);
}

// As Twilio's API is documented: form, basic, account in the path.
static const char form_provider[] =
	"idempotent: false\nauth: basic\nrequest:\n  method: POST\n"
	"  path: \"/2010-04-01/Accounts/{{user}}/Messages.json\"\n  encoding: form\n"
	"  body: {To: \"{{to}}\", From: \"{{from}}\", Body: \"{{text}}\"}\n"
	"answers:\n  - {status: 201, then: accepted}\n  - {status: 429, then: deferred}\n"
	"  - {status: 400, pointer: /code, is: [21211, \"21614\"], then: refused}\n  - {status: 400-499, then: away}\n"
	"id: {pointer: /sid}\n";

static void form_request(void **state)
{
	(void)state;
	struct provider *p = provider_of(form_provider);
	struct provider_values v = values_full();
	struct provider_request r;
	assert_int_equal(provider_write(p, &v, &r, NULL), REASON_OK);
	assert_string_equal(r.url.data, "https://api.example.com/2010-04-01/Accounts/AC%201%2F2/Messages.json");
	assert_string_equal(header(&r, "Content-Type"), "application/x-www-form-urlencoded");
	assert_string_equal(r.body.data, "To=%2B4915112345678&From=Example&Body=Code%20%22012345%22%20%26%20m%C3%A1s%0A");
	provider_request_free(&r);
	provider_free(p);
}

static void multipart_request(void **state)
{
	(void)state;
	struct provider *p = provider_of(
		"idempotent: true\nauth: {header: X-Api-Key}\nrequest:\n  method: PUT\n  encoding: multipart\n"
		"  headers: {X-Realm: \"{{realm}}\"}\n  body: {to: \"{{to}}\", empty: \"\", text: hi}\n"
		"answers: [{status: 200, then: accepted}]\n");
	struct provider_values v = values_full();
	struct provider_request r;
	assert_int_equal(provider_write(p, &v, &r, NULL), REASON_OK);
	assert_string_equal(r.method, "PUT");
	assert_string_equal(header(&r, "X-Api-Key"), "secret");
	assert_string_equal(header(&r, "X-Realm"), "shop");
	assert_string_equal(header(&r, "Content-Type"),
			    "multipart/form-data; boundary=enrolld-0198c0de-0000-8000-8000-000000000001");
	assert_string_equal(
		r.body.data,
		"--enrolld-0198c0de-0000-8000-8000-000000000001\r\nContent-Disposition: form-data; name=\"to\"\r\n\r\n+4915112345678\r\n"
		"--enrolld-0198c0de-0000-8000-8000-000000000001\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhi\r\n"
		"--enrolld-0198c0de-0000-8000-8000-000000000001--\r\n");
	provider_request_free(&r);
	v.realm = SLICE_LIT("shop\r\nX-Evil: 1");
	struct fault f = {0};
	assert_int_equal(provider_write(p, &v, &r, &f), REASON_DELIVERY_REFUSED);
	assert_null(strstr(f.detail, "Evil"));
	assert_int_equal(provider_auth(p, "u", "p"), PROVIDER_AUTH_HEADER);
	provider_free(p);
}

struct judged {
	int status;
	const char *body;
	enum handover_kind kind;
	const char *code, *id;
};

static void check_answers(const struct provider *p, const struct judged *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct exchange e = {
			.begun = true, .ended = true, .error = "", .status = rows[i].status, .body = STRBUF_INIT(65536)};
		strbuf_add_text(&e.body, rows[i].body);
		struct handover h;
		provider_judge(p, &e, &h);
		if (h.kind != rows[i].kind || strcmp(h.code, rows[i].code) != 0 || strcmp(h.remote_id, rows[i].id) != 0)
			fail_msg("row %zu: kind %d code \"%s\" id \"%s\"", i, (int)h.kind, h.code, h.remote_id);
		assert_int_equal(h.kind == HANDOVER_ACCEPTED, h.fault.reason == REASON_OK);
		strbuf_free(&e.body);
	}
}

static void answers_by_status(void **state)
{
	(void)state;
	struct provider *p = NULL;
	assert_int_equal(provider_load(ENROLLD_SCHEMAS_DIR "/providers/generic.yaml", &p, NULL), REASON_OK);
	static const struct judged rows[] = {
		{200, "", HANDOVER_ACCEPTED, "200", ""},
		{201, "{\"sid\":\"SM1\"}", HANDOVER_ACCEPTED, "201", "SM1"},
		{202, "{\"id\":12}", HANDOVER_ACCEPTED, "202", "12"},
		{202, "{\"id\":{}}", HANDOVER_ACCEPTED, "202", ""},
		{204, "not json", HANDOVER_ACCEPTED, "204", ""},
		{302, "", HANDOVER_AWAY, "302", ""},
		{400, "", HANDOVER_REFUSED, "400", ""},
		{401, "", HANDOVER_AWAY, "401", ""},
		{404, "", HANDOVER_AWAY, "404", ""},
		{408, "", HANDOVER_DEFERRED, "408", ""},
		{429, "", HANDOVER_DEFERRED, "429", ""},
		{500, "", HANDOVER_UNKNOWN, "500", ""},
		{502, "", HANDOVER_UNKNOWN, "502", ""},
		{503, "", HANDOVER_DEFERRED, "503", ""},
	};
	check_answers(p, rows, ARRAY_LEN(rows));
	provider_free(p);
}

static void answers_by_pointer(void **state)
{
	(void)state;
	struct provider *p = provider_of(form_provider);
	static const struct judged rows[] = {
		{201, "{\"sid\":\"SM1\"}", HANDOVER_ACCEPTED, "201", "SM1"},
		{400, "{\"code\":21211}", HANDOVER_REFUSED, "400 21211", ""},
		{400, "{\"code\":\"21614\"}", HANDOVER_REFUSED, "400 21614", ""},
		{400, "{\"code\":20003}", HANDOVER_AWAY, "400", ""},
		{200, "{}", HANDOVER_UNKNOWN, "200", ""},
	};
	check_answers(p, rows, ARRAY_LEN(rows));
	provider_free(p);
	// As Vonage's SMS API: 200 whatever happened, the body tells.
	p = provider_of("idempotent: false\nauth: none\nrequest:\n  method: POST\n  encoding: json\n"
			"  body: {api_key: \"{{user}}\", api_secret: \"{{password}}\", to: \"{{to}}\", text: \"{{text}}\"}\n"
			"answers:\n  - {status: 200, pointer: /messages/0/status, is: \"0\", then: accepted}\n"
			"  - {status: 200, pointer: /messages/0/status, is: [\"1\", \"5\"], then: deferred}\n"
			"  - {status: 200, pointer: /messages/0/status, is: [\"4\"], then: away}\n"
			"  - {status: 200, pointer: /messages/0/status, is: [\"3\", \"6\"], then: refused}\n"
			"id: {pointer: /messages/0/message-id}\n");
	static const struct judged more[] = {
		{200, "{\"messages\":[{\"status\":\"0\",\"message-id\":\"A\"}]}", HANDOVER_ACCEPTED, "200 0", "A"},
		{200, "{\"messages\":[{\"status\":\"1\"}]}", HANDOVER_DEFERRED, "200 1", ""},
		{200, "{\"messages\":[{\"status\":\"4\"}]}", HANDOVER_AWAY, "200 4", ""},
		{200, "{\"messages\":[{\"status\":\"6\"}]}", HANDOVER_REFUSED, "200 6", ""},
		{200, "{\"messages\":[]}", HANDOVER_UNKNOWN, "200", ""},
		{200, "<html>", HANDOVER_UNKNOWN, "200", ""},
	};
	check_answers(p, more, ARRAY_LEN(more));
	provider_free(p);
}

static void no_answer(void **state)
{
	(void)state;
	struct provider *plain = provider_of(form_provider);
	struct provider *idempotent = provider_of(
		"idempotent: true\nauth: bearer\nrequest: {method: POST, encoding: json, body: {}}\nanswers: [{status: 202, then: accepted}]\n"
		"id: {header: X-Message-Id}\n");
	struct handover h;
	struct exchange e = {.begun = true, .ended = true, .error = "broke"};
	provider_judge(plain, &e, &h);
	assert_int_equal(h.kind, HANDOVER_UNKNOWN);
	assert_int_equal(h.fault.reason, REASON_DELIVERY_UNKNOWN);
	provider_judge(idempotent, &e, &h);
	assert_int_equal(h.kind, HANDOVER_DEFERRED);
	e.status = 100; // an interim answer is none
	provider_judge(plain, &e, &h);
	assert_int_equal(h.kind, HANDOVER_UNKNOWN);
	e = (struct exchange){.begun = true, .error = "broke"};
	provider_judge(plain, &e, &h);
	assert_int_equal(h.kind, HANDOVER_DEFERRED);
	assert_string_equal(h.code, "link_broke");
	e = (struct exchange){.error = "no route"};
	provider_judge(plain, &e, &h);
	assert_int_equal(h.kind, HANDOVER_AWAY);
	e = (struct exchange){.aborted = EXCHANGE_ABORTED_GATE, .error = ""};
	provider_judge(plain, &e, &h);
	assert_int_equal(h.kind, HANDOVER_HELD);
	e = (struct exchange){.begun = true, .ended = true, .aborted = EXCHANGE_ABORTED_STOP, .error = ""};
	provider_judge(plain, &e, &h);
	assert_int_equal(h.kind, HANDOVER_UNKNOWN);
	e = (struct exchange){.begun = true, .ended = true, .error = "", .status = 202, .id_header = "abc"};
	provider_judge(idempotent, &e, &h);
	assert_int_equal(h.kind, HANDOVER_ACCEPTED);
	assert_string_equal(h.remote_id, "abc");
	e = (struct exchange){.begun = true, .ended = true, .error = "", .status = 500};
	provider_judge(idempotent, &e, &h);
	assert_int_equal(h.kind, HANDOVER_DEFERRED);
	provider_free(plain);
	provider_free(idempotent);
}

static void broken(const char *yaml, const char *complaint)
{
	struct provider *p = NULL;
	struct fault f = {0};
	assert_int_equal(load_text(yaml, &p, &f), REASON_DIALECT_INVALID);
	if (!strstr(f.detail, complaint))
		fail_msg("\"%s\" is not in \"%s\"", complaint, f.detail);
}

#define TOP "idempotent: false\nauth: none\n"
#define REQUEST "request: {method: POST, encoding: json, body: {}}\n"
#define ANSWERS "answers: [{status: 200, then: accepted}]\n"

static void broken_files(void **state)
{
	(void)state;
	provider_free(provider_of(TOP REQUEST ANSWERS));
	broken(TOP REQUEST ANSWERS "idd: 1\n", "did you mean id");
	broken("auth: none\n" REQUEST ANSWERS, "idempotent");
	broken("idempotent: false\nauth: sigv4\n" REQUEST ANSWERS, "auth");
	broken("idempotent: false\n" REQUEST ANSWERS, "auth");
	broken(TOP ANSWERS, "must be a map");
	broken(TOP "request: {method: GET, encoding: json, body: {}}\n" ANSWERS, "method");
	broken(TOP "request: {method: POST, encoding: xml, body: {}}\n" ANSWERS, "encoding");
	broken(TOP "request: {method: POST, encoding: json}\n" ANSWERS, "body");
	broken(TOP "request: {method: POST, encoding: form, body: {a: [1]}}\n" ANSWERS, "text");
	broken(TOP "request: {method: POST, encoding: form, body: {a: \"{{tto}}\"}}\n" ANSWERS, "tto");
	broken(TOP "request: {method: POST, encoding: json, body: {a: \"{{tto}}\"}}\n" ANSWERS, "tto");
	broken(TOP "request: {method: POST, encoding: json, headers: {\"A b\": x}, body: {}}\n" ANSWERS, "header");
	broken(TOP "request: {method: POST, encoding: json, headers: {Host: x}, body: {}}\n" ANSWERS, "header");
	broken(TOP REQUEST, "answers");
	broken(TOP REQUEST "answers: [{status: 20, then: accepted}]\n", "status");
	broken(TOP REQUEST "answers: [{status: 299-200, then: accepted}]\n", "status");
	broken(TOP REQUEST "answers: [{status: 200, then: maybe}]\n", "then");
	broken(TOP REQUEST "answers: [{status: 200, is: x, then: accepted}]\n", "pointer");
	broken(TOP REQUEST "answers: [{status: 200, pointer: /a, then: accepted}]\n", "is");
	broken(TOP REQUEST ANSWERS "id: {pointer: sid}\n", "pointer");
	broken(TOP REQUEST ANSWERS "id: {header: \"a b\"}\n", "id");
	broken("", "must be a map");
	struct provider *p = NULL;
	assert_int_equal(provider_load("/nonexistent.yaml", &p, NULL), REASON_FILE_UNREADABLE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generic_request),   cmocka_unit_test(form_request),       cmocka_unit_test(multipart_request),
		cmocka_unit_test(answers_by_status), cmocka_unit_test(answers_by_pointer), cmocka_unit_test(no_answer),
		cmocka_unit_test(broken_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
