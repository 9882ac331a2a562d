// SPDX-License-Identifier: Apache-2.0
// Logic-less templates over a tree of values: JSON by construction for answers, text and HTML for messages; catalogues per language.
// Compiled once, then read-only and safe to share.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/doc/node.h"

// Values a template may use, looked up by dotted name ("account_id", "violation.field").
struct template_value {
	const char *name; // NULL ends a list
	enum { TEMPLATE_TEXT, TEMPLATE_INT, TEMPLATE_BOOL, TEMPLATE_NULL, TEMPLATE_JSON, TEMPLATE_LIST } kind;
	struct slice text; // TEXT and JSON
	int64_t integer;   // INT and BOOL
	const struct template_value *const *items; // LIST: each a list of its own, ended by a NULL pointer
};

struct template;

enum template_escape { TEMPLATE_PLAIN, TEMPLATE_HTML, TEMPLATE_URL };

// Text with {{name}} places; a missing value is empty. {{#name}}…{{/name}} repeats over a list, or stands if a value is present and not false;
// {{^name}}…{{/name}} stands if it is not. where: file:line for errors (DIALECT_INVALID).
enum reason template_compile_text(struct slice source, enum template_escape escape, const char *where, struct arena *arena, const struct template **t,
				  struct fault *f) ATTR_MUST_USE;
// A YAML/JSON tree as a JSON template: a text that is exactly "{{name}}" becomes that value with its type (a missing one: null), "{{?name}}" leaves its
// member out when missing; other texts are filled as text; {"$each": "list", "$item": tree} makes a list.
enum reason template_compile_json(const struct node *tree, const char *file, struct arena *arena, const struct template **t, struct fault *f) ATTR_MUST_USE;
void template_render(const struct template *t, const struct template_value *values, struct strbuf *out);
