// SPDX-License-Identifier: Apache-2.0
// See case.h.
#include "case.h"

#include "enrolld/doc/json.h"

void case_start(struct dialect_case *c, const char *directory, const char *name)
{
	case_start_with(c, directory, name, NULL, NULL);
}

void case_start_with(struct dialect_case *c, const char *directory, const char *name, const char *setting, const char *value)
{
	const struct setting_pair pair = {setting, value};
	const struct dialect_conf conf = {.name = name, .values = {&pair, 1}};
	struct strbuf report = STRBUF_INIT(65536);
	bool locked;
	*c = (struct dialect_case){.arena = arena_create(65536)};
	json_setup();
	assert_int_equal(crypto_setup(&c->fault), REASON_OK);
	assert_int_equal(secret_pool_create(8, &c->pool, &locked, &c->fault), REASON_OK);
	c->keys = keyring_for_tests();
	c->name = name;
	const struct dialect_options options = {.confs = &conf, .conf_count = setting != NULL, .keys = c->keys};
	if (dialect_load(directory, &name, 1, &options, &report, &c->set, &c->fault) != REASON_OK)
		fail_msg("%s", report.data);
	strbuf_free(&report);
}

void case_end(struct dialect_case *c)
{
	registration_forget(&c->registration);
	dialect_set_destroy(c->set);
	secret_pool_destroy(c->pool);
	keyring_destroy(c->keys);
	arena_destroy(c->arena);
}

enum reason case_read(struct dialect_case *c, const char *method, const char *path, struct slice body)
{
	registration_forget(&c->registration);
	c->registration = (struct registration){0};
	char *value = arena_alloc(c->arena, body.len + 1);
	if (body.len)
		memcpy(value, body.ptr, body.len);
	c->request = (struct request){
		.record = &c->record,
		.method = slice_of(method),
		.path = slice_of(path),
		.body = slice_is_absent(body) ? SLICE_ABSENT : (struct slice){value, body.len},
		.realm = SLICE_LIT("default"),
		.request_id = SLICE_LIT("id-1"),
		.id_source = REQUEST_ID_HEADER,
	};
	enum reason reason = dialect_route(c->set, &c->name, 1, &c->request, &c->dialect, &c->route, &c->fault);
	if (reason == REASON_OK)
		reason = dialect_read(c->route, &c->request, c->pool, NOW_MS, c->arena, &c->registration, &c->fault);
	memset(value, 'X', body.len);
	return reason;
}

const char *case_answer(struct dialect_case *c, enum reason reason)
{
	c->receipt = (struct receipt){
		.outcome = reason == REASON_OK ? OUTCOME_ACCEPTED : OUTCOME_REFUSED,
		.reason = reason,
		.at_ms = NOW_MS,
		.has_account = reason == REASON_OK,
		.opening = c->registration.opening,
		.violations = c->registration.violations,
		.violation_count = c->registration.violation_count,
	};
	dialect_answer(c->dialect, c->route, &c->request, &c->registration, &c->receipt, c->arena, &c->answer);
	return slice_is_absent(c->answer.body) ? "" : c->answer.body.ptr;
}

// Lines of "name: value" as headers, the content type first.
static size_t set_headers(struct dialect_case *c, const struct case_request *row, struct header *headers, size_t max)
{
	size_t count = 0;
	const char *type = row->type ? row->type : "application/json";
	if (*type)
		headers[count++] = (struct header){SLICE_LIT("content-type"), slice_of(type)};
	for (const char *at = row->headers; at && *at && count < max;) {
		const char *colon = strchr(at, ':'), *end = strchr(at, '\n');
		assert_non_null(colon);
		size_t len = end ? (size_t)(end - at) : strlen(at);
		headers[count++] = (struct header){arena_copy(c->arena, (struct slice){at, (size_t)(colon - at)}),
						   arena_copy(c->arena, (struct slice){colon + 2, len - (size_t)(colon + 2 - at)})};
		at = end ? end + 1 : NULL;
	}
	return count;
}

