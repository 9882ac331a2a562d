// SPDX-License-Identifier: Apache-2.0
// phone_region: the country of a number, by its numbering plan, is an active row of a table. What is no number is the rule phone's matter.
#include "rules/rule.h"

struct phone_region {
	const struct rule_lookup *lookup;
	const struct numbering *numbering;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	struct phone_region *made = ARENA_NEW(scope->arena, struct phone_region);
	const void *lookup = NULL;
	enum reason reason = rule_lookup(params, scope, &lookup, f);
	if (reason == REASON_OK)
		reason = rule_numbering(params, scope, &made->numbering, f);
	made->lookup = lookup;
	*data = made;
	return reason;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct phone_region *rule = data;
	struct slice e164, region;
	if (!numbering_read(rule->numbering, input->field->text, input->arena, &e164, &region))
		return true;
	return rule_note_row(rule->lookup, rules_index_find(rule->lookup->index, region), input);
}

const struct rule_kind rule_kind_phone_region = {
	.name = "phone_region",
	.code = "unknown_country",
	.text = "This country is not served.",
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
