// SPDX-License-Identifier: Apache-2.0
// What a rule is made of: one const struct in a file of its own, and a row of rules.def.
#pragma once

#include "enrolld/rules/rules.h"

struct rule_kind {
	const char *name;
	const char *code; // of a violation, unless the dialect names another
	const char *text; // default sentence; {{value}} is the parameter, {{name}} one of several
	enum {
		ABOUT_ANYTHING,
		ABOUT_TEXT, // holds() sees texts only
		ABOUT_NUMBER,
		ABOUT_LIST,
		ABOUT_OBJECT,
	} about;         // what is of another type meets it, unless the entry is strict; the rule "type" is for that
	bool on_missing; // asked also if the value is missing
	bool presence;   // asked of blank texts where others are not
	bool whole;      // over several fields
	bool bare;       // may be written without parameters though it takes some
	// params: NULL if none are written, which only a bare rule meets. *data lives in the scope's arena. NULL: the rule takes no parameters.
	enum reason (*compile)(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f);
	bool (*holds)(const void *data, const struct rule_input *input);
	bool (*key)(const void *data, const struct rule_input *input, struct slice *text); // its normal form; NULL: it has none
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

// Indices of named fields.
struct rule_fields {
	size_t *indices;
	size_t count;
};
enum reason rule_field_list(const struct node *list, const struct rule_scope *scope, const void **data,
			    struct fault *f) ATTR_MUST_USE; // two or more, for rules over the whole
enum reason rule_fields_of(const struct node *list, const struct rule_scope *scope, size_t least, const void **data,
			   struct fault *f) ATTR_MUST_USE;
enum reason rule_other_field(const struct node *node, const struct rule_scope *scope, const char *what, size_t *index,
			     struct fault *f) ATTR_MUST_USE;
// Are both missing, or their values the same? Texts are compared after their normalisation.
bool rule_same(const struct rule_field *a, const struct rule_field *b) ATTR_MUST_USE;

// {value, unit} or a number.
struct rule_length {
	size_t value;
	enum { UNIT_POINTS, UNIT_BYTES, UNIT_UTF16, UNIT_GRAPHEMES } unit;
};
enum reason rule_length(const struct node *params, const struct rule_scope *scope, const char *what, const void **data,
			struct fault *f) ATTR_MUST_USE;
size_t rule_length_of(const struct rule_length *length, struct slice text) ATTR_MUST_USE;

// A list of texts, numbers, true and false; is the value one of them?
enum reason rule_choices(const struct node *params, const struct rule_scope *scope, const char *what,
			 struct fault *f) ATTR_MUST_USE;

// Forms of days: %Y, %m, %d (%-m, %-d: perhaps without a leading zero), and %* for whatever follows. absent: YYYY-MM-DD.
enum reason rule_day_form(const struct node *node, const struct rule_scope *scope, struct slice *form,
			  struct fault *f) ATTR_MUST_USE;
#define DAY_TEXT_SIZE 11
bool rule_day(struct slice text, struct slice form, char day[static DAY_TEXT_SIZE]) ATTR_MUST_USE; // to YYYY-MM-DD, if it is one

bool rule_chosen(const struct node *list, const struct rule_field *field) ATTR_MUST_USE;

// {table, column, row}
struct rule_lookup {
	const struct rules_index *index;
	struct slice row; // name under which what is found is kept; absent: it is not
};
enum reason rule_lookup(const struct node *params, const struct rule_scope *scope, const void **data,
			struct fault *f) ATTR_MUST_USE;
bool rule_note_row(const struct rule_lookup *lookup, const struct node *row, const struct rule_input *input); // is there one?

const void *rule_data(const struct rule *rule) ATTR_MUST_USE; // what its kind compiled

enum reason rule_numbering(const struct node *at, const struct rule_scope *scope, const struct numbering **numbering,
			   struct fault *f) ATTR_MUST_USE;
