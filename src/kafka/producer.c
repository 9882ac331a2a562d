// SPDX-License-Identifier: Apache-2.0
// A transactional producer has no way back from a fatal error, so the way back is a new one with the same transactional.id.
#include "kafka/producer.h"

#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"

#define MS ((int64_t)1000000)
#define STEP_MS 500       // between two looks at stop
#define MARGIN_BYTES 4096 // headers' lengths and the batch around a message
#define MESSAGE_BYTES 1000000
#define BATCH_BYTES 200000 // well below what any topic is likely to take
#define BATCH_BYTES_MIN 4096

bool sink_transactional(const struct sink *sink)
{
	return sink->transactional_id && sink->conf->results == KAFKA_RESULTS_TRANSACTIONAL;
}

static size_t message_bytes(const rd_kafka_message_t *message)
{
	rd_kafka_headers_t *headers = NULL;
	size_t n = message->len + message->key_len, size = 0;
	const char *name;
	const void *value;
	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return n;
	for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
		n += strlen(name) + size;
	return n;
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
	struct sink *sink = opaque;
	(void)rk;
	if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	if (sink->failed++ == 0)
		sink->failed_err = message->err;
	bool purged = message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
	if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) {
		sink->too_large = true;
		if (sink->single && message->rkt)
			topics_refused(&sink->topics, rd_kafka_topic_name(message->rkt), message_bytes(message));
	} else if (!purged && message->rkt) {
		topics_doubt(&sink->topics, rd_kafka_topic_name(message->rkt));
	}
}

// The broker refuses whole batches, so the first refusal does not tell which message is too large for its topic, or whether one is: the
// next try sends them one by one.
void producer_adapt(struct sink *sink)
{
	if (sink->single && !sink->too_large && sink->batch_bytes > 2 * BATCH_BYTES_MIN)
		sink->batch_bytes /= 2; // a batch of good ones was too large for the topic
	sink->single = sink->too_large && !sink->single;
	sink->too_large = false;
}

static void on_error(rd_kafka_t *rk, int err, const char *text, void *opaque)
{
	struct sink *sink = opaque;
	(void)rk;
	(void)text;
	if (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || err == RD_KAFKA_RESP_ERR__AUTHENTICATION)
		sink->down = true;
}

static enum reason set_batches(struct sink *sink, rd_kafka_conf_t *rdconf, struct fault *f)
{
	const char *own = setting_map_get(&sink->conf->producer_properties, "batch.size");
	if (sink->batch_bytes == 0)
		sink->batch_bytes = own ? strtoul(own, NULL, 10) : BATCH_BYTES;
	enum reason reason = client_set_number(rdconf, "batch.size", (int64_t)sink->batch_bytes, f);
	if (reason == REASON_OK && sink->single)
		reason = client_set(rdconf, "batch.num.messages", "1", f);
	return reason;
}

static enum reason set_transactions(const struct sink *sink, rd_kafka_conf_t *rdconf, struct fault *f)
{
	int64_t timeout = sink->conf->transaction_timeout_ms;
	if (!sink_transactional(sink))
		return client_set_number(rdconf, "message.timeout.ms", timeout, f);
	enum reason reason = client_set(rdconf, "transactional.id", sink->transactional_id, f);
	if (reason == REASON_OK)
		reason = client_set_number(rdconf, "transaction.timeout.ms", timeout, f);
	return reason;
}

static size_t message_limit(const rd_kafka_t *rk)
{
	char text[24];
	size_t size = sizeof(text);
	long limit = MESSAGE_BYTES;
	if (rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)(uintptr_t)rk), "message.max.bytes", text, &size) == RD_KAFKA_CONF_OK)
		limit = strtol(text, NULL, 10);
	return limit > 2 * MARGIN_BYTES ? (size_t)limit - MARGIN_BYTES : MARGIN_BYTES;
}

