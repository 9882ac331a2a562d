// SPDX-License-Identifier: Apache-2.0
// One batch on its way out, and its steps. Private to kafka; the sink's thread.
#pragma once

#include "kafka/producer.h"
#include "kafka/source_private.h"

#define BATCH_REVIVE_MS 2000 // for a batch to wait for a producer; else the caller tries again
#define BATCH_END_MS 3000    // for a handle that is done with

struct batch {
	struct sink *sink;
	struct source *source;
	const struct output *outputs;
	size_t output_count;
	rd_kafka_topic_partition_list_t *own, *passed; // offsets for the group and for <group>.passed
	rd_kafka_consumer_group_metadata_t *metadata;
	int64_t deadline_ns;
};

int batch_left_ms(const struct batch *b) ATTR_MUST_USE;                    // to the deadline
enum reason batch_produce(struct batch *b, struct fault *f) ATTR_MUST_USE; // all outputs, in their order
enum reason batch_deliver(struct batch *b, struct fault *f) ATTR_MUST_USE; // waits for all of them; KAFKA_ABORTED if one was not
// Gives the handle up and makes another; what is sure is told at once, the new one may have to wait for its brokers until the next batch.
void batch_renew(struct sink *sink);

// The batch as one transaction. As sink_commit, without what it does before.
enum reason batch_commit_transaction(struct batch *b, struct fault *f) ATTR_MUST_USE;
