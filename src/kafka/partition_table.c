// SPDX-License-Identifier: Apache-2.0
// Epochs come from one counter of the process, so that no two assignments, of whatever partition, share one.
#include "kafka/partition_table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/fault.h"

static atomic_uint_fast64_t last_epoch;

void partition_table_init(struct partition_table *t)
{
	*t = (struct partition_table){0};
	if (pthread_mutex_init(&t->lock, NULL) != 0)
		PANIC("partition table: no mutex");
}

void partition_table_clear(struct partition_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->items[i]);
	free(t->items);
	(void)pthread_mutex_destroy(&t->lock);
}

static int order(const struct partition *p, const char *topic, int32_t number)
{
	int by_topic = p->topic == topic ? 0 : strcmp(p->topic, topic);
	return by_topic != 0 ? by_topic : (p->number > number) - (p->number < number);
}

// The first item that is not before (topic, number).
static size_t place_of(const struct partition_table *t, const char *topic, int32_t number)
{
	size_t low = 0, high = t->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (order(t->items[mid], topic, number) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct partition *partition_find(const struct partition_table *t, const char *topic, int32_t number)
{
	size_t i = place_of(t, topic, number);
	return i < t->count && order(t->items[i], topic, number) == 0 ? t->items[i] : NULL;
}

struct partition *partition_add(struct partition_table *t, const char *topic, int32_t number)
{
	struct partition *p = partition_find(t, topic, number);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		PANIC("partition table: out of memory");
	p->topic = topic;
	p->number = number;
	(void)pthread_mutex_lock(&t->lock);
	if (t->count == t->room) {
		size_t room = t->room > 0 ? 2 * t->room : 16;
		struct partition **items = reallocarray(t->items, room, sizeof(struct partition *));
		if (!items)
			PANIC("partition table: out of memory");
		t->items = items;
		t->room = room;
	}
	size_t i = place_of(t, topic, number);
	memmove(t->items + i + 1, t->items + i, (t->count - i) * sizeof(struct partition *));
	t->items[i] = p;
	t->count++;
	(void)pthread_mutex_unlock(&t->lock);
	return p;
}

void partition_remove(struct partition_table *t, struct partition *p)
{
	(void)pthread_mutex_lock(&t->lock);
	size_t i = place_of(t, p->topic, p->number);
	t->count--;
	memmove(t->items + i, t->items + i + 1, (t->count - i) * sizeof(struct partition *));
	(void)pthread_mutex_unlock(&t->lock);
	free(p);
}

void partition_end_epoch(struct partition_table *t, struct partition *p, enum partition_state state)
{
	(void)pthread_mutex_lock(&t->lock);
	p->epoch = 0;
	p->state = state;
	(void)pthread_mutex_unlock(&t->lock);
}

void partition_begin_epoch(struct partition_table *t, struct partition *p)
{
	(void)pthread_mutex_lock(&t->lock);
	// A rewind that was asked for while the partition had no epoch is still to come: it must not be outrun.
	p->epoch = t->rewind ? 0 : atomic_fetch_add(&last_epoch, 1) + 1;
	p->state = PARTITION_RUNNING;
	(void)pthread_mutex_unlock(&t->lock);
}

uint64_t partition_take(struct partition_table *t, struct partition *p, int64_t offset)
{
	(void)pthread_mutex_lock(&t->lock);
	uint64_t epoch = p->state == PARTITION_RUNNING && offset >= p->position ? p->epoch : 0;
	if (epoch != 0)
		p->position = offset + 1;
	(void)pthread_mutex_unlock(&t->lock);
	return epoch;
}

bool partition_table_take_rewind(struct partition_table *t)
{
	(void)pthread_mutex_lock(&t->lock);
	bool rewind = t->rewind;
	t->rewind = false;
	(void)pthread_mutex_unlock(&t->lock);
	return rewind;
}

bool partition_current(struct partition_table *t, const char *topic, int32_t number, uint64_t epoch)
{
	(void)pthread_mutex_lock(&t->lock);
	const struct partition *p = partition_find(t, topic, number);
	bool current = p && epoch != 0 && p->epoch == epoch;
	(void)pthread_mutex_unlock(&t->lock);
	return current;
}

void partition_table_rewind(struct partition_table *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->rewind = true;
	for (size_t i = 0; i < t->count; i++)
		t->items[i]->epoch = 0;
	(void)pthread_mutex_unlock(&t->lock);
}

bool partition_fits_mark(struct partition_table *t, const char *topic, int32_t number, int64_t mark)
{
	(void)pthread_mutex_lock(&t->lock);
	struct partition *p = partition_find(t, topic, number);
	bool fits = !p || mark <= p->high || mark <= p->position;
	bool news = !fits && p->mark < mark;
	if (news)
		p->mark = mark;
	(void)pthread_mutex_unlock(&t->lock);
	if (news)
		partition_table_rewind(t);
	return fits;
}

bool partition_table_hold(struct partition_table *t, const struct passage *passages, size_t count)
{
	bool current = true;
	(void)pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < count && current; i++) {
		const struct partition *p = partition_find(t, passages[i].topic, passages[i].partition);
		current = p && passages[i].epoch != 0 && p->epoch == passages[i].epoch;
	}
	if (current)
		t->held++;
	(void)pthread_mutex_unlock(&t->lock);
	return current;
}

void partition_table_release(struct partition_table *t)
{
	(void)pthread_mutex_lock(&t->lock);
	t->held--;
	(void)pthread_mutex_unlock(&t->lock);
}

bool partition_table_held(struct partition_table *t)
{
	(void)pthread_mutex_lock(&t->lock);
	bool held = t->held > 0;
	(void)pthread_mutex_unlock(&t->lock);
	return held;
}
