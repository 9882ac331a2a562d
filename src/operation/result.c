// SPDX-License-Identifier: Apache-2.0
// The result of a request and the events of an account, as records.
#include "enrolld/base/clock.h"
#include "enrolld/doc/json.h"
#include "operation/operation_private.h"

#define RESULT_LIMIT (64 * 1024)

struct uuid operation_id(const struct request *request, const char *word)
{
	const struct slice parts[] = {request->realm, request->route, request->request_id, slice_of(word)};
	return derive_id(parts, ARRAY_LEN(parts));
}

static struct slice id_text(const struct uuid *id, struct arena *arena)
{
	char text[UUID_TEXT_SIZE];
	uuid_format(id, text);
	return arena_copy(arena, slice_of(text));
}

static struct slice time_text(int64_t ms, struct arena *arena)
{
	char text[CLOCK_TEXT_SIZE];
	return arena_copy(arena, slice_of(clock_format_ms(ms, text)));
}

// Moves the text into the arena. These texts are bounded by the record limit, so an overflow is a defect.
static struct slice settle(struct strbuf *out, struct arena *arena)
{
	if (strbuf_overflowed(out))
		PANIC("a result or event over %d bytes", RESULT_LIMIT);
	struct slice text = arena_copy(arena, strbuf_slice(out));
	strbuf_free(out);
	return text;
}

struct slice operation_result_bytes(const struct request *request, bool routed, const struct receipt *receipt, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(RESULT_LIMIT);
	struct json_writer w;
	json_begin(&w, &out);
	json_open_map(&w);
	json_member_text(&w, "request_id", request->request_id);
	json_member_text(&w, "realm", request->realm);
	if (routed)
		json_member_text(&w, "operation", slice_of(operation_kind_name(receipt->operation)));
	json_member_text(&w, "outcome", slice_of(outcome_name(receipt->outcome)));
	if (receipt->reason != REASON_OK)
		json_member_text(&w, "reason", slice_of(reason_code(receipt->reason)));
	if (receipt->violation_count) {
		json_key(&w, "violations");
		json_open_list(&w);
		for (size_t i = 0; i < receipt->violation_count; i++) {
			json_open_map(&w);
			json_member_text(&w, "field", receipt->violations[i].field);
			json_member_text(&w, "code", receipt->violations[i].code);
			json_close_map(&w);
		}
		json_close_list(&w);
	}
	if (receipt->has_account && !receipt->veiled)
		json_member_text(&w, "account_id", id_text(&receipt->account_id, arena));
	json_member_text(&w, "at", time_text(receipt->at_ms, arena));
	json_close_map(&w);
	return settle(&out, arena);
}

#define EVENT_HEADERS_MAX 9

// CloudEvents Kafka binding 1.0, binary mode.
static void event_headers(struct output *output, const struct request *request, const char *type, struct slice subject,
			  const char *word, int64_t at_ms, struct arena *arena)
{
	struct uuid id = operation_id(request, word);
	struct header *h = ARENA_ARRAY(arena, EVENT_HEADERS_MAX, struct header);
	size_t n = 0;
	h[n++] = (struct header){SLICE_LIT("ce_specversion"), SLICE_LIT("1.0")};
	h[n++] = (struct header){SLICE_LIT("ce_id"), id_text(&id, arena)};
	h[n++] = (struct header){SLICE_LIT("ce_source"), SLICE_LIT("/enrolld")};
	h[n++] = (struct header){SLICE_LIT("ce_type"), slice_of(type)};
	h[n++] = (struct header){SLICE_LIT("ce_subject"), subject};
	h[n++] = (struct header){SLICE_LIT("ce_time"), time_text(at_ms, arena)};
	h[n++] = (struct header){SLICE_LIT("content-type"), SLICE_LIT("application/json")};
	if (!slice_is_absent(request->traceparent))
		h[n++] = (struct header){SLICE_LIT("traceparent"), request->traceparent};
	if (!slice_is_absent(request->tracestate))
		h[n++] = (struct header){SLICE_LIT("tracestate"), request->tracestate};
	output->headers = h;
	output->header_count = n;
}

void operation_result_output(const struct request *request, const struct receipt *receipt, struct slice bytes, const char *topic,
			     struct arena *arena, struct output *output)
{
	*output = (struct output){
		.kind = OUTPUT_RESULT, .topic = slice_of(topic), .partition = -1, .key = request->request_id, .value = bytes};
	event_headers(output, request, "enrolld.result.v1", request->request_id, "result", receipt->at_ms, arena);
}

static bool is_verified(const struct claim *claim, const struct receipt *receipt)
{
	return receipt->verified && claim->kind == receipt->address_kind && slice_equal(claim->value, receipt->address);
}

