// SPDX-License-Identifier: Apache-2.0
// libcurl's memory, wiped when it is given back: its buffers hold messages with codes and links, and logins.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "courier/curl_setup.h"
#include "enrolld/base/secret.h"

// free() does not say how much; the size stands in front.
union header {
	size_t size;
	max_align_t align;
};

static void *wiping_malloc(size_t size)
{
	union header *h = size <= SIZE_MAX - sizeof(*h) ? malloc(sizeof(*h) + size) : NULL;
	if (!h)
		return NULL;
	h->size = size;
	return h + 1;
}

static void wiping_free(void *ptr)
{
	union header *h = ptr;
	if (!h)
		return;
	h--;
	secret_wipe(h, sizeof(*h) + h->size);
	free(h);
}

static void *wiping_realloc(void *ptr, size_t size)
{
	void *moved = wiping_malloc(size);
	if (!moved || !ptr)
		return moved;
	size_t before = ((union header *)ptr - 1)->size;
	memcpy(moved, ptr, before < size ? before : size);
	wiping_free(ptr);
	return moved;
}

static void *wiping_calloc(size_t count, size_t size)
{
	size_t bytes;
	void *ptr = __builtin_mul_overflow(count, size, &bytes) ? NULL : wiping_malloc(bytes);
	return ptr ? memset(ptr, 0, bytes) : NULL;
}

static char *wiping_strdup(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = wiping_malloc(size);
	return copy ? memcpy(copy, text, size) : NULL;
}

CURLcode curl_memory_init(void)
{
	return curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc, wiping_strdup, wiping_calloc);
}
