// SPDX-License-Identifier: Apache-2.0
// "access": what is asked before the body is read.
#include "dialect/loader.h"

#define ENTRIES_MAX 8

static bool header_valid(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return name.len > 0 && name.len <= 64;
}

static void load_header(struct loader *loader, const struct node *map, struct access *access)
{
	if (!loader_text(loader, node_member(map, "header"), "header", &access->header))
		return;
	if (slice_is_absent(access->header) || !header_valid(access->header))
		loader_error(loader, map->line, "header names the header to look at, in small letters: header: authorization");
	else
		access->header = arena_copy(loader->set->arena, access->header);
}

static void load_key(struct loader *loader, const struct node *map, const struct dialect *dialect, struct access *access)
{
	static const char *const keys[] = {"header", "query", "scheme", "table", "column"};
	struct slice table = SLICE_ABSENT;
	access->kind = ACCESS_KEY;
	if (!loader_keys(loader, map, "a key", keys, ARRAY_LEN(keys)))
		return;
	access->by_query = node_member(map, "query") != NULL;
	if (access->by_query)
		(void)loader_text(loader, node_member(map, "query"), "query", &access->header);
	else
		load_header(loader, map, access);
	if (access->by_query && (node_member(map, "header") || node_member(map, "scheme")))
		loader_error(loader, map->line, "a key comes from a header, perhaps behind a scheme, or from the query");
	bool fine = loader_text(loader, node_member(map, "scheme"), "scheme", &access->scheme);
	fine = loader_text(loader, node_member(map, "table"), "table", &table) && fine;
	fine = loader_text(loader, node_member(map, "column"), "column", &access->column) && fine;
	if (!fine)
		return;
	access->table = slice_is_absent(table) ? NULL : find_table(dialect, table);
	bool column = false;
	for (size_t i = 0; access->table && i < access->table->column_count; i++)
		column = column || slice_equal(access->table->columns[i], access->column);
	if (column)
		access->keys = rules_index_create(access->table, access->column, loader->set->arena);
	else
		loader_error(loader, map->line,
			     "a key needs a table under tables and one of its columns: {header: x-key, table: keys, column: key}");
}

static void load_bearer(struct loader *loader, const struct node *map, const struct dialect *dialect, struct access *access)
{
	struct slice name = SLICE_ABSENT;
	load_header(loader, map, access);
	if (!loader_text(loader, node_member(map, "token"), "token", &name) || slice_is_absent(name))
		return;
	access->token = dialect->access_token;
	if (!access->token || !slice_equal(access->token->name, name))
		loader_error(loader, map->line, "token names the one under tokens that has use: access");
}

static void load_entry(struct loader *loader, const struct node *node, const struct dialect *dialect, struct access *access)
{
	static const char *const keys[] = {"closed", "key", "bearer"};
	static const char *const bearer_keys[] = {"header", "token"};
	if (!loader_keys(loader, node, "an entry of access", keys, ARRAY_LEN(keys)))
		return;
	if (node_count(node) != 1) {
		loader_error(loader, node->line, "an entry of access is one of closed, key and bearer; begin another with \"- \"");
		return;
	}
	const struct node *value = node->list.items[0];
	if (node_member(node, "closed")) {
		access->kind = ACCESS_CLOSED;
		access->when = loader_condition(loader, value);
	} else if (node_member(node, "key")) {
		load_key(loader, value, dialect, access);
	} else {
		access->kind = ACCESS_BEARER;
		if (loader_keys(loader, value, "bearer", bearer_keys, ARRAY_LEN(bearer_keys)))
			load_bearer(loader, value, dialect, access);
	}
}

void load_access(struct loader *loader, const struct node *list, const struct dialect *dialect, struct access_list *access)
{
	size_t count;
	if (!list || !loader_list(loader, list, "access", ENTRIES_MAX, &count))
		return;
	access->items = ARENA_ARRAY(loader->set->arena, count, struct access);
	access->count = count;
	for (size_t i = 0; i < count; i++)
		load_entry(loader, node_item(list, i), dialect, &access->items[i]);
}
