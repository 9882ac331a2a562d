// SPDX-License-Identifier: Apache-2.0
// Headers of an output while they are put together; room is set at birth.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/model/record.h"

struct header_list {
	struct header *items;
	size_t count;
	size_t size;
};

static inline struct header_list header_list_new(struct arena *arena, size_t size)
{
	return (struct header_list){ARENA_ARRAY(arena, size, struct header), 0, size};
}

// The name must outlive the list; a literal does.
static inline void header_list_add(struct header_list *list, const char *name, struct slice value)
{
	if (list->count == list->size)
		PANIC("more than %zu headers", list->size);
	list->items[list->count++] = (struct header){slice_of(name), value};
}
