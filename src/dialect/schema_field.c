// SPDX-License-Identifier: Apache-2.0
// The schema of one value: everything that holds of whatever the rules let pass, and the names of the rules that say more.
#include <stdint.h>

#include "dialect/schema.h"

#define BIT(type) (1u << (type))
#define NUMBERS (BIT(NODE_INT) | BIT(NODE_REAL))

// What is said of a value so far.
struct saying {
	const struct field *field;
	unsigned types; // as sent
	size_t min_length, max_length, min_items, max_items;
	const struct node *minimum, *maximum;
	const struct node *choices;
	bool never;
	const struct check *unsaid[64]; // rules of which there is more
	size_t unsaid_count;
	struct slice patterns[4];
	size_t pattern_count;
};

// Which types as sent become one that passes.
static unsigned before_coercion(const struct field *field, unsigned passes)
{
	unsigned sent = passes;
	if (field->coerce & COERCE_NUMBER_TO_TEXT && passes & BIT(NODE_TEXT))
		sent |= NUMBERS;
	else if (field->coerce & COERCE_NUMBER_TO_TEXT)
		sent &= ~NUMBERS;
	if (field->coerce & COERCE_BOOLEAN_TO_TEXT)
		sent = passes & BIT(NODE_TEXT) ? sent | BIT(NODE_BOOL) : sent & ~BIT(NODE_BOOL);
	if (field->coerce & COERCE_NUMBER_TO_BOOLEAN && passes & BIT(NODE_BOOL))
		sent |= BIT(NODE_INT);
	if (field->coerce & COERCE_TEXT_TO_BOOLEAN && passes & BIT(NODE_BOOL))
		sent |= BIT(NODE_TEXT);
	if (field->coerce & (COERCE_TEXT_TO_INTEGER | COERCE_TEXT_TO_NUMBER) && passes & NUMBERS)
		sent |= BIT(NODE_TEXT);
	if (field->coerce & COERCE_ONE_TO_LIST)
		sent = passes & BIT(NODE_LIST) ? sent | (RULE_ANY_TYPE & ~BIT(NODE_NULL)) : sent & BIT(NODE_NULL);
	return sent;
}

static bool changes_texts(const struct field *field)
{
	return field->step_count > 0 || field->e164;
}

// Steps that never make a text longer, so that what is too short as sent stays too short.
static bool only_shortens(const struct field *field)
{
	static const char *const steps[] = {"trim", "digits", "collapse", "lower", "upper", "ucfirst", "ucwords", "domain_lower"};
	for (size_t i = 0; i < field->step_count; i++) {
		bool known = false;
		for (size_t j = 0; j < ARRAY_LEN(steps); j++)
			known = known || strcmp(field->steps[i]->name, steps[j]) == 0;
		if (!known)
			return false;
	}
	return !field->e164;
}

static void add_unsaid(struct saying *s, const struct check *check)
{
	if (s->unsaid_count < ARRAY_LEN(s->unsaid))
		s->unsaid[s->unsaid_count++] = check;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

// What of the shape holds of the text as sent. true: all of it.
static bool say_text(struct saying *s, const struct rule_shape *shape, struct arena *arena)
{
	const struct field *field = s->field;
	bool touched = changes_texts(field), all = true;
	bool may_be_empty = field->empty_missing || field->form_empty_missing || field->blank_presence;
	if (shape->min_length && only_shortens(field) && !may_be_empty) {
		s->min_length = larger(s->min_length, shape->min_length);
		all = !touched;
	} else if (shape->min_length) {
		all = false;
	}
	if (shape->max_length != SIZE_MAX && !touched)
		s->max_length = smaller(s->max_length, shape->max_length);
	else if (shape->max_length != SIZE_MAX)
		all = false;
	if (!slice_is_absent(shape->pattern)) {
		struct slice pattern = touched || may_be_empty ? SLICE_ABSENT : schema_pattern(shape->pattern, arena);
		if (!slice_is_absent(pattern) && s->pattern_count < ARRAY_LEN(s->patterns))
			s->patterns[s->pattern_count++] = pattern;
		else
			all = false;
	}
	return all;
}

static bool say_rest(struct saying *s, const struct rule_shape *shape)
{
	const struct field *field = s->field;
	bool as_sent = field->coerce == 0, all = true;
	if (shape->min_items)
		s->min_items = as_sent ? larger(s->min_items, shape->min_items) : s->min_items;
	if (shape->max_items != SIZE_MAX)
		s->max_items = as_sent ? smaller(s->max_items, shape->max_items) : s->max_items;
	all = as_sent || (!shape->min_items && shape->max_items == SIZE_MAX);
	if ((shape->minimum || shape->maximum) && as_sent) {
		s->minimum = shape->minimum ? shape->minimum : s->minimum;
		s->maximum = shape->maximum ? shape->maximum : s->maximum;
	} else if (shape->minimum || shape->maximum) {
		all = false;
	}
	bool plain = as_sent && !changes_texts(field) && !field->empty_missing && !field->form_empty_missing &&
		     !field->blank_presence;
	if (shape->choices && plain && !s->choices)
		s->choices = shape->choices;
	else if (shape->choices)
		all = false;
	return all;
}

static void say_check(struct saying *s, const struct check *check, struct arena *arena)
{
	struct rule_shape shape;
	bool all = rule_shape(check->rule, &shape);
	if (check->when) { // what is asked only sometimes cannot be said
		add_unsaid(s, check);
		return;
	}
	unsigned types = shape.types;
	if (s->field->null_missing)
		types |= BIT(NODE_NULL);
	if (s->field->empty_missing || s->field->blank_presence) // what counts as missing has no type
		types |= BIT(NODE_TEXT);
	s->types &= before_coercion(s->field, types);
	s->never = s->never || shape.never;
	all = say_text(s, &shape, arena) && all;
	all = say_rest(s, &shape) && all;
	bool texts_of_numbers = s->field->coerce &&
				(shape.min_length || shape.max_length != SIZE_MAX || shape.pattern.ptr || shape.choices);
	bool strict = rule_words(check->rule)->strict;
	bool missing_again = shape.required && (s->field->null_missing || s->field->empty_missing || s->field->place_count > 1);
	unsigned may_fail = COERCE_TEXT_TO_BOOLEAN | COERCE_TEXT_TO_INTEGER | COERCE_TEXT_TO_NUMBER | COERCE_NUMBER_TO_BOOLEAN;
	bool unsure = (s->field->coerce & may_fail) && shape.types != RULE_ANY_TYPE;
	if (!all || strict || texts_of_numbers || missing_again || unsure)
		add_unsaid(s, check);
}

static void write_types(struct json_writer *w, unsigned types)
{
	static const struct {
		unsigned bits;
		const char *name;
	} rows[] = {
		{BIT(NODE_NULL), "null"},   {BIT(NODE_BOOL), "boolean"}, {BIT(NODE_REAL), "number"}, {BIT(NODE_INT), "integer"},
		{BIT(NODE_TEXT), "string"}, {BIT(NODE_LIST), "array"},   {BIT(NODE_MAP), "object"},
	};
	if ((types & RULE_ANY_TYPE) == RULE_ANY_TYPE)
		return;
	json_key(w, "type");
	json_open_list(w);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool covered = rows[i].bits == BIT(NODE_INT) && types & BIT(NODE_REAL); // an integer is a number there
		if (types & rows[i].bits && !covered)
			json_text(w, slice_of(rows[i].name));
	}
	json_close_list(w);
}

