// SPDX-License-Identifier: Apache-2.0
// The rule vocabulary: normal forms and checks, pure over their inputs. A rule is one file in src/rules and one row of rules.def.
// All functions are safe to call from several threads; compiled rules and word lists are read-only.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/doc/node.h"
#include "enrolld/model/registration.h"

// Normal forms. false: not of that kind at all. The sources are named in each file.
// E-mail: dot-atom local part of at most 64 bytes, at least two LDH domain labels (IDNA2008 nontransitional to A-labels), 254 bytes in all;
// key = lower-case local part + "@" + lower-case A-label domain.
bool rules_email(struct slice text, struct arena *arena, struct slice *key) ATTR_MUST_USE;
// "+" and 8 to 15 digits, the first not zero; spaces, dashes, dots, slashes and parentheses between digits are dropped.
bool rules_phone(struct slice text, struct arena *arena, struct slice *key) ATTR_MUST_USE;
// NFKC and case fold; letters, decimal digits, marks, ". _ -" inside; no mixed scripts; 3 to 64 code points.
bool rules_username(struct slice text, struct arena *arena, struct slice *key) ATTR_MUST_USE;
// BCP 47 with normalised case ("en-GB"), at most 35 bytes.
bool rules_locale(struct slice text, struct arena *arena, struct slice *normal) ATTR_MUST_USE;
// A real day of the Gregorian calendar, YYYY-MM-DD, 1900 or later, not after today (UTC).
bool rules_date(struct slice text, int64_t now_ms) ATTR_MUST_USE;
size_t rules_code_points(struct slice utf8) ATTR_MUST_USE;

// Lists of words (common passwords), loaded once and read-only afterwards. A word is folded (NFKC, case) when loaded and when looked up.
struct word_list;
#define WORD_SIZE_MAX 256
// A UTF-8 text file of at most 32 MiB, one word a line, none over WORD_SIZE_MAX bytes. FILE_UNREADABLE, or DIALECT_INVALID with file:line.
enum reason word_list_load(const char *path, struct word_list **list, struct fault *f) ATTR_MUST_USE;
bool word_list_has(const struct word_list *list, struct slice word) ATTR_MUST_USE;
size_t word_list_size(const struct word_list *list) ATTR_MUST_USE;
void word_list_destroy(struct word_list *list); // NULL is fine

// A field of the request. Missing: value is NULL.
struct rule_field {
	struct slice name;        // as in the dialect file
	const struct node *value; // as sent
	struct slice text;        // its text after the field's normalisation; absent if it is not a text
};

// What rules see.
struct rule_input {
	const struct rule_field *field;  // the one a rule stands under; NULL for rules over the whole
	const struct rule_field *fields; // all of the route
	size_t field_count;
	const struct registration
		*registration; // as far as it is mapped: identities and names are there before secrets are checked
	int64_t now_ms;
	struct arena *arena;
};

// Where rules are compiled for.
struct rule_scope {
	const char *file;           // for errors
	const struct slice *fields; // names that rules over the whole may use
	size_t field_count;
	struct arena *arena; // the rules live as long as this
	// Finds a word list by its name, which stays the caller's. NULL: there are none.
	enum reason (*word_list)(void *context, struct slice name, const struct word_list **list, struct fault *f);
	void *context;
};

// A rule with its parameters, as the dialect file gives them.
struct rule;
// Compiles "name", {name: parameters} or {name: parameters, code: ..., text: ..., at: ..., stop: ...}. whole: among the rules over several fields.
// DIALECT_INVALID with file:line for an unknown rule (with the nearest name), bad parameters, or a rule in the wrong place.
enum reason rule_compile(const struct node *spec, bool whole, const struct rule_scope *scope, const struct rule **rule,
			 struct fault *f) ATTR_MUST_USE;
// Does it hold? A rule on a missing value holds, unless it is about presence.
bool rule_holds(const struct rule *rule, const struct rule_input *input) ATTR_MUST_USE;
const char *rule_name(const struct rule *rule) ATTR_MUST_USE;
struct slice rule_code(const struct rule *rule) ATTR_MUST_USE; // as written, or the rule's own
struct slice rule_text(const struct rule *rule)
	ATTR_MUST_USE; // as written; absent: the dialect's text for the code, or the rule's own
struct slice rule_default_text(const struct rule *rule) ATTR_MUST_USE;
struct slice rule_at(const struct rule *rule) ATTR_MUST_USE; // pointer that a violation carries; absent: the field's, or ""
bool rule_stops(const struct rule *rule) ATTR_MUST_USE;      // where it fails, the field's further rules are not asked
const struct node *rule_parameters(const struct rule *rule) ATTR_MUST_USE; // NULL if it takes none
int rule_line(const struct rule *rule) ATTR_MUST_USE;

// The vocabulary, for references and editors: name, code and sentence of the rule at index, false past the end.
struct rule_row {
	const char *name, *code, *text;
	bool whole;
};
bool rule_row(size_t index, struct rule_row *row) ATTR_MUST_USE;

// The text without white space at its ends (Unicode's White_Space).
struct slice rules_trim(struct slice utf8) ATTR_MUST_USE;

// Adds one line for each library this module is built on: its name and the version that is loaded.
void rules_libraries(struct strbuf *out);
