// SPDX-License-Identifier: Apache-2.0
// What a field sees: the value where it stands, coerced and normalised as declared, and in no other way.
#include <stdlib.h>

#include "dialect/reading.h"
#include "enrolld/base/number.h"
#include "enrolld/base/utf8.h"

#define TEXT_MAX ((size_t)1 << 20)

static struct node *new_node(struct arena *arena, enum node_type type)
{
	struct node *node = ARENA_NEW(arena, struct node);
	node->type = type;
	return node;
}

static const struct node *text_node(struct slice text, struct arena *arena)
{
	struct node *node = new_node(arena, NODE_TEXT);
	node->text = arena_copy(arena, text);
	return node;
}

static const struct node *number_text(const struct node *value, struct arena *arena)
{
	char text[NUMBER_TEXT_SIZE];
	if (value->type == NODE_INT)
		return text_node(arena_printf(arena, "%lld", (long long)value->integer), arena);
	(void)number_format(value->real, text);
	bool whole = text[strspn(text, "-0123456789")] == '\0';
	return text_node(arena_printf(arena, "%s%s", text, whole ? ".0" : ""), arena);
}

static const struct node *text_boolean(const struct node *value, struct slice text, struct arena *arena)
{
	static const char *const words[] = {"true", "1", "on", "yes", "t", "y", "false", "0", "off", "no", "f", "n"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_equal_nocase(text, slice_of(words[i]))) {
			struct node *node = new_node(arena, NODE_BOOL);
			node->boolean = i < ARRAY_LEN(words) / 2;
			return node;
		}
	return value;
}

