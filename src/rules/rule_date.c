// SPDX-License-Identifier: Apache-2.0
// date: the text is a day that was, since 1900 (see date.c).
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	return rules_date(input->field->text, input->now_ms);
}

const struct rule_kind rule_kind_date = {
	.name = "date",
	.code = "invalid_date",
	.text = "This is not a day of the past, written YYYY-MM-DD.",
	.holds = holds,
	.text_only = true,
};