static enum reason open_producer(struct sink *sink, struct fault *f)
{
	rd_kafka_conf_t *rdconf = NULL;
	enum reason reason = client_conf(sink->conf, CLIENT_PRODUCER, &rdconf, f);
	if (reason != REASON_OK)
		return reason;
	reason = set_batches(sink, rdconf, f);
	if (reason == REASON_OK)
		reason = set_transactions(sink, rdconf, f);
	if (reason != REASON_OK) {
		rd_kafka_conf_destroy(rdconf);
		return reason;
	}
	rd_kafka_conf_set_opaque(rdconf, sink);
	rd_kafka_conf_set_dr_msg_cb(rdconf, on_delivery); // without one every flush waits 10 ms
	rd_kafka_conf_set_error_cb(rdconf, on_error);
	reason = client_create(RD_KAFKA_PRODUCER, rdconf, &sink->rk, f);
	if (reason == REASON_OK && sink->limit == 0)
		sink->limit = message_limit(sink->rk);
	return reason;
}

static bool is_stopped(const struct sink *sink)
{
	return sink->stop && sink->stop(sink->stop_ctx);
}

static enum reason init_fault(const struct sink *sink, rd_kafka_error_t *error, struct fault *f)
{
	bool retriable = rd_kafka_error_is_retriable(error) != 0;
	enum reason reason = client_reason(rd_kafka_error_code(error));
	if (reason == REASON_KAFKA_UNAVAILABLE && !retriable)
		reason = REASON_KAFKA_FATAL;
	(void)fault_set(f, reason, "transactional id %s: %s", sink->transactional_id, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	return reason;
}

static enum reason init_producer(struct sink *sink, int64_t wait_ms, struct fault *f)
{
	int64_t until = clock_mono_ns() + wait_ms * MS;
	for (;;) {
		if (is_stopped(sink))
			return fault_set(f, REASON_STOPPING, "while waiting for the brokers");
		rd_kafka_error_t *error = rd_kafka_init_transactions(sink->rk, STEP_MS);
		if (!error)
			return REASON_OK;
		(void)rd_kafka_poll(sink->rk, 0);
		enum reason reason = init_fault(sink, error, f);
		if (reason != REASON_KAFKA_UNAVAILABLE || (wait_ms >= 0 && clock_mono_ns() >= until))
			return reason;
	}
}

enum reason producer_revive(struct sink *sink, int64_t wait_ms, struct fault *f)
{
	if (sink->rk && sink->ready)
		return REASON_OK;
	enum reason reason = sink->rk ? REASON_OK : open_producer(sink, f);
	if (reason == REASON_OK && sink_transactional(sink))
		reason = init_producer(sink, wait_ms, f);
	if (reason == REASON_OK) {
		sink->ready = true;
		sink->down = false;
	} else if (reason != REASON_KAFKA_UNAVAILABLE && reason != REASON_STOPPING) {
		producer_end(sink, STEP_MS); // it cannot be used any more
	}
	return reason;
}

void producer_end(struct sink *sink, int deadline_ms)
{
	sink->ready = false;
	topics_let_go(&sink->topics);
	if (!sink->rk)
		return;
	(void)rd_kafka_purge(sink->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
	(void)rd_kafka_poll(sink->rk, 0);
	(void)client_destroy(sink->rk, deadline_ms);
	sink->rk = NULL;
}

void producer_abandon(struct sink *sink)
{
	sink->ready = false;
	topics_let_go(&sink->topics);
	sink->rk = NULL;
}

enum reason producer_note_fence(struct sink *sink, struct fault *f)
{
	bool stopped = clock_mono_ns() - sink->begun_ns >= sink->conf->session_timeout_ms * MS;
	if (stopped || !client_fenced_often(&sink->fences))
		return fault_set(f, REASON_KAFKA_FENCED, "transactional id %s was taken over, or its transaction timed out",
				 sink->transactional_id);
	return fault_set(f, REASON_KAFKA_FATAL,
			 "transactional id %s was taken over %d times within a minute: another worker has the same instance name",
			 sink->transactional_id, FENCES_MAX);
}
