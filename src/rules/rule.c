// SPDX-License-Identifier: Apache-2.0
// Rules as dialect files write them: finding, compiling, asking.
#include "rules/rule.h"

#include <stdarg.h>
#include <stdio.h>

#include "enrolld/doc/yaml.h"

static const struct rule_kind *const kinds[] = {
#define RULE(name) &rule_kind_##name,
#include "rules/rules.def"
#undef RULE
};

struct rule {
	const struct rule_kind *kind;
	const void *data;
	const struct node *params;
	struct rule_words words;
};

enum reason rule_fault(const struct rule_scope *scope, const struct node *node, struct fault *f, const char *fmt, ...)
{
	char what[FAULT_DETAIL_SIZE];
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s", scope->file, node ? node->line : 0, what);
}

static enum reason unknown_rule(const struct rule_scope *scope, const struct node *at, struct slice name, struct fault *f)
{
	const char *names[ARRAY_LEN(kinds)];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		names[i] = kinds[i]->name;
	const char *nearest = doc_nearest(name, names, ARRAY_LEN(names));
	int len = name.len > 64 ? 64 : (int)name.len;
	if (nearest)
		return rule_fault(scope, at, f, "unknown rule \"%.*s\"; did you mean \"%s\"?", len, name.ptr, nearest);
	return rule_fault(scope, at, f, "unknown rule \"%.*s\"; the rules are listed in schemas/dialects/README.md", len, name.ptr);
}

static const struct rule_kind *find_kind(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (slice_equal_text(name, kinds[i]->name))
			return kinds[i];
	return NULL;
}

static enum reason take_text(const struct rule_scope *scope, const struct node *node, const char *what, struct slice *text,
			     struct fault *f)
{
	if (!node_is(node, NODE_TEXT))
		return rule_fault(scope, node, f, "%s is a text, not %s", what, node_type_name(node->type));
	*text = node_text(node);
	return REASON_OK;
}

static enum reason take_bool(const struct rule_scope *scope, const struct node *node, const char *what, bool *value,
			     struct fault *f)
{
	if (!node_is(node, NODE_BOOL))
		return rule_fault(scope, node, f, "%s is true or false", what);
	*value = node->boolean;
	return REASON_OK;
}

// What may stand with any rule. *known: the key is one of these.
static enum reason take_word(const struct rule_scope *scope, struct slice key, const struct node *value, struct rule_words *words,
			     bool *known, struct fault *f)
{
	struct {
		const char *name;
		struct slice *text;
	} texts[] = {{"code", &words->code}, {"as", &words->as}, {"at", &words->at}, {"stage", &words->stage}};
	*known = true;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (slice_equal_text(key, texts[i].name))
			return take_text(scope, value, texts[i].name, texts[i].text, f);
	if (slice_equal_text(key, "stop"))
		return take_bool(scope, value, "stop", &words->stop, f);
	if (slice_equal_text(key, "strict"))
		return take_bool(scope, value, "strict", &words->strict, f);
	if (slice_equal_text(key, "text")) {
		words->text = value;
		if (value->type != NODE_TEXT && value->type != NODE_MAP)
			return rule_fault(scope, value, f, "text is a text, not %s", node_type_name(value->type));
		return REASON_OK;
	}
	if (slice_equal_text(key, "data")) {
		words->data = value;
		if (value->type != NODE_MAP)
			return rule_fault(scope, value, f, "data is a map: what answers may show with the violation");
		return REASON_OK;
	}
	if (slice_equal_text(key, "when")) {
		words->when = value;
		return REASON_OK;
	}
	*known = false;
	return REASON_OK;
}

// Sorts the members of an entry into the rule's own and the words around it.
static enum reason read_map(const struct node *spec, const struct rule_scope *scope, struct rule *rule, struct slice *name,
			    struct fault *f)
{
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < spec->list.count && reason == REASON_OK; i++) {
		struct slice key = spec->list.keys[i];
		const struct node *value = spec->list.items[i];
		bool known;
		reason = take_word(scope, key, value, &rule->words, &known, f);
		if (known)
			continue;
		if (slice_is_absent(*name)) {
			*name = key;
			bool none = value->type == NODE_NULL || (value->type == NODE_MAP && node_count(value) == 0);
			rule->params = none ? NULL : value;
			rule->words.line = spec->list.key_lines ? spec->list.key_lines[i] : value->line;
		} else {
			int len = key.len > 64 ? 64 : (int)key.len;
			return rule_fault(
				scope, value, f,
				"\"%.*s\" besides the rule \"%.*s\": one rule an entry, and with it code, as, text, at, data, stop, strict, stage, when; begin another with \"- \"",
				len, key.ptr, name->len > 64 ? 64 : (int)name->len, name->ptr);
		}
	}
	if (reason == REASON_OK && slice_is_absent(*name))
		return rule_fault(scope, spec, f, "an entry without a rule");
	return reason;
}

