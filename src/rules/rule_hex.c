// SPDX-License-Identifier: Apache-2.0
// hex: so many hexadecimal digits, such as the 24 of an ObjectId.
#include "enrolld/base/hex.h"
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *digits = ARENA_NEW(scope->arena, size_t);
	*data = digits;
	return rule_number(params, scope, "hex", 1, 1024, digits, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *digits = data;
	struct slice text = input->field->text;
	for (size_t i = 0; i < text.len; i++)
		if (!hex_is_digit(text.ptr[i]))
			return false;
	return text.len == *digits;
}

const struct rule_kind rule_kind_hex = {
	.name = "hex",
	.code = "invalid_id",
	.text = "This is not a valid id.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
