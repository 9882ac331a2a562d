// SPDX-License-Identifier: Apache-2.0
// "routes": how each is reached, its operation, fields, rules and answers.
#include <stdint.h>

#include "dialect/loader.h"

static bool name_valid(struct slice name)
{
	if (name.len == 0 || name.len > 64)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
			return false;
	}
	return true;
}

static bool all_upper(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 'A' || text.ptr[i] > 'Z')
			return false;
	return true;
}

// Segments are plain, or one parameter whole.
static bool path_valid(struct slice path, bool *parameters)
{
	struct slice rest = path, segment;
	if (path.len == 0 || path.ptr[0] != '/' || strpbrk(path.ptr, "?#*"))
		return false;
	while (!slice_is_absent(segment = pointer_next(&rest))) {
		const char *open = segment.len ? memchr(segment.ptr, '{', segment.len) : NULL;
		const char *close = segment.len ? memchr(segment.ptr, '}', segment.len) : NULL;
		if (!open && !close)
			continue;
		if (open != segment.ptr || close != segment.ptr + segment.len - 1 ||
		    !name_plain((struct slice){segment.ptr + 1, segment.len - 2}))
			return false;
		*parameters = true;
	}
	return true;
}

static void load_reach(struct loader *loader, const struct node *node, struct route *route)
{
	bool fine = loader_text(loader, node_member(node, "method"), "method", &route->method);
	fine = loader_text(loader, node_member(node, "path"), "path", &route->path) && fine;
	fine = loader_text(loader, node_member(node, "type"), "type", &route->type) && fine;
	if (!fine)
		return;
	if (slice_is_absent(route->path) != slice_is_absent(route->method))
		loader_error(loader, node->line, "method and path go together");
	if (slice_is_absent(route->path) && slice_is_absent(route->type))
		loader_error(loader, node->line,
			     "a route is reached by method and path, by an event's type, or by both: write at least one");
	if (!all_upper(route->method))
		loader_error(loader, node->line, "a method is written in capitals, like POST");
	if (route->path.len && !path_valid(route->path, &route->has_parameters))
		loader_error(loader, node->line,
			     "a path begins with / and has no query; a whole segment may be a parameter: /shops/{shop}/customers");
}

static void load_operation(struct loader *loader, const struct node *node, struct route *route)
{
	const char *words[OPERATION_COUNT];
	size_t index = 0;
	for (int i = 0; i < OPERATION_COUNT; i++)
		words[i] = operation_kind_name((enum operation_kind)i);
	if (!node_member(node, "operation"))
		loader_error(loader, node->line, "a route needs an operation, such as sign_up");
	(void)loader_choice(loader, node_member(node, "operation"), "operation", words, OPERATION_COUNT, &index);
	route->operation = (enum operation_kind)index;
}

static bool reached_alike(const struct route *a, const struct route *b)
{
	return (a->path.len && b->path.len && path_same(a->path, b->path) && slice_equal(a->method, b->method)) ||
	       (a->type.len && slice_equal(a->type, b->type));
}

static void load_counter(struct loader *loader, const struct node *node, struct route *route)
{
	struct slice name = SLICE_ABSENT;
	if (!loader_text(loader, node, "number", &name) || slice_is_absent(name))
		return;
	route->counter = arena_copy(loader->set->arena, name).ptr;
	if (!name_plain(name))
		loader_error(loader, node->line, "number names a counter with letters, digits, _ and -");
}

// Which new addresses are sent a code; without it all that the worker's settings want.
static void load_verify(struct loader *loader, const struct node *list, struct route *route)
{
	static const char *const words[] = {"email", "phone"};
	static const enum claim_kind kinds[] = {CLAIM_EMAIL, CLAIM_PHONE};
	size_t count = 0;
	if (!list || !loader_list(loader, list, "verify", ARRAY_LEN(words), &count))
		return;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		route->unverified[kinds[i]] = true;
	for (size_t i = 0; i < count; i++) {
		size_t index = 0;
		if (loader_choice(loader, node_item(list, i), "verify", words, ARRAY_LEN(words), &index))
			route->unverified[kinds[index]] = false;
	}
}

// Whether a sign-up says that somebody has the identity. What only an account has must not show then.
static void load_taken(struct loader *loader, const struct node *node, struct route *route)
{
	static const char *const words[] = {"told", "silent"};
	static const char *const keys[] = {"taken"};
	const struct node entry = {.type = NODE_MAP,
				   .line = node ? node->line : 0,
				   .list = {.keys = &(struct slice){"taken", 5},
					    .items = (struct node *[]){(struct node *)(uintptr_t)node},
					    .count = 1}};
	size_t index = 0;
	if (!node)
		return;
	(void)loader_choice(loader, node_member(load_parameters(loader, route->dialect, &entry), keys[0]), keys[0], words,
			    ARRAY_LEN(words), &index);
	route->veils_taken = index == 1;
	bool numbered = route->counter != NULL;
	for (size_t i = 0; i < route->derived_count; i++)
		numbered = numbered || route->derived[i].kind == DERIVE_SLUG;
	if (route->veils_taken && (route->operation != OPERATION_SIGN_UP || numbered))
		loader_error(loader, node->line, "taken: silent is for sign-ups whose accounts have neither a number nor a slug");
}

