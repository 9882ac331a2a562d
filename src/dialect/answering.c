// SPDX-License-Identifier: Apache-2.0
// The values that answers speak of, each made when a template asks for it.
#include "dialect/answer.h"
#include "dialect/values.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/doc/json.h"

#define TEXT_MAX ((size_t)8 << 20) // above what any body and violations can make of any template

static bool give_text(struct slice text, struct template_value *value)
{
	*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = text};
	return !slice_is_absent(text);
}

static bool give_time(int64_t ms, bool there, struct template_value *value)
{
	*value = (struct template_value){.kind = TEMPLATE_TIME, .integer = ms};
	return there;
}

static bool give_int(int64_t n, bool there, struct template_value *value)
{
	*value = (struct template_value){.kind = TEMPLATE_INT, .integer = n};
	return there;
}

static bool give_uuid(const struct uuid *uuid, bool there, struct arena *arena, struct template_value *value)
{
	char text[UUID_TEXT_SIZE];
	return there && give_text(arena_copy(arena, slice_of(uuid_format(uuid, text))), value);
}

// The same for the same request, whoever asks.
static bool give_answer_id(const struct answering *a, struct template_value *value)
{
	const struct slice parts[] = {SLICE_LIT("answer"), a->request->realm, slice_of(a->dialect->name), a->request->request_id};
	const struct uuid id = derive_id(parts, ARRAY_LEN(parts));
	return give_uuid(&id, true, a->arena, value);
}

static bool give_place(const struct dialect_reading *reading, size_t place, struct template_value *value)
{
	return give_int((int64_t)place, !slice_is_absent(reading->parse_message), value);
}

// For a path that is known with other methods: these (RFC 9110, section 10.2.1).
static struct slice allow_text(const struct answering *a)
{
	struct slice list = SLICE_ABSENT;
	for (size_t i = 0; i < a->dialect->route_count; i++) {
		const struct route *r = &a->dialect->routes[i];
		if (r->path.len && path_fits(r->path, a->request->path))
			list = arena_printf(a->arena, "%.*s%s%.*s", (int)list.len, list.ptr ? list.ptr : "", list.ptr ? ", " : "",
					    (int)r->method.len, r->method.ptr);
	}
	return list;
}

static struct slice shown_claim(const struct answering *a, enum claim_kind kind)
{
	const struct claim *claim = a->registration ? registration_claim(a->registration, kind) : NULL;
	return claim ? claim->shown : SLICE_ABSENT;
}

static struct slice reason_sentence(struct answering *a)
{
	if (a->receipt->reason == REASON_OK || a->receipt->veiled)
		return SLICE_ABSENT;
	const struct text_row *row = text_find(&a->dialect->texts, slice_of(reason_code(a->receipt->reason)));
	return row ? answering_text(a, words_in(&row->text, a->language)) : slice_of(reason_text(a->receipt->reason));
}

// Whole seconds, rounded up, at least one.
static int64_t seconds_until(const struct answering *a, int64_t ms)
{
	int64_t left = ms - a->receipt->at_ms;
	return left <= 1000 ? 1 : (left + 999) / 1000;
}

static bool find_limit(const struct answering *a, struct slice name, struct template_value *value)
{
	const char *dot = name.len ? memrchr(name.ptr, '.', name.len) : NULL;
	if (!dot)
		return false;
	struct slice limit = {name.ptr, (size_t)(dot - name.ptr)}, part = {dot + 1, name.len - (size_t)(dot + 1 - name.ptr)};
	for (size_t i = 0; i < a->receipt->limit_count; i++) {
		const struct limit_summary *s = &a->receipt->limits[i];
		if (!slice_equal(s->name, limit))
			continue;
		if (slice_equal_text(part, "allowed"))
			return give_int(s->allowed, true, value);
		if (slice_equal_text(part, "remaining"))
			return give_int(s->remaining, true, value);
		if (slice_equal_text(part, "resets"))
			return give_time(s->resets_ms, true, value);
		return give_int(seconds_until(a, s->resets_ms), true, value);
	}
	return false;
}

