// SPDX-License-Identifier: Apache-2.0
// email: the text is an e-mail address (see email.c).
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	struct slice key;
	return rules_email(input->field->text, input->arena, &key);
}

const struct rule_kind rule_kind_email = {
	.name = "email",
	.code = "invalid_email",
	.text = "This is not a valid e-mail address.",
	.holds = holds,
	.text_only = true,
};
