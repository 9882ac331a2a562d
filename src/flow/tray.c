// SPDX-License-Identifier: Apache-2.0
// A few pointers and a count under one mutex; the queue gets all of them at once.
#include "flow/tray.h"

#include <pthread.h>
#include <stdlib.h>

#include "enrolld/base/fault.h"

#define SHARE 8 // one in the tray for so many that are expected

struct tray {
	pthread_mutex_t lock;
	struct queue *to;
	size_t expected;
	size_t count;
	void *items[TRAY_MAX];
};

struct tray *tray_create(struct queue *to)
{
	struct tray *tray = calloc(1, sizeof(*tray));
	if (!tray || pthread_mutex_init(&tray->lock, NULL) != 0)
		PANIC("tray: out of memory");
	tray->to = to;
	return tray;
}

void tray_destroy(struct tray *tray)
{
	if (!tray)
		return;
	if (tray->expected > 0 || tray->count > 0)
		PANIC("tray: destroyed with %zu items, and %zu expected", tray->count, tray->expected);
	(void)pthread_mutex_destroy(&tray->lock);
	free(tray);
}

void tray_expect(struct tray *tray)
{
	(void)pthread_mutex_lock(&tray->lock);
	tray->expected++;
	(void)pthread_mutex_unlock(&tray->lock);
}

// One less is expected: with the lock held.
static void settle(struct tray *tray)
{
	if (tray->expected == 0)
		PANIC("tray: nothing is expected");
	tray->expected--;
	if (tray->count == 0 || (tray->count < TRAY_MAX && tray->count * SHARE < tray->expected))
		return;
	if (!queue_try_push_all(tray->to, tray->items, tray->count))
		PANIC("tray: no room for %zu items", tray->count);
	tray->count = 0;
}

void tray_put(struct tray *tray, void *item)
{
	(void)pthread_mutex_lock(&tray->lock);
	tray->items[tray->count++] = item;
	settle(tray);
	(void)pthread_mutex_unlock(&tray->lock);
}

void tray_miss(struct tray *tray)
{
	(void)pthread_mutex_lock(&tray->lock);
	settle(tray);
	(void)pthread_mutex_unlock(&tray->lock);
}

size_t tray_expected(struct tray *tray)
{
	(void)pthread_mutex_lock(&tray->lock);
	size_t expected = tray->expected;
	(void)pthread_mutex_unlock(&tray->lock);
	return expected;
}
