// SPDX-License-Identifier: Apache-2.0
// filled: the value is there, and no null, blank text or empty list.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	const struct node *value = input->field->value;
	if (!value || value->type == NODE_NULL)
		return false;
	if (value->type == NODE_TEXT)
		return rules_trim(input->field->text).len > 0;
	return (value->type != NODE_LIST && value->type != NODE_MAP) || node_count(value) > 0;
}

const struct rule_kind rule_kind_filled = {
	.name = "filled",
	.code = "required",
	.text = "This field is required.",
	.on_missing = true,
	.presence = true,
	.holds = holds,
};
