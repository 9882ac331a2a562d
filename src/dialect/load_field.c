// SPDX-License-Identifier: Apache-2.0
// "fields": where each comes from, how it is normalised, its rules, and where it goes.
#include "dialect/loader.h"

static const char *const targets[] = {
	"",           "email",       "phone",        "username",   "password", "password_hash",
	"given_name", "family_name", "display_name", "birth_date", "locale",   "attributes",
};

// Rules without which a value must not reach the registration.
static const struct need {
	enum target target;
	const char *rule;
	const char *why;
} needs[] = {
	{TARGET_EMAIL, "email", "only an e-mail address has a key by which it is unique"},
	{TARGET_EMAIL, "unique", "it says how a taken one is answered"},
	{TARGET_PHONE, "phone", "only a phone number has a key by which it is unique"},
	{TARGET_PHONE, "unique", "it says how a taken one is answered"},
	{TARGET_USERNAME, "username", "only a user name has a key by which it is unique"},
	{TARGET_USERNAME, "unique", "it says how a taken one is answered"},
	{TARGET_PASSWORD, "type", "a password is a text"},
	{TARGET_PASSWORD, "max_bytes", "a longer one would have to be cut; 256 is a good limit, 1024 the highest"},
	{TARGET_PASSWORD_HASH, "foreign_hash", "the cost of checking it must be bounded"},
	{TARGET_PASSWORD_HASH, "max_bytes", "it is kept as it is"},
	{TARGET_GIVEN_NAME, "max_length", "it is kept as it is"},
	{TARGET_FAMILY_NAME, "max_length", "it is kept as it is"},
	{TARGET_DISPLAY_NAME, "max_length", "it is kept as it is"},
	{TARGET_BIRTH_DATE, "date", "the database keeps a day"},
	{TARGET_LOCALE, "locale", "messages are chosen by it"},
	{TARGET_ATTRIBUTES, "type", "only an object is kept"},
	{TARGET_ATTRIBUTES, "object", "it bounds what is kept"},
};

static const struct check *find_check(const struct check_list *checks, const char *rule)
{
	for (size_t i = 0; i < checks->count; i++)
		if (strcmp(rule_name(checks->items[i].rule), rule) == 0)
			return &checks->items[i];
	return NULL;
}

static void check_needs(struct loader *loader, const struct field *field)
{
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (needs[i].target == field->target && !find_check(&field->checks, needs[i].rule))
			loader_error(loader, field->line, "%.*s maps to %s and so needs the rule \"%s\": %s", (int)field->name.len,
				     field->name.ptr, targets[field->target], needs[i].rule, needs[i].why);
	const struct check *bytes = find_check(&field->checks, "max_bytes");
	if (field->target == TARGET_PASSWORD && bytes && rule_parameters(bytes->rule)->integer > SECRET_SIZE_MAX)
		loader_error(loader, rule_words(bytes->rule)->line, "max_bytes of a password is at most %d", SECRET_SIZE_MAX);
	if (field->target == TARGET_NONE && field->unique)
		loader_error(loader, rule_words(field->unique->rule)->line,
			     "unique needs a map to email, phone or username, which are kept apart by realm");
	if ((field->target == TARGET_PASSWORD || field->target == TARGET_PASSWORD_HASH) && !field->secret)
		loader_error(loader, field->line, "%.*s maps to %s: write \"secret: true\", so that it can never be shown",
			     (int)field->name.len, field->name.ptr, targets[field->target]);
}

static void load_field(struct loader *loader, const struct node *node, struct route *route, struct field *field)
{
	static const char *const keys[] = {"from", "normalise", "map", "secret", "null", "empty", "rules"};
	static const char *const normal_words[] = {"none", "trim"};
	static const char *const missing_words[] = {"value", "missing"};
	size_t target = TARGET_NONE, normal = 0, null = route->body.null_missing, empty = route->body.empty_missing;
	if (!loader_keys(loader, node, "a field", keys, ARRAY_LEN(keys)))
		return;
	if (!node_member(node, "from"))
		loader_error(loader, field->line, "the field %.*s does not say where it comes from: write from: /%.*s",
			     (int)field->name.len, field->name.ptr, (int)field->name.len, field->name.ptr);
	(void)loader_pointer(loader, node_member(node, "from"), "from", &field->from);
	(void)loader_choice(loader, node_member(node, "normalise"), "normalise", normal_words, ARRAY_LEN(normal_words), &normal);
	(void)loader_choice(loader, node_member(node, "map"), "map", targets, ARRAY_LEN(targets), &target);
	(void)loader_choice(loader, node_member(node, "null"), "null", missing_words, ARRAY_LEN(missing_words), &null);
	(void)loader_choice(loader, node_member(node, "empty"), "empty", missing_words, ARRAY_LEN(missing_words), &empty);
	(void)loader_bool(loader, node_member(node, "secret"), "secret", &field->secret);
	field->trim = normal == 1;
	field->null_missing = null != 0;
	field->empty_missing = empty != 0;
	field->target = (enum target)target;
	size_t before = loader->errors;
	load_checks(loader, node_member(node, "rules"), route->dialect, route, field, &field->checks);
	field->unique = find_check(&field->checks, "unique");
	if (loader->errors == before)
		check_needs(loader, field);
	if (field->target == TARGET_PASSWORD && field->trim)
		loader_error(loader, field->line, "a password is taken exactly as sent: remove \"normalise: trim\"");
}

static void refuse_twice(struct loader *loader, const struct route *route)
{
	for (size_t i = 0; i < route->field_count; i++)
		for (size_t j = 0; j < i; j++)
			if (route->fields[i].target != TARGET_NONE && route->fields[i].target == route->fields[j].target)
				loader_error(loader, route->fields[i].line, "two fields map to %s",
					     targets[route->fields[i].target]);
}

void load_fields(struct loader *loader, const struct node *map, struct route *route)
{
	if (!map)
		return;
	if (map->type != NODE_MAP || node_count(map) > 256) {
		loader_error(loader, map->line, "fields is a map of at most 256 names");
		return;
	}
	route->fields = ARENA_ARRAY(loader->set->arena, node_count(map), struct field);
	route->field_names = map->list.keys;
	route->field_count = node_count(map);
	for (size_t i = 0; i < route->field_count; i++) {
		route->fields[i].name = map->list.keys[i];
		route->fields[i].line = map->list.key_lines ? map->list.key_lines[i] : map->line;
		load_field(loader, map->list.items[i], route, &route->fields[i]);
	}
	refuse_twice(loader, route);
}
