// SPDX-License-Identifier: Apache-2.0
// username: the text is a user name (see username.c).
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	struct slice key;
	return rules_username(input->field->text, input->arena, &key);
}

const struct rule_kind rule_kind_username = {
	.name = "username",
	.code = "invalid_username",
	.text = "A user name has 3 to 64 letters or digits of one script, and dots, dashes or underscores inside.",
	.holds = holds,
	.about = ABOUT_TEXT,
};
