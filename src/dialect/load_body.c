// SPDX-License-Identifier: Apache-2.0
// "body" and "collect": how the body of requests is read and what is told of it; said for the dialect, and again by a route where it differs.
#include "dialect/loader.h"

// A choice between two, kept in a bool.
static void load_flag(struct loader *loader, const struct node *map, const char *key, const char *off, const char *on, bool *flag)
{
	const char *const words[] = {off, on};
	size_t index = *flag;
	(void)loader_choice(loader, node_member(map, key), key, words, ARRAY_LEN(words), &index);
	*flag = index != 0;
}

static void load_types(struct loader *loader, const struct node *map, struct body *body)
{
	static const char *const keys[] = {"null", "boolean", "integer", "number", "text", "list", "object", "missing"};
	if (!map || !loader_keys(loader, map, "types", keys, ARRAY_LEN(keys)))
		return;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		(void)loader_text(loader, node_member(map, keys[i]), "the word for a type", &body->types[i]);
}

static void load_forms(struct loader *loader, const struct node *node, struct body *body)
{
	static const char *const repeat_words[] = {"last", "first", "list"};
	size_t repeat = body->repeat;
	bool brackets = !body->flat_names;
	(void)loader_bool(loader, node_member(node, "brackets"), "brackets", &brackets);
	(void)loader_choice(loader, node_member(node, "repeat"), "repeat", repeat_words, ARRAY_LEN(repeat_words), &repeat);
	body->flat_names = !brackets;
	body->repeat = repeat == 0 ? REPEAT_LAST : repeat == 1 ? REPEAT_FIRST : REPEAT_LIST;
}

void load_empty(struct loader *loader, const struct node *node, bool *missing, bool *form_missing)
{
	static const char *const words[] = {"value", "missing", "missing_in_forms"};
	size_t index = *missing ? 1 : *form_missing ? 2 : 0;
	(void)loader_choice(loader, node, "empty", words, ARRAY_LEN(words), &index);
	*missing = index == 1;
	*form_missing = index != 0;
}

void load_body(struct loader *loader, const struct node *node, struct body *body)
{
	static const char *const keys[] = {"media",   "accept",       "none",  "also",        "brackets",   "repeat",
					   "types",   "parse_errors", "depth", "values",      "duplicates", "request_id",
					   "unknown", "null",         "empty", "unknown_told"};
	static const char *const told_words[] = {"last", "first", "alone"};
	static const char *const unknown_words[] = {"drop", "refuse", "refuse_each"};
	static const char *const also_words[] = {"as_written", "snake_case", "camel_case"};
	size_t unknown = body->unknown, also = body->also, told = body->unknown_told;
	if (!node || !loader_keys(loader, node, "body", keys, ARRAY_LEN(keys)))
		return;
	(void)loader_texts(loader, node_member(node, "media"), "media", &body->media, &body->media_count);
	(void)loader_texts(loader, node_member(node, "accept"), "accept", &body->accept, &body->accept_count);
	(void)loader_number(loader, node_member(node, "depth"), "depth", 1, JSON_DEPTH_MAX, &body->limits.depth);
	(void)loader_number(loader, node_member(node, "values"), "values", 1, 100000, &body->limits.nodes);
	(void)loader_pointer(loader, node_member(node, "request_id"), "request_id", &body->request_id);
	(void)loader_choice(loader, node_member(node, "unknown"), "unknown", unknown_words, ARRAY_LEN(unknown_words), &unknown);
	(void)loader_choice(loader, node_member(node, "unknown_told"), "unknown_told", told_words, ARRAY_LEN(told_words), &told);
	(void)loader_choice(loader, node_member(node, "also"), "also", also_words, ARRAY_LEN(also_words), &also);
	load_flag(loader, node, "null", "value", "missing", &body->null_missing);
	load_empty(loader, node_member(node, "empty"), &body->empty_missing, &body->form_empty_missing);
	load_flag(loader, node, "none", "refuse", "object", &body->none_is_object);
	load_flag(loader, node, "duplicates", "refuse", "last", &body->duplicates_last);
	load_flag(loader, node, "parse_errors", "plain", "python", &body->python_errors);
	load_forms(loader, node, body);
	load_types(loader, node_member(node, "types"), body);
	body->unknown = unknown == 0 ? UNKNOWN_DROP : unknown == 1 ? UNKNOWN_REFUSE : UNKNOWN_REFUSE_EACH;
	body->unknown_told = (unsigned)told;
	body->also = also == 0 ? CASE_AS_WRITTEN : also == 1 ? CASE_SNAKE : CASE_CAMEL;
}

void load_collect(struct loader *loader, const struct node *node, struct collect *collect)
{
	static const char *const words[] = {"all", "first_per_field", "first"};
	static const char *const keys[] = {"take", "fields", "rules"};
	bool map = node_is(node, NODE_MAP);
	size_t index = (size_t)collect->take;
	if (map && !loader_keys(loader, node, "collect", keys, ARRAY_LEN(keys)))
		return;
	(void)loader_choice(loader, map ? node_member(node, "take") : node, map ? "take" : "collect", words, ARRAY_LEN(words),
			    &index);
	collect->take = index == 0 ? TAKE_ALL : index == 1 ? TAKE_FIRST_PER_FIELD : TAKE_FIRST;
	if (map) {
		load_flag(loader, node, "fields", "declared", "breadth_first", &collect->breadth_first);
		load_flag(loader, node, "rules", "declared", "reversed", &collect->reversed);
	}
}
