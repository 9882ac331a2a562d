// SPDX-License-Identifier: Apache-2.0
// See case.h.
#include "case.h"

#include "enrolld/doc/json.h"

void case_start(struct dialect_case *c, const char *directory, const char *name)
{
	struct strbuf report = STRBUF_INIT(65536);
	bool locked;
	*c = (struct dialect_case){.arena = arena_create(65536)};
	json_setup();
	assert_int_equal(crypto_setup(&c->fault), REASON_OK);
	assert_int_equal(secret_pool_create(8, &c->pool, &locked, &c->fault), REASON_OK);
	c->keys = keyring_for_tests();
	c->name = name;
	const struct dialect_options options = {.keys = c->keys};
	if (dialect_load(directory, &name, 1, &options, &report, &c->set, &c->fault) != REASON_OK)
		fail_msg("%s", report.data);
	strbuf_free(&report);
}

void case_end(struct dialect_case *c)
{
	secret_release(c->registration.password);
	dialect_set_destroy(c->set);
	secret_pool_destroy(c->pool);
	keyring_destroy(c->keys);
	arena_destroy(c->arena);
}

enum reason case_read(struct dialect_case *c, const char *method, const char *path, struct slice body)
{
	secret_release(c->registration.password);
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
		.violations = c->registration.violations,
		.violation_count = c->registration.violation_count,
	};
	dialect_answer(c->dialect, c->route, &c->request, &c->registration, &c->receipt, c->arena, &c->answer);
	return slice_is_absent(c->answer.body) ? "" : c->answer.body.ptr;
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
