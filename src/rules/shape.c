// SPDX-License-Identifier: Apache-2.0
// What JSON Schema can say of a rule. A rule that is not here is one that it cannot say.
#include <stdint.h>

#include "rules/rule.h"

static unsigned type_bits(const char *word)
{
	static const struct {
		const char *word;
		unsigned bits;
	} rows[] = {
		{"text", 1u << NODE_TEXT},    {"integer", 1u << NODE_INT}, {"number", 1u << NODE_INT | 1u << NODE_REAL},
		{"boolean", 1u << NODE_BOOL}, {"list", 1u << NODE_LIST},   {"object", 1u << NODE_MAP},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].bits;
	return RULE_ANY_TYPE;
}

// Bounds in code points that hold whatever the unit: a text has at least as many bytes and UTF-16 units as code points, and at most four and two
// times as many. true: they say all.
static bool length_shape(const struct rule_length *length, bool least, struct rule_shape *shape)
{
	static const size_t most_units[] = {[UNIT_POINTS] = 1, [UNIT_BYTES] = 4, [UNIT_UTF16] = 2, [UNIT_GRAPHEMES] = 1};
	size_t per = most_units[length->unit];
	if (length->unit == UNIT_GRAPHEMES && !least) // one may have any number of code points
		return false;
	if (least)
		shape->min_length = (length->value + per - 1) / per;
	else
		shape->max_length = length->value;
	return length->unit == UNIT_POINTS;
}

static bool items_shape(const struct node *params, struct rule_shape *shape)
{
	const struct node *min = node_member(params, "min"), *max = node_member(params, "max");
	if (min)
		shape->min_items = (size_t)min->integer;
	if (max)
		shape->max_items = (size_t)max->integer;
	return true;
}

bool rule_shape(const struct rule *rule, struct rule_shape *shape)
{
	const char *name = rule_name(rule);
	const struct node *params = rule_parameters(rule);
	*shape = (struct rule_shape){.types = RULE_ANY_TYPE, .max_length = SIZE_MAX, .max_items = SIZE_MAX};
	if (strcmp(name, "required") == 0) {
		shape->required = true;
	} else if (strcmp(name, "filled") == 0) {
		shape->required = true;
		shape->types &= ~(1u << NODE_NULL);
		return false; // of blank texts and empty lists it cannot speak
	} else if (strcmp(name, "absent") == 0) {
		shape->never = true;
	} else if (strcmp(name, "not_null") == 0) {
		shape->types &= ~(1u << NODE_NULL);
	} else if (strcmp(name, "type") == 0) {
		shape->types = type_bits(params->text.ptr);
		return !slice_equal_text(params->text, "integer"); // 1.0 is an integer there
	} else if (strcmp(name, "not_blank") == 0) {
		shape->min_length = 1;
		return false;
	} else if (strcmp(name, "not_empty") == 0) {
		shape->min_length = shape->min_items = 1;
		return false;
	} else if (strcmp(name, "min_length") == 0 || strcmp(name, "max_length") == 0) {
		return length_shape(rule_data(rule), name[1] == 'i', shape);
	} else if (strcmp(name, "max_bytes") == 0) {
		shape->max_length = (size_t)params->integer;
		return false;
	} else if (strcmp(name, "choice") == 0) {
		shape->choices = params;
	} else if (strcmp(name, "pattern") == 0 && params->type == NODE_TEXT) {
		shape->pattern = params->text;
	} else if (strcmp(name, "items") == 0) {
		return items_shape(params, shape);
	} else if (strcmp(name, "range") == 0) {
		shape->minimum = node_member(params, "min");
		shape->maximum = node_member(params, "max");
	} else if (strcmp(name, "any_of") == 0) {
		shape->any_of = params;
		return false; // null and empty may count as missing
	} else {
		return false;
	}
	return true;
}
