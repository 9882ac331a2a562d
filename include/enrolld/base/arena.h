// SPDX-License-Identifier: Apache-2.0
// Memory of one request or batch: allocated piece by piece, wiped and freed at once.
//
// Not thread-safe: an arena belongs to whoever holds its request. Out of memory ends the process (panic), since a worker
// that is restarted resumes by itself; how much one request may need is bounded by intake's limits.
#pragma once

#include <stddef.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"

struct arena;

// block_size: bytes of the first and of each further block, 1 KiB to 1 MiB.
struct arena *arena_create(size_t block_size) ATTR_MALLOC;

// Zeroed, aligned for any type. A size of 0 gives a valid pointer.
void *arena_alloc(struct arena *arena, size_t size) ATTR_MUST_USE ATTR_RETURNS_NONNULL;
void *arena_alloc_array(struct arena *arena, size_t count, size_t size) ATTR_MUST_USE ATTR_RETURNS_NONNULL;

// Copies are NUL-terminated beyond their length.
char *arena_text(struct arena *arena, const char *text) ATTR_MUST_USE ATTR_RETURNS_NONNULL;
struct slice arena_copy(struct arena *arena, struct slice bytes) ATTR_MUST_USE; // absent stays absent
struct slice arena_printf(struct arena *arena, const char *fmt, ...) ATTR_PRINTF(2, 3);

size_t arena_used(const struct arena *arena) ATTR_MUST_USE; // bytes asked for since the last reset, NULs of copies included
size_t arena_held(const struct arena *arena) ATTR_MUST_USE; // bytes of its blocks

// Wipes everything handed out and frees all blocks but the first. What was handed out is gone.
void arena_reset(struct arena *arena);
void arena_destroy(struct arena *arena); // wipes; NULL is fine

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, count, type) ((type *)arena_alloc_array((arena), (count), sizeof(type)))
