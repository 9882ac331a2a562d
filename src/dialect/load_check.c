// SPDX-License-Identifier: Apache-2.0
// "rules": each compiled, with the words of its violation settled: the rule's text, else the dialect's for its code, else the rule's own.
#include <unistd.h>

#include "dialect/loader.h"

// The file beside the dialects, or in the data folder, if it is in neither: FILE_UNREADABLE, with what to do.
static enum reason find_data(const struct loader *loader, const char *name, const char **path, struct fault *f)
{
	struct arena *arena = loader->set->arena;
	const char *data_dir = loader->options ? loader->options->data_dir : NULL;
	*path = arena_printf(arena, "%s/../%s", loader->directory, name).ptr;
	if (access(*path, F_OK) == 0)
		return REASON_OK;
	const char *other = data_dir ? arena_printf(arena, "%s/%s", data_dir, name).ptr : NULL;
	if (other && access(other, F_OK) == 0) {
		*path = other;
		return REASON_OK;
	}
	return fault_set(f, REASON_FILE_UNREADABLE,
			 "%s is not there%s%s; data.directory (ENROLLD__DATA__DIRECTORY) names the folder that has it", *path,
			 other ? ", nor " : "", other ? other : "");
}

static enum reason find_word_list(struct loader *loader, struct slice name, const struct word_list **list, struct fault *f)
{
	for (const struct named_list *l = loader->set->lists; l; l = l->next)
		if (slice_equal_text(name, l->name)) {
			*list = l->list;
			return REASON_OK;
		}
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return fault_set(f, REASON_DIALECT_INVALID, "a name has a-z, 0-9, - and _, without folder and .txt");
	}
	struct named_list *added = ARENA_NEW(loader->set->arena, struct named_list);
	const char *path = NULL;
	enum reason reason = find_data(loader, arena_printf(loader->set->arena, "wordlists/%.*s.txt", (int)name.len, name.ptr).ptr,
				       &path, f);
	if (reason == REASON_OK)
		reason = word_list_load(path, &added->list, f);
	if (reason != REASON_OK)
		return reason;
	added->name = arena_copy(loader->set->arena, name).ptr;
	added->next = loader->set->lists;
	loader->set->lists = added;
	*list = added->list;
	return REASON_OK;
}

enum reason loader_numbering(struct loader *loader, const struct numbering **numbering, struct fault *f)
{
	if (!loader->set->numbering) {
		const char *path = NULL;
		enum reason reason = find_data(loader, "phones/numbering.tsv", &path, f);
		if (reason == REASON_OK)
			reason = numbering_load(path, loader->set->arena, &loader->set->numbering, f);
		if (reason != REASON_OK)
			return reason;
	}
	*numbering = loader->set->numbering;
	return REASON_OK;
}

// Where rules are compiled: the loader, and the dialect whose tables they name.
struct scene {
	struct loader *loader;
	const struct dialect *dialect;
};

static enum reason scene_word_list(void *context, struct slice name, const struct word_list **list, struct fault *f)
{
	const struct scene *scene = context;
	return find_word_list(scene->loader, name, list, f);
}

static const struct rules_table *scene_table(void *context, struct slice name)
{
	const struct scene *scene = context;
	return find_table(scene->dialect, name);
}

static enum reason scene_numbering(void *context, const struct numbering **numbering, struct fault *f)
{
	const struct scene *scene = context;
	return loader_numbering(scene->loader, numbering, f);
}

// The sentence as written: the rule's, or the dialect's for the code, or (NULL) the rule's own.
static const struct node *sentence_of(const struct dialect *dialect, const struct check *check)
{
	const struct text_row *row = text_find(&dialect->texts, check->code);
	const struct node *text = rule_words(check->rule)->text;
	return text ? text : row ? row->node : NULL;
}

static bool same_sentence(const struct dialect *dialect, const struct check *a, const struct check *b)
{
	const struct node *first = sentence_of(dialect, a), *second = sentence_of(dialect, b);
	if (first && second)
		return node_equal(first, second);
	struct slice first_text = first ? node_text(first) : rule_default_text(a->rule);
	struct slice second_text = second ? node_text(second) : rule_default_text(b->rule);
	return slice_equal(first_text, second_text);
}

