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
// A day of the calendar whatever its time, from 0001-01-01 to 9999-12-31; days compare as their texts.
bool rules_day(struct slice text) ATTR_MUST_USE;
size_t rules_code_points(struct slice utf8) ATTR_MUST_USE;
size_t rules_graphemes(struct slice utf8) ATTR_MUST_USE; // what people take for characters (Unicode's extended grapheme clusters)

// What a library takes for an e-mail address. The sources are named in email_syntax.c.
enum email_syntax { EMAIL_OURS, EMAIL_DJANGO, EMAIL_LARAVEL, EMAIL_VALIDATOR_JS, EMAIL_HTML5 };
bool rules_email_syntax(struct slice text, enum email_syntax syntax, struct arena *arena) ATTR_MUST_USE;

// Which spellings of an identity are the same.
enum key_form { KEY_EMAIL, KEY_PHONE, KEY_USERNAME, KEY_EXACT, KEY_FOLDED, KEY_DOMAIN, KEY_FORM_COUNT };
const char *key_form_name(enum key_form form) ATTR_MUST_USE; // "email", "phone", "username", "exact", "folded", "domain"
// The text by which it is unique. A text that is not of the form (an odd address where a frontend takes it) counts case-folded.
struct slice rules_key(struct slice text, enum key_form form, struct arena *arena) ATTR_MUST_USE;

// The stem of a slug: NFKD, ASCII only, lower case; letters, digits, "_" and "-" stay; runs of white space and "-" are one "-"; neither "-" nor "_" at the
// ends; at most max code points. Django's slugify (4.0), as django-autoslug (1.9.9) cuts it. empty if nothing is left.
struct slice rules_slug(struct slice text, struct slice empty, size_t max, struct arena *arena) ATTR_MUST_USE;

// Steps from text to text by name: "trim", "lower", "upper", "ucfirst", "ucwords", "digits", "collapse", "nfc", "nfkc", "domain_lower".
// Texts that are not UTF-8 pass unchanged.
struct rules_step {
	const char *name; // NULL ends the list
	void (*apply)(struct slice text, struct strbuf *out);
};
extern const struct rules_step rules_steps[];

// Numbering plans of all countries, read from schemas/phones/numbering.tsv. Read-only once loaded.
struct numbering;
// FILE_UNREADABLE, or DIALECT_INVALID with file:line. Lives in the arena.
enum reason numbering_load(const char *path, struct arena *arena, const struct numbering **numbering, struct fault *f);
// A number in international form, written as people do, that its country has: E.164 and the region (ISO 3166, "001" where it is none's).
bool numbering_read(const struct numbering *numbering, struct slice text, struct arena *arena, struct slice *e164,
		    struct slice *region);

// Tables of a dialect: only rows that are active.
struct rules_table {
	struct slice name;
	const struct slice *columns;
	size_t column_count;
	const struct node *const *rows; // maps of the columns
	size_t row_count;
};
// Rows by the text of one column.
struct rules_index;
const struct rules_index *rules_index_create(const struct rules_table *table, struct slice column, struct arena *arena);
const struct node *rules_index_find(const struct rules_index *index, struct slice text) ATTR_MUST_USE; // NULL: none
const struct node *rules_index_prefix(const struct rules_index *index,
				      struct slice text) ATTR_MUST_USE; // the longest that text begins with

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

// What a rule found besides its verdict.
struct rule_notes {
	const struct rule_field *like; // the field that this one is too like
	struct slice row_name;         // absent: none
	const struct node *row;        // of a table
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
	struct rule_notes *notes; // NULL: not wanted
};

// Where rules are compiled for.
struct rule_scope {
	const char *file;           // for errors
	const struct slice *fields; // names that rules over the whole may use
	size_t field_count;
	struct arena *arena; // the rules live as long as this
	// Finds a word list by its name, which stays the caller's. NULL: there are none.
	enum reason (*word_list)(void *context, struct slice name, const struct word_list **list, struct fault *f);
	// A table of the dialect by its name; NULL if there is none.
	const struct rules_table *(*table)(void *context, struct slice name);
	enum reason (*numbering)(void *context, const struct numbering **numbering, struct fault *f);
	void *context;
};

// A rule with its parameters, as the dialect file gives them.
struct rule;
// What stands with a rule in its entry.
struct rule_words {
	struct slice code;       // as written, or the rule's own
	struct slice as;         // the frontend's code; absent: code
	struct slice at;         // pointer that a violation carries; absent: the field's, or ""
	struct slice stage;      // absent: the field's, or the first
	const struct node *text; // as written: a text or its plural forms; NULL: the dialect's text for the code, or the rule's own
	const struct node *when; // conditions; NULL: none
	const struct node *data; // a map that answers may show with the violation; NULL: none
	bool stop;               // where it fails, the field's further rules are not asked
	bool strict;             // it fails for a missing value, and for one that is not of the type it is about
	int line;
};

// Compiles "name", {name: parameters} or {name: parameters, code: ..., text: ..., ...}. whole: among the rules over several fields.
// DIALECT_INVALID with file:line for an unknown rule (with the nearest name), bad parameters, or a rule in the wrong place.
enum reason rule_compile(const struct node *spec, bool whole, const struct rule_scope *scope, const struct rule **rule,
			 struct fault *f) ATTR_MUST_USE;
// Does it hold? A rule on a missing value holds, unless it is about presence or strict.
bool rule_holds(const struct rule *rule, const struct rule_input *input) ATTR_MUST_USE;
const char *rule_name(const struct rule *rule) ATTR_MUST_USE;
const struct rule_words *rule_words(const struct rule *rule) ATTR_MUST_USE;
struct slice rule_default_text(const struct rule *rule) ATTR_MUST_USE;
const struct node *rule_parameters(const struct rule *rule) ATTR_MUST_USE; // NULL if it takes none
bool rule_about_presence(const struct rule *rule) ATTR_MUST_USE;           // asked of blank texts where the others are not

// The normal form of a value that met the rule, such as a number's E.164. false: the rule has none.
bool rule_key(const struct rule *rule, const struct rule_input *input, struct slice *key) ATTR_MUST_USE;

// Of the rule "unique": which spellings are the same (as_given: said by the dialect), and the space; absent: by the field.
struct rule_unique {
	enum key_form as;
	bool as_given;
	struct slice in;
};
const struct rule_unique *rule_unique(const struct rule *rule) ATTR_MUST_USE; // NULL for other rules

// What JSON Schema can say of a rule: bounds that every value which meets the rule keeps.
struct rule_shape {
	unsigned types; // a bit for each enum node_type that it lets pass
#define RULE_ANY_TYPE 0x7fu
	bool required, never;          // the value must be there; must not be there
	size_t min_length, max_length; // of texts, in code points
	size_t min_items, max_items;
	const struct node *minimum, *maximum; // of numbers; NULL: none
	const struct node *choices;           // NULL: any value
	const struct node *any_of;            // names of fields of which one must be there; NULL: none
	struct slice pattern;                 // absent: none
};
// true: that is all there is to the rule, as far as it is asked of values as they were sent.
bool rule_shape(const struct rule *rule, struct rule_shape *shape) ATTR_MUST_USE;

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
