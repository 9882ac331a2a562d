// SPDX-License-Identifier: Apache-2.0
// Answers: which one, and what it may speak of.
#include "dialect/dialect_private.h"
#include "dialect/values.h"
#include "enrolld/base/clock.h"

#define ANSWER_MAX ((size_t)8 << 20) // above what any body and violations can make of any template

const struct text_row *text_find(const struct text_list *texts, struct slice code)
{
	for (size_t i = 0; i < texts->count; i++)
		if (slice_equal(texts->items[i].code, code))
			return &texts->items[i];
	return NULL;
}

const struct answer_spec *answer_find(const struct answer_list *answers, struct slice key)
{
	for (size_t i = 0; i < answers->count; i++)
		if (slice_equal(answers->items[i].key, key))
			return &answers->items[i];
	return NULL;
}

static const struct answer_spec *find_key(const struct dialect *dialect, const struct route *route, const char *key)
{
	const struct answer_spec *spec = route ? answer_find(&route->answers, slice_of(key)) : NULL;
	return spec ? spec : answer_find(&dialect->answers, slice_of(key));
}

// By reason, then by outcome; what expired is a kind of refusal.
static const struct answer_spec *choose(const struct dialect *dialect, const struct route *route, const struct receipt *receipt)
{
	if (receipt->outcome == OUTCOME_ACCEPTED)
		return find_key(dialect, route, "accepted");
	const struct answer_spec *spec = find_key(dialect, route, reason_code(receipt->reason));
	if (!spec)
		spec = find_key(dialect, route, outcome_name(receipt->outcome));
	return spec ? spec : find_key(dialect, route, "refused");
}

static const struct check *find_check(const struct check_list *checks, const struct violation *v)
{
	for (size_t i = 0; i < checks->count; i++)
		if (slice_equal(checks->items[i].at, v->field) && slice_equal(checks->items[i].code, v->code))
			return &checks->items[i];
	return NULL;
}

static struct slice text_of(const struct dialect *dialect, const struct route *route, const struct violation *v, struct slice *name)
{
	*name = SLICE_ABSENT;
	for (size_t i = 0; route && i < route->field_count; i++) {
		const struct check *check = find_check(&route->fields[i].checks, v);
		if (slice_equal(route->fields[i].from, v->field))
			*name = route->fields[i].name;
		if (check)
			return check->text;
	}
	const struct check *whole = route ? find_check(&route->checks, v) : NULL;
	const struct text_row *row = text_find(&dialect->texts, v->code);
	return whole ? whole->text : row ? row->text : SLICE_LIT("This is not acceptable.");
}

static const struct template_value *const *violation_items(const struct dialect *dialect, const struct route *route,
							   const struct receipt *receipt, struct arena *arena)
{
	static const char *const names[] = {VIOLATION_VALUES};
	size_t count = receipt->violation_count;
	const struct template_value **items = ARENA_ARRAY(arena, count + 1, const struct template_value *);
	for (size_t i = 0; i < count; i++) {
		const struct violation *v = &receipt->violations[i];
		struct template_value *item = ARENA_ARRAY(arena, ARRAY_LEN(names) + 1, struct template_value);
		struct slice name, text = text_of(dialect, route, v, &name);
		const struct slice values[] = {v->field, name, v->code, text};
		for (size_t j = 0; j < ARRAY_LEN(names); j++)
			item[j] = (struct template_value){.name = names[j], .kind = TEMPLATE_TEXT, .text = values[j]};
		items[i] = item;
	}
	return items;
}

static struct slice uuid_text(const struct uuid *uuid, struct arena *arena)
{
	char text[UUID_TEXT_SIZE];
	return arena_copy(arena, slice_of(uuid_format(uuid, text)));
}

static struct slice time_text(int64_t ms, struct arena *arena)
{
	char text[CLOCK_TEXT_SIZE];
	return arena_copy(arena, slice_of(clock_format_ms(ms, text)));
}

// For a path that is known with other methods: these (RFC 9110, section 10.2.1).
static struct slice allow_text(const struct dialect *dialect, const struct request *request, struct arena *arena)
{
	struct slice list = SLICE_ABSENT;
	for (size_t i = 0; i < dialect->route_count; i++) {
		const struct route *r = &dialect->routes[i];
		if (r->path.len && slice_equal(r->path, request->path))
			list = arena_printf(arena, "%.*s%s%.*s", (int)list.len, list.ptr ? list.ptr : "", list.ptr ? ", " : "",
					    (int)r->method.len, r->method.ptr);
	}
	return list;
}

static struct slice shown_claim(const struct registration *r, enum claim_kind kind)
{
	const struct claim *claim = registration_claim(r, kind);
	return claim ? claim->shown : SLICE_ABSENT;
}

static void put(struct template_value *values, enum answer_value which, struct slice text)
{
	values[which].kind = TEMPLATE_TEXT;
	values[which].text = text;
}

