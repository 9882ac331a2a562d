// SPDX-License-Identifier: Apache-2.0
// not_blank: something is left of the text when it is trimmed.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	return rules_trim(input->field->text).len > 0;
}

const struct rule_kind rule_kind_not_blank = {
	.name = "not_blank",
	.code = "blank",
	.text = "This field may not be blank.",
	.about = ABOUT_TEXT,
	.presence = true,
	.holds = holds,
};
