// SPDX-License-Identifier: Apache-2.0
// not_empty: no empty text, list or object.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	const struct node *value = input->field->value;
	if (value->type == NODE_TEXT)
		return input->field->text.len > 0;
	return (value->type != NODE_LIST && value->type != NODE_MAP) || node_count(value) > 0;
}

const struct rule_kind rule_kind_not_empty = {
	.name = "not_empty",
	.code = "empty",
	.text = "This field should not be empty.",
	.presence = true,
	.holds = holds,
};
