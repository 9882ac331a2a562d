// SPDX-License-Identifier: Apache-2.0
// A request to a registration: access, body, fields, rules, mapping.
#include <stdint.h>

#include "dialect/reading.h"

#define REQUEST_ID_MAX 256

static enum reason take_request_id(const struct body *body, const struct node *root, struct request *request, struct fault *f)
{
	if (slice_is_absent(body->request_id) || request->id_source != REQUEST_ID_COORDINATES)
		return REASON_OK;
	const struct node *node = node_at(root, body->request_id);
	if (!node || node->type == NODE_NULL)
		return REASON_OK;
	struct slice id = node_text(node);
	bool fits = id.len > 0 && id.len <= REQUEST_ID_MAX;
	for (size_t i = 0; fits && i < id.len; i++)
		fits = id.ptr[i] >= 0x20 && id.ptr[i] <= 0x7e;
	if (!fits)
		return fault_set(f, REASON_REQUEST_ID_INVALID, "the request id in the body is no text of 1 to %d printable bytes",
				 REQUEST_ID_MAX);
	request->request_id = id;
	request->id_source = REQUEST_ID_BODY;
	return REASON_OK;
}

// The tree is the arena's, and this reading its only user.
static void wipe_texts(const struct node *node)
{
	if (node_is(node, NODE_TEXT))
		secret_wipe((void *)(uintptr_t)node->text.ptr, node->text.len);
	for (size_t i = 0; i < node_count(node); i++)
		wipe_texts(node->list.items[i]);
}

static enum reason keep_password(const struct dialect_reading *reading, struct secret_pool *pool, struct fault *f)
{
	struct registration *r = reading->registration;
	for (size_t i = 0; i < reading->route->field_count; i++) {
		enum target target = reading->route->fields[i].target;
		struct secret **place = target == TARGET_PASSWORD       ? &r->password
					: target == TARGET_OLD_PASSWORD ? &r->old_password
									: NULL;
		if (!place || slice_is_absent(reading->seen[i].text))
			continue;
		*place = secret_create(pool, reading->seen[i].text);
		if (!*place)
			return fault_set(f, REASON_HASH_MEMORY, "no room for another password");
	}
	return REASON_OK;
}

// Where secrets stood, and what coercion and normalisation made of them.
static void wipe_secrets(const struct dialect_reading *reading)
{
	for (size_t i = 0; reading->seen && i < reading->route->field_count; i++) {
		const struct field *field = &reading->route->fields[i];
		if (!field->secret || field->target == TARGET_PASSWORD_HASH)
			continue;
		for (size_t j = 0; j < field->place_count; j++)
			if (field->places[j].source == SOURCE_BODY)
				wipe_texts(see_in_body(reading, field->places[j].at));
		wipe_texts(reading->seen[i].value);
		reading->seen[i].value = NULL;
		reading->seen[i].text = SLICE_ABSENT;
	}
}

static void settle_defaults(struct dialect_reading *reading)
{
	for (size_t i = 0; i < reading->route->field_count; i++) {
		const struct field *field = &reading->route->fields[i];
		if (reading->seen[i].value || !field->fallback)
			continue;
		see_default(field, &reading->seen[i]);
		if (!field->secret)
			map_field(reading, field, &reading->seen[i]);
	}
}

// A hash made elsewhere stays; it met its rules only now.
static void map_hash(struct dialect_reading *reading)
{
	for (size_t i = 0; i < reading->route->field_count; i++)
		if (reading->route->fields[i].target == TARGET_PASSWORD_HASH && reading->seen[i].value)
			map_field(reading, &reading->route->fields[i], &reading->seen[i]);
}

static bool has_nul(const struct node *node)
{
	if (node_is(node, NODE_TEXT))
		return node->text.len > 0 && memchr(node->text.ptr, '\0', node->text.len);
	for (size_t i = 0; i < node_count(node); i++)
		if (has_nul(node->list.items[i]))
			return true;
	return false;
}

// A NUL that no rule has refused: the database cannot keep it.
static enum reason refuse_nul(struct dialect_reading *reading, struct fault *f)
{
	for (size_t i = 0; i < reading->route->field_count; i++) {
		if (!has_nul(reading->seen[i].value))
			continue;
		reading->parse_error = SLICE_LIT("a text holds a NUL character");
		reading->registration->claim_count = 0;
		return fault_set(f, REASON_TEXT_NUL, "a field's text has a NUL");
	}
	return REASON_OK;
}