static bool find_receipt(struct answering *a, enum answer_value which, struct template_value *value)
{
	const struct receipt *r = a->receipt;
	const struct limit_summary *limit;
	switch (which) {
	case ANSWER_OPERATION: return give_text(slice_of(operation_kind_name(r->operation)), value);
	case ANSWER_OUTCOME: return give_text(slice_of(outcome_name(r->veiled ? OUTCOME_ACCEPTED : r->outcome)), value);
	case ANSWER_REASON: return r->reason != REASON_OK && !r->veiled && give_text(slice_of(reason_code(r->reason)), value);
	case ANSWER_TEXT: return give_text(reason_sentence(a), value);
	case ANSWER_AT: return give_time(r->at_ms, true, value);
	case ANSWER_ACCOUNT_ID: return give_uuid(&r->account_id, r->has_account, a->arena, value);
	case ANSWER_ACCOUNT_NUMBER: return give_int(r->account_number, r->account_number != 0, value);
	case ANSWER_SLUG: return give_text(r->slug, value);
	case ANSWER_STATE: return r->has_account && give_text(r->has_challenge ? SLICE_LIT("pending") : SLICE_LIT("active"), value);
	case ANSWER_CHALLENGE_ID: return give_uuid(&r->challenge_id, r->has_challenge, a->arena, value);
	case ANSWER_EXPIRES_AT: return give_time(r->expires_ms, r->has_challenge, value);
	case ANSWER_NEXT_AT: return give_time(r->next_ms, r->next_ms != 0, value);
	case ANSWER_NEXT_IN: return give_int(seconds_until(a, r->next_ms), r->next_ms != 0, value);
	case ANSWER_TRIES_LEFT: return give_int(r->tries_left, r->has_tries, value);
	case ANSWER_CREATED: return r->created && give_text(SLICE_LIT("true"), value);
	case ANSWER_VERIFIED_KIND:
		return !slice_is_absent(r->address) && give_text(slice_of(claim_kind_name(r->address_kind)), value);
	case ANSWER_VERIFIED: return give_text(r->address, value);
	case ANSWER_COUNT: return give_int((int64_t)r->violation_count, true, value);
	case ANSWER_MORE: return give_int((int64_t)r->violation_count - 1, r->violation_count > 0, value);
	case ANSWER_VIOLATIONS: *value = (struct template_value){.kind = TEMPLATE_LIST, .items = violations_items(a)}; return true;
	case ANSWER_RETRY_AFTER:
		limit = receipt_limit(r);
		if (!limit || !limit->reached)
			return give_int(seconds_until(a, r->next_ms), r->next_ms != 0 && r->reason != REASON_OK, value);
		return give_int(seconds_until(a, limit->resets_ms), true, value);
	case ANSWER_LIMITED_BY: limit = receipt_limit(r); return limit && limit->reached && give_text(limit->name, value);
	default: return false;
	}
}

static bool find_request(struct answering *a, enum answer_value which, struct template_value *value)
{
	const struct registration *r = a->registration;
	switch (which) {
	case ANSWER_REQUEST_ID: return give_text(a->request->request_id, value);
	case ANSWER_ANSWER_ID: return give_answer_id(a, value);
	case ANSWER_REALM: return give_text(a->request->realm, value);
	case ANSWER_METHOD: return give_text(a->request->method, value);
	case ANSWER_PATH: return give_text(a->request->path, value);
	case ANSWER_CONTENT_TYPE: return give_text(a->request->content_type, value);
	case ANSWER_CONTENT_TYPE_SENT: return give_text(request_header_value(a->request, "content-type"), value);
	case ANSWER_ALLOW: return give_text(allow_text(a), value);
	case ANSWER_LANGUAGE: return give_text(a->dialect->languages[a->language], value);
	case ANSWER_EMAIL: return give_text(shown_claim(a, CLAIM_EMAIL), value);
	case ANSWER_PHONE: return give_text(shown_claim(a, CLAIM_PHONE), value);
	case ANSWER_USERNAME: return give_text(shown_claim(a, CLAIM_USERNAME), value);
	case ANSWER_GIVEN_NAME: return r && give_text(r->given_name, value);
	case ANSWER_FAMILY_NAME: return r && give_text(r->family_name, value);
	case ANSWER_DISPLAY_NAME: return r && give_text(r->display_name, value);
	case ANSWER_BIRTH_DATE: return r && give_text(r->birth_date, value);
	case ANSWER_LOCALE: return r && give_text(r->locale, value);
	case ANSWER_PARSE_ERROR: return a->reading && give_text(a->reading->parse_error, value);
	case ANSWER_PARSE_MESSAGE: return a->reading && give_text(a->reading->parse_message, value);
	case ANSWER_PARSE_POSITION: return a->reading && give_place(a->reading, a->reading->parse_position, value);
	case ANSWER_PARSE_LINE: return a->reading && give_place(a->reading, a->reading->parse_line, value);
	case ANSWER_PARSE_COLUMN: return a->reading && give_place(a->reading, a->reading->parse_column, value);
	case ANSWER_TYPE: return a->reading && give_text(slice_of(a->reading->type), value);
	case ANSWER_ATTRIBUTES:
		*value = (struct template_value){.kind = TEMPLATE_JSON, .text = r ? r->attributes : SLICE_ABSENT};
		return !slice_is_absent(value->text);
	default: return find_receipt(a, which, value);
	}
}