// Answers are rendered again from field and code, so these must lead to one text.
static void refuse_ambiguous(struct loader *loader, const struct dialect *dialect, const struct check_list *checks)
{
	const struct check *last = &checks->items[checks->count - 1];
	for (size_t i = 0; i + 1 < checks->count; i++) {
		const struct check *other = &checks->items[i];
		const struct node *more = rule_words(other->rule)->data, *last_more = rule_words(last->rule)->data;
		bool alike = same_sentence(dialect, other, last) &&
			     (more && last_more ? node_equal(more, last_more) : more == last_more);
		if (slice_equal(other->at, last->at) && slice_equal(other->code, last->code) && !alike) {
			loader_error(
				loader, rule_words(last->rule)->line,
				"%s and %s both give the code \"%.*s\" here but other texts or data; give one of them another code, or both the same (\"as\" is the code that answers show)",
				rule_name(other->rule), rule_name(last->rule), (int)last->code.len, last->code.ptr);
			return;
		}
	}
}

static size_t find_stage(struct loader *loader, const struct route *route, struct slice name, int line)
{
	for (size_t i = 0; i < route->stage_count; i++)
		if (slice_equal(route->stages[i], name))
			return i;
	loader_error(loader, line, "there is no stage \"%.*s\" under stages", name.len > 64 ? 64 : (int)name.len, name.ptr);
	return 0;
}

static void settle_text(struct loader *loader, const struct dialect *dialect, struct check *check)
{
	const struct rule_words *words = rule_words(check->rule);
	const struct node *node = sentence_of(dialect, check);
	struct node own = {.type = NODE_TEXT, .line = words->line, .text = rule_default_text(check->rule)};
	load_words(loader, dialect, node ? node : &own, check->code, words->line, &check->text);
}

// Adds the entries of the list to the checks.
static void compile_list(struct loader *loader, const struct node *list, bool whole, const struct rule_scope *scope,
			 const struct dialect *dialect, const struct route *route, const struct field *field,
			 struct check_list *checks)
{
	size_t count;
	if (!list || !loader_list(loader, list, "rules", 64, &count))
		return;
	checks->items = ARENA_ARRAY(loader->set->arena, count, struct check);
	for (size_t i = 0; i < count; i++) {
		struct fault f;
		struct check *check = &checks->items[checks->count];
		const struct node *entry = load_parameters(loader, dialect, node_item(list, i));
		if (rule_compile(entry, whole, scope, &check->rule, &f) != REASON_OK) {
			loader_fault(loader, &f);
			continue;
		}
		const struct rule_words *words = rule_words(check->rule);
		check->code = words->code;
		check->as = slice_is_absent(words->as) ? words->code : words->as;
		check->at = !slice_is_absent(words->at) ? words->at : field ? field->from : SLICE_LIT("");
		check->stage = field ? field->stage : 0;
		if (!slice_is_absent(words->stage) && route)
			check->stage = find_stage(loader, route, words->stage, words->line);
		check->when = loader_condition(loader, words->when);
		settle_text(loader, dialect, check);
		checks->count++;
		refuse_ambiguous(loader, dialect, checks);
	}
}

void load_checks(struct loader *loader, const struct node *list, const struct dialect *dialect, const struct route *route,
		 const struct field *field, struct check_list *checks)
{
	struct scene scene = {loader, dialect};
	struct rule_scope scope = {
		.file = loader->file,
		.fields = route->field_names,
		.field_count = route->field_count,
		.arena = loader->set->arena,
		.word_list = scene_word_list,
		.table = scene_table,
		.numbering = scene_numbering,
		.context = &scene,
	};
	compile_list(loader, list, field == NULL, &scope, dialect, route, field, checks);
}

void load_root_checks(struct loader *loader, const struct node *list, const struct dialect *dialect, struct check_list *checks)
{
	struct scene scene = {loader, dialect};
	struct rule_scope scope = {
		.file = loader->file,
		.arena = loader->set->arena,
		.word_list = scene_word_list,
		.table = scene_table,
		.numbering = scene_numbering,
		.context = &scene,
	};
	*checks = (struct check_list){0};
	compile_list(loader, list, false, &scope, dialect, NULL, NULL, checks);
}
