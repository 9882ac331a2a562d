// SPDX-License-Identifier: Apache-2.0
// "warnings": what a deployment should know of its dialect's settings as they are.
#include "dialect/loader.h"

#define WARNINGS_MAX 16

static bool find_setting(void *context, struct slice name, struct template_value *value)
{
	const struct dialect *dialect = context;
	struct slice rest;
	for (size_t i = 0; name_after(name, "setting.", &rest) && i < dialect->setting_count; i++)
		if (slice_equal(dialect->settings[i].name, rest)) {
			*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = dialect->settings[i].value};
			return true;
		}
	return false;
}

static void check_settings(struct loader *loader, const struct dialect *dialect, const struct template_condition *when)
{
	const char **names = ARENA_ARRAY(loader->set->arena, dialect->setting_count, const char *);
	struct fault f;
	for (size_t i = 0; i < dialect->setting_count; i++)
		names[i] = arena_printf(loader->set->arena, "setting.%.*s", (int)dialect->settings[i].name.len,
					dialect->settings[i].name.ptr)
				   .ptr;
	if (template_check_condition(when, names, dialect->setting_count, &f) != REASON_OK)
		loader_fault(loader, &f);
}

static void load_warning(struct loader *loader, const struct node *node, struct dialect *dialect)
{
	static const char *const keys[] = {"when", "text", "remedy"};
	struct slice text = SLICE_ABSENT, remedy = SLICE_ABSENT;
	const struct template_scope scope = {.find = find_setting, .context = dialect};
	if (!loader_keys(loader, node, "a warning", keys, ARRAY_LEN(keys)))
		return;
	const struct template_condition *when = loader_condition(loader, node_member(node, "when"));
	(void)loader_text(loader, node_member(node, "text"), "text", &text);
	(void)loader_text(loader, node_member(node, "remedy"), "remedy", &remedy);
	if (!when || text.len == 0 || remedy.len == 0) {
		loader_error(loader, node->line, "a warning says when it holds, a text and a remedy");
		return;
	}
	check_settings(loader, dialect, when);
	if (template_condition_holds(when, &scope))
		dialect->warnings[dialect->warning_count++] = (struct dialect_warning){arena_copy(loader->set->arena, text).ptr,
										       arena_copy(loader->set->arena, remedy).ptr};
}

void load_warnings(struct loader *loader, const struct node *list, struct dialect *dialect)
{
	size_t count = 0;
	if (!loader_list(loader, list, "warnings", WARNINGS_MAX, &count) || count == 0)
		return;
	dialect->warnings = ARENA_ARRAY(loader->set->arena, count, struct dialect_warning);
	for (size_t i = 0; i < count; i++)
		load_warning(loader, node_item(list, i), dialect);
}

size_t dialect_warnings(const struct dialect_set *set, const char *name, const struct dialect_warning **ret_warnings)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->dialects[i]->name, name) == 0) {
			*ret_warnings = set->dialects[i]->warnings;
			return set->dialects[i]->warning_count;
		}
	return 0;
}
