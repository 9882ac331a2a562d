// SPDX-License-Identifier: Apache-2.0
// Which items of a list an answer shows: those that meet conditions, and of these a part.
#include "template/template_private.h"

static enum reason wrong(const struct template_origin *origin, const struct node *node, struct fault *f, const char *what)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s", origin->file, node->line ? node->line : origin->line, what);
}

static enum reason amount_compile(const struct node *node, const struct template_origin *origin, struct amount *amount,
				  struct fault *f)
{
	if (!node)
		return REASON_OK;
	amount->given = true;
	amount->number = node->integer;
	if (node->type == NODE_INT && node->integer >= 0)
		return REASON_OK;
	amount->by_value = true;
	if (node->type != NODE_TEXT)
		return wrong(origin, node, f, "$skip, $take and $page are whole numbers, or the name of a value that is one");
	return place_compile(node->text, origin, NULL, &amount->place, f);
}

enum reason selection_compile(const struct node *map, const struct template_origin *origin, struct selection *selection,
			      struct fault *f)
{
	const struct node *when = node_member(map, "$when"), *page = node_member(map, "$page");
	enum reason reason = when ? template_compile_condition(when, origin, &selection->when, f) : REASON_OK;
	if (reason == REASON_OK)
		reason = amount_compile(node_member(map, "$skip"), origin, &selection->skip, f);
	if (reason == REASON_OK)
		reason = amount_compile(node_member(map, "$take"), origin, &selection->take, f);
	if (reason == REASON_OK)
		reason = amount_compile(page, origin, &selection->page, f);
	if (reason == REASON_OK && page && !selection->take.given)
		return wrong(origin, page, f, "$page needs $take: how many are on a page");
	return reason;
}

// What is no number, or below zero, is the fallback.
static int64_t amount_of(const struct amount *amount, const struct sight *sight, int64_t fallback)
{
	struct strbuf scratch[2], text = STRBUF_INIT(32);
	struct template_value value;
	int64_t n = fallback;
	if (!amount->by_value)
		return amount->given ? amount->number : fallback;
	scratch_start(scratch);
	if (place_find(&amount->place, sight, scratch, &value))
		value_write(&value, TEMPLATE_PLAIN, &text);
	struct slice digits = strbuf_slice(&text);
	if (digits.len && digits.len < 10 && !strbuf_overflowed(&text)) {
		n = 0;
		for (size_t i = 0; i < digits.len; i++)
			n = digits.ptr[i] < '0' || digits.ptr[i] > '9' || n < 0 ? -1 : n * 10 + (digits.ptr[i] - '0');
	}
	strbuf_free(&text);
	scratch_end(scratch);
	return n < 0 ? fallback : n;
}

size_t selection_take(const struct json_template *t, const struct sight *sight, const struct template_value **items, size_t max)
{
	const struct selection *s = &t->selection;
	struct template_value list;
	if (!sight_find(sight, t->place.name, &list) || list.kind != TEMPLATE_LIST || !list.items)
		return 0;
	int64_t take = amount_of(&s->take, sight, INT32_MAX), skip = amount_of(&s->skip, sight, 0);
	int64_t page = amount_of(&s->page, sight, 1), at = 0;
	size_t count = 0;
	skip += page > 1 ? (page - 1) * take : 0;
	for (const struct template_value *const *item = list.items; *item && count < max && (int64_t)count < take; item++) {
		const struct sight inner = {*item, sight, sight->scope};
		if ((!s->when || condition_holds(s->when, &inner)) && at++ >= skip)
			items[count++] = *item;
	}
	return count;
}
