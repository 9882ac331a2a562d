// SPDX-License-Identifier: Apache-2.0
// absent: the value is not there.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	return input->field->value == NULL;
}

const struct rule_kind rule_kind_absent = {
	.name = "absent",
	.code = "not_allowed",
	.text = "This field is not taken.",
	.presence = true,
	.holds = holds,
};
