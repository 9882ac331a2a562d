// SPDX-License-Identifier: Apache-2.0
// The parts of a schema's making.
#pragma once

#include "dialect/dialect_private.h"
#include "enrolld/dialect/schema.h"

// A member of the body: what stands there, and what is inside.
struct property {
	struct slice key;          // unescaped; absent: the items of a list
	const struct field *field; // NULL: no field stands here itself
	bool request_id;           // the body may name the request here
	bool alias;                // another place of the field: nothing is said of it
	bool required;             // a rule asks for it, or for what is inside
	struct property *first, *next;
};

// schema_tree.c: the properties of a route's body. The root has no key.
struct property *schema_tree(const struct route *route, struct arena *arena);
bool field_required(const struct field *field); // a rule without conditions

// schema_field.c: the schema of the value itself, in an object that is open; inner: something inside is described too.
void schema_value(const struct property *property, struct json_writer *w, struct arena *arena);

// schema_pattern.c: the regular expression as ECMA 262 and others read it alike; absent if it cannot be said so.
struct slice schema_pattern(struct slice pattern, struct arena *arena);
