// SPDX-License-Identifier: Apache-2.0
// JSON templates to JSON text.
#include "enrolld/doc/json.h"
#include "template/template_private.h"

#define BRANCHES_MAX 256

static void write(struct json_writer *w, const struct json_template *t, const struct sight *sight);

static void write_value(struct json_writer *w, bool found, const struct template_value *value)
{
	if (!found) {
		json_nil(w);
		return;
	}
	switch (value->kind) {
	case TEMPLATE_TEXT: json_text(w, value->text); break;
	case TEMPLATE_INT: json_int(w, value->integer); break;
	case TEMPLATE_BOOL: json_bool(w, value->integer != 0); break;
	case TEMPLATE_JSON: json_raw(w, value->text); break;
	case TEMPLATE_NODE: json_node(w, value->node); break;
	case TEMPLATE_TIME: {
		struct strbuf text = STRBUF_INIT(64);
		value_write(value, TEMPLATE_PLAIN, &text);
		json_text(w, strbuf_slice(&text));
		strbuf_free(&text);
		break;
	}
	case TEMPLATE_NULL:
	case TEMPLATE_LIST: json_nil(w); break;
	}
}

static void write_place(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	struct strbuf scratch[2];
	struct template_value value;
	scratch_start(scratch);
	bool found = place_find(&t->place, sight, scratch, &value);
	write_value(w, found, &value);
	scratch_end(scratch);
}

static void write_program(struct json_writer *w, const struct program *program, const struct sight *sight)
{
	struct strbuf text = STRBUF_INIT(w->out->limit);
	program_render(program, sight, &text);
	json_text(w, strbuf_slice(&text));
	strbuf_free(&text);
}

// What stands in the end where choices are made; NULL: nothing.
static const struct json_template *chosen(const struct json_template *t, const struct sight *sight)
{
	while (t && t->kind == JSON_IF)
		t = t->items[condition_holds(t->condition, sight) ? 0 : 1];
	return t;
}

bool json_template_left_out(const struct json_template *t, const struct sight *sight)
{
	struct template_value value;
	t = chosen(t, sight);
	return !t || (t->kind == JSON_VALUE && t->optional && !sight_find(sight, t->place.name, &value));
}

static void write_each(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	const struct template_value *items[BRANCHES_MAX];
	size_t count = selection_take(t, sight, items, BRANCHES_MAX);
	json_open_list(w);
	for (size_t i = 0; i < count; i++) {
		const struct sight inner = {items[i], sight, sight->scope};
		if (!json_template_left_out(t->items[0], &inner))
			write(w, t->items[0], &inner);
	}
	json_close_list(w);
}

// One branch of a group or tree: what stands under a key, and how deep. A key is a text, or what is left of a pointer.
struct branch {
	struct slice key;
	const struct template_value *item;
	bool done;
};

static void write_leaf(struct json_writer *w, const struct json_template *t, const struct sight *sight, struct branch *branches,
		       size_t count, size_t first)
{
	struct slice key = branches[first].key;
	if (!t->single)
		json_open_list(w);
	for (size_t i = first; i < count; i++) {
		if (branches[i].done || !slice_equal(branches[i].key, key))
			continue;
		branches[i].done = true;
		if (!t->single || i == first)
			write(w, t->items[0], &(struct sight){branches[i].item, sight, sight->scope});
	}
	if (!t->single)
		json_close_list(w);
}

static void write_group(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	struct branch branches[BRANCHES_MAX];
	struct strbuf keys[BRANCHES_MAX];
	const struct template_value *items[BRANCHES_MAX];
	size_t count = selection_take(t, sight, items, BRANCHES_MAX);
	for (size_t i = 0; i < count; i++) {
		keys[i] = STRBUF_INIT(4096);
		program_render(&t->text, &(struct sight){items[i], sight, sight->scope}, &keys[i]);
		branches[i] = (struct branch){strbuf_slice(&keys[i]), items[i], false};
	}
	json_open_map(w);
	for (size_t i = 0; i < count; i++) {
		if (branches[i].done)
			continue;
		json_key_slice(w, branches[i].key);
		write_leaf(w, t, sight, branches, count, i);
	}
	json_close_map(w);
	for (size_t i = 0; i < count; i++)
		strbuf_free(&keys[i]);
}

// The first token of a pointer that begins with a slash, and what follows it.
static struct slice token_of(struct slice pointer, struct slice *rest)
{
	struct slice token = {pointer.ptr + 1, pointer.len - 1};
	const char *slash = token.len ? memchr(token.ptr, '/', token.len) : NULL;
	if (slash)
		token.len = (size_t)(slash - token.ptr);
	*rest = (struct slice){token.ptr + token.len, pointer.len - 1 - token.len};
	return token;
}

