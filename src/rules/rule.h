// SPDX-License-Identifier: Apache-2.0
// What a rule is made of: one const struct in a file of its own, and a row of rules.def.
#pragma once

#include "enrolld/rules/rules.h"

struct rule_kind {
	const char *name;
	const char *code; // of a violation, unless the dialect names another
	const char *text; // default sentence; {{value}} is the parameter, {{name}} one of several
	bool on_missing;  // asked also if the value is missing
	bool whole;       // over several fields
	bool bare;        // may be written without parameters though it takes some
	// params: NULL if none are written, which only a bare rule meets. *data lives in the scope's arena. NULL: the rule takes no parameters.
	enum reason (*compile)(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f);
	bool (*holds)(const void *data, const struct rule_input *input); // of a text rule: input->field->text is a text
	bool text_only; // holds for whatever is not a text; the rule "type" is for that
};

#define RULE(name) extern const struct rule_kind rule_kind_##name;
#include "rules/rules.def"
#undef RULE

// DIALECT_INVALID with "file:line: ..."; line of the node, which may be NULL.
enum reason rule_fault(const struct rule_scope *scope, const struct node *node, struct fault *f, const char *fmt, ...)
	ATTR_PRINTF(4, 5);

// A whole number of the range.
enum reason rule_number(const struct node *node, const struct rule_scope *scope, const char *what, int64_t min, int64_t max,
			size_t *number, struct fault *f) ATTR_MUST_USE;
// One of count words; *index says which.
enum reason rule_word(const struct node *node, const struct rule_scope *scope, const char *what, const char *const *words,
		      size_t count, size_t *index, struct fault *f) ATTR_MUST_USE;
// Refuses members of the map that are none of the words. NULL and null are fine.
enum reason rule_members(const struct node *map, const struct rule_scope *scope, const char *const *words, size_t count,
			 struct fault *f) ATTR_MUST_USE;

// Indices of named fields, for rules over the whole.
struct rule_fields {
	size_t *indices;
	size_t count;
};
enum reason rule_field_list(const struct node *list, const struct rule_scope *scope, const void **data,
			    struct fault *f) ATTR_MUST_USE;
