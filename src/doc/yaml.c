// SPDX-License-Identifier: Apache-2.0
// YAML text to a tree of nodes: libyaml's events, collected without recursion.
#include <yaml.h>

#include <errno.h>
#include <stdlib.h>

#include "doc/yaml_scalar.h"
#include "enrolld/doc/yaml.h"

// A finished value, and in a map its key, waiting for the end of the container it is in.
struct entry {
	struct node *node;
	struct slice key;
	int key_line, key_column;
};

struct level {
	struct node *node;
	size_t first; // of its entries
	bool expects_key;
};

struct reader {
	const char *name;
	enum reason reason;
	struct arena *arena;
	struct fault *fault;
	struct entry *entries; // of all open containers, innermost last
	size_t count, size;
	struct level levels[YAML_DEPTH_MAX + 1]; // 0 is the document
	size_t depth;
};

static enum reason refuse(const struct reader *r, const yaml_mark_t *at, const char *what)
{
	return fault_set(r->fault, r->reason, "%s:%zu:%zu: %s", r->name, at->line + 1, at->column + 1, what);
}

static struct entry *add_entry(struct reader *r)
{
	if (r->count == r->size) {
		r->size = r->size ? r->size * 2 : 64;
		r->entries = reallocarray(r->entries, r->size, sizeof(*r->entries));
		if (!r->entries)
			PANIC("out of memory");
	}
	r->entries[r->count] = (struct entry){0};
	return &r->entries[r->count++];
}

static struct node *new_node(const struct reader *r, const yaml_mark_t *at)
{
	struct node *node = ARENA_NEW(r->arena, struct node);

	node->line = (int)at->line + 1;
	node->column = (int)at->column + 1;
	return node;
}

// Puts a value where it belongs: behind its key, or as a new entry.
static void place(struct reader *r, struct node *node)
{
	struct level *level = &r->levels[r->depth];

	if (r->depth > 0 && level->node->type == NODE_MAP) {
		r->entries[r->count - 1].node = node;
		level->expects_key = true;
	} else {
		add_entry(r)->node = node;
	}
}

static enum reason add_key(struct reader *r, const yaml_event_t *event, struct slice text)
{
	struct entry *entry;

	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && slice_equal_text(text, "<<"))
		return refuse(r, &event->start_mark, "merge keys are not used here");
	if (text.len == 0)
		return refuse(r, &event->start_mark, "empty key");
	entry = add_entry(r);
	entry->key = text;
	entry->key_line = (int)event->start_mark.line + 1;
	entry->key_column = (int)event->start_mark.column + 1;
	r->levels[r->depth].expects_key = false;
	return REASON_OK;
}

static enum reason add_scalar(struct reader *r, const yaml_event_t *event)
{
	struct slice text = {(const char *)event->data.scalar.value, event->data.scalar.length};
	struct node *node;

	if (memchr(text.ptr, '\0', text.len))
		return refuse(r, &event->start_mark, "NUL in a text");
	text = arena_copy(r->arena, text);
	if (r->levels[r->depth].expects_key)
		return add_key(r, event, text);
	node = new_node(r, &event->start_mark);
	node->written = text;
	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE) {
		node->type = NODE_TEXT;
		node->text = text;
	} else if (!yaml_scalar(text, node)) {
		return refuse(r, &event->start_mark, "number out of range; quote it if it is a text");
	}
	place(r, node);
	return REASON_OK;
}

static enum reason open_container(struct reader *r, enum node_type type, const yaml_mark_t *at)
{
	struct node *node;

	if (r->levels[r->depth].expects_key)
		return refuse(r, at, "a key must be a text");
	if (r->depth == YAML_DEPTH_MAX)
		return refuse(r, at, "nested too deeply");
	node = new_node(r, at);
	node->type = type;
	r->depth++;
	r->levels[r->depth] = (struct level){.node = node, .first = r->count, .expects_key = type == NODE_MAP};
	return REASON_OK;
}

static int compare_keys(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;
	int order = slice_compare((*x)->key, (*y)->key);

	return order ? order : (*x > *y) - (*x < *y);
}

// Sorted, so that a large map costs no square.
static enum reason check_duplicates(const struct reader *r, const struct entry *entries, size_t count)
{
	const struct entry **sorted = reallocarray(NULL, count + 1, sizeof(*sorted));
	const struct entry *twice = NULL, *once = NULL;

	if (!sorted)
		PANIC("out of memory");
	for (size_t i = 0; i < count; i++)
		sorted[i] = &entries[i];
	qsort(sorted, count, sizeof(*sorted), compare_keys);
	for (size_t i = 1; i < count; i++) {
		if (slice_equal(sorted[i - 1]->key, sorted[i]->key) && (!twice || sorted[i] < twice)) {
			once = sorted[i - 1];
			twice = sorted[i];
		}
	}
	free(sorted);
	if (!twice)
		return REASON_OK;
	return fault_set(r->fault, r->reason, "%s:%d:%d: %.*s: given twice, first in line %d", r->name, twice->key_line,
			 twice->key_column, (int)(twice->key.len < 64 ? twice->key.len : 64), twice->key.ptr, once->key_line);
}

static enum reason close_container(struct reader *r)
{
	struct level *level = &r->levels[r->depth];
	struct node *node = level->node;
	size_t count = r->count - level->first;
	const struct entry *entries = count > 0 ? &r->entries[level->first] : NULL;
	bool is_map = node && node->type == NODE_MAP;

