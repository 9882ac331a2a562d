// SPDX-License-Identifier: Apache-2.0
// any_of: at least one of the fields is there.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_fields *fields = data;
	for (size_t i = 0; i < fields->count; i++)
		if (input->fields[fields->indices[i]].value)
			return true;
	return false;
}

const struct rule_kind rule_kind_any_of = {
	.name = "any_of",
	.code = "required",
	.text = "One of these fields is required.",
	.whole = true,
	.compile = rule_field_list,
	.holds = holds,
};
