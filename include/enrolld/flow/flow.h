// SPDX-License-Identifier: Apache-2.0
// The worker's main body: lanes of threads that take records from Kafka, through the database and back, and what keeps them going.
//
// flow_start makes the threads; flow_stop drains and joins them. Everything else may be called from any thread in between.
#pragma once

#include <stdbool.h>

#include "enrolld/courier/courier.h"
#include "enrolld/credential/pool.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/intake/intake.h"
#include "enrolld/kafka/conf.h"
#include "enrolld/operation/operation.h"
#include "enrolld/store/store.h"

enum lane_kind { LANE_SIGNUP, LANE_OTP, LANE_COUNT };
const char *lane_kind_name(enum lane_kind kind) ATTR_MUST_USE; // "signup", "otp"

enum flow_replays { FLOW_REPLAYS_SILENT, FLOW_REPLAYS_RESULTS };

struct flow_conf {
	const char *instance;   // stable name of this worker among its fellows
	const char *group;      // prefix of the consumer groups: <group>-<lane>
	int64_t window_records; // records in hand of one lane
	int64_t window_bytes;
	int64_t look_batch, store_batch, sink_batch;
	int64_t drain_ms; // how long a stop waits for what is in hand
	int64_t retry_min_ms, retry_max_ms;
	int64_t cautious_records; // that go one by one after an unclean stop
	int64_t sweep_every_ms, sweep_batch;
	int64_t notice_every_ms; // how often notices are looked for when nobody here wrote one
	int replays;             // enum flow_replays: what a record that has passed before gives
	const char *result_topic, *event_topic, *dead_topic;
};
extern const struct setting_table flow_settings; // "worker.*"

// What a flow is made of; everything must outlive it.
struct flow_parts {
	const struct flow_conf *conf;
	const struct kafka_conf *kafka;
	const struct store_conf *store;
	const struct topic_conf *topics;
	size_t topic_count;
	struct dialect_shelf *dialects;
	const struct operation *operation;
	const struct keyring *keys;
	struct secret_pool *secrets;
	struct credential_pool *hashes;
	struct courier *courier; // NULL: messages wait in the database
};

struct flow;

enum reason flow_start(const struct flow_parts *parts, struct flow **ret_flow, struct fault *f) ATTR_MUST_USE;
// Takes no more records, finishes what is in hand within the drain limit, leaves. *clean: everything was finished.
void flow_stop(struct flow *flow, bool *clean);
void flow_destroy(struct flow *flow); // after flow_stop; NULL is fine

// A lane met something that only a person can mend: the reason and detail, and the process should stop. OK while all is well.
enum reason flow_failure(struct flow *flow, struct fault *f) ATTR_MUST_USE;
// Every lane has its partitions and its last use of PostgreSQL and Kafka worked. why: what is missing, if not (may be NULL).
bool flow_ready(struct flow *flow, struct strbuf *why) ATTR_MUST_USE;
// Every stage is getting on: false if a thread has been inside one step for longer than limit_ms (for the watchdog).
bool flow_alive(struct flow *flow, int64_t limit_ms) ATTR_MUST_USE;
// Writes gauges (lag, depths, ages); about once a second and before a scrape.
void flow_measure(struct flow *flow);
