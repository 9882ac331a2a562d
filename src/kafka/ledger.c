// SPDX-License-Identifier: Apache-2.0
// One queue (line) a partition; lines whose first entry is done stand in a ring of their own, so that taking never searches.
#include "enrolld/kafka/ledger.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/thread.h"

struct ledger_line {
	char *topic;
	int32_t partition;
	struct ledger_entry *first, *last;
	bool ready;                     // is in the ring of ready lines
	struct ledger_line *next_ready; // towards the end of that ring
	struct ledger_line *next;       // all lines; a line stays for the ledger's life
};

struct ledger {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct ledger_line *lines;
	struct ledger_line *ready_first, *ready_last;
	bool closed;
	atomic_size_t length;
};

struct ledger *ledger_create(void)
{
	struct ledger *l = calloc(1, sizeof(*l));
	if (!l)
		PANIC("ledger: out of memory");
	pthread_condattr_t attr;
	if (pthread_condattr_init(&attr) != 0 || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&l->changed, &attr) != 0 || pthread_mutex_init(&l->lock, NULL) != 0)
		PANIC("ledger: no mutex");
	(void)pthread_condattr_destroy(&attr);
	return l;
}

void ledger_destroy(struct ledger *l)
{
	if (!l)
		return;
	if (atomic_load(&l->length) != 0)
		PANIC("ledger: destroyed with %zu entries", atomic_load(&l->length));
	while (l->lines) {
		struct ledger_line *line = l->lines;
		l->lines = line->next;
		free(line->topic);
		free(line);
	}
	(void)pthread_cond_destroy(&l->changed);
	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}

static struct ledger_line *find_line(struct ledger *l, const char *topic, int32_t partition)
{
	for (struct ledger_line *line = l->lines; line; line = line->next)
		if (line->partition == partition && strcmp(line->topic, topic) == 0)
			return line;
	return NULL;
}

static struct ledger_line *get_line(struct ledger *l, const char *topic, int32_t partition)
{
	struct ledger_line *line = find_line(l, topic, partition);
	if (line)
		return line;
	line = calloc(1, sizeof(*line));
	if (!line || !(line->topic = strdup(topic)))
		PANIC("ledger: out of memory");
	line->partition = partition;
	line->next = l->lines;
	l->lines = line;
	return line;
}

static void ready_push(struct ledger *l, struct ledger_line *line)
{
	line->ready = true;
	line->next_ready = NULL;
	if (l->ready_last)
		l->ready_last->next_ready = line;
	else
		l->ready_first = line;
	l->ready_last = line;
}

static struct ledger_line *ready_pop(struct ledger *l)
{
	struct ledger_line *line = l->ready_first;
	if (!line)
		return NULL;
	l->ready_first = line->next_ready;
	if (!l->ready_first)
		l->ready_last = NULL;
	line->ready = false;
	line->next_ready = NULL;
	return line;
}

static void ready_remove(struct ledger *l, struct ledger_line *line)
{
	struct ledger_line *before = NULL;
	for (struct ledger_line *at = l->ready_first; at != line; at = at->next_ready)
		before = at;
	if (before)
		before->next_ready = line->next_ready;
	else
		l->ready_first = line->next_ready;
	if (l->ready_last == line)
		l->ready_last = before;
	line->ready = false;
	line->next_ready = NULL;
}

void ledger_add(struct ledger *l, struct ledger_entry *entry)
{
	(void)pthread_mutex_lock(&l->lock);
	entry->listed = !l->closed;
	if (l->closed) {
		(void)pthread_mutex_unlock(&l->lock);
		return;
	}
	struct ledger_line *line = get_line(l, entry->at.topic, entry->at.partition);
	if (line->last && line->last->at.offset >= entry->at.offset)
		PANIC("ledger: %s [%d]: offset %lld after %lld", line->topic, (int)line->partition, (long long)entry->at.offset,
		      (long long)line->last->at.offset);
	entry->done = false;
	entry->line = line;
	entry->next = NULL;
	entry->added_ns = clock_mono_ns();
	if (line->last)
		line->last->next = entry;
	else
		line->first = entry;
	line->last = entry;
	atomic_fetch_add(&l->length, 1);
	(void)pthread_mutex_unlock(&l->lock);
}

// Before all that are not done yet: what the ledger is there to prevent. A build without failpoints leaves it out.
static void overtake(struct ledger_line *line, struct ledger_entry *entry)
{
	if (line->first == entry)
		return;
	struct ledger_entry *before = line->first;
	while (before->next != entry)
		before = before->next;
	before->next = entry->next;
	if (line->last == entry)
		line->last = before;
	entry->next = line->first;
	line->first = entry;
}

