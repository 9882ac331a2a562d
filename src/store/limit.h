// SPDX-License-Identifier: Apache-2.0
// Table limit, as a batch asks it: every key once, with the window that is kept for it.
#pragma once

#include "store/pipeline.h"
#include "store/window.h"

struct limit_row {
	struct slice realm;
	const struct limit_use *use; // any one of those with this name and subject
	struct window window;
	int64_t uses;  // how often it was added
	int64_t at_ms; // after limit_take: when the batch counts on it
	bool found;    // it was there before
	bool spent;
};

struct limit_table {
	struct arena *arena;
	struct limit_row *rows; // in key order, once find or take were added
	size_t count;
	size_t handle, made, moment;
};

// Collect, then add one of find and take to a pipeline, then read.
void limit_table_begin(struct limit_table *table, size_t room, struct arena *arena);
void limit_table_add(struct limit_table *table, struct slice realm, const struct limit_use *use);
void limit_find(struct pipeline *p, struct limit_table *table);
// Makes the rows that are missing, as if each use of them passed, and locks the others.
void limit_take(struct pipeline *p, struct limit_table *table);
void limit_read(struct limit_table *table, const struct pipeline *p); // after limit_find
// After limit_take. began_ms: now() of the transaction. false: a row was swept meanwhile.
bool limit_taken(struct limit_table *table, const struct pipeline *p, int64_t began_ms) ATTR_MUST_USE;
// Database time once all rows were locked.
int64_t limit_now(const struct limit_table *table, const struct pipeline *p) ATTR_MUST_USE;
struct limit_row *limit_table_row(const struct limit_table *table, struct slice realm, const struct limit_use *use) ATTR_MUST_USE;
// Writes back the rows that were spent, and those of which not all uses passed that made them.
void limit_spend(struct pipeline *p, const struct limit_table *table);
