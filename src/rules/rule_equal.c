// SPDX-License-Identifier: Apache-2.0
// equal: the fields have the same value; with skip_missing nobody asks where one is missing or empty.
#include "rules/rule.h"

struct equal {
	const struct rule_fields *fields;
	bool skip_missing;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"fields", "skip_missing"};
	struct equal *equal = ARENA_NEW(scope->arena, struct equal);
	const struct node *list = node_is(params, NODE_MAP) ? node_member(params, "fields") : params;
	const struct node *skip = node_member(params, "skip_missing");
	const void *fields = NULL;
	enum reason reason = node_is(params, NODE_MAP) ? rule_members(params, scope, known, ARRAY_LEN(known), f) : REASON_OK;
	if (reason == REASON_OK && skip && !node_is(skip, NODE_BOOL))
		reason = rule_fault(scope, skip, f, "skip_missing is true or false");
	if (reason == REASON_OK && !list)
		reason = rule_fault(
			scope, params, f,
			"the parameter of equal is a list of two fields or more, or {fields: [...], skip_missing: true}");
	if (reason == REASON_OK)
		reason = rule_field_list(list, scope, &fields, f);
	equal->fields = fields;
	equal->skip_missing = node_is(skip, NODE_BOOL) && skip->boolean;
	*data = equal;
	return reason;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct equal *equal = data;
	const struct rule_field *first = &input->fields[equal->fields->indices[0]];
	for (size_t i = 0; equal->skip_missing && i < equal->fields->count; i++) {
		const struct rule_field *field = &input->fields[equal->fields->indices[i]];
		if (!field->value || field->value->type == NODE_NULL || (field->text.ptr && field->text.len == 0))
			return true;
	}
	for (size_t i = 1; i < equal->fields->count; i++)
		if (!rule_same(first, &input->fields[equal->fields->indices[i]]))
			return false;
	return true;
}

const struct rule_kind rule_kind_equal = {
	.name = "equal",
	.code = "mismatch",
	.text = "The two fields do not match.",
	.whole = true,
	.compile = compile,
	.holds = holds,
};
