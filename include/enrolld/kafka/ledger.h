// SPDX-License-Identifier: Apache-2.0
// What is in hand, per partition in record order: results leave in that order although effects may overtake.
//
// Thread-safe. The reader adds, the storer marks done, the sinker takes; the reader drops a partition when its epoch ends.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/model/record.h"

struct ledger;
struct ledger_line;

// Embedded in the owner's work item, which sets the first three members; the rest is the ledger's own.
struct ledger_entry {
	void *item;
	struct coordinates at;
	uint64_t epoch;
	bool done;
	bool listed; // still in the ledger; false once taken or dropped
	struct ledger_line *line;
	struct ledger_entry *next;
	int64_t added_ns; // clock_mono_ns
};

struct ledger *ledger_create(void) ATTR_MALLOC;
void ledger_destroy(struct ledger *l); // must be empty; NULL is fine

// In offset order within a partition.
void ledger_add(struct ledger *l, struct ledger_entry *entry);
// false if the entry's partition was dropped meanwhile: the item is the caller's to free. true: the ledger keeps it until taken or dropped.
// Wakes nobody: ledger_wake does, once for all that became done together.
bool ledger_done(struct ledger *l, struct ledger_entry *entry) ATTR_MUST_USE;
void ledger_wake(struct ledger *l); // a waiting ledger_take, if there is something to take
// false if the entry was dropped; then it is the caller's to free at once. For entries that are not done.
bool ledger_alive(struct ledger *l, const struct ledger_entry *entry) ATTR_MUST_USE;

// Up to max items that are done and have nothing unfinished before them in their partition, grouped by partition; they leave the ledger and are
// the caller's. Waits up to timeout_ms (-1: for ever, 0: not at all) for the first. 0 if none came.
size_t ledger_take(struct ledger *l, void **items, size_t max, int64_t timeout_ms) ATTR_MUST_USE;

// Ends a partition: undone entries are forgotten (whoever works on them learns it from ledger_done or ledger_alive), done ones are given to
// free_item, after the ledger has let go of them.
void ledger_drop(struct ledger *l, const char *topic, int32_t partition, void (*free_item)(void *item, void *ctx), void *ctx);
// The end: drops every partition and takes nothing any more (entries added later count as dropped, ledger_take returns 0). So what is given
// up on leaving can never let the offsets of what comes after it pass.
void ledger_close(struct ledger *l, void (*free_item)(void *item, void *ctx), void *ctx);
// When the oldest entry was added (clock_mono_ns); 0 if there is none.
int64_t ledger_oldest_ns(struct ledger *l) ATTR_MUST_USE;
size_t ledger_length(const struct ledger *l) ATTR_MUST_USE;
