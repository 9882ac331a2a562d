// SPDX-License-Identifier: Apache-2.0
// "rules": each compiled, with the words of its violation settled: the rule's text, else the dialect's for its code, else the rule's own.
#include <stdio.h>

#include "dialect/loader.h"

#define PARAMETERS_MAX 16

// {{value}} is the parameter; where it is a map, {{name}} is one of it.
static void collect_parameters(const struct node *params, struct template_value *values)
{
	size_t used = 0;
	bool map = node_is(params, NODE_MAP);
	size_t count = map ? node_count(params) : params ? 1 : 0;
	for (size_t i = 0; i < count && used < PARAMETERS_MAX; i++) {
		const struct node *value = map ? params->list.items[i] : params;
		const char *name = map ? params->list.keys[i].ptr : "value";
		if (value->type == NODE_INT)
			values[used++] = (struct template_value){.name = name, .kind = TEMPLATE_INT, .integer = value->integer};
		else if (value->type == NODE_TEXT)
			values[used++] = (struct template_value){.name = name, .kind = TEMPLATE_TEXT, .text = value->text};
	}
	values[used] = (struct template_value){0};
}

static struct slice settle_text(struct loader *loader, const struct rule *rule, const struct dialect *dialect)
{
	struct fault f;
	const struct template *t;
	struct template_value values[PARAMETERS_MAX + 1];
	const char *names[PARAMETERS_MAX];
	size_t count = 0;
	struct strbuf out = STRBUF_INIT(4096);
	struct slice code = rule_words(rule)->code;
	const struct text_row *row = text_find(&dialect->texts, code);
	struct slice source = rule_words(rule)->text ? node_text(rule_words(rule)->text) : row ? row->text : rule_default_text(rule);

	collect_parameters(rule_parameters(rule), values);
	while (values[count].name) {
		names[count] = values[count].name;
		count++;
	}
	char where[256];
	(void)snprintf(where, sizeof(where), "%s:%d: text of %s", loader->file, rule_words(rule)->line, rule_name(rule));
	if (template_compile_text(source, TEMPLATE_PLAIN, where, loader->set->arena, &t, &f) != REASON_OK ||
	    // A text of the dialect serves several rules, so that it may name what only some have.
	    ((!row || rule_words(rule)->text) && template_check_names(t, names, count, &f) != REASON_OK)) {
		loader_fault(loader, &f);
		return source;
	}
	template_render(t, values, &out);
	struct slice text = arena_copy(loader->set->arena, strbuf_slice(&out));
	strbuf_free(&out);
	return text;
}

static enum reason find_word_list(void *context, struct slice name, const struct word_list **list, struct fault *f)
{
	struct loader *loader = context;
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
	struct slice path = arena_printf(loader->set->arena, "%s/../wordlists/%.*s.txt", loader->directory, (int)name.len,
					 name.ptr);
	enum reason reason = word_list_load(path.ptr, &added->list, f);
	if (reason != REASON_OK)
		return reason;
	added->name = arena_copy(loader->set->arena, name).ptr;
	added->next = loader->set->lists;
	loader->set->lists = added;
	*list = added->list;
	return REASON_OK;
}

// Answers are rendered again from field and code, so these must lead to one text.
static void refuse_ambiguous(struct loader *loader, const struct check_list *checks)
{
	const struct check *last = &checks->items[checks->count - 1];
	for (size_t i = 0; i + 1 < checks->count; i++) {
		const struct check *other = &checks->items[i];
		if (slice_equal(other->at, last->at) && slice_equal(other->code, last->code) &&
		    !slice_equal(other->text, last->text)) {
			loader_error(
				loader, rule_words(last->rule)->line,
				"%s and %s both give the code \"%.*s\" here but other texts; give one of them another code, or both one text",
				rule_name(other->rule), rule_name(last->rule), (int)last->code.len, last->code.ptr);
			return;
		}
	}
}

void load_checks(struct loader *loader, const struct node *list, const struct dialect *dialect, const struct route *route,
		 const struct field *field, struct check_list *checks)
{
	struct rule_scope scope = {
		.file = loader->file,
		.fields = route->field_names,
		.field_count = route->field_count,
		.arena = loader->set->arena,
		.word_list = find_word_list,
		.context = loader,
	};
	if (!list)
		return;
	if (list->type != NODE_LIST) {
		loader_error(loader, list->line, "rules is a list; begin each rule with \"- \"");
		return;
	}
	checks->items = ARENA_ARRAY(loader->set->arena, node_count(list), struct check);
	for (size_t i = 0; i < node_count(list); i++) {
		struct fault f;
		struct check *check = &checks->items[checks->count];
		if (rule_compile(node_item(list, i), field == NULL, &scope, &check->rule, &f) != REASON_OK) {
			loader_fault(loader, &f);
			continue;
		}
		check->code = rule_words(check->rule)->code;
		check->at = !slice_is_absent(rule_words(check->rule)->at) ? rule_words(check->rule)->at : field ? field->from : SLICE_LIT("");
		check->text = settle_text(loader, check->rule, dialect);
		checks->count++;
		refuse_ambiguous(loader, checks);
	}
}
