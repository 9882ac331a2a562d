// SPDX-License-Identifier: Apache-2.0
// not_containing: no text of other fields stands in it, whatever the case; of an address nor what stands before the @.
#include "enrolld/base/utf8.h"
#include "rules/fold.h"
#include "rules/rule.h"

struct containing {
	const struct rule_fields *fields;
	size_t least; // code points of a text that counts
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"fields", "least"};
	struct containing *made = ARENA_NEW(scope->arena, struct containing);
	const struct node *list = node_is(params, NODE_MAP) ? node_member(params, "fields") : params;
	const struct node *least = node_is(params, NODE_MAP) ? node_member(params, "least") : NULL;
	const void *fields = NULL;
	enum reason reason = node_is(params, NODE_MAP) ? rule_members(params, scope, known, ARRAY_LEN(known), f) : REASON_OK;
	made->least = 3;
	if (reason == REASON_OK)
		reason = rule_fields_of(list ? list : params, scope, 1, &fields, f);
	if (reason == REASON_OK && least)
		reason = rule_number(least, scope, "least", 1, 64, &made->least, f);
	made->fields = fields;
	*data = made;
	return reason;
}

static bool contains(const struct containing *c, struct slice text, struct slice part)
{
	struct fold fold;
	if (part.len == 0 || utf8_length(part) < c->least)
		return false;
	fold_start(&fold, part);
	bool found = fold.text.len && text.len && memmem(text.ptr, text.len, fold.text.ptr, fold.text.len) != NULL;
	fold_end(&fold);
	return found;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct containing *c = data;
	struct fold text;
	bool found = false;
	fold_start(&text, input->field->text);
	for (size_t i = 0; i < c->fields->count && !found; i++) {
		const struct rule_field *other = &input->fields[c->fields->indices[i]];
		const char *at = other->text.len ? memchr(other->text.ptr, '@', other->text.len) : NULL;
		found = contains(c, text.text, other->text);
		if (at && !found)
			found = contains(c, text.text, (struct slice){other->text.ptr, (size_t)(at - other->text.ptr)});
		if (found && input->notes)
			input->notes->like = other;
	}
	fold_end(&text);
	return !found;
}

const struct rule_kind rule_kind_not_containing = {
	.name = "not_containing",
	.code = "similar_to_identity",
	.text = "This contains another field's text.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
