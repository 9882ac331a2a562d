// SPDX-License-Identifier: Apache-2.0
// Parameters of rules, with errors that say what would be right.
#include "enrolld/doc/yaml.h"
#include "rules/rule.h"

enum reason rule_number(const struct node *node, const struct rule_scope *scope, const char *what, int64_t min, int64_t max,
			size_t *number, struct fault *f)
{
	if (!node_is(node, NODE_INT) || node->integer < min || node->integer > max)
		return rule_fault(scope, node, f, "%s is a whole number from %lld to %lld", what, (long long)min, (long long)max);
	*number = (size_t)node->integer;
	return REASON_OK;
}

static enum reason wrong_word(const struct rule_scope *scope, const struct node *node, const char *what, struct slice word,
			      const char *const *words, size_t count, struct fault *f)
{
	struct slice list = SLICE_LIT("");
	const char *nearest = doc_nearest(word, words, count);
	int len = word.len > 64 ? 64 : (int)word.len;
	if (nearest)
		return rule_fault(scope, node, f, "%s \"%.*s\" is not known; did you mean \"%s\"?", what, len, word.ptr, nearest);
	for (size_t i = 0; i < count; i++)
		list = arena_printf(scope->arena, "%.*s%s%s", (int)list.len, list.ptr, i ? ", " : "", words[i]);
	return rule_fault(scope, node, f, "%s \"%.*s\" is not known; it is one of: %.*s", what, len, word.ptr, (int)list.len,
			  list.ptr);
}

enum reason rule_word(const struct node *node, const struct rule_scope *scope, const char *what, const char *const *words,
		      size_t count, size_t *index, struct fault *f)
{
	struct slice word = node_text(node);
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text(word, words[i])) {
			*index = i;
			return REASON_OK;
		}
	return wrong_word(scope, node, what, slice_is_absent(word) ? SLICE_LIT("") : word, words, count, f);
}

enum reason rule_members(const struct node *map, const struct rule_scope *scope, const char *const *words, size_t count,
			 struct fault *f)
{
	if (!map)
		return REASON_OK;
	if (map->type != NODE_MAP)
		return rule_fault(scope, map, f, "the parameters are a map, not %s", node_type_name(map->type));
	for (size_t i = 0; i < map->list.count; i++) {
		bool known = false;
		for (size_t j = 0; j < count; j++)
			known = known || slice_equal_text(map->list.keys[i], words[j]);
		if (!known)
			return wrong_word(scope, map->list.items[i], "the parameter", map->list.keys[i], words, count, f);
	}
	return REASON_OK;
}

static bool find_field(const struct rule_scope *scope, struct slice name, size_t *index)
{
	for (size_t i = 0; i < scope->field_count; i++)
		if (slice_equal(scope->fields[i], name)) {
			*index = i;
			return true;
		}
	return false;
}

enum reason rule_field_list(const struct node *list, const struct rule_scope *scope, const void **data, struct fault *f)
{
	if (!node_is(list, NODE_LIST) || node_count(list) < 2)
		return rule_fault(scope, list, f, "the parameter is a list of two fields or more, like [email, phone]");
	struct rule_fields *fields = ARENA_NEW(scope->arena, struct rule_fields);
	fields->indices = ARENA_ARRAY(scope->arena, node_count(list), size_t);
	for (size_t i = 0; i < node_count(list); i++) {
		struct slice name = node_text(node_item(list, i));
		if (slice_is_absent(name) || !find_field(scope, name, &fields->indices[i]))
			return rule_fault(scope, node_item(list, i), f, "\"%.*s\" is not a field of this route",
					  name.len > 64 ? 64 : (int)name.len, name.ptr ? name.ptr : "");
	}
	fields->count = node_count(list);
	*data = fields;
	return REASON_OK;
}
