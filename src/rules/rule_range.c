// SPDX-License-Identifier: Apache-2.0
// range: the number is within bounds.
#include "rules/rule.h"

struct range {
	const struct node *min, *max; // NULL: open
};

static double number(const struct node *node)
{
	return node->type == NODE_INT ? (double)node->integer : node->real;
}

static bool is_number(const struct node *node)
{
	return node_is(node, NODE_INT) || node_is(node, NODE_REAL);
}

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"min", "max"};
	struct range *range = ARENA_NEW(scope->arena, struct range);
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	range->min = node_member(params, "min");
	range->max = node_member(params, "max");
	if (reason == REASON_OK &&
	    ((!range->min && !range->max) || (range->min && !is_number(range->min)) || (range->max && !is_number(range->max))))
		reason = rule_fault(scope, params, f,
				    "the parameter of range is {min: number, max: number}, of which one may be left out");
	*data = range;
	return reason;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct range *range = data;
	const struct node *value = input->field->value;
	return (!range->min || number(value) >= number(range->min)) && (!range->max || number(value) <= number(range->max));
}

const struct rule_kind rule_kind_range = {
	.name = "range",
	.code = "out_of_range",
	.text = "This number is out of range.",
	.about = ABOUT_NUMBER,
	.compile = compile,
	.holds = holds,
};
