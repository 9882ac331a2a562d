// SPDX-License-Identifier: Apache-2.0
// JSON templates: a tree whose texts may have places. The shape of the answer is the tree's, so that no value can change it.
//
// Maps with a key that begins with $ are not kept as maps:
//   {$each: list, $item: tree}                a list, one for each
//   {$group: list, $key: text, $item: tree}   an object; under each key, in order of first appearance, the list of its items ($one: the first alone)
//   {$tree: list, $item: tree}                the same nested by the items' value "field", a JSON pointer
//   {$if: conditions, $then: tree, $else: tree}
//   {$plural: number, one: text, other: text}
//   {$merge: [trees]}      the members of all of them as one object; of equal keys the last one's value, in the first one's place
//   {$concat: [trees]}     the items of all of them as one list; what is no list is an item itself
// With $each, $group and $tree also $when: conditions on an item, $skip and $take: numbers or the name of one, $page: the name of a page's number.
// A key that begins with $$ stands for one with a single $.
#include "template/template_private.h"

#include "enrolld/doc/yaml.h"

static enum reason build(const struct template_origin *origin, const struct node *node, unsigned depth, struct json_template **t,
			 struct fault *f);

static enum reason wrong(const struct template_origin *origin, const struct node *node, struct fault *f, const char *what)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s", origin->file, node->line ? node->line : origin->line, what);
}

static struct template_origin at(const struct template_origin *origin, const struct node *node)
{
	struct template_origin here = *origin;
	here.line = node->line ? node->line : origin->line;
	return here;
}

// Is the text one place and nothing else?
static bool one_place(struct slice text, struct slice *inner, bool *optional)
{
	if (text.len < 5 || memcmp(text.ptr, "{{", 2) != 0 || memcmp(text.ptr + text.len - 2, "}}", 2) != 0)
		return false;
	*inner = name_trim((struct slice){text.ptr + 2, text.len - 4});
	*optional = inner->len && inner->ptr[0] == '?';
	if (*optional)
		*inner = name_trim((struct slice){inner->ptr + 1, inner->len - 1});
	const char *bar = inner->len ? memchr(inner->ptr, '|', inner->len) : NULL;
	return name_valid(name_trim((struct slice){inner->ptr, bar ? (size_t)(bar - inner->ptr) : inner->len}));
}

static enum reason build_text(const struct template_origin *origin, const struct node *node, struct json_template *t,
			      struct fault *f)
{
	struct slice text = node_text(node), inner;
	struct template_origin here = at(origin, node);
	if (one_place(text, &inner, &t->optional)) {
		t->kind = JSON_VALUE;
		return place_compile(inner, &here, NULL, &t->place, f);
	}
	if (!text.len || !memmem(text.ptr, text.len, "{{", 2)) {
		t->kind = JSON_FIXED;
		t->fixed = node;
		return REASON_OK;
	}
	if (memmem(text.ptr, text.len, "{{?", 3))
		return wrong(origin, node, f, "\"{{?name}}\" must be the whole text, since it stands for the member");
	t->kind = JSON_TEXT;
	return program_compile(text, TEMPLATE_PLAIN, &here, &t->text, f);
}

static bool has_only(const struct node *map, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < node_count(map); i++) {
		bool known = false;
		for (size_t j = 0; j < count; j++)
			known = known || slice_equal_text(map->list.keys[i], keys[j]);
		if (!known)
			return false;
	}
	return true;
}

static enum reason build_list(const struct template_origin *origin, const struct node *node, unsigned depth,
			      struct json_template *t, struct fault *f)
{
	static const struct {
		enum json_kind kind;
		const char *key;
		const char *const keys[8];
		size_t key_count;
		const char *form;
	} kinds[] = {
		{JSON_EACH,
		 "$each",
		 {"$each", "$item", "$when", "$skip", "$take", "$page"},
		 6,
		 "a list is made by {$each: name of the list, $item: what each becomes}, and nothing besides but $when, $skip, $take and $page"},
		{JSON_GROUP,
		 "$group",
		 {"$group", "$key", "$item", "$one", "$when", "$skip", "$take", "$page"},
		 8,
		 "a group is made by {$group: name of the list, $key: text, $item: what each becomes}, or $one for the first alone"},
		{JSON_TREE,
		 "$tree",
		 {"$tree", "$key", "$item", "$one", "$when", "$skip", "$take", "$page"},
		 8,
		 "a tree is made by {$tree: name of the list, $item: what each becomes}, or $one for the first alone; $key is another pointer"},
	};
	size_t k = node_member(node, "$each") ? 0 : node_member(node, "$group") ? 1 : 2;
	const struct node *item = node_member(node, "$item"), *one = node_member(node, "$one"), *key = node_member(node, "$key");
	struct slice name = node_text(node_member(node, kinds[k].key));
	t->kind = kinds[k].kind;
	if (!item == !one || slice_is_absent(name) || !has_only(node, kinds[k].keys, kinds[k].key_count) ||
	    (t->kind == JSON_GROUP && !key) || (key && !node_is(key, NODE_TEXT)))
		return wrong(origin, node, f, kinds[k].form);
	struct template_origin here = at(origin, node);
	enum reason reason = place_compile(name, &here, NULL, &t->place, f);
	if (reason == REASON_OK && key)
		reason = program_compile(key->text, TEMPLATE_PLAIN, &here, &t->text, f);
	if (reason == REASON_OK)
		reason = selection_compile(node, &here, &t->selection, f);
	t->has_key = key != NULL;
	t->single = one != NULL;
	t->count = 1;
	t->items = ARENA_ARRAY(origin->arena, 1, struct json_template *);
	return reason == REASON_OK ? build(origin, item ? item : one, depth + 1, &t->items[0], f) : reason;
}

