// SPDX-License-Identifier: Apache-2.0
// Table address, as a batch asks it: every key once; who has its row has the challenges of that address, or may try its password.
#pragma once

#include "store/pipeline.h"
#include "store/tables.h"

struct address_row {
	struct slice realm, kind, value;
	const struct store_item *owner; // the first item that asks for it; the others must come again
};

struct address_table {
	struct address_row *rows; // in key order, once they are taken
	size_t count;
	size_t handle;
};

void address_table_begin(struct address_table *table, const struct store_item *items, size_t count, struct arena *arena);
// Makes the rows that are missing and locks all, in two steps as limits do.
void address_take(struct pipeline *p, struct address_table *table);
// false: a row was swept meanwhile.
bool address_taken(const struct address_table *table, const struct pipeline *p) ATTR_MUST_USE;
// Is the item the first of the batch that asks for its address? Asked in order of the items.
bool address_owned(const struct address_table *table, const struct store_item *item) ATTR_MUST_USE;
// Writes the failures that have changed.
void address_count(struct pipeline *p, const struct store_item *items, size_t count);
