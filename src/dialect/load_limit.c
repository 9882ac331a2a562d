// SPDX-License-Identifier: Apache-2.0
// "limits": how often a client, key or identity may ask.
#include "dialect/loader.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static void load_part(struct loader *loader, const struct node *node, struct slice text, struct limit_part *part)
{
	static const struct {
		const char *word;
		int kind;
	} words[] = {{"client_address", PART_ADDRESS},
		     {"key", PART_KEY},
		     {"bearer", PART_BEARER},
		     {"route", PART_ROUTE},
		     {"recipient", PART_RECIPIENT}};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_equal_text(text, words[i].word)) {
			part->kind = (unsigned)words[i].kind;
			return;
		}
	part->kind = PART_INPUT;
	if (!name_after(text, "input.", &part->input))
		loader_error(
			loader, node->line,
			"\"%.*s\" says not whom to count; there are: client_address, key, bearer, route, recipient, input.FIELD",
			text.len > 64 ? 64 : (int)text.len, text.ptr);
}

static void load_allowed(struct loader *loader, const struct node *node, int line, struct limit_spec *spec)
{
	size_t allowed = 0;
	if (!node) {
		loader_error(loader, line, "a limit says how many requests are allowed: allowed: 100");
	} else if (node->type == NODE_TEXT) {
		if (!name_after(node->text, "row.key.", &spec->allowed_column))
			loader_error(loader, node->line, "allowed is a number, or row.key.COLUMN of the key's row");
		spec->allowed = 1;
	} else if (loader_number(loader, node, "allowed", 1, 1000000000, &allowed)) {
		spec->allowed = (int64_t)allowed;
	}
}

static void load_limit(struct loader *loader, const struct node *node, int line, struct limit_spec *spec)
{
	static const char *const keys[] = {"by", "allowed", "window", "kind", "stage"};
	static const char *const kinds[] = {"fixed", "sliding"};
	static const char *const stages[] = {"before_body", "before_rules", "after_rules", "sends"};
	const struct slice *parts = NULL;
	size_t kind = 0, stage = 0;
	if (!loader_keys(loader, node, "a limit", keys, ARRAY_LEN(keys)))
		return;
	(void)loader_texts(loader, node_member(node, "by"), "by", &parts, &spec->part_count);
	if (spec->part_count == 0 || spec->part_count > LIMIT_PARTS_MAX) {
		loader_error(loader, line, "a limit says whom it counts by, with 1 to %d parts: by: [client_address]",
			     LIMIT_PARTS_MAX);
		spec->part_count = 0;
	}
	for (size_t i = 0; i < spec->part_count; i++)
		load_part(loader, node_member(node, "by"), parts[i], &spec->parts[i]);
	load_allowed(loader, node_member(node, "allowed"), line, spec);
	if (!node_member(node, "window"))
		loader_error(loader, line, "a limit needs a window: window: 1h");
	(void)loader_duration(loader, node_member(node, "window"), "window", 1000, 366 * DAY_MS, &spec->window_ms);
	(void)loader_choice(loader, node_member(node, "kind"), "kind", kinds, ARRAY_LEN(kinds), &kind);
	(void)loader_choice(loader, node_member(node, "stage"), "stage", stages, ARRAY_LEN(stages), &stage);
	spec->kind = kind == 0 ? LIMIT_FIXED : LIMIT_SLIDING;
	spec->stage = stage == 0   ? LIMIT_BEFORE_BODY
		      : stage == 1 ? LIMIT_BEFORE_RULES
		      : stage == 2 ? LIMIT_AFTER_RULES
				   : LIMIT_SENDS;
	for (size_t i = 0; i < spec->part_count; i++)
		if (spec->parts[i].kind >= PART_RECIPIENT && spec->stage == LIMIT_BEFORE_BODY)
			loader_error(loader, line,
				     "a field is not known before the body is read: write stage: before_rules or after_rules");
}

void load_limits(struct loader *loader, const struct node *map, struct limit_list *limits)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > LIMITS_MAX) {
		loader_error(loader, map->line, "limits is a map of at most %d names", LIMITS_MAX);
		return;
	}
	limits->items = ARENA_ARRAY(loader->set->arena, node_count(map), struct limit_spec);
	limits->count = node_count(map);
	for (size_t i = 0; i < limits->count; i++) {
		limits->items[i].name = arena_copy(loader->set->arena, map->list.keys[i]).ptr;
		if (!name_plain(map->list.keys[i]))
			loader_error(loader, loader_key_line(map, i), "a limit has a name of letters, digits, _ and -");
		load_limit(loader, map->list.items[i], loader_key_line(map, i), &limits->items[i]);
	}
}
