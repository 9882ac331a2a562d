// SPDX-License-Identifier: Apache-2.0
// A ring under one mutex; takers and pushers are woken only if some wait, and after the mutex is free.
#include "enrolld/base/queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/thread.h"

#define NS_PER_MS 1000000

struct queue {
	pthread_mutex_t lock;    // guards everything below
	pthread_cond_t has_item; // takers wait here
	pthread_cond_t has_room; // pushers wait here
	size_t takers_waiting;
	size_t pushers_waiting;
	size_t capacity;
	size_t head;
	atomic_size_t count; // written under the lock, read without it by queue_length()
	atomic_bool closed;  // likewise, by queue_closed()
	void *items[];
};

struct queue *queue_create(size_t capacity)
{
	size_t bytes;
	if (capacity == 0 || __builtin_mul_overflow(capacity, sizeof(void *), &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(struct queue), &bytes))
		PANIC("queue: capacity %zu", capacity);
	struct queue *q = calloc(1, bytes);
	if (!q)
		PANIC("queue: out of memory (%zu bytes)", bytes);
	q->capacity = capacity;
	atomic_init(&q->count, 0);
	atomic_init(&q->closed, false);

	pthread_condattr_t attr;
	int error = pthread_condattr_init(&attr);
	if (error == 0)
		error = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (error == 0)
		error = pthread_mutex_init(&q->lock, NULL);
	if (error == 0)
		error = pthread_cond_init(&q->has_item, &attr);
	if (error == 0)
		error = pthread_cond_init(&q->has_room, &attr);
	if (error != 0)
		PANIC("queue: %s", strerrordesc_np(error));
	(void)pthread_condattr_destroy(&attr);
	return q;
}

void queue_destroy(struct queue *q)
{
	if (!q)
		return;
	if (queue_length(q) > 0)
		PANIC("queue: destroyed with %zu items", queue_length(q));
	(void)pthread_cond_destroy(&q->has_room);
	(void)pthread_cond_destroy(&q->has_item);
	(void)pthread_mutex_destroy(&q->lock);
	free(q);
}

size_t queue_length(const struct queue *q)
{
	return atomic_load_explicit(&q->count, memory_order_relaxed);
}

bool queue_closed(const struct queue *q)
{
	return atomic_load_explicit(&q->closed, memory_order_acquire);
}

static void set_count(struct queue *q, size_t count)
{
	atomic_store_explicit(&q->count, count, memory_order_relaxed);
}

// With the lock held and room in the ring; frees the lock.
static void put_and_unlock(struct queue *q, void *const *items, size_t n)
{
	size_t count = queue_length(q);
	for (size_t i = 0; i < n; i++, count++) {
		size_t to_end = q->capacity - q->head;
		q->items[count < to_end ? q->head + count : count - to_end] = items[i];
	}
	set_count(q, count);
	size_t wake = n < q->takers_waiting ? n : q->takers_waiting;
	(void)pthread_mutex_unlock(&q->lock);
	while (wake-- > 0)
		(void)pthread_cond_signal(&q->has_item);
}

bool queue_push(struct queue *q, void *item)
{
	(void)pthread_mutex_lock(&q->lock);
	while (queue_length(q) == q->capacity && !queue_closed(q)) {
		q->pushers_waiting++;
		(void)thread_wait(&q->has_room, &q->lock, THREAD_NO_END);
		q->pushers_waiting--;
	}
	if (queue_closed(q)) {
		(void)pthread_mutex_unlock(&q->lock);
		return false;
	}
	put_and_unlock(q, &item, 1);
	return true;
}

bool queue_try_push_all(struct queue *q, void *const *items, size_t count)
{
	(void)pthread_mutex_lock(&q->lock);
	if (queue_closed(q) || q->capacity - queue_length(q) < count) {
		(void)pthread_mutex_unlock(&q->lock);
		return false;
	}
	put_and_unlock(q, items, count);
	return true;
}

bool queue_try_push(struct queue *q, void *item)
{
	return queue_try_push_all(q, &item, 1);
}

// With the lock held: until there is an item, the queue is closed or the time is over.
static void wait_for_item(struct queue *q, int64_t timeout_ms)
{
	int64_t until_ns = timeout_ms >= 0 ? clock_mono_ns() + timeout_ms * NS_PER_MS : THREAD_NO_END;
	bool in_time = timeout_ms != 0;
	q->takers_waiting++;
	while (in_time && queue_length(q) == 0 && !queue_closed(q))
		in_time = thread_wait(&q->has_item, &q->lock, until_ns);
	q->takers_waiting--;
}

static void copy_out(struct queue *q, void **items, size_t n)
{
	size_t to_end = q->capacity - q->head;
	size_t first = n < to_end ? n : to_end;
	memcpy(items, q->items + q->head, first * sizeof(*items));
	memcpy(items + first, q->items, (n - first) * sizeof(*items));
	q->head = n < to_end ? q->head + n : n - to_end;
}

size_t queue_take(struct queue *q, void **items, size_t max, int64_t timeout_ms)
{
	if (max == 0)
		return 0;
	(void)pthread_mutex_lock(&q->lock);
	wait_for_item(q, timeout_ms);
	size_t count = queue_length(q);
	size_t n = count < max ? count : max;
	if (n > 0) {
		copy_out(q, items, n);
		set_count(q, count - n);
	}
	size_t wake = n < q->pushers_waiting ? n : q->pushers_waiting;
	(void)pthread_mutex_unlock(&q->lock);
	while (wake-- > 0)
		(void)pthread_cond_signal(&q->has_room);
	return n;
}

void queue_close(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	atomic_store_explicit(&q->closed, true, memory_order_release);
	(void)pthread_mutex_unlock(&q->lock);
	(void)pthread_cond_broadcast(&q->has_item);
	(void)pthread_cond_broadcast(&q->has_room);
}
