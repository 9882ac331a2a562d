// SPDX-License-Identifier: Apache-2.0
// The set of dialects that is in force: exchanged while requests still hold the one before.
#include <pthread.h>
#include <stdlib.h>

#include "dialect/dialect_private.h"

struct dialect_shelf {
	pthread_mutex_t lock;
	struct dialect_set *set; // the shelf's own hold on it
};

struct dialect_shelf *dialect_shelf_create(struct dialect_set *set)
{
	struct dialect_shelf *shelf = calloc(1, sizeof(*shelf));
	if (!shelf)
		PANIC("out of memory");
	pthread_mutex_init(&shelf->lock, NULL);
	shelf->set = set;
	return shelf;
}

void dialect_shelf_destroy(struct dialect_shelf *shelf)
{
	if (!shelf)
		return;
	dialect_set_release(shelf->set);
	pthread_mutex_destroy(&shelf->lock);
	free(shelf);
}

struct dialect_set *dialect_shelf_take(struct dialect_shelf *shelf)
{
	pthread_mutex_lock(&shelf->lock);
	struct dialect_set *set = shelf->set;
	atomic_fetch_add(&set->holders, 1);
	pthread_mutex_unlock(&shelf->lock);
	return set;
}

void dialect_shelf_put(struct dialect_shelf *shelf, struct dialect_set *set)
{
	pthread_mutex_lock(&shelf->lock);
	struct dialect_set *before = shelf->set;
	shelf->set = set;
	pthread_mutex_unlock(&shelf->lock);
	dialect_set_release(before);
}

void dialect_set_release(struct dialect_set *set)
{
	if (set && atomic_fetch_sub(&set->holders, 1) == 1)
		dialect_set_destroy(set);
}
