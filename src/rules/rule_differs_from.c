// SPDX-License-Identifier: Apache-2.0
// differs_from: it does not equal another field's value.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *index = ARENA_NEW(scope->arena, size_t);
	*data = index;
	return rule_other_field(params, scope, "differs_from", index, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *index = data;
	return !rule_same(input->field, &input->fields[*index]);
}

const struct rule_kind rule_kind_differs_from = {
	.name = "differs_from",
	.code = "not_allowed",
	.text = "This must differ from the other field.",
	.compile = compile,
	.holds = holds,
};
