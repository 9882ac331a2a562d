// SPDX-License-Identifier: Apache-2.0
// A dialect as one document of JSON Schema.
#include "dialect/schema.h"

struct making {
	const struct dialect *dialect;
	const struct route *route;
	struct json_writer *w;
	struct arena *arena;
};

static void write_property(const struct making *m, const struct property *property);

static bool refuses_unknown(const struct making *m, const struct property *property)
{
	bool named = false;
	for (const struct property *child = property->first; child; child = child->next)
		named = named || !slice_is_absent(child->key);
	return named && m->route->body.unknown != UNKNOWN_DROP;
}

static void write_inside(const struct making *m, const struct property *property)
{
	struct json_writer *w = m->w;
	const struct property *items = NULL;
	bool any = false, required = false;
	for (const struct property *child = property->first; child; child = child->next) {
		if (slice_is_absent(child->key)) {
			items = child;
			continue;
		}
		if (!any) {
			json_key(w, "properties");
			json_open_map(w);
		}
		any = true;
		required = required || child->required;
		json_key_slice(w, child->key);
		write_property(m, child);
	}
	if (any)
		json_close_map(w);
	if (required) {
		json_key(w, "required");
		json_open_list(w);
		for (const struct property *child = property->first; child; child = child->next)
			if (child->required && !slice_is_absent(child->key))
				json_text(w, child->key);
		json_close_list(w);
	}
	if (items) { // of a list, or the members of an object
		json_key(w, "items");
		write_property(m, items);
		json_key(w, "additionalProperties");
		write_property(m, items);
	} else if (refuses_unknown(m, property)) {
		json_key(w, "additionalProperties");
		json_bool(w, false);
	}
}

// It counts only where no header names the request, so that nothing more can be said.
static void write_request_id(const struct making *m)
{
	json_key(m->w, "x-enrolld-rule");
	json_open_list(m->w);
	json_open_map(m->w);
	json_member_text(m->w, "rule", SLICE_LIT("request_id"));
	json_member_text(m->w, "code", slice_of(reason_code(REASON_REQUEST_ID_INVALID)));
	json_close_map(m->w);
	json_close_list(m->w);
}

static void write_property(const struct making *m, const struct property *property)
{
	json_open_map(m->w);
	if (property->request_id && !property->field)
		write_request_id(m);
	schema_value(property, m->w, m->arena);
	write_inside(m, property);
	json_close_map(m->w);
}

static void write_rule(struct json_writer *w, const char *rule, const struct node *value, struct slice at, struct slice code)
{
	json_open_map(w);
	json_member_text(w, "rule", slice_of(rule));
	if (value) {
		json_key(w, "value");
		json_node(w, value);
	}
	json_member_text(w, "at", at);
	json_member_text(w, "code", code);
	json_close_map(w);
}

// Rules over several fields, rules of fields that are not in the body, or in one of several places.
static void write_whole_rules(const struct making *m)
{
	const struct route *route = m->route;
	json_key(m->w, "x-enrolld-rule");
	json_open_list(m->w);
	for (size_t i = 0; i < route->checks.count; i++)
		write_rule(m->w, rule_name(route->checks.items[i].rule), rule_parameters(route->checks.items[i].rule),
			   route->checks.items[i].at, route->checks.items[i].code);
	for (size_t i = 0; i < route->field_count; i++) {
		const struct field *field = &route->fields[i];
		bool body = field->place_count && field->places[0].source == SOURCE_BODY;
		bool one_place = field->place_count == 1 && route->body.also == CASE_AS_WRITTEN;
		for (size_t j = 0; j < field->checks.count && (!body || !one_place); j++)
			write_rule(m->w, rule_name(field->checks.items[j].rule), rule_parameters(field->checks.items[j].rule),
				   field->checks.items[j].at, field->checks.items[j].code);
	}
	json_close_list(m->w);
}

// One of these members must be there, whatever counts as missing besides.
static void write_any_of(const struct making *m)
{
	const struct route *route = m->route;
	bool open = false;
	for (size_t i = 0; i < route->checks.count; i++) {
		struct rule_shape shape;
		(void)!rule_shape(route->checks.items[i].rule, &shape);
		bool sayable = shape.any_of && !route->checks.items[i].when;
		for (size_t j = 0; sayable && j < node_count(shape.any_of); j++)
			for (size_t k = 0; k < route->field_count; k++)
				if (slice_equal(route->fields[k].name, node_text(node_item(shape.any_of, j))))
					sayable = route->fields[k].depth == 1 && route->fields[k].place_count == 1 &&
						  route->fields[k].places[0].source == SOURCE_BODY &&
						  route->body.also == CASE_AS_WRITTEN;
		if (!sayable)
			continue;
		if (!open) {
			json_key(m->w, "allOf");
			json_open_list(m->w);
		}
		open = true;
		json_open_map(m->w);
		json_key(m->w, "anyOf");
		json_open_list(m->w);
		for (size_t k = 0; k < route->field_count; k++)
			for (size_t j = 0; j < node_count(shape.any_of); j++) {
				if (!slice_equal(route->fields[k].name, node_text(node_item(shape.any_of, j))))
					continue;
				json_open_map(m->w);
				json_key(m->w, "required");
				json_open_list(m->w);
				json_text(m->w, route->fields[k].key);
				json_close_list(m->w);
				json_close_map(m->w);
			}
		json_close_list(m->w);
		json_close_map(m->w);
	}
	if (open)
		json_close_list(m->w);
}

