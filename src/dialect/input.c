// SPDX-License-Identifier: Apache-2.0
// Names that conditions, derived values, texts and answers know alike: what came with the request, and the deployment's settings.
#include "dialect/dialect_private.h"

bool name_after(struct slice name, const char *prefix, struct slice *rest)
{
	size_t len = strlen(prefix);
	if (name.len <= len || memcmp(name.ptr, prefix, len) != 0)
		return false;
	*rest = (struct slice){name.ptr + len, name.len - len};
	return true;
}

static bool give(struct slice text, struct template_value *value)
{
	*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = text};
	return !slice_is_absent(text);
}

static bool give_node(const struct node *node, struct template_value *value)
{
	*value = (struct template_value){.kind = TEMPLATE_NODE, .node = node};
	return node != NULL;
}

static bool find_field(const struct route *route, const struct dialect_reading *reading, struct slice name,
		       struct template_value *value)
{
	if (!route || !reading || !reading->seen)
		return false;
	for (size_t i = 0; i < route->field_count; i++)
		if (slice_equal(route->fields[i].name, name))
			return !holds_secret(route, &route->fields[i]) && give_node(reading->seen[i].value, value);
	return false;
}

static bool find_setting(const struct dialect *dialect, struct slice name, struct template_value *value)
{
	for (size_t i = 0; i < dialect->setting_count; i++)
		if (slice_equal(dialect->settings[i].name, name))
			return give(dialect->settings[i].value, value);
	return false;
}

// "NAME.COLUMN"
static bool find_row(const struct dialect_reading *reading, struct slice name, struct template_value *value)
{
	const char *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;
	if (!reading || !dot)
		return false;
	struct slice row = {name.ptr, (size_t)(dot - name.ptr)}, column = {dot + 1, name.len - (size_t)(dot + 1 - name.ptr)};
	if (slice_equal_text(row, "key") && reading->key_access)
		return !slice_equal(column, reading->key_access->column) &&
		       give_node(node_member_slice(reading->key_row, column), value);
	for (size_t i = reading->row_count; i > 0; i--)
		if (slice_equal(reading->rows[i - 1].name, row))
			return give_node(node_member_slice(reading->rows[i - 1].row, column), value);
	return false;
}

bool input_find(const struct dialect *dialect, const struct route *route, const struct request *request,
		const struct dialect_reading *reading, struct slice name, struct arena *arena, struct template_value *value)
{
	struct slice rest;
	if (name_after(name, "input.", &rest))
		return find_field(route, reading, rest, value);
	if (name_after(name, "setting.", &rest))
		return find_setting(dialect, rest, value);
	if (name_after(name, "query.", &rest))
		return give(query_parameter(request->query, rest, arena), value);
	if (name_after(name, "path.", &rest))
		return route && give(path_parameter(route->path, request->path, rest, arena), value);
	if (name_after(name, "header.", &rest))
		return give(request_header_value(request, arena_copy(arena, rest).ptr), value);
	if (name_after(name, "row.", &rest))
		return find_row(reading, rest, value);
	return false;
}
