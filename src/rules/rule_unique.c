// SPDX-License-Identifier: Apache-2.0
// unique: the identity is free. Only the look and the store can tell; the row names the code and the words, and what counts as the same.
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"as", "in"};
	const char *forms[KEY_FORM_COUNT];
	struct rule_unique *unique = ARENA_NEW(scope->arena, struct rule_unique);
	const struct node *as = node_member(params, "as"), *in = node_member(params, "in");
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	size_t index = KEY_EXACT;
	for (int i = 0; i < KEY_FORM_COUNT; i++)
		forms[i] = key_form_name((enum key_form)i);
	if (reason == REASON_OK && as)
		reason = rule_word(as, scope, "as", forms, KEY_FORM_COUNT, &index, f);
	if (reason == REASON_OK && in &&
	    (node_text(in).len == 0 || node_text(in).len > 64 || memchr(in->text.ptr, ':', in->text.len)))
		reason = rule_fault(scope, in, f, "in is the name of a space, at most 64 bytes without a colon");
	*unique = (struct rule_unique){.as = (enum key_form)index, .as_given = as != NULL, .in = node_text(in)};
	*data = unique;
	return reason;
}

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	(void)input;
	return true;
}

const struct rule_kind rule_kind_unique = {
	.name = "unique",
	.code = "taken",
	.text = "This is already in use.",
	.bare = true,
	.compile = compile,
	.holds = holds,
};
