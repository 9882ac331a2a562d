// SPDX-License-Identifier: Apache-2.0
// Outputs to messages, and the wait until the brokers have them.
#include "kafka/batch.h"

#include "enrolld/base/clock.h"

int batch_left_ms(const struct batch *b)
{
	int64_t left = (b->deadline_ns - clock_mono_ns()) / 1000000;
	return left > 0 ? (int)left : 0;
}

static rd_kafka_headers_t *make_headers(const struct output *o)
{
	if (o->header_count == 0)
		return NULL;
	rd_kafka_headers_t *headers = rd_kafka_headers_new(o->header_count);
	for (size_t i = 0; i < o->header_count; i++) {
		const struct header *h = &o->headers[i];
		(void)rd_kafka_header_add(headers, h->name.ptr, (ssize_t)h->name.len, h->value.ptr, (ssize_t)h->value.len);
	}
	return headers;
}

static rd_kafka_resp_err_t produce_one(struct batch *b, const struct output *o)
{
	struct fault f;
	struct topic *topic = NULL;
	if (topics_known(&b->sink->topics, b->sink->rk, o->topic, 0, &topic, &f) != REASON_OK || !topic)
		return RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
	rd_kafka_headers_t *headers = make_headers(o);
	rd_kafka_resp_err_t err;
	// The types are spelled out: librdkafka's macros for them are statement expressions.
	while ((err = rd_kafka_producev(b->sink->rk, RD_KAFKA_VTYPE_RKT, topic->rkt, RD_KAFKA_VTYPE_PARTITION, o->partition,
					RD_KAFKA_VTYPE_KEY, (const void *)o->key.ptr, o->key.len, RD_KAFKA_VTYPE_VALUE,
					(const void *)o->value.ptr, o->value.len, RD_KAFKA_VTYPE_HEADERS, headers,
					RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_END)) ==
	       RD_KAFKA_RESP_ERR__QUEUE_FULL) {
		if (batch_left_ms(b) == 0)
			break;
		(void)rd_kafka_poll(b->sink->rk, 10);
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR && headers)
		rd_kafka_headers_destroy(headers); // they are librdkafka's only on success
	return err;
}

enum reason batch_produce(struct batch *b, struct fault *f)
{
	for (size_t i = 0; i < b->output_count; i++) {
		rd_kafka_resp_err_t err = produce_one(b, &b->outputs[i]);
		if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return fault_set(f, REASON_KAFKA_ABORTED, "output to %.*s: %s", (int)b->outputs[i].topic.len,
					 b->outputs[i].topic.ptr, rd_kafka_err2str(err));
		if (i % 64 == 63)
			(void)rd_kafka_poll(b->sink->rk, 0);
	}
	return REASON_OK;
}

enum reason batch_deliver(struct batch *b, struct fault *f)
{
	struct sink *sink = b->sink;
	rd_kafka_resp_err_t err = rd_kafka_flush(sink->rk, batch_left_ms(b));
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && sink->failed > 0)
		err = sink->failed_err;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return REASON_OK;
	return fault_set(f, REASON_KAFKA_ABORTED, "%zu of %zu outputs not delivered: %s", sink->failed, b->output_count,
			 rd_kafka_err2str(err));
}

void batch_renew(struct sink *sink)
{
	struct fault f;
	producer_end(sink, BATCH_END_MS);
	if (sink->too_large)
		producer_adapt(sink);
	(void)!producer_revive(sink, BATCH_REVIVE_MS, &f);
}