// What an account of this route is given when it is opened.
static void load_opening(struct loader *loader, const struct node *node, struct route *route)
{
	struct template_origin origin = loader_origin(loader, node ? node->line : 0);
	struct fault f;
	if (!node)
		return;
	if (node->type != NODE_MAP || node_count(node) == 0)
		loader_error(loader, node->line, "opening is a map of what an account is given when it is opened");
	else if (route->operation != OPERATION_SIGN_UP && route->operation != OPERATION_CODE_CHECK)
		loader_error(loader, node->line, "opening is for routes that open accounts: sign_up and code_check");
	else if (template_compile_tree(node, &origin, &route->opening, &f) != REASON_OK)
		loader_fault(loader, &f);
	else
		route->opening_tree = node;
}

static void load_inherited(struct loader *loader, const struct node *node, struct route *route)
{
	const struct dialect *dialect = route->dialect;
	route->access = dialect->access;
	route->limits = dialect->limits;
	route->root = dialect->root;
	(void)loader_texts(loader, node_member(node, "stages"), "stages", &route->stages, &route->stage_count);
	if (route->stage_count > STAGES_MAX)
		loader_error(loader, node->line, "there are at most %d stages", STAGES_MAX);
	load_access(loader, node_member(node, "access"), dialect, &route->access);
	load_limits(loader, node_member(node, "limits"), &route->limits);
	for (size_t i = 0; i < route->limits.count; i++)
		if (route->limits.items[i].stage == LIMIT_SENDS && route->operation != OPERATION_SIGN_IN)
			loader_error(loader, node->line,
				     "stage: sends is for limits of sign-ins, which may send a code once more beside their answer");
	if (node_member(node, "root"))
		load_root_checks(loader, node_member(node, "root"), dialect, &route->root);
}

static void load_route(struct loader *loader, const struct node *node, struct dialect *dialect, struct route *route)
{
	static const char *const keys[] = {"name",   "operation", "method", "path",   "type",   "body",    "collect",
					   "stages", "root",      "access", "limits", "fields", "rules",   "derive",
					   "number", "verify",    "code",   "taken",  "ends",   "opening", "answers"};
	struct slice name = SLICE_ABSENT;
	*route = (struct route){.dialect = dialect,
				.name = "",
				.body = dialect->body,
				.collect = dialect->collect,
				.stages = dialect->stages,
				.stage_count = dialect->stage_count,
				.line = node->line};
	if (!loader_keys(loader, node, "a route", keys, ARRAY_LEN(keys)))
		return;
	if (!node_member(node, "name"))
		loader_error(loader, node->line,
			     "a route needs a name, such as sign_up; it is kept with each request and must not change");
	if (loader_text(loader, node_member(node, "name"), "name", &name) && name.len && !name_valid(name))
		loader_error(loader, node_member(node, "name")->line, "a route's name has a-z, 0-9 and _");
	route->name = arena_printf(loader->set->arena, "%s.%.*s", dialect->name, (int)name.len, name.ptr ? name.ptr : "").ptr;
	load_operation(loader, node, route);
	load_reach(loader, node, route);
	load_body(loader, node_member(node, "body"), &route->body);
	load_collect(loader, node_member(node, "collect"), &route->collect);
	load_inherited(loader, node, route);
	load_fields(loader, node_member(node, "fields"), route);
	load_checks(loader, node_member(node, "rules"), dialect, route, NULL, &route->checks);
	load_derived(loader, node_member(node, "derive"), route);
	load_opening(loader, node_member(node, "opening"), route);
	load_counter(loader, node_member(node, "number"), route);
	load_verify(loader, node_member(node, "verify"), route);
	load_code_choice(loader, node_member(node, "code"), route);
	load_taken(loader, node_member(node, "taken"), route);
	load_scope(loader, node_member(node, "ends"), route);
	load_answers(loader, node_member(node, "answers"), &dialect->answers, &route->answers);
	load_minting(loader, route);
	if (route->field_count && !answer_find(&route->answers, SLICE_LIT("accepted"), NULL) &&
	    !answer_find(&dialect->answers, SLICE_LIT("accepted"), NULL))
		loader_error(loader, node->line, "neither this route nor the dialect has an answer \"accepted\"");
}

void load_routes(struct loader *loader, const struct node *list, struct dialect *dialect)
{
	if (!node_is(list, NODE_LIST) || node_count(list) == 0) {
		loader_error(loader, list ? list->line : 1,
			     "routes is a list of one route or more; begin each with \"- name: ...\"");
		return;
	}
	dialect->routes = ARENA_ARRAY(loader->set->arena, node_count(list), struct route);
	for (size_t i = 0; i < node_count(list); i++) {
		struct route *route = &dialect->routes[dialect->route_count++];
		load_route(loader, node_item(list, i), dialect, route);
		for (size_t j = 0; j < i; j++) {
			if (strcmp(route->name, dialect->routes[j].name) == 0)
				loader_error(loader, node_item(list, i)->line, "two routes are called %s", route->name);
			if (reached_alike(route, &dialect->routes[j]))
				loader_error(loader, node_item(list, i)->line, "%s is reached the same way as %s", route->name,
					     dialect->routes[j].name);
		}
	}
}
