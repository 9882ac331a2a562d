// SPDX-License-Identifier: Apache-2.0
// The rule vocabulary: normal forms and checks, pure over their inputs. A rule is one file in src/rules and one row of rules.def.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/doc/node.h"
#include "enrolld/model/registration.h"

// Normal forms. false: not of that kind at all. See the sources in each file (RFC 5321, 5322, 5890, 8265; ITU-T E.164).
// E-mail: dot-atom local part of at most 64 bytes, LDH domain labels (IDNA2008 nontransitional to A-labels), 254 bytes in all; key = lower-case
// local part + "@" + A-label domain.
bool rules_email(struct slice text, struct arena *arena, struct slice *key) ATTR_MUST_USE;
// "+" and 8 to 15 digits, the first not zero; spaces, dashes, dots and parentheses between digits are dropped.
bool rules_phone(struct slice text, struct arena *arena, struct slice *key) ATTR_MUST_USE;
// NFKC and case fold; letters, digits, marks, ". _ -" inside; no mixed scripts; 3 to 64 code points.
bool rules_username(struct slice text, struct arena *arena, struct slice *key) ATTR_MUST_USE;
// BCP 47 with normalised case ("en-GB").
bool rules_locale(struct slice text, struct arena *arena, struct slice *normal) ATTR_MUST_USE;
// A real day of the Gregorian calendar, YYYY-MM-DD, 1900 or later, not after today (UTC).
bool rules_date(struct slice text, int64_t now_ms) ATTR_MUST_USE;
size_t rules_code_points(struct slice utf8) ATTR_MUST_USE;

// Lists of words (common passwords), loaded once and read-only afterwards.
struct word_list;
enum reason word_list_load(const char *path, struct word_list **list, struct fault *f) ATTR_MUST_USE; // one a line, lower case; plain text
bool word_list_has(const struct word_list *list, struct slice word) ATTR_MUST_USE;
size_t word_list_size(const struct word_list *list) ATTR_MUST_USE;
void word_list_destroy(struct word_list *list);

// What a field's rules see.
struct rule_input {
	const struct node *value; // NULL if missing
	struct slice text;        // the text after the field's normalisation, absent if it is not a text
	const struct registration *registration; // as far as it is mapped: identities and names are there before passwords are checked
	int64_t now_ms;
	struct arena *arena;
};

// A rule with its parameters, as the dialect file gives them.
struct rule;
// Compiles {"name": parameters}. DIALECT_INVALID with file:line for an unknown rule (with the nearest name) or bad parameters.
enum reason rule_compile(const struct node *spec, const char *file, struct arena *arena, const struct rule **rule, struct fault *f) ATTR_MUST_USE;
bool rule_holds(const struct rule *rule, const struct rule_input *input) ATTR_MUST_USE;
const char *rule_name(const struct rule *rule) ATTR_MUST_USE;
const char *rule_code(const struct rule *rule) ATTR_MUST_USE; // the code a violation carries unless the dialect names another
