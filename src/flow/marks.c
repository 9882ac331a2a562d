// SPDX-License-Identifier: Apache-2.0
// The passed mark of each assigned partition.
#include "flow/marks.h"

#include <pthread.h>
#include <stdlib.h>

struct slot {
	const char *topic; // interned by the source
	int32_t partition;
	int64_t raised; // in the database
	int64_t target; // committed in Kafka
	bool urgent;    // assigned, and not raised since
};

struct marks {
	pthread_mutex_t lock;
	struct slot *slots;
	size_t count, size;
};

struct marks *marks_create(void)
{
	struct marks *marks = calloc(1, sizeof(*marks));
	if (!marks)
		PANIC("out of memory");
	pthread_mutex_init(&marks->lock, NULL);
	return marks;
}

void marks_destroy(struct marks *marks)
{
	if (!marks)
		return;
	pthread_mutex_destroy(&marks->lock);
	free(marks->slots);
	free(marks);
}

static struct slot *slot_of(struct marks *marks, const char *topic, int32_t partition, bool make)
{
	for (size_t i = 0; i < marks->count; i++)
		if (marks->slots[i].partition == partition && strcmp(marks->slots[i].topic, topic) == 0)
			return &marks->slots[i];
	if (!make)
		return NULL;
	if (marks->count == marks->size) {
		marks->size = marks->size ? marks->size * 2 : 16;
		marks->slots = reallocarray(marks->slots, marks->size, sizeof(*marks->slots));
		if (!marks->slots)
			PANIC("out of memory");
	}
	struct slot *slot = &marks->slots[marks->count++];
	*slot = (struct slot){.topic = topic, .partition = partition, .raised = -1, .target = -1};
	return slot;
}

static void raise_target(struct marks *marks, const char *topic, int32_t partition, int64_t offset, bool urgent)
{
	pthread_mutex_lock(&marks->lock);
	struct slot *slot = slot_of(marks, topic, partition, true);
	if (offset > slot->target)
		slot->target = offset;
	slot->urgent |= urgent;
	pthread_mutex_unlock(&marks->lock);
}

void marks_assigned(struct marks *marks, const char *topic, int32_t partition, int64_t passed)
{
	raise_target(marks, topic, partition, passed, true);
}

void marks_passed(struct marks *marks, const char *topic, int32_t partition, int64_t offset)
{
	raise_target(marks, topic, partition, offset, false);
}

size_t marks_pending(struct marks *marks, bool urgent, struct mark *out, size_t max)
{
	size_t n = 0;
	pthread_mutex_lock(&marks->lock);
	for (size_t i = 0; i < marks->count && n < max; i++) {
		const struct slot *slot = &marks->slots[i];
		if (urgent ? slot->urgent : slot->target > slot->raised)
			out[n++] = (struct mark){slot->topic, slot->partition, slot->target};
	}
	pthread_mutex_unlock(&marks->lock);
	return n;
}

void marks_raised(struct marks *marks, const struct mark *raised, size_t count)
{
	pthread_mutex_lock(&marks->lock);
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = slot_of(marks, raised[i].topic, raised[i].partition, true);
		if (raised[i].offset > slot->raised)
			slot->raised = raised[i].offset;
		// An assignment that came meanwhile with a higher offset stays urgent.
		if (slot->raised >= slot->target)
			slot->urgent = false;
	}
	pthread_mutex_unlock(&marks->lock);
}

int64_t marks_known(struct marks *marks, const char *topic, int32_t partition)
{
	pthread_mutex_lock(&marks->lock);
	const struct slot *slot = slot_of(marks, topic, partition, false);
	int64_t known = slot ? slot->target : -1;
	pthread_mutex_unlock(&marks->lock);
	return known;
}

size_t marks_count(struct marks *marks)
{
	pthread_mutex_lock(&marks->lock);
	size_t n = marks->count;
	pthread_mutex_unlock(&marks->lock);
	return n;
}
