// SPDX-License-Identifier: Apache-2.0
// The names that templates and conditions may use, by where they stand.
#include "dialect/loader.h"
#include "dialect/values.h"

#define NAMES_MAX 4096

struct names {
	struct loader *loader;
	const char *items[NAMES_MAX];
	size_t count;
};

static void add(struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->items[i], name) == 0)
			return;
	if (n->count < NAMES_MAX)
		n->items[n->count++] = name;
}

static void add_joined(struct names *n, const char *prefix, struct slice name, const char *suffix)
{
	add(n, arena_printf(n->loader->set->arena, "%s%.*s%s", prefix, (int)name.len, name.ptr, suffix).ptr);
}

static void add_row(struct names *n, const struct dialect *dialect, const struct check *check)
{
	const struct node *params = rule_parameters(check->rule);
	const struct node *row = node_member(params, "row"), *name = node_member(params, "table");
	const struct rules_table *table = node_is(row, NODE_TEXT) && node_is(name, NODE_TEXT) ? find_table(dialect, name->text)
											      : NULL;
	for (size_t i = 0; table && i < table->column_count; i++) {
		struct slice full = arena_printf(n->loader->set->arena, "%.*s.%.*s", (int)row->text.len, row->text.ptr,
						 (int)table->columns[i].len, table->columns[i].ptr);
		add_joined(n, "row.", full, "");
	}
}

static void add_rows(struct names *n, const struct route *route)
{
	for (size_t i = 0; i < route->field_count; i++)
		for (size_t j = 0; j < route->fields[i].checks.count; j++)
			add_row(n, route->dialect, &route->fields[i].checks.items[j]);
}

static void add_route(struct names *n, const struct route *route)
{
	static const char *const limit_parts[] = {LIMIT_VALUES};
	add_rows(n, route);
	for (size_t i = 0; i < route->field_count; i++)
		add_joined(n, holds_secret(route, &route->fields[i]) ? "!input." : "input.", route->fields[i].name, "");
	for (size_t i = 0; i < route->access.count; i++) {
		const struct access *access = &route->access.items[i];
		for (size_t j = 0; access->kind == ACCESS_KEY && access->table && j < access->table->column_count; j++)
			if (!slice_equal(access->table->columns[j], access->column))
				add_joined(n, "row.key.", access->table->columns[j], "");
	}
	for (size_t i = 0; i < route->limits.count; i++)
		for (size_t j = 0; j < ARRAY_LEN(limit_parts); j++)
			add_joined(n, "limit.", arena_printf(n->loader->set->arena, "%s.", route->limits.items[i].name),
				   limit_parts[j]);
	for (struct slice rest = route->path, segment; route->path.len && !slice_is_absent(segment = pointer_next(&rest));)
		if (segment.len > 2 && segment.ptr[0] == '{')
			add_joined(n, "path.", (struct slice){segment.ptr + 1, segment.len - 2}, "");
}

static void add_settings(struct names *n, const struct dialect *dialect)
{
	for (size_t i = 0; i < dialect->setting_count; i++)
		add_joined(n, "setting.", dialect->settings[i].name, "");
}

static void add_common(struct names *n, const struct dialect *dialect)
{
	add_settings(n, dialect);
	add(n, "query.*");
	add(n, "header.*");
}

static void add_answer(struct names *n, const struct dialect *dialect)
{
	static const char *const values[] = {
#define VALUE(id, name) name,
		ANSWER_VALUES(VALUE)
#undef VALUE
	};
	static const char *const items[] = {VIOLATION_VALUES};
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		add(n, values[i]);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		add(n, items[i]);
		add_joined(n, "first.", slice_of(items[i]), "");
	}
	add(n, "failed.*");
	add(n, "data.*");
	add(n, "first.data.*");
	for (size_t i = 0; i < dialect->token_count; i++)
		add_joined(n, "token.", dialect->tokens[i].name, "");
	for (size_t i = 0; i < dialect->route_count; i++)
		for (size_t j = 0; j < node_count(dialect->routes[i].opening_tree); j++)
			add_joined(n, "opening.", dialect->routes[i].opening_tree->list.keys[j], "");
}

static void check(const struct names *n, const struct template *t)
{
	struct fault f;
	if (t && template_check_names(t, n->items, n->count, &f) != REASON_OK)
		loader_fault(n->loader, &f);
}

static void check_when(const struct names *n, const struct template_condition *when)
{
	struct fault f;
	if (when && template_check_condition(when, n->items, n->count, &f) != REASON_OK)
		loader_fault(n->loader, &f);
}

