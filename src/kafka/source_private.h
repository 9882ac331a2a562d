// SPDX-License-Identifier: Apache-2.0
// What the files of the source, and the sink, share. Private to kafka.
#pragma once

#include <librdkafka/rdkafka.h>

#include "kafka/client.h"
#include "kafka/orphans.h"
#include "kafka/partition_table.h"

#define SOURCE_TEXT_SIZE 240

// Why the source does not get on. It stays until something shows that it has passed.
struct trouble {
	enum reason reason; // REASON_OK: none
	char text[SOURCE_TEXT_SIZE];
	int64_t since_ns, probe_ns; // when it was noted; when the brokers were last asked about it
};

struct source {
	pthread_rwlock_t handle; // the reader thread writes rk under it; others use rk under it
	rd_kafka_t *rk;
	rd_kafka_t *offsets;    // asks for committed offsets while partitions wait for them; else NULL
	rd_kafka_queue_t *work; // records of all partitions
	const struct kafka_conf *conf;
	char *group, *passed_group, *instance;
	char **topics; // interned names
	size_t topic_count;
	size_t value_limit;
	struct source_events events;
	struct partition_table table;
	struct trouble trouble; // reader thread

	bool eager;       // the group's protocol (range) takes whole assignments only
	bool ack_pending; // eager: librdkafka waits for the assignment
	bool closing;
	bool reopen; // the handle has had its day
	struct fences fences;
	struct orphans orphans; // reader thread
	int64_t undecided_ns;   // when undecided offsets were last told of; reader thread

	pthread_mutex_t lock; // of the members below
	char *member;         // member id when the partitions were assigned
	char *cluster_id;
	bool joined, was_ready;
};

// --- rebalance.c, reader thread ---
void source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *partitions, void *opaque);
void source_drop_all(struct source *s); // "dropped" for each; nothing is fetched afterwards
void source_do_rewind(struct source *s);
void source_stop_fetching(struct source *s);                                      // all partitions; epochs and positions stay
void source_serve_group(struct source *s, int timeout_ms);                        // callbacks of librdkafka
const char *source_topic(const struct source *s, const char *name) ATTR_MUST_USE; // interned; NULL if it is none of ours

// --- start.c, reader thread ---
void source_start_partitions(struct source *s); // as far as their offsets can be read now

// --- trouble.c, reader thread ---
void source_note(struct source *s, enum reason reason, const char *fmt, ...) ATTR_PRINTF(3, 4);
void source_note_error(struct source *s, rd_kafka_resp_err_t err, const char *text);
void source_note_record(struct source *s, const rd_kafka_message_t *message, bool ours); // an error in a record's place
void source_on_error(rd_kafka_t *rk, int err, const char *text, void *opaque);
void source_works(struct source *s);                      // there is proof that the trouble has passed
void source_probe(struct source *s);                      // once a second: do the brokers answer, and do they have our topics?
bool source_halted(const struct source *s) ATTR_MUST_USE; // it is one that does not pass

// --- for the sink, any thread ---
// Takes the group's metadata, then checks the passages' epochs; OK: *metadata is the caller's, and source_release follows.
enum reason source_hold(struct source *s, const struct passage *passages, size_t count,
			rd_kafka_consumer_group_metadata_t **metadata, struct fault *f) ATTR_MUST_USE;
void source_release(struct source *s);
// Commits the group's offsets as its member, without a transaction.
enum reason source_commit(struct source *s, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms,
			  struct fault *f) ATTR_MUST_USE;
