// SPDX-License-Identifier: Apache-2.0
// Mapping: claims with their keys, and what an account keeps besides.
#include "dialect/reading.h"

#include <stdlib.h>

#define ATTRIBUTES_MAX 65536 // bytes; the rule "object" sets a lower one

static enum claim_kind kind_of(enum target target)
{
	switch (target) {
	case TARGET_EMAIL: return CLAIM_EMAIL;
	case TARGET_PHONE: return CLAIM_PHONE;
	case TARGET_USERNAME: return CLAIM_USERNAME;
	default: return CLAIM_HANDLE;
	}
}

static enum key_form form_of(enum target target)
{
	switch (target) {
	case TARGET_EMAIL: return KEY_EMAIL;
	case TARGET_PHONE: return KEY_PHONE;
	case TARGET_USERNAME: return KEY_USERNAME;
	default: return KEY_EXACT;
	}
}

// What the rules of the field make of the text (a number's E.164), else its key of the form.
static struct slice key_of(struct dialect_reading *reading, const struct field *field, const struct rule_field *seen,
			   const struct rule_unique *unique)
{
	struct rule_input input = reading_input(reading, seen, NULL);
	struct slice key;
	for (size_t i = 0; (!unique || !unique->as_given) && i < field->checks.count; i++)
		if (rule_key(field->checks.items[i].rule, &input, &key))
			return key;
	return rules_key(seen->text, unique && unique->as_given ? unique->as : form_of(field->target), reading->arena);
}

static bool has_claim(const struct registration *r, enum claim_kind kind, struct slice value)
{
	for (size_t i = 0; i < r->claim_count; i++)
		if (r->claims[i].kind == kind && slice_equal(r->claims[i].value, value))
			return true;
	return false;
}

static void add_claim(struct dialect_reading *reading, const struct field *field, const struct rule_field *seen,
		      const struct check *check, size_t order)
{
	struct registration *r = reading->registration;
	const struct rule_unique *unique = check ? rule_unique(check->rule) : NULL;
	struct slice space = unique ? unique->in : SLICE_ABSENT;
	enum claim_kind kind = slice_is_absent(space) ? kind_of(field->target) : CLAIM_HANDLE;
	struct slice value = key_of(reading, field, seen, unique);
	if (kind == CLAIM_HANDLE) {
		if (slice_is_absent(space))
			space = field->name;
		value = arena_printf(reading->arena, "%.*s:%.*s", (int)space.len, space.ptr, (int)value.len, value.ptr);
	}
	if (value.len == 0 || r->claim_count == CLAIMS_MAX || has_claim(r, kind, value))
		return;
	if (check)
		reading->uniques[reading->unique_count++] = (struct found){
			.check = check,
			.field = field,
			.at = check->at,
			.value = seen->value,
			.order = order,
			.stage = check->stage,
			.claim = (int)r->claim_count,
		};
	r->claims[r->claim_count++] = (struct claim){.kind = kind, .value = value, .shown = seen->text, .field = field->from.ptr};
}

void map_claims(struct dialect_reading *reading, const struct field *field, const struct rule_field *seen)
{
	bool identity = kind_of(field->target) != CLAIM_HANDLE, claimed = false;
	if (slice_is_absent(seen->text) || seen->text.len == 0 || memchr(seen->text.ptr, '\0', seen->text.len))
		return; // nobody can have that
	for (size_t i = 0; i < field->checks.count; i++) {
		const struct check *check = &field->checks.items[i];
		const struct rule_unique *unique = rule_unique(check->rule);
		if (!unique)
			continue;
		add_claim(reading, field, seen, check, i);
		claimed = claimed || slice_is_absent(unique->in);
	}
	// Operations other than sign-up name identities that need not be free.
	if (identity && !claimed && reading->route->operation != OPERATION_SIGN_UP)
		add_claim(reading, field, seen, NULL, 0);
}

struct entry {
	struct slice key;
	const struct node *value;
};

static int by_key(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	return slice_compare(left->key, right->key);
}

