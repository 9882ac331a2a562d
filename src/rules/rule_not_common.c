// SPDX-License-Identifier: Apache-2.0
// not_common: the text is not in a list of known passwords, as a whole and whatever its case (NIST SP 800-63B-4, section 3.1.1.2).
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	struct fault inner;
	const struct word_list *list;
	struct slice name = node_text(params);
	if (name.len == 0 || !scope->word_list)
		return rule_fault(scope, params, f,
				  "the parameter of not_common is a list below schemas/wordlists, like common-passwords");
	if (scope->word_list(scope->context, name, &list, &inner) != REASON_OK)
		return rule_fault(scope, params, f, "word list: %.200s", inner.detail);
	*data = list;
	return REASON_OK;
}

static bool holds(const void *data, const struct rule_input *input)
{
	return !word_list_has(data, input->field->text);
}

const struct rule_kind rule_kind_not_common = {
	.name = "not_common",
	.code = "too_common",
	.text = "This is one of the best-known passwords.",
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
