// SPDX-License-Identifier: Apache-2.0
// JSON templates: a tree whose texts may have places. The shape of the answer is the tree's, so that no value can change it.
#include "template/template_private.h"

#include "enrolld/doc/yaml.h"

struct builder {
	const char *file;
	struct arena *arena;
};

static enum reason build(const struct builder *b, const struct node *node, unsigned depth, struct json_template **t,
			 struct fault *f);

static enum reason wrong(const struct builder *b, const struct node *node, struct fault *f, const char *what)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s", b->file, node->line, what);
}

// The name of a text that is one place and nothing else.
static bool one_place(struct slice text, struct slice *name, bool *optional)
{
	if (text.len < 5 || memcmp(text.ptr, "{{", 2) != 0 || memcmp(text.ptr + text.len - 2, "}}", 2) != 0)
		return false;
	struct slice inner = name_trim((struct slice){text.ptr + 2, text.len - 4});
	*optional = inner.len && inner.ptr[0] == '?';
	*name = *optional ? name_trim((struct slice){inner.ptr + 1, inner.len - 1}) : inner;
	return name_valid(*name);
}

static enum reason build_text(const struct builder *b, const struct node *node, struct json_template *t, struct fault *f)
{
	struct slice text = node_text(node);
	if (one_place(text, &t->name, &t->optional)) {
		t->kind = JSON_VALUE;
		return REASON_OK;
	}
	if (!text.len || !memmem(text.ptr, text.len, "{{", 2)) {
		t->kind = JSON_FIXED;
		t->fixed = node;
		return REASON_OK;
	}
	if (memmem(text.ptr, text.len, "{{?", 3))
		return wrong(b, node, f, "\"{{?name}}\" must be the whole text, since it stands for the member");
	t->kind = JSON_TEXT;
	return program_compile(text, TEMPLATE_PLAIN, b->file, node->line, b->arena, &t->text, f);
}

static enum reason build_each(const struct builder *b, const struct node *node, unsigned depth, struct json_template *t,
			      struct fault *f)
{
	const struct node *item = node_member(node, "$item");
	t->kind = JSON_EACH;
	t->name = node_text(node_member(node, "$each"));
	if (!item || node_count(node) != 2 || !name_valid(t->name))
		return wrong(b, node, f,
			     "a list is made by {$each: name of the list, $item: what each becomes}, and nothing besides");
	t->count = 1;
	t->items = ARENA_ARRAY(b->arena, 1, struct json_template *);
	return build(b, item, depth + 1, &t->items[0], f);
}

static enum reason build_items(const struct builder *b, const struct node *node, unsigned depth, struct json_template *t,
			       struct fault *f)
{
	t->kind = node->type == NODE_LIST ? JSON_LIST : JSON_MAP;
	t->count = node->list.count;
	t->keys = node->list.keys;
	t->items = ARENA_ARRAY(b->arena, t->count, struct json_template *);
	for (size_t i = 0; i < t->count; i++) {
		if (t->keys && t->keys[i].len && t->keys[i].ptr[0] == '$')
			return wrong(b, node->list.items[i], f, "$each and $item go together; no other key begins with $");
		enum reason reason = build(b, node->list.items[i], depth + 1, &t->items[i], f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static enum reason build(const struct builder *b, const struct node *node, unsigned depth, struct json_template **t,
			 struct fault *f)
{
	struct json_template *made = *t = ARENA_NEW(b->arena, struct json_template);
	made->line = node->line;
	if (depth > TEMPLATE_DEPTH_MAX)
		return wrong(b, node, f, "the template is nested too deeply");
	if (node->type == NODE_TEXT)
		return build_text(b, node, made, f);
	if (node_member(node, "$each"))
		return build_each(b, node, depth, made, f);
	if (node->type == NODE_LIST || node->type == NODE_MAP)
		return build_items(b, node, depth, made, f);
	made->kind = JSON_FIXED;
	made->fixed = node;
	return REASON_OK;
}

enum reason template_compile_json(const struct node *tree, const char *file, struct arena *arena, const struct template **t,
				  struct fault *f)
{
	struct template *made = ARENA_NEW(arena, struct template);
	made->where = arena_text(arena, file);
	struct builder b = {made->where, arena};
	enum reason reason = build(&b, tree, 0, &made->json, f);
	if (reason == REASON_OK && made->json->kind == JSON_VALUE && made->json->optional)
		return wrong(&b, tree, f, "\"{{?name}}\" needs a member or item to leave out");
	if (reason == REASON_OK)
		*t = made;
	return reason;
}

static enum reason check_name(const struct template *t, struct slice name, int line, const char *const *names, size_t count,
			      struct fault *f)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text(name, names[i]))
			return REASON_OK;
	const char *nearest = doc_nearest(name, names, count);
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: there is no value \"%.*s\" here%s%s%s", t->where, line, (int)name.len,
			 name.ptr, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static enum reason check_program(const struct template *t, const struct program *program, const char *const *names, size_t count,
				 struct fault *f)
{
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < program->count && reason == REASON_OK; i++)
		if (program->steps[i].kind != STEP_LITERAL)
			reason = check_name(t, program->steps[i].text, program->steps[i].line, names, count, f);
	return reason;
}

static enum reason check_json(const struct template *t, const struct json_template *json, const char *const *names, size_t count,
			      struct fault *f)
{
	enum reason reason = REASON_OK;
	if (json->kind == JSON_VALUE || json->kind == JSON_EACH)
		reason = check_name(t, json->name, json->line, names, count, f);
	else if (json->kind == JSON_TEXT)
		reason = check_program(t, &json->text, names, count, f);
	for (size_t i = 0; i < json->count && reason == REASON_OK; i++)
		reason = check_json(t, json->items[i], names, count, f);
	return reason;
}

enum reason template_check_names(const struct template *t, const char *const *names, size_t count, struct fault *f)
{
	return t->json ? check_json(t, t->json, names, count, f) : check_program(t, &t->text, names, count, f);
}
