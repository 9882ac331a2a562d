// SPDX-License-Identifier: Apache-2.0
// all_of: all of the fields are there, or none.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_fields *fields = data;
	size_t there = 0;
	for (size_t i = 0; i < fields->count; i++)
		there += input->fields[fields->indices[i]].value != NULL;
	return there == 0 || there == fields->count;
}

const struct rule_kind rule_kind_all_of = {
	.name = "all_of",
	.code = "required",
	.text = "These fields are needed together.",
	.whole = true,
	.compile = rule_field_list,
	.holds = holds,
};