static enum reason accept(struct dialect_reading *reading, struct secret_pool *pool, struct fault *f)
{
	enum reason reason = refuse_nul(reading, f);
	if (reason != REASON_OK)
		return reason;
	settle_defaults(reading);
	map_hash(reading);
	map_kept(reading);
	derive_all(reading);
	memcpy(reading->registration->unverified, reading->route->unverified, sizeof(reading->registration->unverified));
	reading->registration->veils_taken = reading->route->veils_taken;
	reading->registration->wants_tokens = reading->route->mints && !reading->route->veils_taken;
	show_fill(reading);
	reason = keep_password(reading, pool, f);
	if (reason == REASON_OK)
		reason = code_fill(reading, pool, f);
	if (reason != REASON_OK)
		registration_forget(reading->registration); // it is read once more
	return reason;
}

static enum reason read_fields(struct dialect_reading *reading, struct secret_pool *pool, struct fault *f)
{
	const struct route *route = reading->route;
	struct registration *r = reading->registration;
	bool unique;
	struct rule_field *seen = ARENA_ARRAY(reading->arena, route->field_count + 1, struct rule_field);
	for (size_t i = 0; i < route->field_count; i++) {
		enum reason reason = see_field(reading, &route->fields[i], &seen[i], f);
		if (reason != REASON_OK)
			return reason;
	}
	reading->seen = seen;
	trace_seen(reading);
	ask_all(reading);
	limit_fill(reading, true);
	collect(reading, NULL, reading->arena, &r->violations, &r->violation_count, &unique);
	enum reason reason = r->violation_count ? fault_set(f, REASON_INVALID, "%zu rules are not met", r->violation_count)
						: accept(reading, pool, f);
	size_t stage = reading->found_count ? reading->found[reading->found_count - 1].stage : 0;
	for (size_t i = 0; i < reading->unique_count; i++)
		r->unique_anyway = r->unique_anyway || (reading->uniques[i].stage <= stage && !route->veils_taken);
	wipe_secrets(reading);
	return reason;
}

enum reason read_head(struct dialect_reading *reading, struct fault *f)
{
	enum reason reason = access_check(reading, f);
	if (reason == REASON_OK)
		limit_fill(reading, false);
	return reason;
}

enum reason read_request(struct dialect_reading *reading, struct request *request, struct secret_pool *pool, struct fault *f)
{
	const struct route *route = reading->route;
	enum reason reason = read_head(reading, f);
	if (reason == REASON_OK && route->reads_body) {
		reason = parse_body(reading, f);
		if (reason == REASON_OK)
			reason = take_request_id(&route->body, reading->root, request, f);
	}
	return reason == REASON_OK ? read_fields(reading, pool, f) : reason;
}

static struct dialect_reading *start(const struct route *route, struct request *request, int64_t now_ms, struct arena *arena,
				     struct registration *registration)
{
	struct dialect_reading *reading = ARENA_NEW(arena, struct dialect_reading);
	*registration = (struct registration){.operation = route->operation, .reading = reading};
	*reading = (struct dialect_reading){
		.route = route, .request = request, .arena = arena, .registration = registration, .now_ms = now_ms};
	return reading;
}

enum reason dialect_read(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms,
			 struct arena *arena, struct registration *registration, struct fault *f)
{
	return read_request(start(route, request, now_ms, arena, registration), request, pool, f);
}

enum reason dialect_admit(const struct route *route, struct request *request, int64_t now_ms, struct arena *arena,
			  struct registration *registration, struct fault *f)
{
	return read_head(start(route, request, now_ms, arena, registration), f);
}

enum reason dialect_taken(const struct route *route, const struct registration *registration, const bool taken[static CLAIMS_MAX],
			  struct arena *arena, struct violation **violations, size_t *count)
{
	bool unique;
	(void)route;
	collect(registration->reading, taken, arena, violations, count, &unique);
	if (*count == 0)
		return REASON_OK;
	return unique ? REASON_IDENTITY_TAKEN : REASON_INVALID;
}