static void write_number(struct json_writer *w, const char *key, const struct node *value)
{
	if (!value)
		return;
	json_key(w, key);
	json_node(w, value);
}

static void write_choices(struct json_writer *w, const struct saying *s)
{
	if (!s->choices)
		return;
	json_key(w, "enum");
	json_open_list(w);
	for (size_t i = 0; i < node_count(s->choices); i++)
		json_node(w, node_item(s->choices, i));
	if (s->types & BIT(NODE_NULL) && s->field->null_missing)
		json_nil(w);
	json_close_list(w);
}

static void write_patterns(struct json_writer *w, const struct saying *s)
{
	if (s->pattern_count == 1)
		json_member_text(w, "pattern", s->patterns[0]);
	if (s->pattern_count < 2)
		return;
	json_key(w, "allOf");
	json_open_list(w);
	for (size_t i = 0; i < s->pattern_count; i++) {
		json_open_map(w);
		json_member_text(w, "pattern", s->patterns[i]);
		json_close_map(w);
	}
	json_close_list(w);
}

static void write_unsaid(struct json_writer *w, const struct saying *s)
{
	if (s->unsaid_count == 0)
		return;
	json_key(w, "x-enrolld-rule");
	json_open_list(w);
	for (size_t i = 0; i < s->unsaid_count; i++) {
		const struct check *check = s->unsaid[i];
		json_open_map(w);
		json_member_text(w, "rule", slice_of(rule_name(check->rule)));
		if (rule_parameters(check->rule)) {
			json_key(w, "value");
			json_node(w, rule_parameters(check->rule));
		}
		json_member_text(w, "code", check->code);
		json_close_map(w);
	}
	json_close_list(w);
}

// Must it be an object, so that what is inside can be there?
static bool holds_required(const struct property *property)
{
	for (const struct property *child = property->first; child; child = child->next)
		if (child->required && !slice_is_absent(child->key))
			return true;
	return false;
}

void schema_value(const struct property *property, struct json_writer *w, struct arena *arena)
{
	struct saying *s = ARENA_NEW(arena, struct saying);
	const struct field *field = property->field;
	*s = (struct saying){.field = field, .types = RULE_ANY_TYPE, .max_length = SIZE_MAX, .max_items = SIZE_MAX};
	for (size_t i = 0; field && i < field->checks.count; i++) {
		if (property->alias)
			add_unsaid(s, &field->checks.items[i]);
		else
			say_check(s, &field->checks.items[i], arena);
	}
	if (!property->alias && holds_required(property)) {
		unsigned absent = field && field->null_missing ? BIT(NODE_NULL) : 0;
		absent |= field && (field->empty_missing || field->blank_presence) ? BIT(NODE_TEXT) : 0;
		s->types &= BIT(NODE_MAP) | absent;
	}
	if (s->never && !property->alias)
		s->types &= field->null_missing ? BIT(NODE_NULL) | (field->empty_missing ? BIT(NODE_TEXT) : 0) : 0;
	if (s->types == 0) {
		json_key(w, "not");
		json_open_map(w);
		json_close_map(w);
	} else {
		write_types(w, s->types);
	}
	if (s->min_length)
		json_member_int(w, "minLength", (int64_t)s->min_length);
	if (s->max_length != SIZE_MAX)
		json_member_int(w, "maxLength", (int64_t)s->max_length);
	if (s->min_items)
		json_member_int(w, "minItems", (int64_t)s->min_items);
	if (s->max_items != SIZE_MAX)
		json_member_int(w, "maxItems", (int64_t)s->max_items);
	write_number(w, "minimum", s->minimum);
	write_number(w, "maximum", s->maximum);
	write_choices(w, s);
	write_patterns(w, s);
	if (field && field->fallback) {
		json_key(w, "default");
		json_node(w, field->fallback);
	}
	if (field && field->secret) {
		json_key(w, "writeOnly");
		json_bool(w, true);
	}
	write_unsaid(w, s);
}
