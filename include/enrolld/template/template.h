// SPDX-License-Identifier: Apache-2.0
// Logic-less templates over a list of values: JSON by construction for answers, text and HTML for messages.
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
	enum { TEMPLATE_TEXT, TEMPLATE_INT, TEMPLATE_BOOL, TEMPLATE_NULL, TEMPLATE_JSON, TEMPLATE_LIST } kind;
	struct slice text;                         // TEXT (absent: as if the value were missing) and JSON (trusted, well-formed)
	int64_t integer;                           // INT and BOOL
	const struct template_value *const *items; // LIST: each a list of its own, ended by a NULL pointer
};

struct template;

enum template_escape {
	TEMPLATE_PLAIN,
	TEMPLATE_HTML, // & < > " ' as character references: safe as text and inside quoted attributes
	TEMPLATE_URL,  // all but RFC 3986's unreserved characters as %XX: safe as one part of a path or query
};

#define TEMPLATE_DEPTH_MAX 16 // sections and lists within one another

// Text with {{name}} places; a missing value is empty. {{#name}}…{{/name}} repeats over a list, or stands if a value is present, not false and
// not an empty list; {{^name}}…{{/name}} stands otherwise. {{!a note}} is left out. {{name|url}} and {{name|plain}} escape otherwise than the whole.
// What is written between the places is kept as it is. where: the file's name for errors (DIALECT_INVALID, "file:line: ...").
// The source must live as long as the template.
enum reason template_compile_text(struct slice source, enum template_escape escape, const char *where, struct arena *arena,
				  const struct template **t, struct fault *f) ATTR_MUST_USE;
// A YAML/JSON tree as a JSON template: a text that is exactly "{{name}}" becomes that value with its type (a missing one: null), "{{?name}}" leaves its
// member or item out when missing; other texts are filled as text; {"$each": "list", "$item": tree} makes a list. Keys are kept as written.
// The tree must live as long as the template.
enum reason template_compile_json(const struct node *tree, const char *file, struct arena *arena, const struct template **t,
				  struct fault *f) ATTR_MUST_USE;

// DIALECT_INVALID with file:line and the nearest name if the template uses a name that is none of these (items' names among them).
enum reason template_check_names(const struct template *t, const char *const *names, size_t count, struct fault *f) ATTR_MUST_USE;

// Adds to out. A JSON template gives one well-formed value whatever the values are (texts that are not UTF-8 are mended), unless out overflows.
void template_render(const struct template *t, const struct template_value *values, struct strbuf *out);
