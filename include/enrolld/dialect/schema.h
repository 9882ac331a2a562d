// SPDX-License-Identifier: Apache-2.0
// JSON Schema (2020-12) of what a dialect takes and gives, from the same data that it works by.
#pragma once

#include "enrolld/dialect/dialect.h"

// Adds one document: under $defs "<route>.request" and "<route>.<outcome or reason>" for each answer. What a schema cannot say of a request is listed in it
// as x-enrolld-rule: such rules only ever refuse more. A request in a form is described as the tree that it is read into.
void dialect_schema(const struct dialect_set *set, const char *name, struct strbuf *out);

// Routes, for indexes: false past the last one. All texts live as long as the set.
struct dialect_route_row {
	const char *name; // "sign_up"
	enum operation_kind operation;
	const char *method, *path, *type; // NULL: not reached that way
	bool has_body;
};
bool dialect_route_row(const struct dialect_set *set, const char *name, size_t index, struct dialect_route_row *row);
