// SPDX-License-Identifier: Apache-2.0
// A record as Kafka gave it. Bytes belong to the arena of the request's work item.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/slice.h"

struct header {
	struct slice name;
	struct slice value; // absent: the header has a null value
};

// Where a record stands. topic is interned (lives as long as the source), so pointers may be compared within one source.
struct coordinates {
	const char *topic;
	int32_t partition;
	int64_t offset;
};

struct record {
	struct coordinates at;
	uint64_t epoch;         // of the partition's assignment; work of an older epoch is dropped
	int64_t timestamp_ms;   // as the broker says; -1 if it has none
	bool log_append_time;   // timestamp set by the broker, not by the producer
	struct slice key;       // absent: null
	size_t value_size;      // as it was in Kafka; value is left absent when it is over the source's limit
	struct slice value;     // absent: null; wiped once the registration is read from it
	struct header *headers; // in record order
	size_t header_count;
};

// The last header of that name, case ignored (gateways differ in case). NULL if there is none.
const struct header *header_find(const struct header *headers, size_t count, const char *name) ATTR_MUST_USE;
const struct header *record_header(const struct record *record, const char *name) ATTR_MUST_USE;
// Its value; absent if there is none.
struct slice record_header_value(const struct record *record, const char *name) ATTR_MUST_USE;