static const struct node *text_number(const struct node *value, bool integer_only, struct arena *arena)
{
	struct slice text = rules_trim(value->text);
	char copy[64];
	int64_t n = 0;
	if (text.len == 0 || text.len >= sizeof(copy))
		return value;
	if (setting_parse_int(text, &n)) {
		struct node *node = new_node(arena, NODE_INT);
		node->integer = n;
		return node;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	char *end = NULL;
	if (integer_only || copy[strspn(copy, "+-.0123456789eE")] != '\0')
		return value;
	double real = strtod(copy, &end);
	if (end == copy || *end != '\0' || real > 1e308 || real < -1e308)
		return value;
	struct node *node = new_node(arena, NODE_REAL);
	node->real = real;
	return node;
}

static const struct node *coerce(const struct field *field, const struct node *value, struct arena *arena)
{
	unsigned kinds = field->coerce;
	if (kinds == 0 || !value)
		return value;
	bool number = value->type == NODE_INT || value->type == NODE_REAL;
	if (number && (kinds & COERCE_NUMBER_TO_BOOLEAN) && value->type == NODE_INT &&
	    (value->integer == 0 || value->integer == 1)) {
		struct node *node = new_node(arena, NODE_BOOL);
		node->boolean = value->integer == 1;
		return node;
	}
	if (number && (kinds & COERCE_NUMBER_TO_TEXT))
		return number_text(value, arena);
	if (value->type == NODE_BOOL && (kinds & COERCE_BOOLEAN_TO_TEXT))
		return text_node(value->boolean ? SLICE_LIT("true") : SLICE_LIT("false"), arena);
	if (value->type == NODE_TEXT && (kinds & COERCE_TEXT_TO_BOOLEAN))
		value = text_boolean(value, rules_trim(value->text), arena);
	if (value->type == NODE_TEXT && (kinds & (COERCE_TEXT_TO_INTEGER | COERCE_TEXT_TO_NUMBER)))
		value = text_number(value, !(kinds & COERCE_TEXT_TO_NUMBER), arena);
	if (value->type != NODE_LIST && value->type != NODE_NULL && (kinds & COERCE_ONE_TO_LIST)) {
		struct node *list = new_node(arena, NODE_LIST);
		list->list.items = ARENA_ARRAY(arena, 1, struct node *);
		list->list.items[0] = new_node(arena, value->type);
		*list->list.items[0] = *value;
		list->list.count = 1;
		return list;
	}
	return value;
}

static struct slice normalise(const struct field *field, struct slice text, struct arena *arena)
{
	for (size_t i = 0; i < field->step_count; i++) {
		struct strbuf out = STRBUF_INIT(TEXT_MAX);
		field->steps[i]->apply(text, &out);
		if (!slice_equal(strbuf_slice(&out), text))
			text = arena_copy(arena, strbuf_slice(&out));
		strbuf_free(&out);
	}
	struct slice e164, region;
	if (field->e164 && numbering_read(field->e164, text, arena, &e164, &region))
		text = e164;
	return text;
}

struct rule_field see_node(const struct dialect_reading *reading, const struct field *field, const struct node *value)
{
	struct arena *arena = reading->arena;
	bool empty_missing = reading->is_form ? field->form_empty_missing : field->empty_missing;
	struct rule_field seen = {.name = field->name, .value = value};
	if (node_is(value, NODE_NULL) && field->null_missing)
		seen.value = NULL;
	if (empty_missing && node_is(seen.value, NODE_TEXT) && seen.value->text.len == 0)
		seen.value = NULL;
	seen.value = coerce(field, seen.value, arena);
	seen.text = node_text(seen.value);
	if (slice_is_absent(seen.text))
		return seen;
	struct slice text = normalise(field, seen.text, arena);
	if (text.len == 0 && empty_missing) {
		seen.value = NULL;
		seen.text = SLICE_ABSENT;
	} else if (text.ptr != seen.text.ptr || text.len != seen.text.len) {
		seen.value = text_node(text, arena);
		seen.text = node_text(seen.value);
	}
	return seen;
}

const struct node *see_in_body(const struct dialect_reading *reading, struct slice pointer)
{
	const struct node *value = reading->root ? node_at(reading->root, pointer) : NULL;
	const struct body *body = &reading->route->body;
	if (!value && reading->root && body->also != CASE_AS_WRITTEN)
		value = node_at(reading->root, pointer_cased(pointer, body->also == CASE_CAMEL, reading->arena));
	return value;
}

static enum reason outside(const struct dialect_reading *reading, const struct place_of_value *place, const struct node **value,
			   struct fault *f)
{
	const struct request *request = reading->request;
	struct slice text = SLICE_ABSENT;
	if (place->source == SOURCE_QUERY)
		text = query_parameter(request->query, place->at, reading->arena);
	else if (place->source == SOURCE_PATH)
		text = path_parameter(reading->route->path, request->path, place->at, reading->arena);
	else
		text = request_header_value(request, place->at.ptr);
	if (slice_is_absent(text))
		return REASON_OK;
	if (!utf8_valid(text))
		return fault_set(f, REASON_TEXT_INVALID_UTF8, "a value of path, query or headers is not UTF-8");
	if (text.len && memchr(text.ptr, '\0', text.len))
		return fault_set(f, REASON_TEXT_NUL, "a value of path, query or headers has a NUL");
	*value = text_node(text, reading->arena);
	return REASON_OK;
}

enum reason see_field(const struct dialect_reading *reading, const struct field *field, struct rule_field *seen, struct fault *f)
{
	const struct node *value = NULL;
	for (size_t i = 0; i < field->place_count && !value && !field->wild; i++) {
		const struct place_of_value *place = &field->places[i];
		enum reason reason = REASON_OK;
		if (place->source == SOURCE_BODY)
			value = see_in_body(reading, place->at);
		else
			reason = outside(reading, place, &value, f);
		if (reason != REASON_OK)
			return reason;
	}
	*seen = see_node(reading, field, value);
	return REASON_OK;
}

void see_default(const struct field *field, struct rule_field *seen)
{
	if (seen->value || !field->fallback)
		return;
	seen->value = field->fallback;
	seen->text = node_text(field->fallback);
}
