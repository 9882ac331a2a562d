// SPDX-License-Identifier: Apache-2.0
// not_choice: the value is none of a list, exactly.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	*data = params;
	return rule_choices(params, scope, "not_choice", f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	return !rule_chosen(data, input->field);
}

const struct rule_kind rule_kind_not_choice = {
	.name = "not_choice",
	.code = "not_allowed",
	.text = "This is not allowed here.",
	.compile = compile,
	.holds = holds,
};
