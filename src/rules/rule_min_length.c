// SPDX-License-Identifier: Apache-2.0
// min_length: the text has at least so many code points, bytes or UTF-16 units.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	return rule_length(params, scope, "min_length", data, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_length *length = data;
	return rule_length_of(length, input->field->text) >= length->value;
}

const struct rule_kind rule_kind_min_length = {
	.name = "min_length",
	.code = "too_short",
	.text = "This is too short: at least {{value}} characters are needed.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
