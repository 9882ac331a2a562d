// SPDX-License-Identifier: Apache-2.0
// min_length: the text has at least so many code points.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *limit = ARENA_NEW(scope->arena, size_t);
	*data = limit;
	return rule_number(params, scope, "min_length", 1, 1 << 20, limit, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *limit = data;
	return rules_code_points(input->field->text) >= *limit;
}

const struct rule_kind rule_kind_min_length = {
	.name = "min_length",
	.code = "too_short",
	.text = "This is too short: at least {{value}} characters are needed.",
	.compile = compile,
	.holds = holds,
	.text_only = true,
};
