// SPDX-License-Identifier: Apache-2.0
// "settings" and "tables": what a deployment may set, and lists of rows.
#include "dialect/loader.h"
#include "enrolld/doc/yaml.h"

#define ROWS_MOST 100000

static const struct setting_map *deployed(const struct loader *loader, const struct dialect *dialect)
{
	for (size_t i = 0; loader->options && i < loader->options->conf_count; i++)
		if (strcmp(loader->options->confs[i].name, dialect->name) == 0)
			return &loader->options->confs[i].values;
	return NULL;
}

static struct setting_value *find_setting(const struct dialect *dialect, struct slice name)
{
	for (size_t i = 0; i < dialect->setting_count; i++)
		if (slice_equal(dialect->settings[i].name, name))
			return &dialect->settings[i];
	return NULL;
}

static void apply_deployed(struct loader *loader, struct dialect *dialect, const struct setting_map *values)
{
	for (size_t i = 0; values && i < values->count; i++) {
		struct setting_value *setting = find_setting(dialect, slice_of(values->pairs[i].name));
		if (setting)
			setting->value = slice_of(arena_text(loader->set->arena, values->pairs[i].value));
		else
			loader_error(loader, 0, "dialects.%s.values names \"%s\", which is not among the dialect's settings",
				     dialect->name, values->pairs[i].name);
	}
}

void load_settings(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	if (map && map->type != NODE_MAP) {
		loader_error(loader, map->line, "settings is a map from names to texts");
		return;
	}
	dialect->settings = ARENA_ARRAY(loader->set->arena, node_count(map), struct setting_value);
	for (size_t i = 0; i < node_count(map); i++) {
		const struct node *value = map->list.items[i];
		struct setting_value *setting = &dialect->settings[dialect->setting_count];
		setting->name = map->list.keys[i];
		if (!name_plain(setting->name) || value->type == NODE_LIST || value->type == NODE_MAP) {
			loader_error(loader, loader_key_line(map, i),
				     "a setting has a name of letters, digits, _ and -, and a text as its default");
			continue;
		}
		setting->value = value->type == NODE_TEXT ? value->text : value->type == NODE_NULL ? SLICE_LIT("") : value->written;
		dialect->setting_count++;
	}
	apply_deployed(loader, dialect, deployed(loader, dialect));
}

const struct rules_table *find_table(const struct dialect *dialect, struct slice name)
{
	for (size_t i = 0; i < dialect->table_count; i++)
		if (slice_equal(dialect->tables[i].name, name))
			return &dialect->tables[i];
	return NULL;
}

static bool has_column(const struct rules_table *table, struct slice name)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (slice_equal(table->columns[i], name))
			return true;
	return false;
}

// true: the row is active and has nothing that is no column.
static bool check_row(struct loader *loader, const struct rules_table *table, const struct node *row)
{
	bool active = true;
	if (!node_is(row, NODE_MAP)) {
		loader_error(loader, row->line, "a row is a map from columns to cells");
		return false;
	}
	for (size_t i = 0; i < node_count(row); i++) {
		struct slice column = row->list.keys[i];
		const struct node *cell = row->list.items[i];
		if (slice_equal_text(column, "active")) {
			(void)loader_bool(loader, cell, "active", &active);
		} else if (!has_column(table, column)) {
			loader_error(loader, loader_key_line(row, i), "\"%.*s\" is not among the table's columns", (int)column.len,
				     column.ptr);
			return false;
		} else if (cell->type == NODE_LIST || cell->type == NODE_MAP) {
			loader_error(loader, cell->line, "a cell is a text, a number, true or false");
			return false;
		}
	}
	return active;
}

// The rows as written, or those of the table's file. Errors of another file carry its name.
static const struct node *find_rows(struct loader *loader, const struct node *node, struct dialect *dialect)
{
	struct slice file = SLICE_ABSENT, setting = SLICE_ABSENT;
	const struct node *rows = node_member(node, "rows");
	struct fault f;
	bool fine = loader_text(loader, node_member(node, "file"), "file", &file);
	fine = loader_text(loader, node_member(node, "setting"), "setting", &setting) && fine;
	if (!fine)
		return NULL;
	if (!slice_is_absent(setting)) {
		const struct setting_value *value = find_setting(dialect, setting);
		if (!value)
			loader_error(loader, node->line, "there is no setting \"%.*s\" under settings", (int)setting.len,
				     setting.ptr);
		else if (value->value.len)
			file = value->value;
	}
	if (slice_is_absent(file))
		return rows;
	bool absolute = file.ptr[0] == '/';
	const char *path = absolute ? arena_copy(loader->set->arena, file).ptr
				    : arena_printf(loader->set->arena, "%s/%s/%.*s", loader->directory, dialect->name,
						   (int)file.len, file.ptr)
					      .ptr;
	if (yaml_parse_file(path, REASON_DIALECT_INVALID, loader->set->arena, &rows, &f) != REASON_OK) {
		loader_fault(loader, &f);
		return NULL;
	}
	loader->file = path;
	return rows;
}

static void load_table(struct loader *loader, const struct node *node, struct dialect *dialect, struct rules_table *table)
{
	static const char *const keys[] = {"columns", "rows", "file", "setting"};
	size_t count = 0;
	if (!loader_keys(loader, node, "a table", keys, ARRAY_LEN(keys)))
		return;
	if (!node_member(node, "columns"))
		loader_error(loader, node->line, "a table needs columns, such as [code, name]");
	(void)loader_texts(loader, node_member(node, "columns"), "columns", &table->columns, &table->column_count);
	for (size_t i = 0; i < table->column_count; i++)
		if (!name_plain(table->columns[i]))
			loader_error(loader, node->line, "a column has a name of letters, digits, _ and -");
	const struct node *rows = find_rows(loader, node, dialect);
	(void)loader_list(loader, rows, "rows", ROWS_MOST, &count);
	const struct node **active = ARENA_ARRAY(loader->set->arena, count, const struct node *);
	for (size_t i = 0; i < count; i++)
		if (check_row(loader, table, node_item(rows, i)))
			active[table->row_count++] = node_item(rows, i);
	table->rows = active;
	loader->file = dialect->file;
}

void load_tables(struct loader *loader, const struct node *map, struct dialect *dialect)
{
	if (map && map->type != NODE_MAP) {
		loader_error(loader, map->line, "tables is a map from names to {columns: [...], rows: [...]}");
		return;
	}
	dialect->tables = ARENA_ARRAY(loader->set->arena, node_count(map), struct rules_table);
	for (size_t i = 0; i < node_count(map); i++) {
		struct rules_table *table = &dialect->tables[dialect->table_count++];
		table->name = map->list.keys[i];
		load_table(loader, map->list.items[i], dialect, table);
	}
}
