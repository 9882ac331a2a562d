// SPDX-License-Identifier: Apache-2.0
// Records in: one consumer of one group over the lane's request topics.
//
// Threads: source_poll, source_next and source_close belong to the reader thread. source_rewind, source_current, source_fits_mark, source_lag and what sink.h
// needs may be called from any thread. Callbacks run on the reader thread, inside source_poll.
#pragma once

#include <stdbool.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/kafka/conf.h"
#include "enrolld/model/record.h"

struct source;

// A record whose key and headers are over one of these is left in Kafka whole: no key, headers and value; value_size is over the limit.
#define SOURCE_HEADERS_MAX 256
#define SOURCE_HEADER_BYTES_MAX ((size_t)64 << 10)

struct source_events {
	void *ctx;
	// A partition is ours and will be read from start. passed: what <group>.passed (read stable, after the group's own offset) or the group's
	// offset says has passed, the higher; the mark must be raised to it before the first of its records is looked at.
	void (*assigned)(void *ctx, const char *topic, int32_t partition, int64_t start, int64_t passed);
	// The partition's epoch has ended (revoked, lost, or to be read again): drop everything of it. Called before the revocation is acknowledged.
	void (*dropped)(void *ctx, const char *topic, int32_t partition);
	// Committed offset below the log's start (missed records were deleted unread; reading goes on at the start), or above its end (the
	// partition is paused until that offset is gone or another). An end that lies below for 3 s only does not count.
	void (*gap)(void *ctx, const char *topic, int32_t partition, int64_t committed, int64_t low, int64_t high);
	// So many partitions of the topics were with no member of the group for some seconds; this one now joins it anew to have them assigned. May
	// be NULL.
	void (*orphaned)(void *ctx, size_t partitions);
	// Committed offsets of a partition that is ours have been undecided for half a second, and again each some seconds: a member that is gone
	// may have a Kafka transaction open (see source_present, sink_fence), which whoever is told must end on another thread. May be NULL.
	void (*undecided)(void *ctx);
};

struct source_options {
	const struct kafka_conf *conf;
	const char *group;    // "enrolld-signup"
	const char *instance; // group.instance.id, e.g. "enrolld-1-signup"
	const char *const *topics;
	size_t topic_count;
	size_t value_limit; // larger values are left in Kafka (record.value absent, value_size set)
	struct source_events events;
};

enum reason source_create(const struct source_options *options, struct source **source, struct fault *f) ATTR_MUST_USE;

// Serves rebalances, rewinds and errors; waits up to timeout_ms for the first of them, and up to some seconds for answers of the brokers
// while partitions start. KAFKA_UNAVAILABLE is reported as long as it lasts and passes by itself; KAFKA_FATAL and KAFKA_DENIED do not.
enum reason source_poll(struct source *source, int timeout_ms, struct fault *f) ATTR_MUST_USE;
// The next record, copied to arena; false if none came within timeout_ms. Records come in order within a partition and epoch.
bool source_next(struct source *source, int timeout_ms, struct arena *arena, struct record *record) ATTR_MUST_USE;

// Is that epoch still the partition's current one?
bool source_current(struct source *source, const char *topic, int32_t partition, uint64_t epoch) ATTR_MUST_USE;
// Ends the epoch of every assigned partition now; the reader's next source_poll calls dropped for each, reads both committed offsets again and
// seeks. For after an aborted or unknown Kafka transaction.
void source_rewind(struct source *source);
// The mark that the database holds for an assigned partition. false if the log does not reach up to it, as one that was made again: drop what
// is in hand; all partitions are read again, and this one is paused (gap) if the log's end stays below.
bool source_fits_mark(struct source *source, const char *topic, int32_t partition, int64_t mark) ATTR_MUST_USE;

// Which static members (by group.instance.id) the group has now, as the brokers say. present[i] tells of instances[i]. Any thread.
enum reason source_present(const struct source *source, const char *const *instances, size_t count, int timeout_ms, bool *present,
			   struct fault *f) ATTR_MUST_USE;

struct source_lag {
	int64_t records;        // high watermark minus the position after the last record taken, over the running partitions
	size_t running, paused; // partitions
};
void source_lag(struct source *source, struct source_lag *lag);
const char *source_cluster_id(struct source *source, int timeout_ms) ATTR_MUST_USE; // "" if unknown; owned by the source
bool source_ready(struct source *source) ATTR_MUST_USE; // has joined and every assigned partition has started

// Calls dropped for what is still ours and leaves the group. After the deadline the handle is abandoned: librdkafka's close is known to
// hang or crash when the coordinator is away.
void source_close(struct source *source, int deadline_ms); // NULL is fine
