// SPDX-License-Identifier: Apache-2.0
// Answers: which one, its status, headers and body.
#include "dialect/answer.h"

const struct answer_spec *answer_find(const struct answer_list *answers, struct slice key, const struct template_scope *scope)
{
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer_spec *spec = &answers->items[i];
		if (slice_equal(spec->key, key) && (!spec->when || (scope && template_condition_holds(spec->when, scope))))
			return spec;
	}
	return NULL;
}

static const struct answer_spec *find_key(struct answering *a, const char *key)
{
	struct template_scope scope = answering_scope(a);
	const struct answer_spec *spec = a->route ? answer_find(&a->route->answers, slice_of(key), &scope) : NULL;
	return spec ? spec : answer_find(&a->dialect->answers, slice_of(key), &scope);
}

static bool unreadable(enum reason reason)
{
	switch (reason) {
	case REASON_RECORD_EMPTY:
	case REASON_JSON_MALFORMED:
	case REASON_JSON_TOO_DEEP:
	case REASON_JSON_DUPLICATE_KEY:
	case REASON_JSON_NUMBER_RANGE:
	case REASON_TEXT_INVALID_UTF8:
	case REASON_TEXT_NUL: return true;
	default: return false;
	}
}

// By reason, then by its kind, then by outcome; what expired is a kind of refusal.
static const struct answer_spec *choose(struct answering *a)
{
	const struct receipt *receipt = a->receipt;
	if (receipt->outcome == OUTCOME_ACCEPTED || receipt->veiled)
		return find_key(a, "accepted");
	const struct answer_spec *spec = find_key(a, reason_code(receipt->reason));
	if (!spec && unreadable(receipt->reason))
		spec = find_key(a, "unreadable");
	if (!spec)
		spec = find_key(a, outcome_name(receipt->outcome));
	return spec ? spec : find_key(a, "refused");
}

// A value of the request may hold a line break; a header may not.
static struct slice one_line(struct slice text, struct arena *arena)
{
	char *copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? ' ' : text.ptr[i]);
	return (struct slice){copy, text.len};
}

static bool has_header(const struct answer *answer, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal(answer->headers[i].name, name))
			return true;
	return false;
}

static void add_headers(struct answering *a, const struct answer_header *headers, size_t count, struct answer *answer)
{
	const size_t before = answer->header_count; // what an answer says of a header goes before what the dialect says
	for (size_t i = 0; i < count; i++) {
		struct slice value = answering_text(a, headers[i].value);
		if (value.len && !has_header(answer, before, headers[i].name))
			answer->headers[answer->header_count++] = (struct header){headers[i].name, one_line(value, a->arena)};
	}
}

static void write_headers(struct answering *a, const struct answer_spec *spec, struct answer *answer)
{
	answer->headers = ARENA_ARRAY(a->arena, spec->header_count + a->dialect->header_count + 1, struct header);
	add_headers(a, spec->headers, spec->header_count, answer);
	add_headers(a, a->dialect->headers, a->dialect->header_count, answer);
	if (spec->body && !has_header(answer, answer->header_count, SLICE_LIT("content-type")))
		answer->headers[answer->header_count++] = (struct header){SLICE_LIT("content-type"),
									  slice_of(spec->media ? spec->media : "application/json")};
}

void dialect_answer(const struct dialect *dialect, const struct route *route, const struct request *request,
		    const struct registration *registration, const struct receipt *receipt, struct arena *arena,
		    struct answer *answer)
{
	struct answering a = {
		.dialect = dialect,
		.route = route,
		.request = request,
		.registration = registration,
		.receipt = receipt,
		.reading = registration ? registration->reading : NULL,
		.arena = arena,
	};
	a.language = language_of(dialect, route, request, a.reading, arena);
	const struct answer_spec *spec = choose(&a);
	*answer = (struct answer){.status = spec ? spec->status : 500};
	if (!spec)
		return;
	write_headers(&a, spec, answer);
	if (spec->body)
		answer->body = answering_text(&a, spec->body);
}
