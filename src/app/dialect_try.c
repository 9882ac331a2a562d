// SPDX-License-Identifier: Apache-2.0
// enrolld dialect try: one request through a dialect, step by step.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "app/dialect.h"
#include "app/parts.h"
#include "enrolld/base/clock.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/dialect/explain.h"
#include "enrolld/doc/json.h"
#include "enrolld/intake/intake.h"
#include "enrolld/intake/recording.h"

#define CHALLENGE_LIFE_MS INT64_C(600000)
#define INPUT_MAX ((size_t)4 << 20)
#define OUTPUT_MAX ((size_t)16 << 20)
#define HEADERS_MAX 64

struct trial {
	struct arena *arena;
	struct keyring *keys;
	struct secret_pool *pool;
	struct dialect_set *set;
	const char *name;
	struct record record;
	struct request request;
	const struct dialect *dialect;
	const struct route *route;
	struct registration registration;
	struct strbuf out;
	struct fault fault;
};

static bool read_input(struct arena *arena, struct slice *text)
{
	struct strbuf bytes = STRBUF_INIT(INPUT_MAX);
	char block[4096];
	size_t len;
	while ((len = fread(block, 1, sizeof(block), stdin)) > 0)
		strbuf_add(&bytes, block, len);
	*text = arena_copy(arena, strbuf_slice(&bytes));
	bool fits = !strbuf_overflowed(&bytes);
	strbuf_free(&bytes);
	if (!fits)
		fprintf(stderr, "enrolld: the request is longer than %zu bytes\n", INPUT_MAX);
	return fits;
}

