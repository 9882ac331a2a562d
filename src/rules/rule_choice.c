// SPDX-License-Identifier: Apache-2.0
// choice: the value is one of a list, exactly.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	*data = params;
	return rule_choices(params, scope, "choice", f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	return rule_chosen(data, input->field);
}

const struct rule_kind rule_kind_choice = {
	.name = "choice",
	.code = "not_a_choice",
	.text = "This is not one of the choices.",
	.compile = compile,
	.holds = holds,
};
