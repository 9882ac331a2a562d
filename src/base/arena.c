// SPDX-License-Identifier: Apache-2.0
// Blocks of zeroed memory, handed out from front to back; what was handed out is wiped when the arena ends.
#include "enrolld/base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"

// AddressSanitizer sees what is not handed out as out of bounds, so it finds use after a reset and overruns into free room.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif
#ifdef WITH_ASAN
#include <sanitizer/asan_interface.h>
#define HIDE(bytes, len) ASAN_POISON_MEMORY_REGION((bytes), (len))
#define SHOW(bytes, len) ASAN_UNPOISON_MEMORY_REGION((bytes), (len))
#else
#define HIDE(bytes, len) ((void)0)
#define SHOW(bytes, len) ((void)0)
#endif

#define BLOCK_SIZE_MIN ((size_t)1 << 10)
#define BLOCK_SIZE_MAX ((size_t)1 << 20)

// Everything behind used is zero, so handing out needs no memset.
struct block {
	struct block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *first; // kept over a reset
	struct block *current;
	size_t block_size;
	size_t used;
	size_t held;
};

static struct block *block_create(size_t size)
{
	size_t total;
	if (__builtin_add_overflow(sizeof(struct block), size, &total))
		PANIC("arena: a block of %zu bytes", size);
	struct block *block = calloc(1, total);
	if (!block)
		PANIC("arena: out of memory (%zu bytes)", total);
	block->size = size;
	HIDE(block->bytes, size);
	return block;
}

static void block_wipe(struct block *block)
{
	SHOW(block->bytes, block->size);
	secret_wipe(block->bytes, block->used);
	HIDE(block->bytes, block->size);
	block->used = 0;
}

struct arena *arena_create(size_t block_size)
{
	if (block_size < BLOCK_SIZE_MIN || block_size > BLOCK_SIZE_MAX)
		PANIC("arena: block size %zu", block_size);
	struct arena *arena = calloc(1, sizeof(*arena));
	if (!arena)
		PANIC("arena: out of memory (%zu bytes)", sizeof(*arena));
	arena->block_size = block_size;
	arena->first = arena->current = block_create(block_size);
	arena->held = block_size;
	return arena;
}

static char *block_take(struct block *block, size_t size, size_t align)
{
	size_t start = (block->used + align - 1) & ~(align - 1);
	if (start > block->size || size > block->size - start)
		return NULL;
	block->used = start + size;
	SHOW(block->bytes + start, size);
	return block->bytes + start;
}

static struct block *add_block(struct arena *arena, size_t size)
{
	struct block *block = block_create(size);
	block->next = arena->current->next;
	arena->current->next = block;
	arena->held += size;
	return block;
}

static void *take(struct arena *arena, size_t size, size_t align)
{
	if (size == 0)
		size = 1;
	char *bytes = block_take(arena->current, size, align);
	if (!bytes) {
		// A large piece gets a block of its own, so that the rest of the current one is not lost.
		bool own = size > arena->block_size / 4;
		struct block *block = add_block(arena, own ? size : arena->block_size);
		if (!own)
			arena->current = block;
		bytes = block_take(block, size, align);
		if (!bytes)
			PANIC("arena: a fresh block is too small for %zu bytes", size);
	}
	arena->used += size;
	return bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return take(arena, size, alignof(max_align_t));
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		PANIC("arena: %zu elements of %zu bytes", count, size);
	return arena_alloc(arena, total);
}

static char *copy_bytes(struct arena *arena, const char *bytes, size_t len)
{
	size_t size;
	if (__builtin_add_overflow(len, (size_t)1, &size))
		PANIC("arena: a text of %zu bytes", len);
	char *copy = take(arena, size, 1);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy; // the last byte is zero already
}

char *arena_text(struct arena *arena, const char *text)
{
	return copy_bytes(arena, text, strlen(text));
}

struct slice arena_copy(struct arena *arena, struct slice bytes)
{
	if (slice_is_absent(bytes))
		return SLICE_ABSENT;
	return (struct slice){copy_bytes(arena, bytes.ptr, bytes.len), bytes.len};
}

struct slice arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		PANIC("arena: cannot format '%s'", fmt);
	size_t size = (size_t)len + 1;
	char *text = take(arena, size, 1);
	(void)vsnprintf(text, size, fmt, again);
	va_end(again);
	return (struct slice){text, (size_t)len};
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}

size_t arena_held(const struct arena *arena)
{
	return arena->held;
}

static void destroy_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;
		block_wipe(block);
		free(block);
		block = next;
	}
}

void arena_reset(struct arena *arena)
{
	struct block *first = arena->first;
	destroy_blocks(first->next);
	block_wipe(first);
	first->next = NULL;
	arena->current = first;
	arena->used = 0;
	arena->held = first->size;
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	destroy_blocks(arena->first);
	free(arena);
}
