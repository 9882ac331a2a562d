// SPDX-License-Identifier: Apache-2.0
// not_null: the value is no null.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	return input->field->value->type != NODE_NULL;
}

const struct rule_kind rule_kind_not_null = {
	.name = "not_null",
	.code = "null",
	.text = "This field may not be null.",
	.presence = true,
	.holds = holds,
};