	if (!node)
		PANIC("end without a start");
	if (is_map && count > 0 && check_duplicates(r, entries, count))
		return r->reason;
	node->list.count = count;
	node->list.items = ARENA_ARRAY(r->arena, count, struct node *);
	if (is_map) {
		node->list.keys = ARENA_ARRAY(r->arena, count, struct slice);
		node->list.key_lines = ARENA_ARRAY(r->arena, count, int);
		node->list.key_columns = ARENA_ARRAY(r->arena, count, int);
	}
	for (size_t i = 0; i < count; i++) {
		node->list.items[i] = entries[i].node;
		if (is_map) {
			node->list.keys[i] = entries[i].key;
			node->list.key_lines[i] = entries[i].key_line;
			node->list.key_columns[i] = entries[i].key_column;
		}
	}
	r->count = level->first;
	r->depth--;
	place(r, node);
	return REASON_OK;
}

static bool is_tagged(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: return event->data.scalar.tag;
	case YAML_SEQUENCE_START_EVENT: return event->data.sequence_start.tag;
	case YAML_MAPPING_START_EVENT: return event->data.mapping_start.tag;
	default: return false;
	}
}

static bool is_anchored(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT: return event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT: return event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT: return event->data.mapping_start.anchor;
	case YAML_ALIAS_EVENT: return true;
	default: return false;
	}
}

static enum reason take(struct reader *r, const yaml_event_t *event)
{
	if (is_tagged(event))
		return refuse(r, &event->start_mark, "tags are not used here");
	if (is_anchored(event))
		return refuse(r, &event->start_mark, "anchors and aliases are not used here");
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return r->count == 0 ? REASON_OK : refuse(r, &event->start_mark, "only one document may be in a file");
	case YAML_SCALAR_EVENT: return add_scalar(r, event);
	case YAML_SEQUENCE_START_EVENT: return open_container(r, NODE_LIST, &event->start_mark);
	case YAML_MAPPING_START_EVENT: return open_container(r, NODE_MAP, &event->start_mark);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT: return close_container(r);
	default: return REASON_OK;
	}
}

// libyaml tells the place of bad bytes as an offset only.
static yaml_mark_t mark_at(struct slice text, size_t offset)
{
	yaml_mark_t mark = {.index = offset};

	for (size_t i = 0; i < offset && i < text.len; i++) {
		mark.column++;
		if (text.ptr[i] == '\n') {
			mark.line++;
			mark.column = 0;
		}
	}
	return mark;
}

// What a person most often did where libyaml only says what it did not expect.
static const char *advice(const char *problem)
{
	static const struct {
		const char *problem, *advice;
	} rows[] = {
		{"did not find expected key", "; the keys of one map begin in the same column"},
		{"did not find expected '-' indicator", "; the entries of one list begin with \"- \" in the same column"},
		{"mapping values are not allowed in this context",
		 "; write a text that has \": \" in it in quotes, and begin a key in its map's column"},
		{"found a tab character that violates indentation", "; indent with spaces"},
		{"found character that cannot start any token",
		 "; indent with spaces, and write a text that begins with @, %, ` or a tab in quotes"},
		{"did not find expected ',' or ']'", "; a list that begins with [ ends with ]"},
		{"did not find expected ',' or '}'", "; a map that begins with { ends with }"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].problem, problem) == 0)
			return rows[i].advice;
	return "";
}

static enum reason refuse_problem(const struct reader *r, const yaml_mark_t *mark, const char *problem)
{
	char what[256];
	(void)snprintf(what, sizeof(what), "%s%s", problem, advice(problem));
	return refuse(r, mark, what);
}

// libyaml's problems are fixed sentences that quote nothing.
static enum reason syntax_error(const struct reader *r, const yaml_parser_t *parser, struct slice text)
{
	yaml_mark_t bytes = mark_at(text, parser->problem_offset);

	switch (parser->error) {
	case YAML_MEMORY_ERROR: PANIC("out of memory");
	case YAML_READER_ERROR: return refuse(r, &bytes, parser->problem ? parser->problem : "unreadable");
	default: return refuse_problem(r, &parser->problem_mark, parser->problem ? parser->problem : "not YAML");
	}
}

static enum reason read_events(struct reader *r, yaml_parser_t *parser, struct slice text)
{
	yaml_event_type_t type;
	enum reason reason;

	do {
		yaml_event_t event;

		if (!yaml_parser_parse(parser, &event))
			return syntax_error(r, parser, text);
		type = event.type;
		reason = take(r, &event);
		yaml_event_delete(&event);
		if (reason)
			return reason;
	} while (type != YAML_STREAM_END_EVENT);
	return REASON_OK;
}

enum reason yaml_parse(const char *name, struct slice text, enum reason reason, struct arena *arena, const struct node **root,
		       struct fault *f)
{
	struct reader r = {.name = name, .reason = reason, .arena = arena, .fault = f};
	yaml_parser_t parser;
	enum reason result;

	if (text.len > YAML_BYTES_MAX)
		return fault_set(f, reason, "%s: larger than %d bytes", name, YAML_BYTES_MAX);
	if (!yaml_parser_initialize(&parser))
		PANIC("out of memory");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
	result = read_events(&r, &parser, text);
	if (!result)
		*root = r.count ? r.entries[0].node : ARENA_NEW(arena, struct node);
	free(r.entries);
	yaml_parser_delete(&parser);
	return result;
}
