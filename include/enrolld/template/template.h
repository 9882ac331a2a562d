// SPDX-License-Identifier: Apache-2.0
// Logic-less templates over values with names: JSON by construction for answers, text and HTML for messages.
// Compiled once, then read-only and safe to share.
#pragma once

#include <stdbool.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/doc/node.h"

// Values a template may use, looked up by name ("account_id", "account.id"); inside a list, its item's values first, then those around it.
struct template_value {
	const char *name; // NULL ends a list
	enum {
		TEMPLATE_TEXT,
		TEMPLATE_INT,
		TEMPLATE_BOOL,
		TEMPLATE_NULL,
		TEMPLATE_JSON, // text: trusted, well-formed
		TEMPLATE_LIST,
		TEMPLATE_TIME, // integer: ms since 1970; RFC 3339 with milliseconds unless a function says otherwise
		TEMPLATE_NODE, // node: a parsed value; NULL as if the value were missing
	} kind;
	struct slice text;                         // TEXT (absent: as if the value were missing) and JSON
	int64_t integer;                           // INT, BOOL and TIME
	const struct template_value *const *items; // LIST: each a list of its own, ended by a NULL pointer
	const struct node *node;
};

// Where the values of one rendering come from.
struct template_scope {
	const struct template_value *values; // NULL: none
	// Asked for names that are not among them; false: missing. NULL: nobody is asked. What it gives lives as long as the rendering.
	bool (*find)(void *context, struct slice name, struct template_value *value);
	void *context;
	struct slice language; // for plural forms; absent: en
};

struct template;

enum template_escape {
	TEMPLATE_PLAIN,
	TEMPLATE_HTML, // & < > " ' as character references: safe as text and inside quoted attributes
	TEMPLATE_URL,  // all but RFC 3986's unreserved characters as %XX: safe as one part of a path or query
};

#define TEMPLATE_DEPTH_MAX 16 // sections and lists within one another

// A function from text to text that templates may use as {{name|function}}, besides the module's own.
struct template_function {
	const char *name; // NULL ends a list
	void (*apply)(struct slice text, struct strbuf *out);
};

// Where a template is compiled from. The tree or text it is made of must live as long as the template.
struct template_origin {
	const char *file; // for errors
	int line;
	struct arena *arena;
	const struct template_function *functions; // NULL: none but the module's own
};

// Text with {{name}} places; a missing value is empty. {{#name}}…{{/name}} repeats over a list, or stands if a value is present, not false and
// not an empty list; {{^name}}…{{/name}} stands otherwise. {{!a note}} is left out. {{name|url}} and {{name|plain}} escape otherwise than the whole;
// other functions (see function.c) come before these. What is written between the places is kept as it is.
// where: the file's name for errors (DIALECT_INVALID, "file:line: ...").
enum reason template_compile_text(struct slice source, enum template_escape escape, const char *where, struct arena *arena,
				  const struct template **t, struct fault *f) ATTR_MUST_USE;
// A YAML/JSON tree as a JSON template: a text that is exactly "{{name}}" becomes that value with its type (a missing one: null), "{{?name}}" leaves its
// member or item out when missing; other texts are filled as text. Maps with a key that begins with $ are lists, groups, choices (see json.c).
// Keys are kept as written.
enum reason template_compile_json(const struct node *tree, const char *file, struct arena *arena, const struct template **t,
				  struct fault *f) ATTR_MUST_USE;
enum reason template_compile_tree(const struct node *tree, const struct template_origin *origin, const struct template **t,
				  struct fault *f) ATTR_MUST_USE;
// A sentence: a text, or a map of plural forms {by: name of a number, "=0": ..., one: ..., other: ...}.
enum reason template_compile_sentence(const struct node *node, const struct template_origin *origin, const struct template **t,
				      struct fault *f) ATTR_MUST_USE;

// A text, all of whose values are escaped so.
enum reason template_compile_escaped(const struct node *text, enum template_escape escape, const struct template_origin *origin,
				     const struct template **t, struct fault *f) ATTR_MUST_USE;

// DIALECT_INVALID with file:line and the nearest name if the template uses a name that is none of these (items' names among them). A name that ends
// in ".*" stands for all that begin so, "!name" for one that must not be shown.
enum reason template_check_names(const struct template *t, const char *const *names, size_t count, struct fault *f) ATTR_MUST_USE;
bool template_mentions(const struct template *t, struct slice name) ATTR_MUST_USE; // does it use this name?

// Adds to out. A JSON template gives one well-formed value whatever the values are (texts that are not UTF-8 are mended), unless out overflows.
void template_render(const struct template *t, const struct template_value *values, struct strbuf *out);
void template_render_scope(const struct template *t, const struct template_scope *scope, struct strbuf *out);

// JSON Schema (2020-12) of all that a JSON template can give. of: JSON Schema's name for the type of a value, which may also be missing; NULL: any type.
typedef const char *template_type_of(void *context, struct slice name);
struct json_writer;
void template_schema(const struct template *t, template_type_of *of, void *context, struct json_writer *w);

// Conditions on values: a map from names to a text, a list of texts, "present" or "missing"; "not" with such a map. All must hold.
struct template_condition;
enum reason template_compile_condition(const struct node *map, const struct template_origin *origin,
				       const struct template_condition **condition, struct fault *f) ATTR_MUST_USE;
enum reason template_check_condition(const struct template_condition *condition, const char *const *names, size_t count,
				     struct fault *f) ATTR_MUST_USE;
bool template_condition_holds(const struct template_condition *condition,
			      const struct template_scope *scope) ATTR_MUST_USE; // NULL holds

// The plural form of a whole number, 0 or more, in a language (CLDR 44): "zero", "one", "two", "few", "many" or "other".
const char *template_plural(struct slice language, int64_t number) ATTR_MUST_USE;