static void put_registration(struct template_value *values, const struct registration *r)
{
	put(values, ANSWER_EMAIL, shown_claim(r, CLAIM_EMAIL));
	put(values, ANSWER_PHONE, shown_claim(r, CLAIM_PHONE));
	put(values, ANSWER_USERNAME, shown_claim(r, CLAIM_USERNAME));
	put(values, ANSWER_GIVEN_NAME, r->given_name);
	put(values, ANSWER_FAMILY_NAME, r->family_name);
	put(values, ANSWER_DISPLAY_NAME, r->display_name);
	put(values, ANSWER_BIRTH_DATE, r->birth_date);
	put(values, ANSWER_LOCALE, r->locale);
	put(values, ANSWER_ATTRIBUTES, r->attributes);
	if (!slice_is_absent(r->attributes))
		values[ANSWER_ATTRIBUTES].kind = TEMPLATE_JSON;
}

static void put_receipt(struct template_value *values, const struct dialect *dialect, const struct receipt *receipt,
			struct arena *arena)
{
	const struct text_row *row = text_find(&dialect->texts, slice_of(reason_code(receipt->reason)));
	put(values, ANSWER_OPERATION, slice_of(operation_kind_name(receipt->operation)));
	put(values, ANSWER_OUTCOME, slice_of(outcome_name(receipt->outcome)));
	put(values, ANSWER_AT, time_text(receipt->at_ms, arena));
	if (receipt->reason != REASON_OK) {
		put(values, ANSWER_REASON, slice_of(reason_code(receipt->reason)));
		put(values, ANSWER_TEXT, row ? row->text : slice_of(reason_text(receipt->reason)));
	}
	if (receipt->has_account) {
		put(values, ANSWER_ACCOUNT_ID, uuid_text(&receipt->account_id, arena));
		put(values, ANSWER_STATE, receipt->has_challenge ? SLICE_LIT("pending") : SLICE_LIT("active"));
	}
	if (receipt->has_challenge) {
		put(values, ANSWER_CHALLENGE_ID, uuid_text(&receipt->challenge_id, arena));
		put(values, ANSWER_EXPIRES_AT, time_text(receipt->expires_ms, arena));
	}
}

static struct slice rendered(const struct template *t, const struct template_value *values, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(ANSWER_MAX);
	template_render(t, values, &out);
	if (strbuf_overflowed(&out))
		PANIC("an answer of more than %zu bytes", ANSWER_MAX);
	struct slice copy = arena_copy(arena, strbuf_slice(&out));
	strbuf_free(&out);
	return copy;
}

// A value of the request may hold a line break; a header may not.
static struct slice one_line(struct slice text, struct arena *arena)
{
	char *copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? ' ' : text.ptr[i]);
	return (struct slice){copy, text.len};
}

static void write_headers(const struct answer_spec *spec, const struct template_value *values, struct arena *arena,
			  struct answer *answer)
{
	bool typed = false;
	answer->headers = ARENA_ARRAY(arena, spec->header_count + 1, struct header);
	for (size_t i = 0; i < spec->header_count; i++) {
		struct slice value = rendered(spec->headers[i].value, values, arena);
		typed = typed || slice_equal_text(spec->headers[i].name, "content-type");
		if (value.len)
			answer->headers[answer->header_count++] = (struct header){spec->headers[i].name, one_line(value, arena)};
	}
	if (spec->body && !typed)
		answer->headers[answer->header_count++] = (struct header){SLICE_LIT("content-type"), SLICE_LIT("application/json")};
}

void dialect_answer(const struct dialect *dialect, const struct route *route, const struct request *request,
		    const struct registration *registration, const struct receipt *receipt, struct arena *arena,
		    struct answer *answer)
{
	static const char *const names[] = {
#define VALUE(id, name) name,
		ANSWER_VALUES(VALUE)
#undef VALUE
	};
	struct template_value values[ANSWER_VALUE_COUNT + 1];
	const struct answer_spec *spec = choose(dialect, route, receipt);
	*answer = (struct answer){.status = spec ? spec->status : 500};
	if (!spec)
		return;
	for (size_t i = 0; i < ANSWER_VALUE_COUNT; i++)
		values[i] = (struct template_value){.name = names[i], .kind = TEMPLATE_TEXT, .text = SLICE_ABSENT};
	values[ANSWER_VALUE_COUNT] = (struct template_value){0};
	put(values, ANSWER_REQUEST_ID, request->request_id);
	put(values, ANSWER_REALM, request->realm);
	put(values, ANSWER_METHOD, request->method);
	put(values, ANSWER_PATH, request->path);
	put(values, ANSWER_CONTENT_TYPE, request->content_type);
	put(values, ANSWER_ALLOW, allow_text(dialect, request, arena));
	put_receipt(values, dialect, receipt, arena);
	if (registration)
		put_registration(values, registration);
	if (receipt->violation_count)
		values[ANSWER_VIOLATIONS] = (struct template_value){
			.name = names[ANSWER_VIOLATIONS],
			.kind = TEMPLATE_LIST,
			.items = violation_items(dialect, route, receipt, arena),
		};
	write_headers(spec, values, arena, answer);
	if (spec->body)
		answer->body = rendered(spec->body, values, arena);
}
