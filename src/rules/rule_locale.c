// SPDX-License-Identifier: Apache-2.0
// locale: the text is a language tag (see locale.c).
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	struct slice key;
	return rules_locale(input->field->text, input->arena, &key);
}

const struct rule_kind rule_kind_locale = {
	.name = "locale",
	.code = "invalid_locale",
	.text = "This is not a language tag, such as en or pt-BR.",
	.holds = holds,
	.about = ABOUT_TEXT,
};