static bool find_first(struct answering *a, struct slice name, struct template_value *value)
{
	const struct template_value *item = violations_items(a)[0];
	for (; item && item->name; item++)
		if (slice_equal_text(name, item->name)) {
			*value = *item;
			return true;
		}
	return false;
}

// Is there a violation with the code, the rule's or the frontend's?
static bool find_failed(struct answering *a, struct slice code, struct template_value *value)
{
	*value = (struct template_value){.kind = TEMPLATE_BOOL, .integer = 1};
	for (const struct template_value *const *items = violations_items(a); *items; items++)
		for (const struct template_value *item = *items; item->name; item++)
			if (strcmp(item->name, "code") == 0 && slice_equal(item->text, code))
				return true;
	for (size_t i = 0; i < a->receipt->violation_count; i++)
		if (slice_equal(a->receipt->violations[i].code, code))
			return true;
	return false;
}

static bool find_token(struct answering *a, struct slice name, struct template_value *value)
{
	struct slice token;
	for (size_t i = 0; i < a->dialect->token_count; i++)
		if (slice_equal(a->dialect->tokens[i].name, name))
			return token_mint(a, &a->dialect->tokens[i], &token) && give_text(token, value);
	return false;
}

// A member of what the account was opened with.
static bool find_opening(const struct answering *a, struct slice name, struct template_value *value)
{
	const struct node *root = NULL;
	struct fault f;
	if (slice_is_absent(a->receipt->opening) ||
	    json_parse(a->receipt->opening, JSON_LIMITS_DEFAULT, a->arena, &root, &f) != REASON_OK)
		return false;
	*value = (struct template_value){.kind = TEMPLATE_NODE, .node = node_member_slice(root, name)};
	return value->node != NULL;
}

bool answering_find(void *context, struct slice name, struct template_value *value)
{
	static const char *const names[] = {
#define VALUE(id, name) name,
		ANSWER_VALUES(VALUE)
#undef VALUE
	};
	struct answering *a = context;
	struct slice rest;
	for (size_t i = 0; i < ANSWER_VALUE_COUNT; i++)
		if (slice_equal_text(name, names[i]))
			return find_request(a, (enum answer_value)i, value);
	if (name_after(name, "first.", &rest))
		return find_first(a, rest, value);
	if (name_after(name, "failed.", &rest))
		return find_failed(a, rest, value);
	if (name_after(name, "token.", &rest))
		return find_token(a, rest, value);
	if (name_after(name, "opening.", &rest))
		return find_opening(a, rest, value);
	if (name_after(name, "limit.", &rest))
		return find_limit(a, rest, value);
	return input_find(a->dialect, a->route, a->request, a->reading, name, a->arena, value);
}

struct template_scope answering_scope(struct answering *a)
{
	return (struct template_scope){.find = answering_find, .context = a, .language = a->dialect->languages[a->language]};
}

struct slice answering_text(struct answering *a, const struct template *t)
{
	struct template_scope scope = answering_scope(a);
	struct strbuf out = STRBUF_INIT(TEXT_MAX);
	template_render_scope(t, &scope, &out);
	if (strbuf_overflowed(&out))
		PANIC("an answer of more than %zu bytes", TEXT_MAX);
	struct slice copy = arena_copy(a->arena, strbuf_slice(&out));
	strbuf_free(&out);
	return copy;
}
