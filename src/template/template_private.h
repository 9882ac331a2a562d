// SPDX-License-Identifier: Apache-2.0
// Compiled templates: text is a flat program, JSON a tree, a sentence a choice of texts.
#pragma once

#include "enrolld/template/template.h"

#define FUNCTIONS_MAX 4 // of one place

// A value to another one; texts it makes go to scratch.
struct function {
	const char *name;
	bool (*apply)(const struct template_value *in, struct strbuf *scratch,
		      struct template_value *out);           // false: not for this kind
	void (*text)(struct slice text, struct strbuf *out); // of the caller's list
	// As apply, of those that are written with an argument: "time:%Y".
	bool (*with)(const struct template_value *in, struct slice argument, struct strbuf *scratch, struct template_value *out);
	struct slice argument;
};

// A name, and the functions its value passes through.
struct place {
	struct slice name;
	struct function functions[FUNCTIONS_MAX];
	size_t function_count;
	int line;
};

enum step_kind {
	STEP_LITERAL, // text
	STEP_PLACE,   // place, escape
	STEP_SECTION, // place: what follows up to end, per item or if present
	STEP_ABSENT,  // place: what follows up to end if not present
};

struct step {
	enum step_kind kind;
	struct slice text; // literal
	struct place place;
	enum template_escape escape;
	size_t end; // index behind a section's last step
};

struct program {
	struct step *steps;
	size_t count;
};

// One of several forms by a number.
struct plural_form {
	struct slice key; // "=0", "one", ...
	struct program text;
};

struct plural {
	struct place by;
	struct plural_form *forms;
	size_t count;
};

struct test {
	struct place place;
	bool wants, exists;        // present or missing; or
	bool has;                  // a list with commas in which is
	const struct slice *texts; // one of these
	size_t text_count;
};

struct template_condition {
	struct test *tests;
	size_t count;
	const struct template_condition *except; // NULL: none
	const char *file;
};

enum json_kind {
	JSON_FIXED,
	JSON_VALUE,
	JSON_TEXT,
	JSON_LIST,
	JSON_MAP,
	JSON_EACH,
	JSON_GROUP,
	JSON_TREE,
	JSON_IF,
	JSON_PLURAL,
	JSON_MERGE,
	JSON_CONCAT,
};

// A number, or the value that is one.
struct amount {
	bool given, by_value;
	int64_t number;
	struct place place;
};

// Which items of a list are taken.
struct selection {
	const struct template_condition *when; // NULL: all
	struct amount skip, take, page;        // page: as many times "take", from 1
};

struct json_template {
	enum json_kind kind;
	const struct node *fixed;                   // FIXED
	struct place place;                         // VALUE, EACH, GROUP, TREE
	bool optional;                              // VALUE: left out when missing
	bool single;                                // GROUP, TREE: the first alone, not a list
	struct program text;                        // TEXT; GROUP, TREE: the key
	bool has_key;                               // TREE: text is used, else the value "field"
	struct selection selection;                 // EACH, GROUP, TREE
	struct plural plural;                       // PLURAL
	const struct template_condition *condition; // IF
	struct json_template *
		*items; // LIST, MAP, MERGE, CONCAT; EACH, GROUP and TREE have one; IF two, of which the second may be NULL
	const struct slice *keys; // MAP
	size_t count;
};

struct template
{
	const char *where;
	struct program text;
	struct plural *plural;      // a sentence with forms
	struct json_template *json; // NULL: a text
};

// Values in sight, innermost first.
struct sight {
	const struct template_value *values;
	const struct sight *outer;          // NULL: the outermost, which knows the scope
	const struct template_scope *scope; // of the whole rendering
};

// false if missing; a TEXT that is absent is missing.
bool sight_find(const struct sight *sight, struct slice name, struct template_value *value);
// The value of a place, through its functions. What it points to may be in scratch, two buffers of the caller's.
bool place_find(const struct place *place, const struct sight *sight, struct strbuf scratch[static 2],
		struct template_value *value);
void scratch_start(struct strbuf scratch[static 2]);
void scratch_end(struct strbuf scratch[static 2]);
bool value_stands(bool found, const struct template_value *value); // present, not false, not null, not an empty list
void value_write(const struct template_value *value, enum template_escape escape, struct strbuf *out);
void text_escape(struct slice text, enum template_escape escape, struct strbuf *out);

enum reason program_compile(struct slice source, enum template_escape escape, const struct template_origin *origin,
			    struct program *program, struct fault *f);
void program_render(const struct program *program, const struct sight *sight, struct strbuf *out);
bool name_valid(struct slice name);
struct slice name_trim(struct slice name);
// "name|function|function", without braces. *escape: set if |url or |plain ends it; NULL: these are functions or not allowed.
enum reason place_compile(struct slice source, const struct template_origin *origin, enum template_escape *escape,
			  struct place *place, struct fault *f);

// function.c
bool function_find(struct slice name, const struct template_function *more, struct function *function);
void function_names(const struct template_function *more, const char **names, size_t max, size_t *count);
// function_with.c: false if there is none of that name; *fits: it takes the argument.
bool function_with_find(struct slice name, struct slice argument, struct function *function, bool *fits);
const char *function_with_form(size_t index, const char **name); // how it is written; NULL past the end

// plural.c
enum reason plural_compile(const struct node *map, const char *by_key, const struct template_origin *origin, struct plural *plural,
			   struct fault *f);
const struct program *plural_choose(const struct plural *plural, const struct sight *sight); // NULL: no form fits

// json.c, write_json.c
enum reason json_compile(const struct node *tree, const struct template_origin *origin, struct json_template **t, struct fault *f);
void json_template_write(const struct json_template *t, const struct sight *sight, struct strbuf *out);
struct json_writer;
void json_template_part(struct json_writer *w, const struct json_template *t, const struct sight *sight);
bool json_template_left_out(const struct json_template *t, const struct sight *sight);

// select.c: {$each, $group, $tree} with $when, $skip, $take, $page.
enum reason selection_compile(const struct node *map, const struct template_origin *origin, struct selection *selection,
			      struct fault *f);
// At most max of the list's items; how many.
size_t selection_take(const struct json_template *t, const struct sight *sight, const struct template_value **items, size_t max);

// join.c: $merge and $concat.
void join_write(struct json_writer *w, const struct json_template *t, const struct sight *sight);

// condition.c
struct slice list_entry(struct slice *rest); // of a text with commas, without white space at its ends; what follows stays in rest
bool condition_holds(const struct template_condition *condition, const struct sight *sight);

// check.c
struct name_list {
	const char *where;
	const char *const *names;
	size_t count;
	struct slice sought; // absent: it is asked whether all names are known; else whether this one is there
	bool *mentioned;
};
enum reason check_condition(const struct name_list *list, const struct template_condition *condition, struct fault *f);
