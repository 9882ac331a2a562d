// SPDX-License-Identifier: Apache-2.0
// "derive": what is made from several fields.
#include "dialect/loader.h"

static const struct {
	const char *name;
	enum target target;
	enum key_form as;
} targets[] = {
	{"email", TARGET_EMAIL, KEY_EMAIL},
	{"phone", TARGET_PHONE, KEY_PHONE},
	{"username", TARGET_USERNAME, KEY_USERNAME},
	{"given_name", TARGET_GIVEN_NAME, KEY_EXACT},
	{"family_name", TARGET_FAMILY_NAME, KEY_EXACT},
	{"display_name", TARGET_DISPLAY_NAME, KEY_EXACT},
};

static void load_slug(struct loader *loader, const struct node *node, int line, struct derived *derived)
{
	static const char *const keys[] = {"text", "empty", "max"};
	derived->kind = DERIVE_SLUG;
	derived->max = 50;
	if (!loader_keys(loader, node, "a slug", keys, ARRAY_LEN(keys)))
		return;
	(void)loader_number(loader, node_member(node, "max"), "max", DERIVED_LENGTH_MIN, DERIVED_LENGTH_MAX, &derived->max);
	(void)loader_text(loader, node_member(node, "empty"), "empty", &derived->empty);
	if (derived->empty.len == 0 || derived->empty.len > derived->max)
		loader_error(loader, line, "a slug needs a word for names of which nothing is left: empty: customer");
}

static void load_identity(struct loader *loader, const struct node *node, struct derived *derived)
{
	static const char *const keys[] = {"text", "as"};
	const char *forms[KEY_FORM_COUNT];
	size_t as = derived->as;
	for (int i = 0; i < KEY_FORM_COUNT; i++)
		forms[i] = key_form_name((enum key_form)i);
	if (loader_keys(loader, node, "a derived value", keys, ARRAY_LEN(keys)))
		(void)loader_choice(loader, node_member(node, "as"), "as", forms, KEY_FORM_COUNT, &as);
	derived->as = (enum key_form)as;
}

static void load_one(struct loader *loader, struct slice name, const struct node *node, int line, struct derived *derived)
{
	const struct node *text = node->type == NODE_MAP ? node_member(node, "text") : node;
	struct template_origin origin = loader_origin(loader, line);
	struct fault f;
	size_t found = ARRAY_LEN(targets);
	for (size_t i = 0; i < ARRAY_LEN(targets); i++)
		if (slice_equal_text(name, targets[i].name))
			found = i;
	if (found < ARRAY_LEN(targets)) {
		derived->target = targets[found].target;
		derived->as = targets[found].as;
		if (node->type == NODE_MAP)
			load_identity(loader, node, derived);
	} else if (slice_equal_text(name, "slug")) {
		load_slug(loader, node, line, derived);
	} else {
		loader_error(
			loader, line,
			"\"%.*s\" cannot be derived; there are: email, phone, username, given_name, family_name, display_name, slug",
			name.len > 64 ? 64 : (int)name.len, name.ptr);
	}
	if (!text)
		loader_error(loader, line, "what is derived needs a text, such as \"{{input.first_name}} {{input.last_name}}\"");
	else if (template_compile_sentence(text, &origin, &derived->text, &f) != REASON_OK)
		loader_fault(loader, &f);
}

void load_derived(struct loader *loader, const struct node *map, struct route *route)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > ARRAY_LEN(targets) + 1) {
		loader_error(loader, map->line, "derive is a map from what is derived to texts");
		return;
	}
	route->derived = ARENA_ARRAY(loader->set->arena, node_count(map), struct derived);
	route->derived_count = node_count(map);
	for (size_t i = 0; i < route->derived_count; i++)
		load_one(loader, map->list.keys[i], map->list.items[i], loader_key_line(map, i), &route->derived[i]);
}
