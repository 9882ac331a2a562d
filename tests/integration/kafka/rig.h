// SPDX-License-Identifier: Apache-2.0
// What the tests against a real broker share: topics, records in, records out, and a worker of one source and one sink.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <librdkafka/rdkafka.h>

#include "enrolld/kafka/admin.h"
#include "enrolld/kafka/sink.h"
#include "enrolld/kafka/source.h"

#define RIG_NAME_SIZE 96
#define RIG_RECORDS_MAX 20000

void rig_conf(struct kafka_conf *conf); // defaults, the brokers of ENROLLD_BOOTSTRAP_SERVERS
void rig_property(struct setting_map *map, const char *name, const char *value);
const char *rig_name(char out[static RIG_NAME_SIZE], const char *word); // not used before
void rig_topic(const char *name, int partitions, const char *config, const char *value);
int64_t rig_committed(const char *group, const char *topic, int32_t partition);
void rig_set_offset(const char *group, const char *topic, int32_t partition, int64_t offset);
void rig_delete_before(const char *topic, int32_t partition, int64_t offset);

// count records with the values "p<partition>-<from + i>", acknowledged.
void rig_produce(const char *topic, int32_t partition, int from, int count);
struct rig_message {
	const char *topic;
	int32_t partition;
	const char *key, *value;     // NULL: null
	size_t value_len;            // 0: by strlen
	int64_t timestamp;           // 0: now
	rd_kafka_headers_t *headers; // taken over
};
void rig_send(rd_kafka_t *rk, struct rig_message message); // not flushed
rd_kafka_t *rig_producer(const char *transactional_id);    // NULL: idempotent only
void rig_check(rd_kafka_error_t *error);

// All that a read_committed reader sees. Values are NUL-terminated.
struct rig_output {
	int32_t partition;
	int64_t offset;
	char *value;
};
struct rig_outputs {
	struct rig_output *items;
	size_t count;
};
struct rig_outputs rig_read(const char *topic, int partitions);
size_t rig_count(const struct rig_outputs *outputs, const char *value);
void rig_free(struct rig_outputs *outputs);

struct rig_event {
	enum { RIG_ASSIGNED, RIG_DROPPED, RIG_GAP, RIG_UNDECIDED } kind;
	int32_t partition;
	int64_t a, b, c; // start, passed; or committed, low, high
};

struct rig_taken {
	struct coordinates at;
	uint64_t epoch;
	char value[40];
};

struct worker {
	struct kafka_conf conf;
	char group[RIG_NAME_SIZE], instance[RIG_NAME_SIZE], topic[RIG_NAME_SIZE], out[RIG_NAME_SIZE];
	struct source *source;
	struct sink *sink;
	struct rig_event events[4096];
	size_t event_count;
	struct rig_taken taken[RIG_RECORDS_MAX]; // in hand: dropped partitions leave
	size_t taken_count;
	enum reason reason; // of the last source_poll
	struct fault fault;
};

struct worker *worker_create(const char *group, const char *instance, const char *topic, const char *out);
void worker_open(struct worker *w); // source and sink, with w->conf
void worker_close(struct worker *w);
void worker_destroy(struct worker *w);
void worker_step(struct worker *w);                                // one poll, and up to 200 records
void worker_until_taken(struct worker *w, size_t count);           // fails after 30 s
void worker_until_event(struct worker *w, int kind, size_t count); // events of that kind since the start; fails after 30 s
size_t worker_events(const struct worker *w, int kind);
const struct rig_event *worker_event(const struct worker *w, int kind, size_t n); // the n-th of a kind
// One output a record in hand, value copied; what was committed leaves the hand. count 0: all.
enum reason worker_commit(struct worker *w, size_t count);
