// SPDX-License-Identifier: Apache-2.0
// The partitions a source owns, each with its epoch: 0 while none is current. Private to kafka.
//
// The reader thread alone adds, removes and changes partitions, so it may read them without the lock; what other threads read or write
// too (epoch, state, position, high) it changes under the lock.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/kafka/sink.h"
#include "enrolld/kafka/source.h"

enum partition_state {
	PARTITION_WAITING,  // its committed offsets are to be read
	PARTITION_RESOLVED, // where to start is known
	PARTITION_RUNNING,
	PARTITION_PAUSED, // its committed offset, or the database's mark, lies above the log's end
};

struct partition {
	const char *topic; // interned by the source
	int32_t number;
	enum partition_state state;
	uint64_t epoch;
	bool fetched;   // is in librdkafka's assignment
	bool announced; // "assigned" was called, "dropped" not yet
	int64_t position, high, passed;
	int64_t retry_ns;       // WAITING, PAUSED: not to be asked again before
	int64_t undecided_ns;   // WAITING: since when its committed offset has been undecided; 0: it is not
	int64_t above_since_ns; // since when its offset was seen above the end; 0: it was not
	int64_t above;          // PAUSED: that offset or mark
	int64_t mark;           // the database's, if it was seen above the end; else 0
};

struct partition_table {
	pthread_mutex_t lock;
	struct partition **items; // sorted by topic and number
	size_t count, room;
	bool rewind;   // asked for by any thread, not yet done
	unsigned held; // transactions in flight: no offsets are read meanwhile
};

void partition_table_init(struct partition_table *t);
void partition_table_clear(struct partition_table *t);

// Reader thread.
struct partition *partition_find(const struct partition_table *t, const char *topic, int32_t number) ATTR_MUST_USE;
struct partition *partition_add(struct partition_table *t, const char *topic, int32_t number); // WAITING
void partition_remove(struct partition_table *t, struct partition *p);
void partition_end_epoch(struct partition_table *t, struct partition *p, enum partition_state state);
void partition_begin_epoch(struct partition_table *t, struct partition *p); // RUNNING, with an epoch that no partition had before
// Where the record at offset belongs; 0 if it is not to be handed out (no current epoch, or before the position). Moves the position.
uint64_t partition_take(struct partition_table *t, struct partition *p, int64_t offset) ATTR_MUST_USE;
bool partition_table_take_rewind(struct partition_table *t) ATTR_MUST_USE; // true once for any number of requests

// Any thread.
bool partition_current(struct partition_table *t, const char *topic, int32_t number, uint64_t epoch) ATTR_MUST_USE;
void partition_table_rewind(struct partition_table *t); // ends every epoch now
// Whether the log reaches up to that mark, as far as known; if not it is noted, and every epoch ends.
bool partition_fits_mark(struct partition_table *t, const char *topic, int32_t number, int64_t mark) ATTR_MUST_USE;
// If every passage's epoch is the current one, holds the table until partition_table_release. What is told apart here: an epoch
// that ends after the hold ends with a transaction in flight, and its partition is not read again before that is over.
bool partition_table_hold(struct partition_table *t, const struct passage *passages, size_t count) ATTR_MUST_USE;
void partition_table_release(struct partition_table *t);
bool partition_table_held(struct partition_table *t) ATTR_MUST_USE;
