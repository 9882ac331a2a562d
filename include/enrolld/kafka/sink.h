// SPDX-License-Identifier: Apache-2.0
// Records out: one transactional producer, whose transactions also carry the offsets that the outputs pass.
//
// A sink belongs to one thread. Rules: DESIGN section 3 "The Kafka transaction"; KIP-98, KIP-447.
#pragma once

#include "enrolld/kafka/source.h"
#include "enrolld/model/output.h"

struct sink;

struct sink_options {
	const struct kafka_conf *conf;
	const char *group;            // whose offsets are passed; the second, memberless group is "<group>.passed"
	const char *transactional_id; // group-instance-lane, stable; NULL: a plain producer, for sink_publish alone
	const char *const *topics;    // of outputs; their metadata is warmed first
	size_t topic_count;
};

// INIT happens here and blocks until the broker answers or stop (polled, may be NULL) becomes true.
enum reason sink_create(const struct sink_options *options, bool (*stop)(void *), void *stop_ctx, struct sink **sink,
			struct fault *f) ATTR_MUST_USE;

// Everything of a partition's records up to next (exclusive) is in this transaction.
struct passage {
	const char *topic;
	int32_t partition;
	uint64_t epoch;
	int64_t next; // offset after the last record
	int64_t mark; // the partition's mark as known; <group>.passed gets the higher of the two
};

// Does the cluster have the topic, and the partition if it is not -1? Asked before a reply is sent, since an unknown topic would spoil the
// whole transaction. Waits up to 1 s for the brokers; an answer is kept for a minute, for 5 s if the topic is missing. true if they cannot tell.
bool sink_has_topic(struct sink *sink, struct slice topic, int32_t partition) ATTR_MUST_USE;

// Largest value + key + headers in bytes that the sink takes for one output of that topic: checked by the caller before, and again here
// (OUTPUT_TOO_LARGE, nothing begun). It becomes smaller for a minute when the topic turns out to take less.
size_t sink_output_limit(const struct sink *sink, struct slice topic) ATTR_MUST_USE;

// Group metadata, then the epochs of all passages, begin, outputs in the order given, offsets (<group>.passed first), commit.
//   OK               committed
//   ASSIGNMENT_STALE nothing was begun: drop what is stale and try again
//   KAFKA_ABORTED, KAFKA_FENCED, KAFKA_UNKNOWN  the producer is made again: call source_rewind. KAFKA_ABORTED also
//                    if the topic of a reply is gone: ask sink_has_topic again
//   KAFKA_UNAVAILABLE nothing was begun, the brokers or a topic are away: try again with back-off. STOPPING: the same, stop was seen
//   KAFKA_FATAL, KAFKA_DENIED halt
enum reason sink_commit(struct sink *sink, struct source *source, const struct output *outputs, size_t output_count,
			const struct passage *passages, size_t passage_count, struct fault *f) ATTR_MUST_USE;
// A producer that had to be given up may not have been made again yet, and may have left its transaction open; sink_commit makes it again, and
// so does sink_revive (waits up to 500 ms; KAFKA_UNAVAILABLE: not yet, call again).
bool sink_ready(const struct sink *sink) ATTR_MUST_USE;
enum reason sink_revive(struct sink *sink, struct fault *f) ATTR_MUST_USE;

// Of a plain sink: produces the outputs in their order and waits until the brokers have all of them, for timeout_ms at most.
//   OK               published
//   KAFKA_ABORTED    some may have been, and none will be later: publish all of them again, under the same ids
//   KAFKA_UNAVAILABLE, OUTPUT_TOO_LARGE nothing was produced
//   KAFKA_FATAL, KAFKA_DENIED halt
enum reason sink_publish(struct sink *sink, const struct output *outputs, size_t count, int timeout_ms,
			 struct fault *f) ATTR_MUST_USE;
// After a failure: does a broker answer? Waits some seconds at most.
enum reason sink_probe(struct sink *sink, struct fault *f) ATTR_MUST_USE;

// Takes over a transactional id that its holder has left: its open transaction is aborted (or, if its commit was decided, completed), and
// a holder that wakes is fenced. Waits for that up to timeout_ms.
enum reason sink_fence(const struct kafka_conf *conf, const char *transactional_id, int timeout_ms, struct fault *f) ATTR_MUST_USE;

void sink_close(struct sink *sink, int deadline_ms); // NULL is fine
