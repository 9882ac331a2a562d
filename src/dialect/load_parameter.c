// SPDX-License-Identifier: Apache-2.0
// Parameters of rules that a deployment sets: {setting: name} stands for the setting's value.
#include "dialect/loader.h"

static bool names_setting(const struct node *node)
{
	return node_is(node, NODE_MAP) && node_count(node) == 1 && node_is(node_member(node, "setting"), NODE_TEXT);
}

// A setting is a text; what looks like a number or a truth value is one here.
static struct node *value_of(struct loader *loader, const struct dialect *dialect, const struct node *node)
{
	struct slice name = node_text(node_member(node, "setting"));
	struct node *made = ARENA_NEW(loader->set->arena, struct node);
	*made = (struct node){.type = NODE_TEXT, .line = node->line, .column = node->column, .text = SLICE_LIT("")};
	for (size_t i = 0; i < dialect->setting_count; i++) {
		if (!slice_equal(dialect->settings[i].name, name))
			continue;
		struct slice value = dialect->settings[i].value;
		int64_t number;
		made->text = value;
		if (setting_parse_int(value, &number)) {
			made->type = NODE_INT;
			made->integer = number;
		} else if (slice_equal_text(value, "true") || slice_equal_text(value, "false")) {
			made->type = NODE_BOOL;
			made->boolean = value.len == 4;
		}
		return made;
	}
	loader_error(loader, node->line, "there is no setting \"%.*s\" under settings", name.len > 64 ? 64 : (int)name.len,
		     name.ptr);
	return made;
}

// The map with the values of settings in their places, down to the members of its members; NULL if it names none.
static struct node *settle(struct loader *loader, const struct dialect *dialect, const struct node *map, unsigned depth)
{
	struct node *made = NULL;
	for (size_t i = 0; i < node_count(map); i++) {
		const struct node *item = map->list.items[i];
		bool shown = slice_equal_text(map->list.keys[i], "data"); // what answers show is theirs
		struct node *other = shown ? NULL : names_setting(item) ? value_of(loader, dialect, item) : NULL;
		if (!shown && !other && depth > 0 && node_is(item, NODE_MAP))
			other = settle(loader, dialect, item, depth - 1);
		if (!other)
			continue;
		if (!made) {
			made = ARENA_NEW(loader->set->arena, struct node);
			*made = *map;
			made->list.items = ARENA_ARRAY(loader->set->arena, node_count(map), struct node *);
			memcpy(made->list.items, map->list.items, node_count(map) * sizeof(struct node *));
		}
		made->list.items[i] = other;
	}
	return made;
}

const struct node *load_parameters(struct loader *loader, const struct dialect *dialect, const struct node *entry)
{
	const struct node *settled = node_is(entry, NODE_MAP) ? settle(loader, dialect, entry, 1) : NULL;
	return settled ? settled : entry;
}
