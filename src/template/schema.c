// SPDX-License-Identifier: Apache-2.0
// JSON Schema of what a JSON template gives, whatever its values are.
#include "enrolld/doc/json.h"
#include "template/template_private.h"

struct schema {
	struct json_writer *w;
	template_type_of *type_of;
	void *context;
};

static void write(const struct schema *s, const struct json_template *t);

static void member_text(const struct schema *s, const char *key, const char *text)
{
	json_member_text(s->w, key, slice_of(text));
}

static void type_list(const struct schema *s, const char *const *types, size_t count)
{
	json_key(s->w, "type");
	json_open_list(s->w);
	for (size_t i = 0; i < count; i++)
		json_text(s->w, slice_of(types[i]));
	json_close_list(s->w);
}

// The type of a value after its functions; NULL: any.
static const char *type_of(const struct schema *s, const struct place *place)
{
	const char *type = s->type_of(s->context, place->name);
	for (size_t i = 0; i < place->function_count; i++) {
		const char *name = place->functions[i].name;
		if (strcmp(name, "plus:1h") == 0 || strcmp(name, "minus:1h") == 0)
			continue; // still a time
		if (strcmp(name, "seconds") == 0 || strcmp(name, "millis") == 0)
			type = type && strcmp(type, "string") == 0 ? "integer" : NULL; // times are texts without a function
		else if (strcmp(name, "number") == 0)
			type = NULL;
		else
			type = "string";
	}
	return type;
}

static void write_place(const struct schema *s, const struct json_template *t)
{
	const char *type = type_of(s, &t->place);
	const char *const types[] = {type, "null"};
	json_open_map(s->w);
	if (type && t->optional)
		member_text(s, "type", type);
	else if (type)
		type_list(s, types, ARRAY_LEN(types));
	json_close_map(s->w);
}

static bool may_be_missing(const struct json_template *t)
{
	if (t->kind == JSON_IF)
		return !t->items[1] || may_be_missing(t->items[0]) || may_be_missing(t->items[1]);
	return t->kind == JSON_VALUE && t->optional;
}

static void write_map(const struct schema *s, const struct json_template *t)
{
	json_open_map(s->w);
	member_text(s, "type", "object");
	json_key(s->w, "properties");
	json_open_map(s->w);
	for (size_t i = 0; i < t->count; i++) {
		json_key_slice(s->w, t->keys[i]);
		write(s, t->items[i]);
	}
	json_close_map(s->w);
	json_key(s->w, "required");
	json_open_list(s->w);
	for (size_t i = 0; i < t->count; i++)
		if (!may_be_missing(t->items[i]))
			json_text(s->w, t->keys[i]);
	json_close_list(s->w);
	json_key(s->w, "additionalProperties");
	json_bool(s->w, false);
	json_close_map(s->w);
}

static void write_items(const struct schema *s, const struct json_template *t)
{
	json_open_map(s->w);
	member_text(s, "type", "array");
	json_key(s->w, "items");
	if (t->kind == JSON_EACH || t->count == 1) {
		write(s, t->items[0]);
	} else {
		json_open_map(s->w);
		if (t->count) {
			json_key(s->w, "anyOf");
			json_open_list(s->w);
			for (size_t i = 0; i < t->count; i++)
				write(s, t->items[i]);
			json_close_list(s->w);
		}
		json_close_map(s->w);
	}
	json_close_map(s->w);
}

// Objects whose keys come from values: of a group each has a list (or one item), of a tree perhaps another object.
static void write_keyed(const struct schema *s, const struct json_template *t)
{
	json_open_map(s->w);
	member_text(s, "type", "object");
	json_key(s->w, "additionalProperties");
	json_open_map(s->w);
	if (t->kind == JSON_GROUP && t->single) {
		json_key(s->w, "allOf");
		json_open_list(s->w);
		write(s, t->items[0]);
		json_close_list(s->w);
	} else if (t->kind == JSON_GROUP) {
		member_text(s, "type", "array");
		json_key(s->w, "items");
		write(s, t->items[0]);
	}
	json_close_map(s->w);
	json_close_map(s->w);
}

static void write(const struct schema *s, const struct json_template *t)
{
	switch (t->kind) {
	case JSON_MAP: write_map(s, t); return;
	case JSON_LIST:
	case JSON_EACH: write_items(s, t); return;
	case JSON_GROUP:
	case JSON_TREE: write_keyed(s, t); return;
	case JSON_VALUE: write_place(s, t); return;
	case JSON_IF:
		if (!t->items[1]) {
			write(s, t->items[0]);
			return;
		}
		break;
	case JSON_FIXED:
	case JSON_TEXT:
	case JSON_MERGE:
	case JSON_CONCAT:
	case JSON_PLURAL: break;
	}
	json_open_map(s->w);
	if (t->kind == JSON_MERGE || t->kind == JSON_CONCAT) {
		member_text(s, "type", t->kind == JSON_MERGE ? "object" : "array");
	} else if (t->kind == JSON_FIXED) {
		json_key(s->w, "const");
		json_node(s->w, t->fixed);
	} else if (t->kind == JSON_IF) {
		json_key(s->w, "anyOf");
		json_open_list(s->w);
		write(s, t->items[0]);
		write(s, t->items[1]);
		json_close_list(s->w);
	} else {
		member_text(s, "type", "string");
	}
	json_close_map(s->w);
}

void template_schema(const struct template *t, template_type_of *of, void *context, struct json_writer *w)
{
	const struct schema s = {w, of, context};
	if (t->json) {
		write(&s, t->json);
		return;
	}
	json_open_map(w);
	json_member_text(w, "type", SLICE_LIT("string"));
	json_close_map(w);
}
