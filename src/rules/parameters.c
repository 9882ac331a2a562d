// SPDX-License-Identifier: Apache-2.0
// Parameters of rules, with errors that say what would be right.
#include "enrolld/base/utf8.h"
#include "enrolld/doc/yaml.h"
#include "rules/rule.h"

enum reason rule_number(const struct node *node, const struct rule_scope *scope, const char *what, int64_t min, int64_t max,
			size_t *number, struct fault *f)
{
	if (!node_is(node, NODE_INT) || node->integer < min || node->integer > max)
		return rule_fault(scope, node, f, "%s is a whole number from %lld to %lld", what, (long long)min, (long long)max);
	*number = (size_t)node->integer;
	return REASON_OK;
}

static enum reason wrong_word(const struct rule_scope *scope, const struct node *node, const char *what, struct slice word,
			      const char *const *words, size_t count, struct fault *f)
{
	struct slice list = SLICE_LIT("");
	const char *nearest = doc_nearest(word, words, count);
	int len = word.len > 64 ? 64 : (int)word.len;
	if (nearest)
		return rule_fault(scope, node, f, "%s \"%.*s\" is not known; did you mean \"%s\"?", what, len, word.ptr, nearest);
	for (size_t i = 0; i < count; i++)
		list = arena_printf(scope->arena, "%.*s%s%s", (int)list.len, list.ptr, i ? ", " : "", words[i]);
	return rule_fault(scope, node, f, "%s \"%.*s\" is not known; it is one of: %.*s", what, len, word.ptr, (int)list.len,
			  list.ptr);
}

enum reason rule_word(const struct node *node, const struct rule_scope *scope, const char *what, const char *const *words,
		      size_t count, size_t *index, struct fault *f)
{
	struct slice word = node_text(node);
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text(word, words[i])) {
			*index = i;
			return REASON_OK;
		}
	return wrong_word(scope, node, what, slice_is_absent(word) ? SLICE_LIT("") : word, words, count, f);
}

enum reason rule_members(const struct node *map, const struct rule_scope *scope, const char *const *words, size_t count,
			 struct fault *f)
{
	if (!map)
		return REASON_OK;
	if (map->type != NODE_MAP)
		return rule_fault(scope, map, f, "the parameters are a map, not %s", node_type_name(map->type));
	for (size_t i = 0; i < map->list.count; i++) {
		bool known = false;
		for (size_t j = 0; j < count; j++)
			known = known || slice_equal_text(map->list.keys[i], words[j]);
		if (!known)
			return wrong_word(scope, map->list.items[i], "the parameter", map->list.keys[i], words, count, f);
	}
	return REASON_OK;
}

static bool find_field(const struct rule_scope *scope, struct slice name, size_t *index)
{
	for (size_t i = 0; i < scope->field_count; i++)
		if (slice_equal(scope->fields[i], name)) {
			*index = i;
			return true;
		}
	return false;
}

static enum reason no_field(const struct rule_scope *scope, const struct node *node, struct slice name, struct fault *f)
{
	const char **names = ARENA_ARRAY(scope->arena, scope->field_count + 1, const char *);
	for (size_t i = 0; i < scope->field_count; i++)
		names[i] = arena_copy(scope->arena, scope->fields[i]).ptr;
	const char *nearest = name.len ? doc_nearest(name, names, scope->field_count) : NULL;
	return rule_fault(scope, node, f, "\"%.*s\" is not a field of this route%s%s%s", name.len > 64 ? 64 : (int)name.len,
			  name.ptr ? name.ptr : "", nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			  nearest ? "\"?" : "");
}

enum reason rule_fields_of(const struct node *list, const struct rule_scope *scope, size_t least, const void **data,
			   struct fault *f)
{
	if (!node_is(list, NODE_LIST) || node_count(list) < least)
		return rule_fault(scope, list, f,
				  least == 1 ? "this is a list of fields, like [first_name, email]"
					     : "the parameter is a list of two fields or more, like [email, phone]");
	struct rule_fields *fields = ARENA_NEW(scope->arena, struct rule_fields);
	fields->indices = ARENA_ARRAY(scope->arena, node_count(list), size_t);
	for (size_t i = 0; i < node_count(list); i++) {
		struct slice name = node_text(node_item(list, i));
		if (slice_is_absent(name) || !find_field(scope, name, &fields->indices[i]))
			return no_field(scope, node_item(list, i), name, f);
	}
	fields->count = node_count(list);
	*data = fields;
	return REASON_OK;
}

enum reason rule_field_list(const struct node *list, const struct rule_scope *scope, const void **data, struct fault *f)
{
	return rule_fields_of(list, scope, 2, data, f);
}

enum reason rule_other_field(const struct node *node, const struct rule_scope *scope, const char *what, size_t *index,
			     struct fault *f)
{
	struct slice name = node_text(node);
	if (slice_is_absent(name))
		return rule_fault(scope, node, f, "%s names a field of this route", what);
	if (!find_field(scope, name, index))
		return no_field(scope, node, name, f);
	return REASON_OK;
}

