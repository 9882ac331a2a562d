// SPDX-License-Identifier: Apache-2.0
// The settings file: a tree of maps to assignments.
#include "conf/load.h"

static bool is_scalar(const struct node *node)
{
	return node->type != NODE_LIST && node->type != NODE_MAP;
}

static const char *shape_of(const struct node *node)
{
	return is_scalar(node) ? "single value" : node_type_name(node->type);
}

static struct slice scalar_text(const struct node *node)
{
	return node->type == NODE_NULL ? SLICE_LIT("") : node->written;
}

// Paths that are not absolute start at the file's folder.
static struct slice beside_file(const struct load *load, struct slice path)
{
	const char *slash = strrchr(load->conf->path, '/');

	if (path.len == 0 || path.ptr[0] == '/' || !slash)
		return path;
	return arena_printf(load->conf->arena, "%.*s/%.*s", (int)(slash - load->conf->path), load->conf->path, (int)path.len,
			    path.ptr);
}

// Texts of a list's or map's members; false if one is a list or map itself (an error was noted).
static bool member_texts(struct load *load, const struct node *node, struct slice name, struct slice *texts)
{
	for (size_t i = 0; i < node->list.count; i++) {
		const struct node *item = node->list.items[i];
		struct origin at = {.kind = ORIGIN_FILE, .line = item->line, .column = item->column};

		if (!is_scalar(item)) {
			load_error(load, &at, name, "an entry must be a text, not a %s", shape_of(item));
			return false;
		}
		texts[i] = scalar_text(item);
	}
	return true;
}

static const struct origin *entry_origins(struct load *load, const struct node *map)
{
	struct origin *origins = ARENA_ARRAY(load->conf->arena, map->list.count, struct origin);

	for (size_t i = 0; i < map->list.count; i++)
		origins[i] = (struct origin){
			.kind = ORIGIN_FILE, .line = map->list.key_lines[i], .column = map->list.key_columns[i]};
	return origins;
}

static void assign_scalar(struct load *load, struct assignment *a, const struct node *node, bool is_file)
{
	a->kind = is_file ? ASSIGN_SECRET : ASSIGN_TEXT;
	a->text = scalar_text(node);
	if (is_file || a->ref.row->type == SETTING_PATH)
		a->text = beside_file(load, a->text);
}

static void assign_container(struct load *load, struct assignment *a, struct slice name, const struct node *node, bool is_file)
{
	enum setting_type type = a->ref.row->type;
	struct slice *texts = ARENA_ARRAY(load->conf->arena, node->list.count, struct slice);

	if (is_file || (node->type == NODE_LIST ? type != SETTING_LIST : type != SETTING_MAP)) {
		load_error(load, &a->origin, name, "must be a %s%s, not a %s",
			   type == SETTING_LIST || type == SETTING_MAP ? "" : "single ", is_file ? "path" : setting_type_name(type),
			   shape_of(node));
		return;
	}
	if (!member_texts(load, node, name, texts))
		return;
	a->kind = node->type == NODE_LIST ? ASSIGN_LIST : ASSIGN_MAP;
	a->values = texts;
	a->count = node->list.count;
	if (a->kind == ASSIGN_MAP) {
		a->names = node->list.keys;
		a->entry_origins = entry_origins(load, node);
	}
}

static void assign(struct load *load, const struct name *name, struct row_ref ref, const struct node *node, struct origin at,
		   bool is_file)
{
	struct assignment a = {.kind = ASSIGN_FAILED, .ref = ref, .instance = name_instance(ref.table, name), .origin = at};

	if (node->type == NODE_NULL)
		return;
	if (is_scalar(node))
		assign_scalar(load, &a, node, is_file);
	else
		assign_container(load, &a, name_join(name, load->conf->arena), node, is_file);
	load_assign(load, &a);
}

// A name below which there are settings: is the section of a table per name complete with it?
static void declare_instance(struct load *load, const struct name *name, struct origin at)
{
	for (size_t t = 0; t < load->conf->tables.count; t++) {
		const struct setting_table *table = load->conf->tables.items[t];
		struct slice instance = name_instance(table, name);

		if (table->per_name && !slice_is_absent(instance) && name_match(table->rows[0].name, name) == NAME_BEFORE)
			load_assign(load, &(struct assignment){.ref = {.table = table}, .instance = instance, .origin = at});
	}
}

static void walk(struct load *load, struct name *name, const struct node *map);

static void take_member(struct load *load, struct name *name, const struct node *node, struct origin at)
{
	struct row_ref exact = name_find(&load->conf->tables, name, NAME_EXACT);
	struct row_ref section = name_find(&load->conf->tables, name, NAME_BEFORE);
	struct row_ref secret = name_find_secret_file(&load->conf->tables, name);

	if (section.row)
		declare_instance(load, name, at);
	if (section.row && node->type == NODE_MAP)
		walk(load, name, node);
	else if (exact.row)
		assign(load, name, exact, node, at, false);
	else if (secret.row)
		assign(load, name, secret, node, at, true);
	else if (!section.row)
		load_unknown(load, &at, name, false);
	else if (node->type != NODE_NULL)
		load_error(load, &at, name_join(name, load->conf->arena), "must be a map of settings, not a %s", shape_of(node));
}

// Recursion is bounded by NAME_DEPTH_MAX: rows are no deeper.
static void walk(struct load *load, struct name *name, const struct node *map)
{
	if (name->count == NAME_DEPTH_MAX)
		return;
	name->count++;
	for (size_t i = 0; i < map->list.count; i++) {
		struct origin at = {.kind = ORIGIN_FILE, .line = map->list.key_lines[i], .column = map->list.key_columns[i]};

		name->segment[name->count - 1] = map->list.keys[i];
		take_member(load, name, map->list.items[i], at);
	}
	name->count--;
}

void load_file(struct load *load, const struct node *root)
{
	struct origin at = {.kind = ORIGIN_FILE, .line = root->line, .column = root->column};
	struct name name = {0};

	if (root->type == NODE_MAP)
		walk(load, &name, root);
	else if (root->type != NODE_NULL)
		load_error(load, &at, SLICE_ABSENT, "must be a map of settings, not a %s", shape_of(root));
}
