// SPDX-License-Identifier: Apache-2.0
// in_table: an active row of a table has the text in a column.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_lookup *lookup = data;
	return rule_note_row(lookup, rules_index_find(lookup->index, input->field->text), input);
}

const struct rule_kind rule_kind_in_table = {
	.name = "in_table",
	.code = "not_found",
	.text = "This is not known here.",
	.compile = rule_lookup,
	.holds = holds,
	.about = ABOUT_TEXT,
};
