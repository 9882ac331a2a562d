// SPDX-License-Identifier: Apache-2.0
// items: the list has so many items.
#include "rules/rule.h"
#include <stdint.h>

struct bounds {
	size_t min, max;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"min", "max"};
	struct bounds *bounds = ARENA_NEW(scope->arena, struct bounds);
	const struct node *min = node_member(params, "min"), *max = node_member(params, "max");
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	bounds->max = SIZE_MAX;
	if (reason == REASON_OK && !min && !max)
		reason = rule_fault(scope, params, f,
				    "the parameter of items is {min: number, max: number}, of which one may be left out");
	if (reason == REASON_OK && min)
		reason = rule_number(min, scope, "min", 0, 100000, &bounds->min, f);
	if (reason == REASON_OK && max)
		reason = rule_number(max, scope, "max", 0, 100000, &bounds->max, f);
	*data = bounds;
	return reason;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct bounds *bounds = data;
	const struct node *value = input->field->value;
	return node_count(value) >= bounds->min && node_count(value) <= bounds->max;
}

const struct rule_kind rule_kind_items = {
	.name = "items",
	.code = "wrong_count",
	.text = "This list has too few or too many items.",
	.about = ABOUT_LIST,
	.compile = compile,
	.holds = holds,
};