static enum reason build_if(const struct template_origin *origin, const struct node *node, unsigned depth, struct json_template *t,
			    struct fault *f)
{
	static const char *const keys[] = {"$if", "$then", "$else"};
	const struct node *then = node_member(node, "$then"), *other = node_member(node, "$else");
	struct template_origin here = at(origin, node);
	t->kind = JSON_IF;
	if (!then || !has_only(node, keys, ARRAY_LEN(keys)))
		return wrong(origin, node, f,
			     "a choice is made by {$if: conditions, $then: a tree, $else: a tree}; only $else may be left out");
	t->count = 2;
	t->items = ARENA_ARRAY(origin->arena, 2, struct json_template *);
	t->optional = !other;
	enum reason reason = template_compile_condition(node_member(node, "$if"), &here, &t->condition, f);
	if (reason == REASON_OK)
		reason = build(origin, then, depth + 1, &t->items[0], f);
	if (reason == REASON_OK && other)
		reason = build(origin, other, depth + 1, &t->items[1], f);
	return reason;
}

static enum reason build_joined(const struct template_origin *origin, const struct node *node, unsigned depth,
				struct json_template *t, struct fault *f)
{
	const struct node *parts = node->list.items[0];
	t->kind = node_member(node, "$merge") ? JSON_MERGE : JSON_CONCAT;
	if (node_count(node) != 1 || !node_is(parts, NODE_LIST))
		return wrong(
			origin, node, f,
			"{$merge: [objects]} makes one object of several, {$concat: [lists]} one list; nothing stands besides");
	t->count = parts->list.count;
	t->items = ARENA_ARRAY(origin->arena, t->count, struct json_template *);
	for (size_t i = 0; i < t->count; i++) {
		enum reason reason = build(origin, parts->list.items[i], depth + 1, &t->items[i], f);
		if (reason != REASON_OK)
			return reason;
		enum json_kind kind = t->items[i]->kind;
		if (t->kind == JSON_MERGE && (kind == JSON_FIXED || kind == JSON_TEXT || kind == JSON_PLURAL || kind == JSON_LIST ||
					      kind == JSON_EACH || kind == JSON_CONCAT))
			return wrong(origin, parts->list.items[i], f, "what $merge joins are objects");
	}
	return REASON_OK;
}

static enum reason build_items(const struct template_origin *origin, const struct node *node, unsigned depth,
			       struct json_template *t, struct fault *f)
{
	t->kind = node->type == NODE_LIST ? JSON_LIST : JSON_MAP;
	t->count = node->list.count;
	struct slice *keys = node->type == NODE_MAP ? ARENA_ARRAY(origin->arena, t->count, struct slice) : NULL;
	t->keys = keys;
	t->items = ARENA_ARRAY(origin->arena, t->count, struct json_template *);
	for (size_t i = 0; i < t->count; i++) {
		struct slice key = keys ? node->list.keys[i] : SLICE_ABSENT;
		bool twice = key.len > 1 && memcmp(key.ptr, "$$", 2) == 0;
		if (key.len && key.ptr[0] == '$' && !twice)
			return wrong(origin, node->list.items[i], f,
				     "keys that begin with $ are those of $each, $group, $tree, $if, $plural, $merge and $concat; "
				     "$$name stands for $name");
		if (keys)
			keys[i] = (struct slice){key.ptr + twice, key.len - twice};
		enum reason reason = build(origin, node->list.items[i], depth + 1, &t->items[i], f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static enum reason build(const struct template_origin *origin, const struct node *node, unsigned depth, struct json_template **t,
			 struct fault *f)
{
	struct json_template *made = *t = ARENA_NEW(origin->arena, struct json_template);
	if (depth > TEMPLATE_DEPTH_MAX)
		return wrong(origin, node, f, "the template is nested too deeply");
	if (node->type == NODE_TEXT)
		return build_text(origin, node, made, f);
	if (node_member(node, "$each") || node_member(node, "$group") || node_member(node, "$tree"))
		return build_list(origin, node, depth, made, f);
	if (node_member(node, "$if"))
		return build_if(origin, node, depth, made, f);
	if (node_member(node, "$merge") || node_member(node, "$concat"))
		return build_joined(origin, node, depth, made, f);
	if (node_member(node, "$plural")) {
		struct template_origin here = at(origin, node);
		made->kind = JSON_PLURAL;
		return plural_compile(node, "$plural", &here, &made->plural, f);
	}
	if (node->type == NODE_LIST || node->type == NODE_MAP)
		return build_items(origin, node, depth, made, f);
	made->kind = JSON_FIXED;
	made->fixed = node;
	return REASON_OK;
}

enum reason template_compile_tree(const struct node *tree, const struct template_origin *origin, const struct template **t,
				  struct fault *f)
{
	struct template *made = ARENA_NEW(origin->arena, struct template);
	made->where = arena_text(origin->arena, origin->file);
	struct template_origin here = {made->where, origin->line, origin->arena, origin->functions};
	enum reason reason = build(&here, tree, 0, &made->json, f);
	if (reason == REASON_OK && made->json->optional)
		return wrong(&here, tree, f, "\"{{?name}}\", or $if without $else, needs a member or item to leave out");
	if (reason == REASON_OK)
		*t = made;
	return reason;
}

enum reason template_compile_json(const struct node *tree, const char *file, struct arena *arena, const struct template **t,
				  struct fault *f)
{
	return template_compile_tree(tree, &(struct template_origin){file, 0, arena, NULL}, t, f);
}
