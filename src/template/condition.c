// SPDX-License-Identifier: Apache-2.0
// Conditions: what must be said of values for a rule, an answer or a member to stand.
#include "template/template_private.h"

static enum reason wrong(const struct template_origin *origin, const struct node *node, struct fault *f, const char *what)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s", origin->file, node->line ? node->line : origin->line, what);
}

struct slice list_entry(struct slice *rest)
{
	const char *comma = memchr(rest->ptr, ',', rest->len);
	struct slice entry = {rest->ptr, comma ? (size_t)(comma - rest->ptr) : rest->len};
	size_t used = entry.len + (comma != NULL);
	*rest = (struct slice){rest->ptr + used, rest->len - used};
	return name_trim(entry);
}

static bool scalar(const struct node *node)
{
	return node->type == NODE_TEXT || node->type == NODE_INT || node->type == NODE_BOOL;
}

static struct slice scalar_text(const struct node *node, struct arena *arena)
{
	if (node->type == NODE_TEXT)
		return node->text;
	if (node->type == NODE_BOOL)
		return node->boolean ? SLICE_LIT("true") : SLICE_LIT("false");
	return arena_printf(arena, "%lld", (long long)node->integer);
}

static enum reason compile_test(const struct node *value, const struct template_origin *origin, struct test *test, struct fault *f)
{
	if (node_is(value, NODE_MAP)) { // {has: one of a list with commas}
		const struct node *has = node_member(value, "has");
		if (!has || node_count(value) != 1 || has->type == NODE_MAP)
			return wrong(origin, value, f,
				     "what is asked of a list with commas is written {has: word} or {has: [word, word]}");
		test->has = true;
		return compile_test(has, origin, test, f);
	}
	bool list = value->type == NODE_LIST;
	size_t count = list ? node_count(value) : 1;
	struct slice word = node_text(value);
	if (!test->has && (slice_equal_text(word, "present") || slice_equal_text(word, "missing"))) {
		test->exists = true;
		test->wants = slice_equal_text(word, "present");
		return REASON_OK;
	}
	struct slice *texts = ARENA_ARRAY(origin->arena, count, struct slice);
	for (size_t i = 0; i < count; i++) {
		const struct node *item = list ? node_item(value, i) : value;
		if (!scalar(item))
			return wrong(origin, value, f, "a condition is a text, a list of texts, present, or missing");
		texts[i] = scalar_text(item, origin->arena);
	}
	test->texts = texts;
	test->text_count = count;
	return count ? REASON_OK : wrong(origin, value, f, "a condition with an empty list never holds");
}

enum reason template_compile_condition(const struct node *map, const struct template_origin *origin,
				       const struct template_condition **condition, struct fault *f)
{
	struct template_condition *made = ARENA_NEW(origin->arena, struct template_condition);
	if (!node_is(map, NODE_MAP) || node_count(map) == 0)
		return wrong(origin, map, f,
			     "conditions are a map from names to what is asked of them, such as {input.country: EG}");
	made->file = origin->file;
	made->tests = ARENA_ARRAY(origin->arena, node_count(map), struct test);
	for (size_t i = 0; i < node_count(map); i++) {
		const struct node *value = map->list.items[i];
		struct template_origin here = {origin->file, value->line ? value->line : origin->line, origin->arena,
					       origin->functions};
		enum reason reason;
		if (slice_equal_text(map->list.keys[i], "not")) {
			reason = template_compile_condition(value, &here, &made->except, f);
		} else {
			struct test *test = &made->tests[made->count++];
			reason = place_compile(map->list.keys[i], &here, NULL, &test->place, f);
			if (reason == REASON_OK)
				reason = compile_test(value, &here, test, f);
		}
		if (reason != REASON_OK)
			return reason;
	}
	*condition = made;
	return REASON_OK;
}

static bool test_text(const struct test *test, struct slice text)
{
	for (size_t i = 0; i < test->text_count; i++) {
		if (!test->has && slice_equal(text, test->texts[i]))
			return true;
		for (struct slice rest = text; test->has && rest.len;)
			if (slice_equal(list_entry(&rest), test->texts[i]))
				return true;
	}
	return false;
}

static bool test_holds(const struct test *test, const struct sight *sight)
{
	struct strbuf scratch[2], text = STRBUF_INIT(4096);
	struct template_value value;
	bool holds = false;
	scratch_start(scratch);
	bool found = place_find(&test->place, sight, scratch, &value) && value.kind != TEMPLATE_NULL &&
		     !(value.kind == TEMPLATE_NODE && value.node->type == NODE_NULL);
	if (test->exists) {
		holds = found == test->wants;
	} else if (found) {
		value_write(&value, TEMPLATE_PLAIN, &text);
		holds = !strbuf_overflowed(&text) && test_text(test, strbuf_slice(&text));
	}
	strbuf_free(&text);
	scratch_end(scratch);
	return holds;
}

bool condition_holds(const struct template_condition *condition, const struct sight *sight)
{
	for (size_t i = 0; i < condition->count; i++)
		if (!test_holds(&condition->tests[i], sight))
			return false;
	return !condition->except || !condition_holds(condition->except, sight);
}

bool template_condition_holds(const struct template_condition *condition, const struct template_scope *scope)
{
	return !condition || condition_holds(condition, &(struct sight){scope->values, NULL, scope});
}