static void write_token(struct json_writer *w, struct slice token)
{
	struct strbuf key = STRBUF_INIT(1024);
	for (size_t i = 0; i < token.len; i++) {
		bool escaped = token.ptr[i] == '~' && i + 1 < token.len;
		if (escaped)
			i++;
		strbuf_add_char(&key, !escaped ? token.ptr[i] : token.ptr[i] == '1' ? '/' : '~');
	}
	json_key_slice(w, strbuf_slice(&key));
	strbuf_free(&key);
}

// The object of all branches, whose keys are pointers from here on. What stands at the object itself is under the key "".
static void write_branches(struct json_writer *w, const struct json_template *t, const struct sight *sight, struct branch *branches,
			   size_t count, unsigned depth)
{
	struct branch inner[BRANCHES_MAX];
	json_open_map(w);
	for (size_t i = 0; i < count; i++) {
		if (branches[i].done)
			continue;
		if (branches[i].key.len == 0 || branches[i].key.ptr[0] != '/' || depth == TEMPLATE_DEPTH_MAX) {
			json_key_slice(w, branches[i].key);
			write_leaf(w, t, sight, branches, count, i);
			continue;
		}
		struct slice rest, token = token_of(branches[i].key, &rest);
		size_t inner_count = 0, own = 0;
		for (size_t j = i; j < count; j++) {
			struct slice other_rest;
			if (branches[j].done || branches[j].key.len == 0 || branches[j].key.ptr[0] != '/' ||
			    !slice_equal(token_of(branches[j].key, &other_rest), token))
				continue;
			branches[j].done = true;
			own += other_rest.len == 0;
			inner[inner_count++] = (struct branch){other_rest, branches[j].item, false};
		}
		write_token(w, token);
		if (own == inner_count)
			write_leaf(w, t, sight, inner, inner_count, 0);
		else
			write_branches(w, t, sight, inner, inner_count, depth + 1);
	}
	json_close_map(w);
}

static void write_tree(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	struct branch branches[BRANCHES_MAX];
	struct strbuf keys[BRANCHES_MAX];
	const struct template_value *items[BRANCHES_MAX];
	size_t count = selection_take(t, sight, items, BRANCHES_MAX);
	for (size_t i = 0; i < count; i++) {
		struct template_value field = {0};
		const struct sight inner = {items[i], sight, sight->scope};
		keys[i] = STRBUF_INIT(4096);
		if (t->has_key)
			program_render(&t->text, &inner, &keys[i]);
		else if (sight_find(&inner, SLICE_LIT("field"), &field) && field.kind == TEMPLATE_TEXT)
			strbuf_add_slice(&keys[i], field.text);
		branches[i] = (struct branch){strbuf_slice(&keys[i]), items[i], false};
	}
	write_branches(w, t, sight, branches, count, 0);
	for (size_t i = 0; i < count; i++)
		strbuf_free(&keys[i]);
}

static void write_items(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	if (t->kind == JSON_MAP)
		json_open_map(w);
	else
		json_open_list(w);
	for (size_t i = 0; i < t->count; i++) {
		if (json_template_left_out(t->items[i], sight))
			continue;
		if (t->kind == JSON_MAP)
			json_key_slice(w, t->keys[i]);
		write(w, t->items[i], sight);
	}
	if (t->kind == JSON_MAP)
		json_close_map(w);
	else
		json_close_list(w);
}

static void write(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	t = chosen(t, sight);
	if (!t) {
		json_nil(w);
		return;
	}
	switch (t->kind) {
	case JSON_FIXED: json_node(w, t->fixed); break;
	case JSON_VALUE: write_place(w, t, sight); break;
	case JSON_TEXT: write_program(w, &t->text, sight); break;
	case JSON_PLURAL: {
		const struct program *form = plural_choose(&t->plural, sight);
		write_program(w, form ? form : &(struct program){0}, sight);
		break;
	}
	case JSON_LIST:
	case JSON_MAP: write_items(w, t, sight); break;
	case JSON_EACH: write_each(w, t, sight); break;
	case JSON_GROUP: write_group(w, t, sight); break;
	case JSON_TREE: write_tree(w, t, sight); break;
	case JSON_MERGE:
	case JSON_CONCAT: join_write(w, t, sight); break;
	case JSON_IF: break; // chosen() has gone through it
	}
}

void json_template_part(struct json_writer *w, const struct json_template *t, const struct sight *sight)
{
	write(w, t, sight);
}

void json_template_write(const struct json_template *t, const struct sight *sight, struct strbuf *out)
{
	struct json_writer w;
	json_begin(&w, out);
	write(&w, t, sight);
}