bool ledger_done(struct ledger *l, struct ledger_entry *entry)
{
	(void)pthread_mutex_lock(&l->lock);
	bool listed = entry->listed;
	if (listed) {
		entry->done = true;
		if (FAILPOINT(rule_inorder))
			overtake(entry->line, entry);
		if (entry->line->first == entry && !entry->line->ready)
			ready_push(l, entry->line);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return listed;
}

bool ledger_alive(struct ledger *l, const struct ledger_entry *entry)
{
	(void)pthread_mutex_lock(&l->lock);
	bool listed = entry->listed;
	(void)pthread_mutex_unlock(&l->lock);
	return listed;
}

static struct ledger_entry *line_pop(struct ledger *l, struct ledger_line *line)
{
	struct ledger_entry *entry = line->first;
	line->first = entry->next;
	if (!line->first)
		line->last = NULL;
	entry->next = NULL;
	entry->listed = false;
	atomic_fetch_sub(&l->length, 1);
	return entry;
}

static size_t take_ready(struct ledger *l, void **items, size_t max)
{
	size_t count = 0;
	while (count < max) {
		struct ledger_line *line = ready_pop(l);
		if (!line)
			break;
		while (count < max && line->first && line->first->done)
			items[count++] = line_pop(l, line)->item;
		if (line->first && line->first->done)
			ready_push(l, line); // cut short: the other partitions go first next time
	}
	return count;
}

size_t ledger_take(struct ledger *l, void **items, size_t max, int64_t timeout_ms)
{
	int64_t until_ns = timeout_ms >= 0 ? clock_mono_ns() + timeout_ms * 1000000 : THREAD_NO_END;
	bool in_time = timeout_ms != 0;
	(void)pthread_mutex_lock(&l->lock);
	size_t count = take_ready(l, items, max);
	while (count == 0 && in_time && !l->closed) {
		in_time = thread_wait(&l->changed, &l->lock, until_ns);
		count = take_ready(l, items, max);
	}
	(void)pthread_mutex_unlock(&l->lock);
	return count;
}

// Empties a line; done entries are appended to *tail.
static void clear_line(struct ledger *l, struct ledger_line *line, struct ledger_entry ***tail)
{
	if (line->ready)
		ready_remove(l, line);
	while (line->first) {
		struct ledger_entry *entry = line_pop(l, line);
		if (entry->done) {
			**tail = entry;
			*tail = &entry->next;
		}
	}
}

static void free_list(struct ledger_entry *finished, void (*free_item)(void *item, void *ctx), void *ctx)
{
	while (finished) {
		struct ledger_entry *entry = finished;
		finished = entry->next; // before the item, and the entry in it, is gone
		free_item(entry->item, ctx);
	}
}

void ledger_drop(struct ledger *l, const char *topic, int32_t partition, void (*free_item)(void *item, void *ctx), void *ctx)
{
	struct ledger_entry *finished = NULL, **tail = &finished;
	(void)pthread_mutex_lock(&l->lock);
	struct ledger_line *line = find_line(l, topic, partition);
	if (line)
		clear_line(l, line, &tail);
	(void)pthread_mutex_unlock(&l->lock);
	free_list(finished, free_item, ctx);
}

void ledger_close(struct ledger *l, void (*free_item)(void *item, void *ctx), void *ctx)
{
	struct ledger_entry *finished = NULL, **tail = &finished;
	(void)pthread_mutex_lock(&l->lock);
	l->closed = true;
	(void)pthread_cond_broadcast(&l->changed);
	for (struct ledger_line *line = l->lines; line; line = line->next)
		clear_line(l, line, &tail);
	(void)pthread_mutex_unlock(&l->lock);
	free_list(finished, free_item, ctx);
}

int64_t ledger_oldest_ns(struct ledger *l)
{
	int64_t oldest = 0;
	(void)pthread_mutex_lock(&l->lock);
	for (const struct ledger_line *line = l->lines; line; line = line->next)
		if (line->first && (oldest == 0 || line->first->added_ns < oldest))
			oldest = line->first->added_ns;
	(void)pthread_mutex_unlock(&l->lock);
	return oldest;
}

size_t ledger_length(const struct ledger *l)
{
	return atomic_load(&l->length);
}

void ledger_wake(struct ledger *l)
{
	(void)pthread_mutex_lock(&l->lock);
	if (l->ready_first)
		(void)pthread_cond_broadcast(&l->changed);
	(void)pthread_mutex_unlock(&l->lock);
}