bool rule_same(const struct rule_field *a, const struct rule_field *b)
{
	if (!slice_is_absent(a->text) || !slice_is_absent(b->text))
		return !slice_is_absent(a->text) && !slice_is_absent(b->text) && slice_equal(a->text, b->text);
	return a->value && b->value ? node_equal(a->value, b->value) : a->value == b->value;
}

enum reason rule_choices(const struct node *params, const struct rule_scope *scope, const char *what, struct fault *f)
{
	if (!node_is(params, NODE_LIST) || node_count(params) == 0)
		return rule_fault(scope, params, f, "the parameter of %s is a list of texts, like [small, large]", what);
	for (size_t i = 0; i < node_count(params); i++) {
		enum node_type type = node_item(params, i)->type;
		if (type == NODE_LIST || type == NODE_MAP || type == NODE_NULL)
			return rule_fault(scope, node_item(params, i), f, "a choice is a text, a number, true or false");
	}
	return REASON_OK;
}

bool rule_chosen(const struct node *list, const struct rule_field *field)
{
	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *choice = node_item(list, i);
		if (choice->type == NODE_TEXT ? slice_equal(choice->text, field->text) && !slice_is_absent(field->text)
					      : node_equal(choice, field->value))
			return true;
	}
	return false;
}

enum reason rule_length(const struct node *params, const struct rule_scope *scope, const char *what, const void **data,
			struct fault *f)
{
	static const char *const known[] = {"value", "unit"};
	static const char *const units[] = {"code_points", "bytes", "utf16", "graphemes"};
	struct rule_length *length = ARENA_NEW(scope->arena, struct rule_length);
	const struct node *value = params, *unit = NULL;
	size_t index = UNIT_POINTS;
	*data = length;
	if (params->type == NODE_MAP) {
		enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
		if (reason != REASON_OK)
			return reason;
		value = node_member(params, "value");
		unit = node_member(params, "unit");
	}
	if (unit && rule_word(unit, scope, "unit", units, ARRAY_LEN(units), &index, f) != REASON_OK)
		return REASON_DIALECT_INVALID;
	length->unit = (unsigned)index;
	return rule_number(value ? value : params, scope, what, strcmp(what, "min_length") == 0, 1 << 20, &length->value, f);
}

size_t rule_length_of(const struct rule_length *length, struct slice text)
{
	if (length->unit == UNIT_BYTES)
		return text.len;
	if (length->unit == UNIT_GRAPHEMES)
		return rules_graphemes(text);
	size_t count = utf8_length(text);
	// Code points above the basic plane, which have four bytes, are two units.
	for (size_t i = 0; length->unit == UNIT_UTF16 && i < text.len; i++)
		count += (unsigned char)text.ptr[i] >= 0xf0;
	return count;
}

enum reason rule_lookup(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"table", "column", "row"};
	struct rule_lookup *lookup = ARENA_NEW(scope->arena, struct rule_lookup);
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	if (reason != REASON_OK)
		return reason;
	const struct node *name = node_member(params, "table"), *column = node_member(params, "column"),
			  *row = node_member(params, "row");
	if (!node_is(name, NODE_TEXT) || !node_is(column, NODE_TEXT) || (row && !node_is(row, NODE_TEXT)))
		return rule_fault(
			scope, params, f,
			"the parameter is {table: countries, column: code, row: country}, of which only row may be left out");
	const struct rules_table *table = scope->table ? scope->table(scope->context, name->text) : NULL;
	if (!table)
		return rule_fault(scope, name, f, "there is no table \"%.*s\" under tables",
				  name->text.len > 64 ? 64 : (int)name->text.len, name->text.ptr);
	bool has = false;
	for (size_t i = 0; i < table->column_count; i++)
		has = has || slice_equal(table->columns[i], column->text);
	if (!has)
		return rule_fault(scope, column, f, "the table has no column \"%.*s\"",
				  column->text.len > 64 ? 64 : (int)column->text.len, column->text.ptr);
	lookup->index = rules_index_create(table, column->text, scope->arena);
	lookup->row = node_text(row);
	*data = lookup;
	return REASON_OK;
}

bool rule_note_row(const struct rule_lookup *lookup, const struct node *row, const struct rule_input *input)
{
	if (row && input->notes && !slice_is_absent(lookup->row)) {
		input->notes->row = row;
		input->notes->row_name = lookup->row;
	}
	return row != NULL;
}

enum reason rule_numbering(const struct node *at, const struct rule_scope *scope, const struct numbering **numbering,
			   struct fault *f)
{
	struct fault inner;
	if (!scope->numbering || scope->numbering(scope->context, numbering, &inner) != REASON_OK)
		return rule_fault(scope, at, f, "numbering plans: %.200s", scope->numbering ? inner.detail : "there are none");
	return REASON_OK;
}
