// SPDX-License-Identifier: Apache-2.0
// Tables: rows found by the text of a column, sorted once.
#include <stdlib.h>

#include "enrolld/rules/rules.h"

struct entry {
	struct slice text;
	const struct node *row;
};

struct rules_index {
	struct entry *entries;
	size_t count;
};

static int by_text(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	return slice_compare(left->text, right->text);
}

const struct rules_index *rules_index_create(const struct rules_table *table, struct slice column, struct arena *arena)
{
	struct rules_index *index = ARENA_NEW(arena, struct rules_index);
	index->entries = ARENA_ARRAY(arena, table->row_count, struct entry);
	for (size_t i = 0; i < table->row_count; i++) {
		const struct node *cell = node_member_slice(table->rows[i], column);
		struct slice text = node_text(cell);
		if (node_is(cell, NODE_INT))
			text = arena_printf(arena, "%lld", (long long)cell->integer);
		if (!slice_is_absent(text))
			index->entries[index->count++] = (struct entry){text, table->rows[i]};
	}
	if (index->count)
		qsort(index->entries, index->count, sizeof(*index->entries), by_text);
	return index;
}

const struct node *rules_index_find(const struct rules_index *index, struct slice text)
{
	const struct entry key = {.text = text};
	if (slice_is_absent(text) || index->count == 0)
		return NULL;
	const struct entry *found = bsearch(&key, index->entries, index->count, sizeof(key), by_text);
	return found ? found->row : NULL;
}

const struct node *rules_index_prefix(const struct rules_index *index, struct slice text)
{
	for (size_t len = text.len; len > 0; len--) {
		const struct node *row = rules_index_find(index, (struct slice){text.ptr, len});
		if (row)
			return row;
	}
	return NULL;
}