static void write_request(const struct making *m)
{
	const struct property *root = schema_tree(m->route, m->arena);
	json_open_map(m->w);
	json_member_text(m->w, "type", SLICE_LIT("object"));
	write_inside(m, root);
	write_any_of(m);
	write_whole_rules(m);
	json_close_map(m->w);
}

// JSON Schema's word for a value that answers speak of.
static const char *type_of(void *context, struct slice name)
{
	static const char *const integers[] = {"account_number", "retry_after", "count",       "more", "index", "iat", "exp",
					       "parse_position", "parse_line",  "parse_column"};
	static const char *const any[] = {"attributes", "input", "violations", "data", "tokens"};
	struct slice rest;
	(void)context;
	for (size_t i = 0; i < ARRAY_LEN(integers); i++)
		if (slice_equal_text(name, integers[i]))
			return "integer";
	for (size_t i = 0; i < ARRAY_LEN(any); i++)
		if (slice_equal_text(name, any[i]))
			return NULL;
	if (slice_equal_text(name, "last"))
		return "boolean";
	if (name_after(name, "limit.", &rest)) {
		const char *dot = memrchr(rest.ptr, '.', rest.len);
		struct slice part = dot ? (struct slice){dot + 1, rest.len - (size_t)(dot + 1 - rest.ptr)} : rest;
		return slice_equal_text(part, "resets") ? "string" : "integer";
	}
	if (name_after(name, "failed.", &rest))
		return "boolean";
	if (name_after(name, "first.", &rest))
		return type_of(context, rest);
	return name_after(name, "opening.", &rest) || name_after(name, "data.", &rest) || name_after(name, "input.", &rest) ||
			       name_after(name, "row.", &rest)
		       ? NULL
		       : "string";
}

// Answers of one list; a key that comes several times is numbered from its second.
static void write_answers(const struct making *m, const char *prefix, const struct answer_list *answers)
{
	size_t number = 1;
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer_spec *spec = &answers->items[i];
		number = i && slice_equal(spec->key, answers->items[i - 1].key) ? number + 1 : 1;
		struct slice key = arena_printf(m->arena, "%s%s%.*s", prefix, *prefix ? "." : "", (int)spec->key.len,
						spec->key.ptr);
		if (number > 1)
			key = arena_printf(m->arena, "%.*s.%zu", (int)key.len, key.ptr, number);
		json_key_slice(m->w, key);
		json_open_map(m->w);
		json_member_int(m->w, "x-enrolld-status", spec->status);
		if (spec->body && !spec->media) {
			json_key(m->w, "allOf");
			json_open_list(m->w);
			template_schema(spec->body, type_of, NULL, m->w);
			json_close_list(m->w);
		}
		json_close_map(m->w);
	}
}

static const char *local_name(const struct route *route)
{
	return strchr(route->name, '.') + 1;
}

static const struct dialect *find(const struct dialect_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->dialects[i]->name, name) == 0)
			return set->dialects[i];
	PANIC("dialect %s is not loaded", name);
}

void dialect_schema(const struct dialect_set *set, const char *name, struct strbuf *out)
{
	struct arena *arena = arena_create(65536);
	struct json_writer w;
	struct making m = {find(set, name), NULL, &w, arena};
	json_begin(&w, out);
	json_open_map(&w);
	json_member_text(&w, "$schema", SLICE_LIT("https://json-schema.org/draft/2020-12/schema"));
	json_member_text(&w, "$id", arena_printf(arena, "urn:enrolld:dialect:%s", name));
	json_key(&w, "$defs");
	json_open_map(&w);
	for (size_t i = 0; i < m.dialect->route_count; i++) {
		m.route = &m.dialect->routes[i];
		if (m.route->reads_body) {
			json_key_slice(&w, arena_printf(arena, "%s.request", local_name(m.route)));
			write_request(&m);
		}
		write_answers(&m, local_name(m.route), &m.route->answers);
	}
	write_answers(&m, "", &m.dialect->answers);
	json_close_map(&w);
	json_close_map(&w);
	arena_destroy(arena);
}

bool dialect_route_row(const struct dialect_set *set, const char *name, size_t index, struct dialect_route_row *row)
{
	const struct dialect *dialect = find(set, name);
	if (index >= dialect->route_count)
		return false;
	const struct route *route = &dialect->routes[index];
	*row = (struct dialect_route_row){local_name(route), route->operation, route->method.ptr,
					  route->path.ptr,   route->type.ptr,  route->reads_body};
	return true;
}
