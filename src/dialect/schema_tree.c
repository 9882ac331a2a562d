// SPDX-License-Identifier: Apache-2.0
// The body of a route as a tree of properties, from the pointers of its fields.
#include "dialect/schema.h"

bool field_required(const struct field *field)
{
	for (size_t i = 0; i < field->checks.count; i++) {
		struct rule_shape shape;
		const struct check *check = &field->checks.items[i];
		bool speaks = !check->when;
		(void)!rule_shape(check->rule, &shape);
		if (speaks && (shape.required || (rule_words(check->rule)->strict && !rule_unique(check->rule))))
			return true;
	}
	return false;
}

static struct slice unescaped(struct slice token, struct arena *arena)
{
	return pointer_last(arena_printf(arena, "/%.*s", (int)token.len, token.ptr), arena);
}

static struct property *child_of(struct property *parent, struct slice key, struct arena *arena)
{
	struct property **at = &parent->first;
	for (; *at; at = &(*at)->next)
		if (slice_is_absent((*at)->key) == slice_is_absent(key) && slice_equal((*at)->key, key))
			return *at;
	*at = ARENA_NEW(arena, struct property);
	(*at)->key = key;
	return *at;
}

static struct property *insert(struct property *root, struct slice pointer, struct arena *arena)
{
	struct slice token;
	while (!slice_is_absent(token = pointer_next(&pointer)))
		root = child_of(root, slice_equal_text(token, "*") ? SLICE_ABSENT : unescaped(token, arena), arena);
	return root;
}

static void insert_alias(struct property *root, const struct field *field, struct slice pointer, struct arena *arena)
{
	struct property *property = insert(root, pointer, arena);
	if (property->field)
		return;
	property->field = field;
	property->alias = true;
}

static void insert_field(struct property *root, const struct route *route, const struct field *field, struct arena *arena)
{
	bool one_place = field->place_count == 1 && route->body.also == CASE_AS_WRITTEN;
	for (size_t i = 0; i < field->place_count; i++) {
		struct slice pointer = field->places[i].at;
		if (field->places[i].source != SOURCE_BODY)
			continue;
		if (i > 0) {
			insert_alias(root, field, pointer, arena);
		} else {
			struct property *property = insert(root, pointer, arena);
			property->field = field;
			property->alias = false;
			property->required = one_place && field_required(field);
		}
		if (route->body.also != CASE_AS_WRITTEN)
			insert_alias(root, field, pointer_cased(pointer, route->body.also == CASE_CAMEL, arena), arena);
	}
}

// What must have something inside must be there, unless a field stands there that decides for itself.
static bool settle(struct property *property)
{
	bool inner = false;
	for (struct property *child = property->first; child; child = child->next)
		if (settle(child) && !slice_is_absent(child->key))
			inner = true;
	if (inner && !property->field)
		property->required = true;
	return property->required;
}

struct property *schema_tree(const struct route *route, struct arena *arena)
{
	struct property *root = ARENA_NEW(arena, struct property);
	for (size_t i = 0; i < route->field_count; i++)
		insert_field(root, route, &route->fields[i], arena);
	if (route->body.request_id.len)
		insert(root, route->body.request_id, arena)->request_id = true;
	(void)settle(root);
	return root;
}
