// SPDX-License-Identifier: Apache-2.0
// Committed offsets of any group, read and written as an administrator does. Private to kafka.
#pragma once

#include <librdkafka/rdkafka.h>

#include "enrolld/base/fault.h"

// Fills offset (RD_KAFKA_OFFSET_INVALID: none) and err of every partition of the list. Read stable: a partition with an undecided
// transaction has err UNSTABLE_OFFSET_COMMIT and is to be asked again. Works on any handle; any thread.
enum reason offsets_read(rd_kafka_t *rk, const char *group, rd_kafka_topic_partition_list_t *partitions, int timeout_ms,
			 struct fault *f) ATTR_MUST_USE;

// Commits the offsets for a group without members.
enum reason offsets_write(rd_kafka_t *rk, const char *group, const rd_kafka_topic_partition_list_t *partitions, int timeout_ms,
			  struct fault *f) ATTR_MUST_USE;

// Deletes one partition's offset of a group; one that is not there is deleted already.
enum reason offsets_delete(rd_kafka_t *rk, const char *group, const char *topic, int32_t partition, int timeout_ms,
			   struct fault *f) ATTR_MUST_USE;

// One administrator's request: options, and the queue for its answer. For admin.c too.
struct admin_call {
	rd_kafka_AdminOptions_t *options;
	rd_kafka_queue_t *queue;
	rd_kafka_event_t *event; // the answer; NULL before admin_wait
};
enum reason admin_begin(rd_kafka_t *rk, rd_kafka_admin_op_t op, struct admin_call *call, struct fault *f) ATTR_MUST_USE;
// Waits for the answer; fails with what when there is none or it is an error as a whole.
enum reason admin_wait(struct admin_call *call, int timeout_ms, const char *what, struct fault *f) ATTR_MUST_USE;
void admin_end(struct admin_call *call);
