// SPDX-License-Identifier: Apache-2.0
// required: the value is there.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	return input->field->value != NULL;
}

const struct rule_kind rule_kind_required = {
	.name = "required",
	.code = "required",
	.text = "This field is required.",
	.on_missing = true,
	.presence = true,
	.holds = holds,
};
