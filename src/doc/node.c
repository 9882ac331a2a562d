// SPDX-License-Identifier: Apache-2.0
// Reading a parsed document.
#include "enrolld/doc/node.h"

bool node_is(const struct node *node, enum node_type type)
{
	return node && node->type == type;
}

const struct node *node_member_slice(const struct node *map, struct slice key)
{
	if (!node_is(map, NODE_MAP))
		return NULL;
	for (size_t i = 0; i < map->list.count; i++)
		if (slice_equal(map->list.keys[i], key))
			return map->list.items[i];
	return NULL;
}

const struct node *node_member(const struct node *map, const char *key)
{
	return node_member_slice(map, slice_of(key));
}

size_t node_count(const struct node *list_or_map)
{
	return node_is(list_or_map, NODE_LIST) || node_is(list_or_map, NODE_MAP) ? list_or_map->list.count : 0;
}

const struct node *node_item(const struct node *list, size_t index)
{
	return node_is(list, NODE_LIST) && index < list->list.count ? list->list.items[index] : NULL;
}

struct slice node_text(const struct node *node)
{
	return node_is(node, NODE_TEXT) ? node->text : SLICE_ABSENT;
}

// Does the key equal the reference token, in which ~1 stands for / and ~0 for ~ ?
static bool token_names(struct slice token, struct slice key)
{
	size_t k = 0;

	for (size_t t = 0; t < token.len; t++, k++) {
		char c = token.ptr[t];

		if (c == '~') {
			if (++t == token.len || (token.ptr[t] != '0' && token.ptr[t] != '1'))
				return false;
			c = token.ptr[t] == '0' ? '~' : '/';
		}
		if (k == key.len || key.ptr[k] != c)
			return false;
	}
	return k == key.len;
}

static const struct node *list_step(const struct node *list, struct slice token)
{
	size_t index = 0;

	if (token.len == 0 || token.len > 9 || (token.ptr[0] == '0' && token.len > 1))
		return NULL;
	for (size_t i = 0; i < token.len; i++) {
		if (token.ptr[i] < '0' || token.ptr[i] > '9')
			return NULL;
		index = index * 10 + (size_t)(token.ptr[i] - '0');
	}
	return node_item(list, index);
}

static const struct node *map_step(const struct node *map, struct slice token)
{
	for (size_t i = 0; i < map->list.count; i++)
		if (token_names(token, map->list.keys[i]))
			return map->list.items[i];
	return NULL;
}

const struct node *node_at(const struct node *root, struct slice pointer)
{
	const struct node *node = root;
	size_t at = 0;

	while (node && at < pointer.len) {
		struct slice token;
		const char *end;

		if (pointer.ptr[at] != '/')
			return NULL;
		at++;
		end = memchr(pointer.ptr + at, '/', pointer.len - at);
		token.ptr = pointer.ptr + at;
		token.len = end ? (size_t)(end - token.ptr) : pointer.len - at;
		at += token.len;
		if (node->type == NODE_MAP)
			node = map_step(node, token);
		else
			node = node->type == NODE_LIST ? list_step(node, token) : NULL;
	}
	return node;
}

// Members in any order. Most often the order is the same, so the search starts where the member would be.
static bool maps_equal(const struct node *a, const struct node *b)
{
	for (size_t i = 0; i < a->list.count; i++) {
		const struct node *other = NULL;

		for (size_t k = 0; k < b->list.count && !other; k++) {
			size_t j = (i + k) % b->list.count;

			if (slice_equal(a->list.keys[i], b->list.keys[j]))
				other = b->list.items[j];
		}
		if (!node_equal(a->list.items[i], other))
			return false;
	}
	return true;
}

// Recursion is bounded by the depth limits of the parsers.
bool node_equal(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case NODE_NULL: return true;
	case NODE_BOOL: return a->boolean == b->boolean;
	case NODE_INT: return a->integer == b->integer;
	case NODE_REAL: return !(a->real < b->real) && !(a->real > b->real);
	case NODE_TEXT: return slice_equal(a->text, b->text);
	case NODE_LIST:
		if (a->list.count != b->list.count)
			return false;
		for (size_t i = 0; i < a->list.count; i++)
			if (!node_equal(a->list.items[i], b->list.items[i]))
				return false;
		return true;
	case NODE_MAP: return a->list.count == b->list.count && maps_equal(a, b);
	}
	return false;
}

const char *node_type_name(enum node_type type)
{
	static const char *const names[] = {
		[NODE_NULL] = "null", [NODE_BOOL] = "boolean", [NODE_INT] = "integer", [NODE_REAL] = "number",
		[NODE_TEXT] = "text", [NODE_LIST] = "list",    [NODE_MAP] = "map"};

	return names[type];
}
