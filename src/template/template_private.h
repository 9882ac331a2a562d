// SPDX-License-Identifier: Apache-2.0
// Compiled templates: text is a flat program, JSON a tree.
#pragma once

#include "enrolld/template/template.h"

enum step_kind {
	STEP_LITERAL, // text
	STEP_PLACE,   // name, escape
	STEP_SECTION, // name: what follows up to end, per item or if present
	STEP_ABSENT,  // name: what follows up to end if not present
};

struct step {
	enum step_kind kind;
	struct slice text; // literal, or name
	enum template_escape escape;
	size_t end; // index behind a section's last step
	int line;
};

struct program {
	struct step *steps;
	size_t count;
};

enum json_kind { JSON_FIXED, JSON_VALUE, JSON_TEXT, JSON_LIST, JSON_MAP, JSON_EACH };

struct json_template {
	enum json_kind kind;
	const struct node *fixed;     // FIXED
	struct slice name;            // VALUE, EACH
	bool optional;                // VALUE: left out when missing
	struct program text;          // TEXT
	struct json_template **items; // LIST, MAP; EACH has one
	const struct slice *keys;     // MAP
	size_t count;
	int line;
};

struct template
{
	const char *where;
	struct program text;
	struct json_template *json; // NULL: a text
};

// Values in sight, innermost first.
struct sight {
	const struct template_value *values;
	const struct sight *outer;
};

// NULL if missing; a TEXT that is absent is missing.
const struct template_value *sight_find(const struct sight *sight, struct slice name);
bool value_stands(const struct template_value *value); // present, not false, not null, not an empty list

enum reason program_compile(struct slice source, enum template_escape escape, const char *where, int line, struct arena *arena,
			    struct program *program, struct fault *f);
void program_render(const struct program *program, const struct sight *sight, struct strbuf *out);
bool name_valid(struct slice name);
struct slice name_trim(struct slice name);
