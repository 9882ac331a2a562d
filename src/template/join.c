// SPDX-License-Identifier: Apache-2.0
// $merge and $concat: several objects as one, several lists as one. Parts are written and read again, so that what comes from values keeps to the rules
// of an object too: no key twice.
#include <stdint.h>

#include "enrolld/doc/json.h"
#include "template/template_private.h"

// NULL: it is left out.
static const struct node *part_of(const struct json_template *t, const struct sight *sight, size_t limit, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT(limit);
	const struct node *part = NULL;
	struct json_writer w;
	struct fault f;
	if (json_template_left_out(t, sight))
		return NULL;
	json_begin(&w, &text);
	json_template_part(&w, t, sight);
	struct slice json = arena_copy(arena, strbuf_slice(&text));
	if (strbuf_overflowed(&text) ||
	    json_parse_loose(json, (struct json_limits){SIZE_MAX, JSON_DEPTH_MAX, SIZE_MAX, true}, arena, &part, &f) != REASON_OK)
		part = NULL;
	strbuf_free(&text);
	return part;
}

static bool is_last(const struct node *const *parts, size_t count, size_t part, struct slice key)
{
	for (size_t i = part + 1; i < count; i++)
		if (node_member_slice(parts[i], key))
			return false;
	return true;
}

static bool is_first(const struct node *const *parts, size_t part, struct slice key)
{
	for (size_t i = 0; i < part; i++)
		if (node_member_slice(parts[i], key))
			return false;
	return true;
}

static const struct node *last_value(const struct node *const *parts, size_t count, struct slice key)
{
	for (size_t i = count; i > 0; i--) {
		const struct node *value = node_member_slice(parts[i - 1], key);
		if (value)
			return value;
	}
	return NULL;
}

static void write_members(struct json_writer *w, const struct node *const *parts, size_t count)
{
	json_open_map(w);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; node_is(parts[i], NODE_MAP) && j < node_count(parts[i]); j++) {
			struct slice key = parts[i]->list.keys[j];
			if (!is_first(parts, i, key))
				continue;
			json_key_slice(w, key);
			json_node(w, is_last(parts, count, i, key) ? parts[i]->list.items[j] : last_value(parts, count, key));
		}
	json_close_map(w);
}

static void write_list(struct json_writer *w, const struct node *const *parts, size_t count)
{
	json_open_list(w);
	for (size_t i = 0; i < count; i++) {
		if (parts[i] && !node_is(parts[i], NODE_LIST))
			json_node(w, parts[i]);
		for (size_t j = 0; node_is(parts[i], NODE_LIST) && j < node_count(parts[i]); j++)
			json_node(w, node_item(parts[i], j));
	}
	json_close_list(w);
}

void join_write(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	struct arena *arena = arena_create(4096);
	const struct node **parts = ARENA_ARRAY(arena, t->count, const struct node *);
	for (size_t i = 0; i < t->count; i++)
		parts[i] = part_of(t->items[i], sight, w->out->limit, arena);
	if (t->kind == JSON_MERGE)
		write_members(w, parts, t->count);
	else
		write_list(w, parts, t->count);
	arena_destroy(arena);
}
