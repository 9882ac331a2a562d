// SPDX-License-Identifier: Apache-2.0
// A set of dialects from its folder.
#include <stdint.h>

#include "dialect/loader.h"
#include "enrolld/doc/yaml.h"

#define ARENA_BLOCK 65536

static const struct slice default_media[] = {{"application/json", 16}, {"application/*+json", 18}};
static const struct slice default_stages[] = {{"rules", 5}};

static void check_head(struct loader *loader, const struct node *root, const struct dialect *dialect)
{
	struct slice name = SLICE_ABSENT, summary;
	if (!node_member(root, "format"))
		loader_error(loader, 1, "the file does not say its format: write format: 1");
	else if (node_member(root, "format")->type != NODE_INT || node_member(root, "format")->integer != 1)
		loader_error(loader, node_member(root, "format")->line, "this program reads format: 1 and no other");
	if (!node_member(root, "dialect"))
		loader_error(loader, 1, "the file does not say its name: write dialect: %s", dialect->name);
	if (loader_text(loader, node_member(root, "dialect"), "dialect", &name) && name.len &&
	    !slice_equal_text(name, dialect->name))
		loader_error(loader, node_member(root, "dialect")->line, "the dialect is called \"%.*s\" but its folder %s",
			     (int)name.len, name.ptr, dialect->name);
	(void)loader_text(loader, node_member(root, "summary"), "summary", &summary);
}

static void load_root(struct loader *loader, const struct node *root, struct dialect *dialect)
{
	static const char *const keys[] = {"format", "dialect",  "summary",      "settings", "tables", "body",    "collect",
					   "stages", "language", "translations", "texts",    "root",   "access",  "limits",
					   "tokens", "codes",    "headers",      "answers",  "routes", "warnings"};
	static const char *const needed[] = {"refused", "dead"};
	if (!loader_keys(loader, root, "the file", keys, ARRAY_LEN(keys)))
		return;
	check_head(loader, root, dialect);
	load_settings(loader, node_member(root, "settings"), dialect);
	load_warnings(loader, node_member(root, "warnings"), dialect);
	load_tables(loader, node_member(root, "tables"), dialect);
	load_body(loader, node_member(root, "body"), &dialect->body);
	load_collect(loader, node_member(root, "collect"), &dialect->collect);
	(void)loader_texts(loader, node_member(root, "stages"), "stages", &dialect->stages, &dialect->stage_count);
	load_languages(loader, root, dialect);
	load_texts(loader, node_member(root, "texts"), dialect);
	load_root_checks(loader, node_member(root, "root"), dialect, &dialect->root);
	load_tokens(loader, node_member(root, "tokens"), dialect);
	load_access(loader, node_member(root, "access"), dialect, &dialect->access);
	load_limits(loader, node_member(root, "limits"), &dialect->limits);
	load_codes(loader, node_member(root, "codes"), dialect);
	load_headers(loader, node_member(root, "headers"), &dialect->headers, &dialect->header_count);
	load_answers(loader, node_member(root, "answers"), NULL, &dialect->answers);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++)
		if (!answer_find(&dialect->answers, slice_of(needed[i]), NULL))
			loader_error(loader, node_member(root, "answers") ? node_member(root, "answers")->line : 1,
				     "answers needs \"%s\", which stands in for every reason that has no answer of its own",
				     needed[i]);
	load_routes(loader, node_member(root, "routes"), dialect);
	check_names(loader, dialect);
}

static bool name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");
	return len > 0 && len <= 64 && name[len] == '\0';
}

static void set_defaults(struct dialect *dialect)
{
	static const char *const types[] = {"null", "boolean", "integer", "number", "text", "list", "object", "missing"};
	dialect->body = (struct body){
		.media = default_media,
		.media_count = ARRAY_LEN(default_media),
		.limits = {.bytes = SIZE_MAX, .depth = 32, .nodes = 10000, .nul = true}, // bytes are the topic's to limit
	};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		dialect->body.types[i] = slice_of(types[i]);
	dialect->stages = default_stages;
	dialect->stage_count = ARRAY_LEN(default_stages);
}

static void load_one(struct loader *loader, const char *name)
{
	struct dialect_set *set = loader->set;
	struct fault f;
	const struct node *root;
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->dialects[i]->name, name) == 0)
			return;
	if (!name_valid(name)) {
		(void)fault_set(&f, REASON_DIALECT_INVALID, "%s:0: a dialect's name has a-z, 0-9, - and _", name);
		loader_fault(loader, &f);
		return;
	}
	struct dialect *dialect = set->dialects[set->count++] = ARENA_NEW(set->arena, struct dialect);
	dialect->name = arena_text(set->arena, name);
	dialect->file = arena_printf(set->arena, "%s/%s/dialect.yaml", loader->directory, name).ptr;
	dialect->set = set;
	set_defaults(dialect);
	loader->file = dialect->file;
	if (yaml_parse_file(dialect->file, REASON_DIALECT_INVALID, set->arena, &root, &f) != REASON_OK)
		loader_fault(loader, &f);
	else
		load_root(loader, root, dialect);
}

// The rules' steps are functions of templates too.
static struct template_function *functions(struct arena *arena)
{
	size_t count = 0;
	while (rules_steps[count].name)
		count++;
	struct template_function *list = ARENA_ARRAY(arena, count + 1, struct template_function);
	for (size_t i = 0; i < count; i++)
		list[i] = (struct template_function){rules_steps[i].name, rules_steps[i].apply};
	return list;
}

enum reason dialect_load(const char *directory, const char *const *names, size_t count, const struct dialect_options *options,
			 struct strbuf *report, struct dialect_set **set, struct fault *f)
{
	struct arena *arena = arena_create(ARENA_BLOCK);
	struct dialect_set *made = ARENA_NEW(arena, struct dialect_set);
	made->arena = arena;
	atomic_init(&made->holders, 1);
	made->dialects = ARENA_ARRAY(arena, count, struct dialect *);
	made->functions = functions(arena);
	made->keys = options ? options->keys : NULL;
	struct loader loader = {.set = made, .directory = arena_text(arena, directory), .options = options, .report = report};
	for (size_t i = 0; i < count; i++)
		load_one(&loader, names[i]);
	if (loader.errors == 0) {
		*set = made;
		return REASON_OK;
	}
	enum reason reason = loader.errors == 1 ? fault_set(f, loader.first.reason, "%s", loader.first.detail)
						: fault_set(f, loader.first.reason, "%.260s (and %zu more)", loader.first.detail,
							    loader.errors - 1);
	dialect_set_destroy(made);
	return reason;
}

void dialect_set_destroy(struct dialect_set *set)
{
	if (!set)
		return;
	for (struct named_list *l = set->lists; l; l = l->next)
		word_list_destroy(l->list);
	arena_destroy(set->arena);
}
