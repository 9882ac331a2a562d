// SPDX-License-Identifier: Apache-2.0
// The sink's producer handle: its making, INIT, its end, and the coming back after it was fenced. Private to kafka.
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "enrolld/kafka/sink.h"
#include "kafka/client.h"
#include "kafka/topics.h"

struct sink {
	const struct kafka_conf *conf;
	char *group, *passed_group, *transactional_id;
	bool (*stop)(void *ctx);
	void *stop_ctx;
	rd_kafka_t *rk;
	bool ready;          // INIT has been answered
	bool down;           // all brokers were seen down since they last answered
	rd_kafka_t *offsets; // idempotent results: commits <group>.passed; else NULL
	struct topics topics;
	size_t limit;       // of one output of any topic
	size_t batch_bytes; // batch.size
	bool single;        // one message a batch, to see which one is too large

	int64_t begun_ns; // when the present batch began

	size_t failed; // messages of the present batch that could not be delivered, and why the first of them
	rd_kafka_resp_err_t failed_err;
	bool too_large; // a topic refused one for its batch's size
	struct fences fences;
};

bool sink_transactional(const struct sink *sink) ATTR_MUST_USE;
// Makes and initialises the producer if there is none, within wait_ms (-1: until stop). KAFKA_UNAVAILABLE: not yet; call again.
enum reason producer_revive(struct sink *sink, int64_t wait_ms, struct fault *f) ATTR_MUST_USE;
// After a batch that failed for too_large, or one that went through while single: what to do otherwise. Between the end of that producer,
// whose last reports belong to what was done until then, and the making of the next.
void producer_adapt(struct sink *sink);
void producer_end(struct sink *sink, int deadline_ms);
void producer_abandon(struct sink *sink); // its handle belongs to a call that does not come back
// Notes that it was fenced; KAFKA_FATAL if that keeps happening, else KAFKA_FENCED. What happens to a batch that has outlasted the session does
// not count: this process was stopped, and others have ended its transaction.
enum reason producer_note_fence(struct sink *sink, struct fault *f) ATTR_MUST_USE;