static void check_answers(const struct names *n, const struct answer_list *answers)
{
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer_spec *spec = &answers->items[i];
		bool copied = false; // by "like", and told where it was written
		for (size_t j = 0; j < i && !copied; j++)
			copied = spec->body && spec->body == answers->items[j].body;
		check_when(n, spec->when);
		if (!copied)
			check(n, spec->body);
		for (size_t j = 0; j < spec->header_count; j++)
			check(n, spec->headers[j].value);
	}
}

static void check_words(const struct names *n, const struct words *words, size_t languages)
{
	for (size_t i = 0; words->in && i < languages; i++)
		check(n, words->in[i]);
}

// Sentences know the rule's parameters and what it was asked of, besides what answers know.
static void check_sentences(const struct names *outer, const struct dialect *dialect, const struct check_list *checks)
{
	static const char *const own[] = {SENTENCE_VALUES};
	struct names *n = ARENA_NEW(outer->loader->set->arena, struct names);
	for (size_t i = 0; i < checks->count; i++) {
		const struct rule_words *words = rule_words(checks->items[i].rule);
		const struct node *params = rule_parameters(checks->items[i].rule);
		*n = *outer;
		for (size_t j = 0; j < ARRAY_LEN(own); j++)
			add(n, own[j]);
		for (size_t j = 0; node_is(params, NODE_MAP) && j < node_count(params); j++)
			add(n, params->list.keys[j].ptr);
		if (params && !node_is(params, NODE_MAP))
			add(n, "value");
		check_when(n, checks->items[i].when);
		if (words->text) // others are the dialect's for all rules with that code, or the rule's own
			check_words(n, &checks->items[i].text, dialect->language_count);
	}
}

static void check_route(struct names *n, const struct route *route)
{
	for (size_t i = 0; i < route->field_count; i++)
		check_sentences(n, route->dialect, &route->fields[i].checks);
	check_sentences(n, route->dialect, &route->checks);
	for (size_t i = 0; i < route->derived_count; i++)
		check(n, route->derived[i].text);
	for (size_t i = 0; i < route->access.count; i++)
		check_when(n, route->access.items[i].when);
	for (size_t i = 0; i < route->limits.count; i++)
		for (size_t j = 0; j < route->limits.items[i].part_count; j++) {
			const struct limit_part *part = &route->limits.items[i].parts[j];
			bool known = part->kind != PART_INPUT || route->limits.items == route->dialect->limits.items;
			for (size_t k = 0; k < route->field_count; k++)
				known = known || slice_equal(route->fields[k].name, part->input);
			if (!known)
				loader_error(n->loader, route->line, "a limit counts by input.%.*s, which is no field of the route",
					     (int)part->input.len, part->input.ptr);
		}
	check_answers(n, &route->answers);
}

// It is kept and told again: nothing of the request's own words.
static void check_opening(struct names *n, const struct route *route)
{
	n->count = 0;
	add_settings(n, route->dialect);
	add_rows(n, route);
	check(n, route->opening);
}

static void check_links(struct names *n, const struct dialect *dialect)
{
	add(n, "account_id");
	add(n, "realm");
	for (size_t i = 0; i < dialect->code_count; i++)
		if (dialect->codes[i].link) {
			check(n, dialect->codes[i].link->before);
			check(n, dialect->codes[i].link->after);
		}
}

void check_names(struct loader *loader, const struct dialect *dialect)
{
	static const char *const token_values[] = {TOKEN_VALUES};
	struct names *all = ARENA_NEW(loader->set->arena, struct names);
	struct names *n = ARENA_NEW(loader->set->arena, struct names);
	all->loader = n->loader = loader;
	add_common(all, dialect);
	add_answer(all, dialect);
	for (size_t i = 0; i < dialect->route_count; i++)
		add_route(all, &dialect->routes[i]);
	check_answers(all, &dialect->answers);
	for (size_t i = 0; i < dialect->header_count; i++)
		check(all, dialect->headers[i].value);
	for (size_t i = 0; i < dialect->route_count; i++) {
		n->count = 0;
		add_common(n, dialect);
		add_answer(n, dialect);
		add_route(n, &dialect->routes[i]);
		check_route(n, &dialect->routes[i]);
		check_opening(n, &dialect->routes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(token_values); i++)
		add(all, token_values[i]);
	for (size_t i = 0; i < dialect->token_count; i++)
		check(all, dialect->tokens[i].payload);
	n->count = 0;
	add_common(n, dialect);
	check_links(n, dialect);
}
