// SPDX-License-Identifier: Apache-2.0
// object: a JSON object within bounds: bytes when written compactly, levels, members and items in all.
#include "enrolld/doc/json.h"
#include "rules/rule.h"

struct bounds {
	size_t bytes, depth, members;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const words[] = {"bytes", "depth", "members"};
	struct bounds *bounds = ARENA_NEW(scope->arena, struct bounds);
	*bounds = (struct bounds){4096, 4, 64};
	enum reason reason = rule_members(params, scope, words, ARRAY_LEN(words), f);
	if (reason == REASON_OK && node_member(params, "bytes"))
		reason = rule_number(node_member(params, "bytes"), scope, "bytes", 2, 65536, &bounds->bytes, f);
	if (reason == REASON_OK && node_member(params, "depth"))
		reason = rule_number(node_member(params, "depth"), scope, "depth", 1, 32, &bounds->depth, f);
	if (reason == REASON_OK && node_member(params, "members"))
		reason = rule_number(node_member(params, "members"), scope, "members", 0, 10000, &bounds->members, f);
	*data = bounds;
	return reason;
}

static bool within(const struct node *node, size_t depth, size_t *members)
{
	size_t count = node_count(node);
	if (node->type != NODE_MAP && node->type != NODE_LIST)
		return true;
	if (depth == 0 || count > *members)
		return false;
	*members -= count;
	for (size_t i = 0; i < count; i++)
		if (!within(node->list.items[i], depth - 1, members))
			return false;
	return true;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct bounds *bounds = data;
	const struct node *value = input->field->value;
	size_t members = bounds->members;
	if (value->type != NODE_MAP)
		return true; // the rule "type" is for that
	if (!within(value, bounds->depth, &members))
		return false;
	struct strbuf text = STRBUF_INIT(bounds->bytes);
	struct json_writer w;
	json_begin(&w, &text);
	json_node(&w, value);
	bool fits = !strbuf_overflowed(&text);
	strbuf_free(&text);
	return fits;
}

const struct rule_kind rule_kind_object = {
	.name = "object",
	.code = "too_large",
	.text = "This object is too large: at most {{bytes}} bytes, {{depth}} levels and {{members}} members are allowed.",
	.bare = true,
	.about = ABOUT_OBJECT,
	.compile = compile,
	.holds = holds,
};
