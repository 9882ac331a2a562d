// SPDX-License-Identifier: Apache-2.0
// JSON text to a tree of nodes: a linear look for the limits, jansson, then a copy into the caller's arena.
#include <jansson.h>

#include "doc/json_scan.h"
#include "enrolld/doc/json.h"

// jansson's own words may quote the text, so they are never passed on.
static enum reason classify(const json_error_t *error, struct fault *f)
{
	switch (json_error_code(error)) {
	case json_error_duplicate_key:
		return fault_set(f, REASON_JSON_DUPLICATE_KEY, "duplicate key before byte %d", error->position);
	case json_error_numeric_overflow:
		return fault_set(f, REASON_JSON_NUMBER_RANGE, "number out of range before byte %d", error->position);
	case json_error_null_character:
	case json_error_null_byte_in_key: return fault_set(f, REASON_TEXT_NUL, "escaped NUL before byte %d", error->position);
	case json_error_invalid_utf8: return fault_set(f, REASON_TEXT_INVALID_UTF8, "invalid UTF-8 at byte %d", error->position);
	case json_error_premature_end_of_input: return fault_set(f, REASON_JSON_MALFORMED, "ends too early");
	case json_error_end_of_input_expected:
		return fault_set(f, REASON_JSON_MALFORMED, "more text after the value before byte %d", error->position);
	case json_error_stack_overflow: return fault_set(f, REASON_JSON_TOO_DEEP, "too many levels");
	case json_error_out_of_memory: PANIC("out of memory");
	default: return fault_set(f, REASON_JSON_MALFORMED, "not JSON before byte %d", error->position);
	}
}

static struct node *convert(json_t *value, struct arena *arena);

static void convert_list(const json_t *value, struct arena *arena, struct node *node)
{
	node->list.count = json_array_size(value);
	node->list.items = ARENA_ARRAY(arena, node->list.count, struct node *);
	for (size_t i = 0; i < node->list.count; i++)
		node->list.items[i] = convert(json_array_get(value, i), arena);
}

static void convert_map(json_t *value, struct arena *arena, struct node *node)
{
	size_t i = 0;

	node->list.count = json_object_size(value);
	node->list.items = ARENA_ARRAY(arena, node->list.count, struct node *);
	node->list.keys = ARENA_ARRAY(arena, node->list.count, struct slice);
	for (void *iter = json_object_iter(value); iter; iter = json_object_iter_next(value, iter), i++) {
		node->list.keys[i] = arena_copy(arena, slice_of(json_object_iter_key(iter)));
		node->list.items[i] = convert(json_object_iter_value(iter), arena);
	}
}

// Recursion is bounded: json_scan let no more than JSON_DEPTH_MAX levels pass.
static struct node *convert(json_t *value, struct arena *arena)
{
	struct node *node = ARENA_NEW(arena, struct node);

	switch (json_typeof(value)) {
	case JSON_NULL: node->type = NODE_NULL; break;
	case JSON_TRUE:
	case JSON_FALSE:
		node->type = NODE_BOOL;
		node->boolean = json_is_true(value);
		break;
	case JSON_INTEGER:
		node->type = NODE_INT;
		node->integer = json_integer_value(value);
		break;
	case JSON_REAL:
		node->type = NODE_REAL;
		node->real = json_real_value(value);
		break;
	case JSON_STRING:
		node->type = NODE_TEXT;
		node->text = arena_copy(arena, (struct slice){json_string_value(value), json_string_length(value)});
		break;
	case JSON_ARRAY:
		node->type = NODE_LIST;
		convert_list(value, arena, node);
		break;
	case JSON_OBJECT:
		node->type = NODE_MAP;
		convert_map(value, arena, node);
		break;
	}
	return node;
}

static enum reason parse(struct slice text, struct json_limits limits, size_t flags, struct arena *arena, const struct node **root,
			 struct fault *f)
{
	json_error_t error;
	json_t *value;
	enum reason r;

	if (limits.depth > JSON_DEPTH_MAX)
		PANIC("depth limit %zu", limits.depth);
	if (text.len > limits.bytes)
		return fault_set(f, REASON_RECORD_TOO_LARGE, "%zu bytes, at most %zu", text.len, limits.bytes);
	if (text.len == 0)
		return fault_set(f, REASON_RECORD_EMPTY, "no bytes");
	if ((r = json_scan(text, &limits, f)))
		return r;
	flags |= JSON_DECODE_ANY | (limits.nul ? JSON_ALLOW_NUL : 0);
	value = json_loadb(text.ptr, text.len, flags, &error);
	if (!value)
		return classify(&error, f);
	*root = convert(value, arena);
	json_decref(value);
	return REASON_OK;
}

enum reason json_parse(struct slice text, struct json_limits limits, struct arena *arena, const struct node **root, struct fault *f)
{
	return parse(text, limits, JSON_REJECT_DUPLICATES, arena, root, f);
}

enum reason json_parse_loose(struct slice text, struct json_limits limits, struct arena *arena, const struct node **root,
			     struct fault *f)
{
	return parse(text, limits, 0, arena, root, f);
}
