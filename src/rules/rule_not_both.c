// SPDX-License-Identifier: Apache-2.0
// not_both: at most one of the fields is there.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_fields *fields = data;
	size_t present = 0;
	for (size_t i = 0; i < fields->count; i++)
		present += input->fields[fields->indices[i]].value != NULL;
	return present <= 1;
}

const struct rule_kind rule_kind_not_both = {
	.name = "not_both",
	.code = "conflicting",
	.text = "Only one of these fields may be given.",
	.whole = true,
	.compile = rule_field_list,
	.holds = holds,
};
