// SPDX-License-Identifier: Apache-2.0
// Begin, marks, outputs, offsets, end; and what each failure means. Rules: KIP-98, KIP-447.
#include "kafka/batch.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"

#define CALL_GRACE_MS 300

static bool is_fatal(const struct sink *sink)
{
	char text[8];
	return rd_kafka_fatal_error(sink->rk, text, sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

static bool is_fence(rd_kafka_resp_err_t err)
{
	// A transaction that the broker has timed out looks like this too.
	return client_reason(err) == REASON_KAFKA_FENCED || err == RD_KAFKA_RESP_ERR_INVALID_TXN_STATE;
}

// The handle has raised a fatal error: it is made again. otherwise: what that means for the batch if nobody took the id over.
static enum reason fatal(struct sink *sink, enum reason otherwise, struct fault *f)
{
	char text[160];
	rd_kafka_resp_err_t err = rd_kafka_fatal_error(sink->rk, text, sizeof(text));
	enum reason reason = otherwise;
	if (client_reason(err) == REASON_KAFKA_DENIED)
		reason = fault_set(f, REASON_KAFKA_DENIED, "transactional id %s: %s", sink->transactional_id, text);
	else if (is_fence(err))
		reason = producer_note_fence(sink, f);
	else
		(void)fault_set(f, otherwise, "transactional id %s: %s (%s)", sink->transactional_id, text, rd_kafka_err2name(err));
	if (reason_verdict(reason) == VERDICT_HALT)
		producer_end(sink, BATCH_END_MS);
	else
		batch_renew(sink);
	return reason;
}

// Before EndTxn(commit): what was begun is given up for certain. The producer goes with it, and the next one's INIT ends the transaction. After an abort the same
// one would go on, and an output or an abort that a broken link still holds could reach the next transaction: the broker would take new outputs for those
// it has, or give up half of it (KAFKA-17754). INIT raises the epoch, which fences all of that.
static enum reason give_up(struct sink *sink, struct fault *f)
{
	if (sink->rk && is_fatal(sink)) // else it was abandoned
		return fatal(sink, REASON_KAFKA_ABORTED, f);
	batch_renew(sink);
	return REASON_KAFKA_ABORTED;
}

// One call that has no deadline of its own: librdkafka's does not end while a coordinator is away, whatever the time it is given.
struct offsets_call {
	rd_kafka_t *rk;
	rd_kafka_topic_partition_list_t *offsets;
	rd_kafka_consumer_group_metadata_t *metadata;
	int timeout_ms;
	rd_kafka_error_t *error;
};

static void call_send_offsets(void *ctx)
{
	struct offsets_call *c = ctx;
	c->error = rd_kafka_send_offsets_to_transaction(c->rk, c->offsets, c->metadata, c->timeout_ms);
}

static void end_call(struct offsets_call *c)
{
	if (c->error)
		rd_kafka_error_destroy(c->error);
	rd_kafka_topic_partition_list_destroy(c->offsets);
	rd_kafka_consumer_group_metadata_destroy(c->metadata);
	free(c);
}

static void release_call(void *ctx)
{
	struct offsets_call *c = ctx;
	rd_kafka_t *rk = c->rk;
	end_call(c);
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

// Takes metadata over.
static enum reason send_offsets(struct batch *b, const rd_kafka_topic_partition_list_t *offsets,
				rd_kafka_consumer_group_metadata_t *metadata, const char *what, struct fault *f)
{
	struct offsets_call *c = calloc(1, sizeof(*c));
	if (!c)
		PANIC("sink: out of memory");
	*c = (struct offsets_call){b->sink->rk, rd_kafka_topic_partition_list_copy(offsets), metadata, 0, NULL};
	bool again;
	enum reason reason;
	do {
		c->timeout_ms = batch_left_ms(b);
		c->error = NULL;
		if (!client_run(call_send_offsets, c, release_call, c->timeout_ms + CALL_GRACE_MS)) {
			producer_abandon(b->sink);
			return fault_set(f, REASON_KAFKA_ABORTED, "offsets of %s: no answer from a coordinator", what);
		}
		again = false;
		reason = REASON_OK;
		if (c->error) {
			again = rd_kafka_error_is_retriable(c->error) && !rd_kafka_error_txn_requires_abort(c->error) &&
				batch_left_ms(b) > 0;
			reason = fault_set(f, REASON_KAFKA_ABORTED, "offsets of %s: %s", what, rd_kafka_error_string(c->error));
			if (again) {
				rd_kafka_error_destroy(c->error);
				clock_sleep_ms(1);
			}
		}
	} while (again);
	end_call(c);
	return reason;
}

// First in the transaction: this request is tried again after 1 ms while the last transaction's markers are being written, but the one
// that outputs begin with only after 20 ms.
static enum reason pass_marks(struct batch *b, struct fault *f)
{
	return send_offsets(b, b->passed, rd_kafka_consumer_group_metadata_new(b->sink->passed_group), b->sink->passed_group, f);
}

static enum reason fill_transaction(struct batch *b, struct fault *f)
{
	if (FAILPOINT(sink_begun))
		return fault_set(f, REASON_KAFKA_ABORTED, "failpoint sink.begun");
	enum reason reason = pass_marks(b, f);
	if (reason == REASON_OK && FAILPOINT(sink_passed_sent))
		reason = fault_set(f, REASON_KAFKA_ABORTED, "failpoint sink.passed_sent");
	if (reason == REASON_OK)
		reason = batch_produce(b, f);
	if (reason == REASON_OK && FAILPOINT(sink_produced))
		reason = fault_set(f, REASON_KAFKA_ABORTED, "failpoint sink.produced");
	if (reason == REASON_OK) {
		reason = send_offsets(b, b->own, b->metadata, b->sink->group, f);
		b->metadata = NULL;
	}
	if (reason == REASON_OK)
		reason = batch_deliver(b, f);
	if (reason == REASON_OK && FAILPOINT(sink_offsets_sent))
		reason = fault_set(f, REASON_KAFKA_ABORTED, "failpoint sink.offsets_sent");
	return reason;
}

// After this call EndTxn(commit) may be on its way, so that no failure can be aborted or tried again: a new producer settles it.
// -1 for the time would wait for ever; the brokers end a transaction after its timeout.
static enum reason end(struct sink *sink, struct fault *f)
{
	if (FAILPOINT(sink_lost)) {
		producer_end(sink, BATCH_END_MS);
		return fault_set(f, REASON_KAFKA_UNKNOWN, "failpoint sink.lost");
	}
	rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->rk, (int)sink->conf->transaction_timeout_ms);
	if (!error)
		return REASON_OK;
	(void)fault_set(f, REASON_KAFKA_UNKNOWN, "commit of the transaction: %s", rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	if (is_fatal(sink))
		return fatal(sink, REASON_KAFKA_UNKNOWN, f);
	batch_renew(sink);
	return REASON_KAFKA_UNKNOWN;
}

enum reason batch_commit_transaction(struct batch *b, struct fault *f)
{
	struct sink *sink = b->sink;
	rd_kafka_error_t *error = rd_kafka_begin_transaction(sink->rk);
	if (error) {
		(void)fault_set(f, REASON_KAFKA_ABORTED, "begin of the transaction: %s", rd_kafka_error_string(error));
		rd_kafka_error_destroy(error);
		return give_up(sink, f);
	}
	enum reason reason = fill_transaction(b, f);
	return reason == REASON_OK ? end(sink, f) : give_up(sink, f);
}
