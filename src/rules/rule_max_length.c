// SPDX-License-Identifier: Apache-2.0
// max_length: the text has at most so many code points.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *limit = ARENA_NEW(scope->arena, size_t);
	*data = limit;
	return rule_number(params, scope, "max_length", 0, 1 << 20, limit, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *limit = data;
	return rules_code_points(input->field->text) <= *limit;
}

const struct rule_kind rule_kind_max_length = {
	.name = "max_length",
	.code = "too_long",
	.text = "This is too long: at most {{value}} characters are allowed.",
	.compile = compile,
	.holds = holds,
	.text_only = true,
};
