// SPDX-License-Identifier: Apache-2.0
// email: the text is an e-mail address, as this program (see email.c) or a library (see email_syntax.c) decides it.
#include "rules/rule.h"

static const char *const words[] = {"ours", "django", "laravel", "validator_js", "html5"};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *syntax = ARENA_NEW(scope->arena, size_t);
	*data = syntax;
	return params ? rule_word(params, scope, "the library", words, ARRAY_LEN(words), syntax, f) : REASON_OK;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *syntax = data;
	return rules_email_syntax(input->field->text, (enum email_syntax) * syntax, input->arena);
}

const struct rule_kind rule_kind_email = {
	.name = "email",
	.code = "invalid_email",
	.text = "This is not a valid e-mail address.",
	.about = ABOUT_TEXT,
	.bare = true,
	.compile = compile,
	.holds = holds,
};
