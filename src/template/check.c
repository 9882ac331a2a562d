// SPDX-License-Identifier: Apache-2.0
// Are all names that a template uses known? Does it use a certain one?
#include "enrolld/doc/yaml.h"
#include "template/template_private.h"

static bool covers(const char *known, struct slice name)
{
	size_t len = strlen(known);
	if (len > 2 && strcmp(known + len - 2, ".*") == 0)
		return name.len >= len && memcmp(name.ptr, known, len - 1) == 0;
	return slice_equal_text(name, known);
}

static enum reason check_place(const struct name_list *list, const struct place *place, struct fault *f)
{
	if (!slice_is_absent(list->sought)) {
		*list->mentioned = *list->mentioned || slice_equal(place->name, list->sought);
		return REASON_OK;
	}
	for (size_t i = 0; i < list->count; i++)
		if (covers(list->names[i], place->name))
			return REASON_OK;
	for (size_t i = 0; i < list->count; i++)
		if (list->names[i][0] == '!' && slice_equal_text(place->name, list->names[i] + 1))
			return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: \"%.*s\" is a secret, or holds one, and is never shown",
					 list->where, place->line, (int)place->name.len, place->name.ptr);
	const char *nearest = doc_nearest(place->name, list->names, list->count);
	if (nearest && nearest[0] == '!')
		nearest = NULL;
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: there is no value \"%.*s\" here%s%s%s", list->where, place->line,
			 (int)place->name.len, place->name.ptr, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			 nearest ? "\"?" : "");
}

static enum reason check_program(const struct name_list *list, const struct program *program, struct fault *f)
{
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < program->count && reason == REASON_OK; i++)
		if (program->steps[i].kind != STEP_LITERAL)
			reason = check_place(list, &program->steps[i].place, f);
	return reason;
}

static enum reason check_plural(const struct name_list *list, const struct plural *plural, struct fault *f)
{
	enum reason reason = check_place(list, &plural->by, f);
	for (size_t i = 0; i < plural->count && reason == REASON_OK; i++)
		reason = check_program(list, &plural->forms[i].text, f);
	return reason;
}

enum reason check_condition(const struct name_list *list, const struct template_condition *condition, struct fault *f)
{
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < condition->count && reason == REASON_OK; i++)
		reason = check_place(list, &condition->tests[i].place, f);
	if (reason == REASON_OK && condition->except)
		reason = check_condition(list, condition->except, f);
	return reason;
}

static enum reason check_selection(const struct name_list *list, const struct selection *s, struct fault *f)
{
	const struct amount *amounts[] = {&s->skip, &s->take, &s->page};
	enum reason reason = s->when ? check_condition(list, s->when, f) : REASON_OK;
	for (size_t i = 0; i < ARRAY_LEN(amounts) && reason == REASON_OK; i++)
		if (amounts[i]->by_value)
			reason = check_place(list, &amounts[i]->place, f);
	return reason;
}

static enum reason check_json(const struct name_list *list, const struct json_template *json, struct fault *f)
{
	enum reason reason = check_selection(list, &json->selection, f);
	if (reason != REASON_OK)
		return reason;
	switch (json->kind) {
	case JSON_VALUE:
	case JSON_EACH: reason = check_place(list, &json->place, f); break;
	case JSON_TREE:
	case JSON_GROUP:
		reason = check_place(list, &json->place, f);
		if (reason == REASON_OK)
			reason = check_program(list, &json->text, f);
		break;
	case JSON_TEXT: reason = check_program(list, &json->text, f); break;
	case JSON_PLURAL: reason = check_plural(list, &json->plural, f); break;
	case JSON_IF: reason = check_condition(list, json->condition, f); break;
	case JSON_FIXED:
	case JSON_LIST:
	case JSON_MERGE:
	case JSON_CONCAT:
	case JSON_MAP: break;
	}
	for (size_t i = 0; i < json->count && reason == REASON_OK; i++)
		if (json->items[i])
			reason = check_json(list, json->items[i], f);
	return reason;
}

static enum reason check_template(const struct name_list *list, const struct template *t, struct fault *f)
{
	if (t->json)
		return check_json(list, t->json, f);
	return t->plural ? check_plural(list, t->plural, f) : check_program(list, &t->text, f);
}

enum reason template_check_names(const struct template *t, const char *const *names, size_t count, struct fault *f)
{
	const struct name_list list = {.where = t->where, .names = names, .count = count};
	return check_template(&list, t, f);
}

bool template_mentions(const struct template *t, struct slice name)
{
	struct fault f;
	bool mentioned = false;
	const struct name_list list = {.where = t->where, .sought = name, .mentioned = &mentioned};
	(void)check_template(&list, t, &f);
	return mentioned;
}

enum reason template_check_condition(const struct template_condition *condition, const char *const *names, size_t count,
				     struct fault *f)
{
	const struct name_list list = {.where = condition->file, .names = names, .count = count};
	return check_condition(&list, condition, f);
}
