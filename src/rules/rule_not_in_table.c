// SPDX-License-Identifier: Apache-2.0
// not_in_table: no active row of a table has the text in a column, as it is or case-folded. For names that are reserved.
#include "rules/fold.h"
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	const struct rule_lookup *lookup = data;
	struct fold fold;
	fold_start(&fold, input->field->text);
	bool found = rules_index_find(lookup->index, input->field->text) != NULL ||
		     (fold.text.len && rules_index_find(lookup->index, fold.text) != NULL);
	fold_end(&fold);
	return !found;
}

const struct rule_kind rule_kind_not_in_table = {
	.name = "not_in_table",
	.code = "not_allowed",
	.text = "This is not available.",
	.compile = rule_lookup,
	.holds = holds,
	.about = ABOUT_TEXT,
};
