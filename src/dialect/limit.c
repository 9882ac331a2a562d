// SPDX-License-Identifier: Apache-2.0
// The limits that a request counts against; who it is goes into a keyed digest.
#include "dialect/reading.h"
#include "enrolld/base/hex.h"
#include "enrolld/crypto/digest.h"

static const struct rule_field *find_seen(const struct dialect_reading *reading, struct slice name)
{
	for (size_t i = 0; reading->seen && i < reading->route->field_count; i++)
		if (slice_equal(reading->route->fields[i].name, name))
			return &reading->seen[i];
	return NULL;
}

// Where a code would be sent, as it is stored: other spellings are the same.
static struct slice recipient(const struct registration *r, struct arena *arena)
{
	for (size_t i = 0; i < r->claim_count; i++)
		if (r->claims[i].kind == CLAIM_EMAIL || r->claims[i].kind == CLAIM_PHONE)
			return arena_printf(arena, "%s:%.*s", claim_kind_name(r->claims[i].kind), (int)r->claims[i].value.len,
					    r->claims[i].value.ptr);
	return SLICE_ABSENT;
}

static struct slice part_text(const struct dialect_reading *reading, const struct limit_part *part)
{
	switch (part->kind) {
	case PART_ADDRESS: return reading->request->client_address;
	case PART_KEY:
		return reading->key_row ? node_text(node_member_slice(reading->key_row, reading->key_access->column))
					: SLICE_ABSENT;
	case PART_BEARER: return reading->registration->bearer_digest;
	case PART_ROUTE: return slice_of(reading->route->name);
	case PART_RECIPIENT: return recipient(reading->registration, reading->arena);
	case PART_INPUT: {
		const struct rule_field *seen = find_seen(reading, part->input);
		return seen ? seen->text : SLICE_ABSENT;
	}
	}
	return SLICE_ABSENT;
}

static bool needs_input(const struct limit_spec *spec)
{
	for (size_t i = 0; i < spec->part_count; i++)
		if (spec->parts[i].kind == PART_INPUT || spec->parts[i].kind == PART_RECIPIENT)
			return true;
	return false;
}

static int64_t allowed_of(const struct dialect_reading *reading, const struct limit_spec *spec)
{
	const struct node *cell = slice_is_absent(spec->allowed_column) ? NULL
									: node_member_slice(reading->key_row, spec->allowed_column);
	int64_t n = 0;
	if (node_is(cell, NODE_INT))
		n = cell->integer;
	else if (node_is(cell, NODE_TEXT) && !setting_parse_int(cell->text, &n))
		n = 0;
	return n >= 1 ? n : spec->allowed;
}

static void add(struct dialect_reading *reading, const struct limit_spec *spec, const struct keyring *keys)
{
	struct registration *r = reading->registration;
	struct slice parts[LIMIT_PARTS_MAX + 1] = {slice_of(spec->name)};
	uint8_t digest[DIGEST_SIZE];
	char text[HEX_TEXT_SIZE(DIGEST_SIZE)];
	for (size_t i = 0; i < spec->part_count; i++) {
		parts[i + 1] = part_text(reading, &spec->parts[i]);
		if (parts[i + 1].len == 0)
			return; // nobody to count
	}
	digest_keyed(keys, keyring_active(keys), "limit", parts, spec->part_count + 1, digest);
	hex_encode(digest, sizeof(digest), text);
	r->limits[r->limit_count++] = (struct limit_use){
		.name = spec->name,
		.subject = arena_copy(reading->arena, slice_of(text)),
		.allowed = allowed_of(reading, spec),
		.window_ms = spec->window_ms,
		.kind = spec->kind,
		.stage = spec->stage,
	};
}

void limit_fill(struct dialect_reading *reading, bool by_input)
{
	const struct route *route = reading->route;
	const struct keyring *keys = route->dialect->set->keys;
	for (size_t i = 0; keys && i < route->limits.count && reading->registration->limit_count < LIMITS_MAX; i++)
		if (needs_input(&route->limits.items[i]) == by_input)
			add(reading, &route->limits.items[i], keys);
}
