// SPDX-License-Identifier: Apache-2.0
// max_bytes: the text has at most so many bytes of UTF-8.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *limit = ARENA_NEW(scope->arena, size_t);
	*data = limit;
	return rule_number(params, scope, "max_bytes", 0, 1 << 20, limit, f);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *limit = data;
	return input->field->text.len <= *limit;
}

const struct rule_kind rule_kind_max_bytes = {
	.name = "max_bytes",
	.code = "too_long",
	.text = "This is too long: at most {{value}} bytes are allowed.",
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
