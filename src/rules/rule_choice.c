// SPDX-License-Identifier: Apache-2.0
// choice: the text is one of a list, exactly.
#include "rules/rule.h"

struct choices {
	const struct node *list;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	if (!node_is(params, NODE_LIST) || node_count(params) == 0)
		return rule_fault(scope, params, f, "the parameter of choice is a list of texts, like [small, large]");
	for (size_t i = 0; i < node_count(params); i++)
		if (!node_is(node_item(params, i), NODE_TEXT))
			return rule_fault(scope, node_item(params, i), f, "a choice is a text; write it in quotes");
	struct choices *choices = ARENA_NEW(scope->arena, struct choices);
	choices->list = params;
	*data = choices;
	return REASON_OK;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct choices *choices = data;
	for (size_t i = 0; i < node_count(choices->list); i++)
		if (slice_equal(node_text(node_item(choices->list, i)), input->field->text))
			return true;
	return false;
}

const struct rule_kind rule_kind_choice = {
	.name = "choice",
	.code = "not_a_choice",
	.text = "This is not one of the choices.",
	.compile = compile,
	.holds = holds,
	.text_only = true,
};
