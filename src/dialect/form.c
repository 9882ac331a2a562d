// SPDX-License-Identifier: Apache-2.0
// Forms (application/x-www-form-urlencoded, WHATWG URL section 5.1) as trees: user[address][city] is /user/address/city, tags[] and tags[0] are lists.
#include "dialect/reading.h"
#include "enrolld/base/utf8.h"

#define NAMES_MAX 1000

struct form {
	const struct body *body;
	struct arena *arena;
	struct node root;
	size_t names;
};

static struct node *new_node(struct arena *arena, enum node_type type)
{
	struct node *node = ARENA_NEW(arena, struct node);
	node->type = type;
	return node;
}

struct form *form_create(const struct body *body, struct arena *arena)
{
	struct form *form = ARENA_NEW(arena, struct form);
	*form = (struct form){.body = body, .arena = arena, .root.type = NODE_MAP};
	return form;
}

static struct node **find(struct node *map, struct slice key)
{
	for (size_t i = 0; i < map->list.count; i++)
		if (slice_equal(map->list.keys[i], key))
			return &map->list.items[i];
	return NULL;
}

// Room grows in powers of two.
static void append(struct node *map, struct slice key, struct node *value, struct arena *arena)
{
	size_t count = map->list.count;
	if ((count & (count - 1)) == 0) {
		size_t room = count ? 2 * count : 1;
		struct node **items = ARENA_ARRAY(arena, room, struct node *);
		struct slice *keys = ARENA_ARRAY(arena, room, struct slice);
		if (count) {
			memcpy(items, map->list.items, count * sizeof(struct node *));
			memcpy(keys, map->list.keys, count * sizeof(*keys));
		}
		map->list.items = items;
		map->list.keys = keys;
	}
	map->list.items[count] = value;
	map->list.keys[count] = key;
	map->list.count++;
}

// "a[b][]" to "a", "b", "" one after the other. What is not closed belongs to the name.
static struct slice next_part(struct slice *rest, bool first, bool flat)
{
	struct slice part = *rest;
	if (first) {
		const char *open = flat || !rest->len ? NULL : memchr(rest->ptr + 1, '[', rest->len - 1);
		if (open && memchr(open, ']', rest->len - (size_t)(open - rest->ptr)))
			part.len = (size_t)(open - rest->ptr);
		*rest = (struct slice){rest->ptr + part.len, rest->len - part.len};
		return part;
	}
	const char *close = rest->len && rest->ptr[0] == '[' ? memchr(rest->ptr, ']', rest->len) : NULL;
	if (!close) {
		*rest = (struct slice){rest->ptr + rest->len, 0}; // what follows a bracket is dropped
		return SLICE_ABSENT;
	}
	part = (struct slice){rest->ptr + 1, (size_t)(close - rest->ptr) - 1};
	*rest = (struct slice){close + 1, rest->len - part.len - 2};
	return part;
}

static void put(struct form *form, struct node *map, struct slice key, struct node *value)
{
	struct node **there = find(map, key);
	if (!there) {
		append(map, key, value, form->arena);
	} else if (form->body->repeat == REPEAT_LAST) {
		*there = value;
	} else if (form->body->repeat == REPEAT_LIST) {
		if ((*there)->type != NODE_LIST) {
			struct node *list = new_node(form->arena, NODE_LIST);
			append(list, SLICE_ABSENT, *there, form->arena);
			*there = list;
		}
		append(*there, SLICE_ABSENT, value, form->arena);
	}
}

static enum reason check_name(struct slice text, struct fault *f)
{
	if (!utf8_valid(text))
		return fault_set(f, REASON_TEXT_INVALID_UTF8, "a name of the form is not UTF-8");
	if (text.len && memchr(text.ptr, '\0', text.len))
		return fault_set(f, REASON_TEXT_NUL, "a name of the form has a NUL");
	return REASON_OK;
}

enum reason form_add(struct form *form, struct slice name, struct slice value, struct fault *f)
{
	struct node *at = &form->root;
	struct slice rest = name, part = next_part(&rest, true, form->body->flat_names);
	struct node *text = new_node(form->arena, NODE_TEXT);
	if (++form->names > NAMES_MAX || form->names > form->body->limits.nodes)
		return fault_set(f, REASON_RECORD_TOO_LARGE, "more than %d names in the form", NAMES_MAX);
	enum reason reason = check_name(name, f);
	if (reason == REASON_OK && !utf8_valid(value))
		reason = fault_set(f, REASON_TEXT_INVALID_UTF8, "a value of the form is not UTF-8");
	text->text = arena_copy(form->arena, value);
	for (size_t depth = 1; reason == REASON_OK; depth++) {
		if (depth >= form->body->limits.depth)
			return fault_set(f, REASON_JSON_TOO_DEEP, "a name of the form has too many brackets");
		struct slice next = rest.len ? next_part(&rest, false, false) : SLICE_ABSENT;
		if (part.len == 0 && at != &form->root) // "[]": the next number
			part = arena_printf(form->arena, "%zu", at->list.count);
		if (slice_is_absent(next)) {
			put(form, at, arena_copy(form->arena, part), text);
			return REASON_OK;
		}
		struct node **there = find(at, part);
		if (!there || (*there)->type != NODE_MAP) {
			struct node *map = new_node(form->arena, NODE_MAP);
			if (there)
				*there = map;
			else
				append(at, arena_copy(form->arena, part), map, form->arena);
			at = map;
		} else {
			at = *there;
		}
		part = next;
	}
	return reason;
}

static bool all_numbers(const struct node *map)
{
	for (size_t i = 0; i < map->list.count; i++) {
		struct slice key = map->list.keys[i];
		for (size_t j = 0; j < key.len; j++)
			if (key.ptr[j] < '0' || key.ptr[j] > '9')
				return false;
		if (key.len == 0)
			return false;
	}
	return map->list.count > 0;
}

// Maps whose keys are numbers are lists, in the order of their appearance.
static void settle(struct node *map)
{
	for (size_t i = 0; i < map->list.count; i++) {
		struct node *item = map->list.items[i];
		if (item->type != NODE_MAP)
			continue;
		settle(item);
		if (all_numbers(item)) {
			item->type = NODE_LIST;
			item->list.keys = NULL;
		}
	}
}

const struct node *form_finish(struct form *form)
{
	settle(&form->root);
	return &form->root;
}

enum reason form_parse(const struct body *body, struct slice text, struct arena *arena, const struct node **root, struct fault *f)
{
	struct form *form = form_create(body, arena);
	while (text.len) {
		const char *end = memchr(text.ptr, '&', text.len);
		struct slice pair = {text.ptr, end ? (size_t)(end - text.ptr) : text.len};
		const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
		struct slice name = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};
		struct slice value = equals ? (struct slice){equals + 1, pair.len - name.len - 1} : SLICE_LIT("");
		size_t used = pair.len + (end != NULL);
		text = (struct slice){text.ptr + used, text.len - used};
		if (name.len == 0)
			continue;
		enum reason reason = form_add(form, url_decoded(name, true, arena), url_decoded(value, true, arena), f);
		if (reason != REASON_OK)
			return reason;
	}
	*root = form_finish(form);
	return REASON_OK;
}