// Keys in byte order, so that equal objects have one text.
static void write_sorted(struct json_writer *w, const struct node *node, struct arena *arena)
{
	size_t count = node_count(node);
	if (node->type == NODE_LIST) {
		json_open_list(w);
		for (size_t i = 0; i < count; i++)
			write_sorted(w, node_item(node, i), arena);
		json_close_list(w);
	} else if (node->type == NODE_MAP) {
		struct entry *entries = ARENA_ARRAY(arena, count, struct entry);
		for (size_t i = 0; i < count; i++)
			entries[i] = (struct entry){node->list.keys[i], node->list.items[i]};
		if (count)
			qsort(entries, count, sizeof(*entries), by_key);
		json_open_map(w);
		for (size_t i = 0; i < count; i++) {
			json_key_slice(w, entries[i].key);
			write_sorted(w, entries[i].value, arena);
		}
		json_close_map(w);
	} else {
		json_node(w, node);
	}
}

static struct slice canonical_json(const struct node *node, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT(ATTRIBUTES_MAX);
	struct json_writer w;
	json_begin(&w, &text);
	write_sorted(&w, node, arena);
	struct slice copy = strbuf_overflowed(&text) ? SLICE_ABSENT : arena_copy(arena, strbuf_slice(&text));
	strbuf_free(&text);
	return copy;
}

void map_field(struct dialect_reading *reading, const struct field *field, const struct rule_field *seen)
{
	struct registration *r = reading->registration;
	struct slice text = seen->text, key;
	switch (field->target) {
	case TARGET_LOCALE:
		if (!slice_is_absent(text) && rules_locale(text, reading->arena, &key))
			r->locale = key;
		break;
	case TARGET_PASSWORD_HASH: r->password_hash = text; break;
	case TARGET_GIVEN_NAME: r->given_name = text; break;
	case TARGET_FAMILY_NAME: r->family_name = text; break;
	case TARGET_DISPLAY_NAME: r->display_name = text; break;
	case TARGET_BIRTH_DATE: r->birth_date = slice_is_absent(text) ? text : key_of(reading, field, seen, NULL); break;
	case TARGET_DEVICE_REGISTRATION: r->device.registration = text.len ? text : SLICE_ABSENT; break;
	case TARGET_DEVICE_NAME: r->device.name = text; break;
	case TARGET_DEVICE_KIND: r->device.kind = text; break;
	case TARGET_ATTRIBUTES: r->attributes = canonical_json(seen->value, reading->arena); break;
	case TARGET_EMAIL:
	case TARGET_PHONE:
	case TARGET_USERNAME:
	case TARGET_PASSWORD:
	case TARGET_CODE:
	case TARGET_LINK_TOKEN:
	case TARGET_CHALLENGE_ID:
	case TARGET_OLD_PASSWORD:
	case TARGET_CODE_CHANNEL:
	case TARGET_ACCOUNT_ID:
	case TARGET_REFRESH_TOKEN:
	case TARGET_NONE: break;
	}
}

// The kept fields and the members of the field that maps to attributes, as one object.
void map_kept(struct dialect_reading *reading)
{
	const struct route *route = reading->route;
	const struct node *attributes = NULL;
	size_t room = 0, count = 0;
	for (size_t i = 0; i < route->field_count; i++) {
		room += !slice_is_absent(route->fields[i].keep);
		if (route->fields[i].target == TARGET_ATTRIBUTES && node_is(reading->seen[i].value, NODE_MAP))
			attributes = reading->seen[i].value;
	}
	if (room == 0)
		return;
	struct node object = {.type = NODE_MAP};
	object.list.keys = ARENA_ARRAY(reading->arena, room + node_count(attributes), struct slice);
	object.list.items = ARENA_ARRAY(reading->arena, room + node_count(attributes), struct node *);
	for (size_t i = 0; i < route->field_count; i++) {
		if (slice_is_absent(route->fields[i].keep) || !reading->seen[i].value)
			continue;
		struct node *copy = ARENA_NEW(reading->arena, struct node);
		*copy = *reading->seen[i].value;
		object.list.keys[count] = route->fields[i].keep;
		object.list.items[count++] = copy;
	}
	object.list.count = count;
	for (size_t i = 0; i < node_count(attributes); i++) {
		if (node_member_slice(&object, attributes->list.keys[i]))
			continue;
		object.list.keys[count] = attributes->list.keys[i];
		object.list.items[count++] = attributes->list.items[i];
	}
	object.list.count = count;
	if (count)
		reading->registration->attributes = canonical_json(&object, reading->arena);
}