static void write_identities(struct json_writer *w, const struct registration *registration, const struct receipt *receipt)
{
	json_key(w, "identities");
	json_open_list(w);
	for (size_t i = 0; i < registration->claim_count; i++) {
		json_open_map(w);
		json_member_text(w, "kind", slice_of(claim_kind_name(registration->claims[i].kind)));
		json_member_text(w, "value", registration->claims[i].value);
		json_key(w, "verified");
		json_bool(w, is_verified(&registration->claims[i], receipt));
		json_close_map(w);
	}
	json_close_list(w);
}

static struct slice registered_bytes(const struct request *request, const struct registration *registration,
				     const struct receipt *receipt, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(RESULT_LIMIT);
	struct json_writer w;
	json_begin(&w, &out);
	json_open_map(&w);
	json_member_text(&w, "account_id", id_text(&receipt->account_id, arena));
	if (receipt->account_number)
		json_member_int(&w, "number", receipt->account_number);
	json_member_text(&w, "realm", request->realm);
	write_identities(&w, registration, receipt);
	json_member_text(&w, "slug", receipt->slug);
	json_member_text(&w, "given_name", registration->given_name);
	json_member_text(&w, "family_name", registration->family_name);
	json_member_text(&w, "display_name", registration->display_name);
	json_member_text(&w, "birth_date", registration->birth_date);
	json_member_text(&w, "locale", registration->locale);
	if (!slice_is_absent(registration->attributes)) {
		json_key(&w, "attributes");
		json_raw(&w, registration->attributes);
	}
	if (!slice_is_absent(receipt->opening)) {
		json_key(&w, "opening");
		json_raw(&w, receipt->opening);
	}
	json_member_text(&w, "request_id", request->request_id);
	json_member_text(&w, "at", time_text(receipt->at_ms, arena));
	json_close_map(&w);
	return settle(&out, arena);
}

static struct slice verified_bytes(const struct request *request, const struct receipt *receipt, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(RESULT_LIMIT);
	struct json_writer w;
	json_begin(&w, &out);
	json_open_map(&w);
	json_member_text(&w, "account_id", id_text(&receipt->account_id, arena));
	if (receipt->account_number)
		json_member_int(&w, "number", receipt->account_number);
	json_member_text(&w, "realm", request->realm);
	json_key(&w, "identity");
	json_open_map(&w);
	json_member_text(&w, "kind", slice_of(claim_kind_name(receipt->address_kind)));
	json_member_text(&w, "value", receipt->address);
	json_close_map(&w);
	json_member_text(&w, "request_id", request->request_id);
	json_member_text(&w, "at", time_text(receipt->at_ms, arena));
	json_close_map(&w);
	return settle(&out, arena);
}

static struct slice password_changed_bytes(const struct request *request, const struct receipt *receipt, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(RESULT_LIMIT);
	struct json_writer w;
	json_begin(&w, &out);
	json_open_map(&w);
	json_member_text(&w, "account_id", id_text(&receipt->account_id, arena));
	if (receipt->account_number)
		json_member_int(&w, "number", receipt->account_number);
	json_member_text(&w, "realm", request->realm);
	json_member_text(&w, "request_id", request->request_id);
	json_member_text(&w, "at", time_text(receipt->at_ms, arena));
	json_close_map(&w);
	return settle(&out, arena);
}

// name: without the leading "enrolld." and the version.
static struct output event_output(const struct request *request, const struct receipt *receipt, const char *name, const char *topic,
				  struct slice value, struct arena *arena)
{
	struct slice id = id_text(&receipt->account_id, arena);
	struct output event = {.kind = OUTPUT_EVENT, .topic = slice_of(topic), .partition = -1, .key = id, .value = value};
	event_headers(&event, request, arena_printf(arena, "enrolld.%s.v1", name).ptr, id, name, receipt->at_ms, arena);
	return event;
}

size_t operation_event_outputs(const struct request *request, const struct registration *registration,
			       const struct receipt *receipt, const char *topic, struct arena *arena,
			       struct output outputs[static OPERATION_EVENTS_MAX])
{
	size_t n = 0;
	if (receipt->outcome != OUTCOME_ACCEPTED || !receipt->has_account)
		return 0;
	if (receipt->operation == OPERATION_SIGN_UP || receipt->created)
		outputs[n++] = event_output(request, receipt, "account.registered", topic,
					    registered_bytes(request, registration, receipt, arena), arena);
	if (receipt->verified)
		outputs[n++] = event_output(request, receipt, "account.verified", topic, verified_bytes(request, receipt, arena),
					    arena);
	if (receipt->operation == OPERATION_SET_PASSWORD)
		outputs[n++] = event_output(request, receipt, "account.password_changed", topic,
					    password_changed_bytes(request, receipt, arena), arena);
	return n;
}
