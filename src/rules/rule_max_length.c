// SPDX-License-Identifier: Apache-2.0
// max_length: the text has at most so many code points, bytes or UTF-16 units.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	return rule_length(params, scope, "max_length", data, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_length *length = data;
	return rule_length_of(length, input->field->text) <= length->value;
}

const struct rule_kind rule_kind_max_length = {
	.name = "max_length",
	.code = "too_long",
	.text = "This is too long: at most {{value}} characters are allowed.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