enum reason rule_compile(const struct node *spec, bool whole, const struct rule_scope *scope, const struct rule **rule,
			 struct fault *f)
{
	struct rule made = {.words.line = spec->line};
	struct slice name = node_text(spec);
	if (node_is(spec, NODE_MAP)) {
		enum reason reason = read_map(spec, scope, &made, &name, f);
		if (reason != REASON_OK)
			return reason;
	} else if (slice_is_absent(name)) {
		return rule_fault(scope, spec, f, "a rule is a name, or a map of a name and its parameter");
	}
	made.kind = find_kind(name);
	if (!made.kind)
		return unknown_rule(scope, spec, name, f);
	if (made.kind->whole != whole)
		return rule_fault(scope, spec, f,
				  whole ? "\"%s\" is a rule for one field: put it under that field's rules"
					: "\"%s\" is a rule over several fields: put it under the route's rules",
				  made.kind->name);
	if (!made.kind->compile && made.params)
		return rule_fault(scope, made.params, f, "\"%s\" takes no parameter: write \"- %s\"", made.kind->name,
				  made.kind->name);
	if (made.kind->compile && !made.params && !made.kind->bare)
		return rule_fault(scope, spec, f, "\"%s\" needs a parameter: write \"- %s: ...\"", made.kind->name,
				  made.kind->name);
	if (made.kind->compile) {
		enum reason reason = made.kind->compile(made.params, scope, &made.data, f);
		if (reason != REASON_OK)
			return reason;
	}
	if (slice_is_absent(made.words.code))
		made.words.code = slice_of(made.kind->code);
	struct rule *kept = ARENA_NEW(scope->arena, struct rule);
	*kept = made;
	*rule = kept;
	return REASON_OK;
}

// Is the value what the rule is about?
static bool concerns(const struct rule_kind *kind, const struct rule_field *field)
{
	switch (kind->about) {
	case ABOUT_TEXT: return !slice_is_absent(field->text);
	case ABOUT_NUMBER: return node_is(field->value, NODE_INT) || node_is(field->value, NODE_REAL);
	case ABOUT_LIST: return node_is(field->value, NODE_LIST);
	case ABOUT_OBJECT: return node_is(field->value, NODE_MAP);
	case ABOUT_ANYTHING: break;
	}
	return true;
}

bool rule_holds(const struct rule *rule, const struct rule_input *input)
{
	const struct rule_kind *kind = rule->kind;
	if (!kind->whole) {
		if (!input->field->value && !kind->on_missing)
			return !rule->words.strict;
		if (!concerns(kind, input->field) && input->field->value)
			return !rule->words.strict;
	}
	return kind->holds(rule->data, input);
}

const char *rule_name(const struct rule *rule)
{
	return rule->kind->name;
}

const struct rule_words *rule_words(const struct rule *rule)
{
	return &rule->words;
}

struct slice rule_default_text(const struct rule *rule)
{
	return slice_of(rule->kind->text);
}

const struct node *rule_parameters(const struct rule *rule)
{
	return rule->params;
}

bool rule_about_presence(const struct rule *rule)
{
	return rule->kind->presence;
}

const void *rule_data(const struct rule *rule)
{
	return rule->data;
}

bool rule_key(const struct rule *rule, const struct rule_input *input, struct slice *key)
{
	return rule->kind->key && rule->kind->key(rule->data, input, key);
}

const struct rule_unique *rule_unique(const struct rule *rule)
{
	return rule->kind == &rule_kind_unique ? rule->data : NULL;
}

bool rule_row(size_t index, struct rule_row *row)
{
	if (index >= ARRAY_LEN(kinds))
		return false;
	*row = (struct rule_row){kinds[index]->name, kinds[index]->code, kinds[index]->text, kinds[index]->whole};
	return true;
}