static void prepare(struct dialect_case *c, const struct case_request *row, struct slice body)
{
	struct header *headers = ARENA_ARRAY(c->arena, 16, struct header);
	const char *type = row->type ? row->type : "application/json";
	size_t type_len = strcspn(type, ";");
	c->request = (struct request){
		.record = &c->record,
		.method = slice_of(row->method ? row->method : "POST"),
		.path = slice_of(row->path),
		.query = slice_of(row->query),
		.content_type = type_len ? (struct slice){type, type_len} : SLICE_ABSENT,
		.body = body,
		.headers = headers,
		.header_count = set_headers(c, row, headers, 16),
		.realm = SLICE_LIT("default"),
		.client_address = SLICE_LIT("192.0.2.1"),
		.request_id = SLICE_LIT("id-1"),
		.id_source = REQUEST_ID_HEADER,
	};
}

// What the database finds.
static enum reason look(struct dialect_case *c, const char *kinds, enum reason reason)
{
	bool taken[CLAIMS_MAX] = {false}, any = false;
	struct registration *r = &c->registration;
	for (size_t i = 0; kinds && i < r->claim_count; i++) {
		taken[i] = strstr(kinds, claim_kind_name(r->claims[i].kind)) != NULL;
		any = any || taken[i];
	}
	if (!any || (reason != REASON_OK && !(reason == REASON_INVALID && r->unique_anyway)))
		return reason;
	return dialect_taken(c->route, r, taken, c->arena, &r->violations, &r->violation_count);
}

const char *case_exchange(struct dialect_case *c, const struct case_request *row)
{
	registration_forget(&c->registration);
	c->registration = (struct registration){0};
	size_t len = row->body ? strlen(row->body) : 0;
	char *body = arena_alloc(c->arena, len + 1);
	memcpy(body, row->body ? row->body : "", len);
	prepare(c, row, row->body ? (struct slice){body, len} : SLICE_ABSENT);
	enum reason reason = dialect_route(c->set, &c->name, 1, &c->request, &c->dialect, &c->route, &c->fault);
	if (reason == REASON_OK)
		reason = dialect_read(c->route, &c->request, c->pool, NOW_MS, c->arena, &c->registration, &c->fault);
	memset(body, 'X', len);
	reason = look(c, row->taken, reason);
	c->receipt = (struct receipt){
		.outcome = reason == REASON_OK ? OUTCOME_ACCEPTED : OUTCOME_REFUSED,
		.reason = reason,
		.at_ms = NOW_MS,
		.has_account = reason == REASON_OK,
		.opening = c->registration.opening,
		.account_id = {.bytes = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x8d, 0xef, 0x81}},
		.account_number = c->registration.wants_number && reason == REASON_OK ? 7 : 0,
		.slug = c->registration.derived_count && reason == REASON_OK ? c->registration.derived[0].stem : SLICE_ABSENT,
		.has_mint = c->registration.wants_tokens,
		.mint_epoch = 1,
		.has_session = c->registration.wants_tokens && c->registration.session.rule,
		.session_epoch = 1,
		.session_ends_ms = c->registration.session.rule ? NOW_MS + c->registration.session.rule->life_ms : 0,
		.violations = c->registration.violations,
		.violation_count = c->registration.violation_count,
	};
	dialect_answer(c->dialect, c->route, &c->request, c->route ? &c->registration : NULL, &c->receipt, c->arena, &c->answer);
	return arena_printf(c->arena, "%d%s%.*s", c->answer.status, c->answer.body.ptr ? " " : "", (int)c->answer.body.len,
			    c->answer.body.ptr ? c->answer.body.ptr : "")
		.ptr;
}

void case_table(struct dialect_case *c, const char *path, const struct case_request *rows, size_t count)
{
	int wrong = 0;
	for (size_t i = 0; i < count; i++) {
		struct case_request row = rows[i];
		if (!row.path)
			row.path = path;
		const char *answer = case_exchange(c, &row);
		if (strcmp(answer, row.answer) == 0)
			continue;
		print_error("%s:\n%s\ninstead of\n%s\n", row.name, answer, row.answer);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

const char *case_header(const struct dialect_case *c, const char *name)
{
	for (size_t i = 0; i < c->answer.header_count; i++)
		if (slice_equal_text(c->answer.headers[i].name, name))
			return c->answer.headers[i].value.ptr;
	return "";
}

const char *case_violations(struct dialect_case *c)
{
	struct slice text = SLICE_LIT("");
	for (size_t i = 0; i < c->registration.violation_count; i++) {
		const struct violation *v = &c->registration.violations[i];
		text = arena_printf(c->arena, "%s%s%.*s:%.*s", text.ptr, i ? " " : "", (int)v->field.len, v->field.ptr,
				    (int)v->code.len, v->code.ptr);
	}
	return text.ptr;
}
