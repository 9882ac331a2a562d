// SPDX-License-Identifier: Apache-2.0
// jansson's memory, wiped when it is given back: request bodies hold passwords.
#include <stddef.h>
#include <stdlib.h>

#include <jansson.h>

#include "enrolld/base/secret.h"
#include "enrolld/doc/json.h"

// jansson's free() does not say how much; the size stands in front.
union header {
	size_t size;
	max_align_t align;
};

static void *wiping_malloc(size_t size)
{
	union header *h;

	if (size > SIZE_MAX - sizeof(*h) || !(h = malloc(sizeof(*h) + size)))
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

void json_setup(void)
{
	json_set_alloc_funcs(wiping_malloc, wiping_free);
	json_object_seed(0); // random, and set before threads could race for it
}
