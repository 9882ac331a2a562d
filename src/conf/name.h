// SPDX-License-Identifier: Apache-2.0
// Names of settings as paths, and the rows they mean.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/conf/conf.h"

#define NAME_DEPTH_MAX 8

struct name {
	struct slice segment[NAME_DEPTH_MAX];
	size_t count;
};

enum name_match {
	NAME_NONE,
	NAME_BEFORE, // the name is the beginning of the row's
	NAME_EXACT,
	NAME_BEYOND, // the row's name is the beginning of this one
};

// Segments of "a.*.c"; the slices point into row.
struct name name_of_row(const char *row);
// The same for any text; false if it has too many segments.
bool name_split(const char *text, struct name *name) ATTR_MUST_USE;
// How the row and the name lie to each other; "*" matches any segment.
enum name_match name_match(const char *row, const struct name *name) ATTR_MUST_USE;

struct row_ref {
	const struct setting_table *table; // NULL: none
	const struct setting *row;
};
// The row that matches in this way; the deepest of several.
struct row_ref name_find(const struct conf_tables *tables, const struct name *name, enum name_match how) ATTR_MUST_USE;
// The row of a secret whose name with "_file" (or "_FILE" already lowered) this is.
struct row_ref name_find_secret_file(const struct conf_tables *tables, const struct name *name) ATTR_MUST_USE;
// The segment that stands where the rows of the table have "*", or absent if the name is too short or the table is not per name.
struct slice name_instance(const struct setting_table *table, const struct name *name) ATTR_MUST_USE;
// "topics.x.shape": the row's name with the instance instead of "*". Control characters become '?'.
struct slice name_full(const char *row, const char *instance, struct arena *arena) ATTR_MUST_USE;
struct slice name_join(const struct name *name, struct arena *arena) ATTR_MUST_USE;
// What was probably meant, or NULL.
const char *name_nearest(const struct conf_tables *tables, const struct name *name, struct arena *arena) ATTR_MUST_USE;

// ENROLLD__KAFKA__GROUP for kafka.group; "*" becomes NAME.
void name_to_variable(const char *row, struct strbuf *out);
