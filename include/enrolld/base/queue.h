// SPDX-License-Identifier: Apache-2.0
// Bounded hand-over of pointers between any number of threads; whoever takes an item owns it.
// Items of one pusher come out in its order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"

struct queue;

struct queue *queue_create(size_t capacity) ATTR_MALLOC; // capacity: 1 at least
// Must be empty, and no thread may be inside a call of it; NULL is fine.
void queue_destroy(struct queue *q);

// Waits for room. false if the queue is closed (the item stays the caller's).
bool queue_push(struct queue *q, void *item) ATTR_MUST_USE;
// Never waits: false if full or closed.
bool queue_try_push(struct queue *q, void *item) ATTR_MUST_USE;
// All or none, and all at once: one taker gets them together, if it takes as many.
bool queue_try_push_all(struct queue *q, void *const *items, size_t count) ATTR_MUST_USE;

// Takes what waits, at most max items, in order: batches form by self-clocking. Waits up to timeout_ms (-1: for ever, 0: not at
// all) for the first one only. 0 if none came or the queue is closed and empty.
size_t queue_take(struct queue *q, void **items, size_t max, int64_t timeout_ms) ATTR_MUST_USE;

// Without the lock, so a snapshot: for metrics and hints.
size_t queue_length(const struct queue *q) ATTR_MUST_USE;
// No more pushes; takers get what is left, then 0 at once.
void queue_close(struct queue *q);
bool queue_closed(const struct queue *q) ATTR_MUST_USE;