// The line at the front without its end, CR LF or LF.
static struct slice next_line(struct slice *rest)
{
	const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	struct slice line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t used = line.len + (end != NULL);
	*rest = (struct slice){rest->ptr + used, rest->len - used};
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

static struct slice trimmed(struct slice text)
{
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

// "POST /path?query HTTP/1.1", of which the last part may be left out.
static bool is_request_line(struct slice line, struct slice *method, struct slice *target)
{
	size_t upper = 0;
	while (upper < line.len && line.ptr[upper] >= 'A' && line.ptr[upper] <= 'Z')
		upper++;
	if (upper == 0 || upper + 1 >= line.len || line.ptr[upper] != ' ' || line.ptr[upper + 1] != '/')
		return false;
	*method = (struct slice){line.ptr, upper};
	struct slice rest = {line.ptr + upper + 1, line.len - upper - 1};
	const char *space = memchr(rest.ptr, ' ', rest.len);
	*target = (struct slice){rest.ptr, space ? (size_t)(space - rest.ptr) : rest.len};
	return true;
}

static struct slice media_type(struct slice header, struct arena *arena)
{
	const char *semicolon = header.len ? memchr(header.ptr, ';', header.len) : NULL;
	struct slice type = trimmed((struct slice){header.ptr, semicolon ? (size_t)(semicolon - header.ptr) : header.len});
	char *lower = arena_alloc(arena, type.len + 1);
	for (size_t i = 0; i < type.len; i++)
		lower[i] = (char)(type.ptr[i] >= 'A' && type.ptr[i] <= 'Z' ? type.ptr[i] + 32 : type.ptr[i]);
	return slice_is_absent(header) ? SLICE_ABSENT : (struct slice){lower, type.len};
}

static void read_http(struct trial *t, struct slice text)
{
	struct header *headers = ARENA_ARRAY(t->arena, HEADERS_MAX, struct header);
	struct request *request = &t->request;
	struct slice method, target, line;
	(void)is_request_line(next_line(&text), &method, &target);
	while (text.len && (line = next_line(&text)).len) {
		const char *colon = memchr(line.ptr, ':', line.len);
		if (!colon || request->header_count == HEADERS_MAX)
			continue;
		struct slice name = {line.ptr, (size_t)(colon - line.ptr)};
		headers[request->header_count++] = (struct header){name,
								   trimmed((struct slice){colon + 1, line.len - name.len - 1})};
	}
	const char *mark = memchr(target.ptr, '?', target.len);
	request->method = method;
	request->path = (struct slice){target.ptr, mark ? (size_t)(mark - target.ptr) : target.len};
	request->query = mark ? (struct slice){mark + 1, target.len - request->path.len - 1} : SLICE_ABSENT;
	request->headers = headers;
	request->content_type = media_type(request_header_value(request, "content-type"), t->arena);
	// A file ends with a line break that is not the body's.
	if (text.len && text.ptr[text.len - 1] == '\n')
		text.len--;
	request->body = text.len ? text : SLICE_ABSENT;
	request->realm = SLICE_LIT("try");
	request->client_address = SLICE_LIT("192.0.2.1");
	request->request_id = SLICE_LIT("try-1");
	request->id_source = REQUEST_ID_COORDINATES;
}

static enum reason read_recording(struct trial *t, struct slice text)
{
	const struct intake intake = {t->keys, "try"};
	struct topic_conf *topic = ARENA_NEW(t->arena, struct topic_conf);
	int64_t youngest = -1;
	bool addressed;
	enum reason reason = recording_read(text, t->arena, &t->record, &t->fault);
	if (reason != REASON_OK)
		return reason;
	settings_defaults(&topic_settings, t->arena, topic);
	topic->name = "try";
	topic->shape = SHAPE_AUTO;
	return intake_read(&intake, topic, &t->record, &youngest, t->arena, &t->request, &addressed, &t->fault);
}

static void print_answer(struct trial *t, const char *title, const struct receipt *receipt)
{
	struct answer answer;
	dialect_answer(t->dialect, t->route, &t->request, t->route ? &t->registration : NULL, receipt, t->arena, &answer);
	strbuf_printf(&t->out, "\n%s\n  %d\n", title, answer.status);
	for (size_t i = 0; i < answer.header_count; i++)
		strbuf_printf(&t->out, "  %.*s: %.*s\n", (int)answer.headers[i].name.len, answer.headers[i].name.ptr,
			      (int)answer.headers[i].value.len, answer.headers[i].value.ptr);
	strbuf_printf(&t->out, "\n  %.*s\n", (int)answer.body.len, answer.body.ptr ? answer.body.ptr : "");
}

// Of the first address that a sign-up would verify.
static void pretend_challenge(const struct trial *t, struct receipt *receipt)
{
	const struct registration *r = &t->registration;
	const struct slice word = SLICE_LIT("try challenge");
	for (size_t i = 0; i < r->claim_count && !receipt->has_challenge; i++) {
		enum claim_kind kind = r->claims[i].kind;
		receipt->has_challenge = (kind == CLAIM_EMAIL || kind == CLAIM_PHONE) && !r->unverified[kind];
		receipt->challenge_kind = kind;
	}
	receipt->challenge_id = derive_id(&word, 1);
	receipt->epoch = keyring_active(t->keys);
	receipt->expires_ms = receipt->at_ms + CHALLENGE_LIFE_MS;
}

static struct receipt receipt_of(const struct trial *t, enum reason reason, int64_t now_ms)
{
	const struct registration *r = &t->registration;
	struct receipt receipt = {
		.outcome = reason == REASON_OK                      ? OUTCOME_ACCEPTED
			   : reason_verdict(reason) == VERDICT_BURY ? OUTCOME_DEAD
								    : OUTCOME_REFUSED,
		.reason = reason,
		.operation = r->operation,
		.at_ms = now_ms,
		.violations = r->violations,
		.violation_count = r->violation_count,
	};
	for (size_t i = 0; i < r->limit_count; i++)
		receipt.limits[receipt.limit_count++] = (struct limit_summary){slice_of(r->limits[i].name), r->limits[i].allowed,
									       r->limits[i].allowed - 1,
									       now_ms + r->limits[i].window_ms, false};
	if (reason != REASON_OK)
		return receipt;
	const struct slice word = SLICE_LIT("try");
	receipt.has_account = true;
	receipt.account_id = derive_id(&word, 1);
	receipt.account_number = r->wants_number ? 1 : 0;
	receipt.slug = r->derived_count ? r->derived[0].stem : SLICE_ABSENT;
	if (r->operation == OPERATION_SIGN_UP)
		pretend_challenge(t, &receipt);
	receipt.has_mint = r->wants_tokens;
	receipt.mint_epoch = receipt.session_epoch = keyring_active(t->keys);
	receipt.has_session = receipt.has_mint && r->session.rule;
	receipt.session_ends_ms = receipt.has_session ? now_ms + r->session.rule->life_ms : 0;
	return receipt;
}

// What becomes of the request if others hold all its identities.
static struct receipt receipt_if_taken(const struct trial *t, int64_t now_ms)
{
	const struct registration *r = &t->registration;
	bool taken[CLAIMS_MAX];
	for (size_t i = 0; i < CLAIMS_MAX; i++)
		taken[i] = true;
	struct violation *violations = r->violations;
	size_t count = r->violation_count;
	enum reason reason = dialect_taken(t->route, r, taken, t->arena, &violations, &count);
	struct receipt receipt = receipt_of(t, reason, now_ms);
	receipt.violations = violations;
	receipt.violation_count = count;
	return receipt;
}

static void print_taken(struct trial *t, int64_t now_ms)
{
	const struct receipt receipt = receipt_if_taken(t, now_ms);
	if (receipt.reason != REASON_OK)
		print_answer(t, "answer if the identities are taken", &receipt);
}

// What becomes of it if the limit of that name is used up.
static struct receipt receipt_if_limited(const struct trial *t, struct slice limit, int64_t now_ms)
{
	struct receipt receipt = receipt_of(t, REASON_RATE_LIMITED, now_ms);
	for (size_t i = 0; i < receipt.limit_count; i++)
		if (slice_equal(receipt.limits[i].name, limit)) {
			receipt.limits[i].remaining = 0;
			receipt.limits[i].reached = true;
		}
	receipt.violation_count = 0;
	return receipt;
}

static void print_route(struct trial *t)
{
	const struct request *r = &t->request;
	if (!slice_is_absent(r->event_type))
		strbuf_printf(&t->out, "event %.*s\n", (int)r->event_type.len, r->event_type.ptr);
	else
		strbuf_printf(&t->out, "%.*s %.*s\n", (int)r->method.len, r->method.ptr ? r->method.ptr : "", (int)r->path.len,
			      r->path.ptr ? r->path.ptr : "");
	if (t->route)
		strbuf_printf(&t->out, "route %s, operation %s\n", route_name(t->route),
			      operation_kind_name(route_operation(t->route)));
	else
		strbuf_printf(&t->out, "no route: %s\n", t->fault.detail);
}

// A request as one line of JSON: {"method", "path", "query", "headers": {...}, "body": text}, and what the database finds: "taken": true,
// "limited": name of a limit.
static bool read_line(struct trial *t, const struct node *line)
{
	const struct node *headers = node_member(line, "headers");
	struct request *request = &t->request;
	struct slice query = node_text(node_member(line, "query"));
	struct header *list = ARENA_ARRAY(t->arena, HEADERS_MAX, struct header);
	for (size_t i = 0; i < node_count(headers) && i < HEADERS_MAX; i++)
		list[request->header_count++] = (struct header){headers->list.keys[i], node_text(headers->list.items[i])};
	request->headers = list;
	request->method = node_text(node_member(line, "method"));
	request->path = node_text(node_member(line, "path"));
	request->query = query;
	request->body = node_text(node_member(line, "body"));
	request->content_type = media_type(request_header_value(request, "content-type"), t->arena);
	request->realm = SLICE_LIT("try");
	request->client_address = SLICE_LIT("192.0.2.1");
	request->request_id = SLICE_LIT("try-1");
	request->id_source = REQUEST_ID_COORDINATES;
	return request->method.len && request->path.len;
}

static struct receipt receipt_for(const struct trial *t, const struct node *line, enum reason reason, int64_t now_ms)
{
	const struct node *taken = node_member(line, "taken"), *limited = node_member(line, "limited");
	const struct registration *r = &t->registration;
	if (t->route && node_is(limited, NODE_TEXT))
		return receipt_if_limited(t, node_text(limited), now_ms);
	if (node_is(taken, NODE_BOOL) && taken->boolean && (reason == REASON_OK || (reason == REASON_INVALID && r->unique_anyway)))
		return receipt_if_taken(t, now_ms);
	return receipt_of(t, reason, now_ms);
}

static void write_line(struct trial *t, const struct node *line, enum reason reason, int64_t now_ms)
{
	struct answer answer;
	struct json_writer w;
	struct receipt receipt = receipt_for(t, line, reason, now_ms);
	dialect_answer(t->dialect, t->route, &t->request, t->route ? &t->registration : NULL, &receipt, t->arena, &answer);
	json_begin(&w, &t->out);
	json_open_map(&w);
	json_member_text(&w, "reason", slice_of(reason_code(receipt.reason)));
	json_key(&w, "violations");
	json_open_list(&w);
	for (size_t i = 0; i < receipt.violation_count; i++) {
		json_open_map(&w);
		json_member_text(&w, "field", receipt.violations[i].field);
		json_member_text(&w, "code", receipt.violations[i].code);
		json_close_map(&w);
	}
	json_close_list(&w);
	json_member_int(&w, "status", answer.status);
	json_key(&w, "headers");
	json_open_list(&w);
	for (size_t i = 0; i < answer.header_count; i++) {
		json_open_list(&w);
		json_text(&w, answer.headers[i].name);
		json_text(&w, answer.headers[i].value);
		json_close_list(&w);
	}
	json_close_list(&w);
	json_member_text(&w, "body", answer.body);
	json_close_map(&w);
	strbuf_add_char(&t->out, '\n');
}

// Requests of a program, each answered by a line: for tests that ask thousands.
static int run_lines(struct trial *t)
{
	char *text = NULL;
	size_t size = 0, number = 0;
	ssize_t len;
	int status = EX_OK;
	while (status == EX_OK && (len = getline(&text, &size, stdin)) > 0) {
		const struct node *line = NULL;
		int64_t now_ms = clock_wall_ms();
		struct arena *whole = t->arena;
		t->arena = arena_create(65536);
		t->request = (struct request){.record = &t->record};
		t->registration = (struct registration){0};
		number++;
		if (json_parse((struct slice){text, (size_t)len}, (struct json_limits){INPUT_MAX, 8, 10000, false}, t->arena, &line,
			       &t->fault) == REASON_OK &&
		    read_line(t, line)) {
			enum reason reason = dialect_route(t->set, &t->name, 1, &t->request, &t->dialect, &t->route, &t->fault);
			if (reason == REASON_OK)
				reason = dialect_read(t->route, &t->request, t->pool, now_ms, t->arena, &t->registration,
						      &t->fault);
			write_line(t, line, reason, now_ms);
		} else {
			fprintf(stderr, "enrolld: line %zu is not {\"method\", \"path\", \"query\", \"headers\", \"body\"}\n",
				number);
			status = EX_DATAERR;
		}
		registration_forget(&t->registration);
		arena_destroy(t->arena);
		t->arena = whole;
		fwrite(t->out.data ? t->out.data : "", 1, t->out.len, stdout);
		strbuf_reset(&t->out);
	}
	free(text);
	return status;
}

static int run(struct trial *t, struct slice text)
{
	struct slice rest = text, method, target;
	int64_t now_ms = clock_wall_ms();
	enum reason reason = REASON_OK;
	t->request = (struct request){.record = &t->record};
	if (is_request_line(next_line(&rest), &method, &target)) {
		read_http(t, text);
	} else {
		reason = read_recording(t, text);
		if (reason == REASON_FILE_UNREADABLE) {
			fprintf(stderr,
				"enrolld: this is neither a request (\"POST /path\", headers, an empty line, the body) nor a recorded record: %s\n",
				t->fault.detail);
			return EX_DATAERR;
		}
		if (reason != REASON_OK)
			strbuf_printf(&t->out, "the record is refused: %s (%s)\n", reason_code(reason), t->fault.detail);
	}
	enum reason routed = dialect_route(t->set, &t->name, 1, &t->request, &t->dialect, &t->route, &t->fault);
	print_route(t);
	if (reason == REASON_OK)
		reason = routed;
	if (reason == REASON_OK)
		reason = dialect_explain(t->route, &t->request, t->pool, now_ms, t->arena, &t->registration, &t->out, &t->fault);
	if (reason != REASON_OK)
		strbuf_printf(&t->out, "\nrefused: %s (%s)\n", reason_code(reason), t->fault.detail);
	struct receipt receipt = receipt_of(t, reason, now_ms);
	print_answer(t, reason == REASON_OK ? "answer if it is accepted" : "answer", &receipt);
	if (t->route && t->registration.claim_count &&
	    (reason == REASON_OK || (reason == REASON_INVALID && t->registration.unique_anyway)))
		print_taken(t, now_ms);
	return EX_OK;
}

int dialect_try(const struct invocation *invocation, const char *word)
{
	struct trial t = {.arena = arena_create(65536), .out = STRBUF_INIT(OUTPUT_MAX)};
	struct strbuf report = STRBUF_INIT((size_t)1 << 20);
	const char *directory;
	struct conf *conf = NULL;
	struct slice text;
	bool locked;
	int status = EX_CONFIG;
	struct dialect_options options = {0};
	json_setup();
	if (crypto_setup(&t.fault) != REASON_OK || secret_pool_create(2, &t.pool, &locked, &t.fault) != REASON_OK) {
		status = command_fail(&t.fault);
		goto out;
	}
	if (!dialect_place(invocation, word, t.arena, &directory, &t.name, &conf))
		goto out;
	if (conf)
		options = parts_dialect_options(conf);
	t.keys = keyring_for_tests(); // what is minted here opens nothing
	options.keys = t.keys;
	options.data_dir = dialect_data(conf, t.arena);
	if (dialect_load(directory, &t.name, 1, &options, &report, &t.set, &t.fault) != REASON_OK) {
		fwrite(report.data, 1, report.len, stderr);
		status = command_status(t.fault.reason);
		goto out;
	}
	if (invocation->json) {
		status = run_lines(&t);
		goto out;
	}
	status = EX_DATAERR;
	if (read_input(t.arena, &text))
		status = run(&t, text);
	command_print(&t.out);
out:
	registration_forget(&t.registration);
	strbuf_free(&t.out);
	strbuf_free(&report);
	dialect_set_destroy(t.set);
	keyring_destroy(t.keys);
	if (t.pool)
		secret_pool_destroy(t.pool);
	conf_destroy(conf);
	arena_destroy(t.arena);
	return status;
}
