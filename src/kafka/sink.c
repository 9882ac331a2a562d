// SPDX-License-Identifier: Apache-2.0
// One batch out: outputs and the offsets they pass, as a Kafka transaction or (idempotent) one after the other.
#include "enrolld/kafka/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "kafka/client.h"
#include "kafka/offsets.h"
#include "kafka/producer.h"
#include "kafka/source_private.h"

#define MS ((int64_t)1000000)
#define ASK_MS 1000
#define REVIVE_MS 2000      // for a batch to wait for a producer; else the caller tries again
#define TOPIC_WAIT_MS 10000 // at the start, for topics that are just being made
#define ABORT_MS 2000       // else a new producer's INIT aborts it
#define END_MS 3000
#define CALL_GRACE_MS 300

struct batch {
	struct sink *sink;
	struct source *source;
	const struct output *outputs;
	size_t output_count;
	rd_kafka_topic_partition_list_t *own, *passed; // offsets for the group and for <group>.passed
	rd_kafka_consumer_group_metadata_t *metadata;
	int64_t deadline_ns;
};

static int left_ms(const struct batch *b)
{
	int64_t left = (b->deadline_ns - clock_mono_ns()) / MS;
	return left > 0 ? (int)left : 0;
}

// --- life ---

static char *copy_text(const char *text, const char *suffix)
{
	char *copy = NULL;
	if (asprintf(&copy, "%s%s", text, suffix) < 0)
		PANIC("sink: out of memory");
	return copy;
}

static enum reason warm_topics(struct sink *sink, const struct sink_options *o, struct fault *f)
{
	int64_t until = clock_mono_ns() + TOPIC_WAIT_MS * MS;
	for (size_t i = 0; i < o->topic_count;) {
		struct topic *topic = NULL;
		enum reason reason = topics_get(&sink->topics, sink->rk, slice_of(o->topics[i]), ASK_MS, &topic, f);
		if (reason == REASON_OK && topic) {
			i++;
			continue;
		}
		if (reason == REASON_OK)
			reason = fault_set(f, REASON_KAFKA_UNAVAILABLE, "topic %s does not exist, or may not be described",
					   o->topics[i]);
		if (sink->stop && sink->stop(sink->stop_ctx))
			return fault_set(f, REASON_STOPPING, "while waiting for topic %s", o->topics[i]);
		if (reason != REASON_KAFKA_UNAVAILABLE || clock_mono_ns() >= until)
			return reason;
		topics_doubt(&sink->topics, o->topics[i]);
		clock_sleep_ms(100);
	}
	return REASON_OK;
}

enum reason sink_create(const struct sink_options *o, bool (*stop)(void *), void *stop_ctx, struct sink **ret_sink, struct fault *f)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	if (!sink)
		PANIC("sink: out of memory");
	sink->conf = o->conf;
	sink->group = copy_text(o->group, "");
	sink->passed_group = copy_text(o->group, ".passed");
	sink->transactional_id = copy_text(o->transactional_id, "");
	sink->stop = stop;
	sink->stop_ctx = stop_ctx;
	topics_init(&sink->topics);
	for (size_t i = 0; i < o->topic_count; i++)
		topics_fix(&sink->topics, o->topics[i]);
	enum reason reason = producer_revive(sink, -1, f);
	if (reason == REASON_OK)
		reason = warm_topics(sink, o, f);
	if (reason == REASON_OK)
		*ret_sink = sink;
	else
		sink_close(sink, END_MS);
	return reason;
}

void sink_close(struct sink *sink, int deadline_ms)
{
	if (!sink)
		return;
	producer_end(sink, deadline_ms);
	topics_clear(&sink->topics);
	if (sink->offsets)
		(void)client_destroy(sink->offsets, deadline_ms);
	free(sink->group);
	free(sink->passed_group);
	free(sink->transactional_id);
	free(sink);
}

// --- before a batch begins ---

size_t sink_output_limit(const struct sink *sink)
{
	return sink->limit;
}

bool sink_has_topic(struct sink *sink, struct slice topic, int32_t partition)
{
	struct fault f;
	struct topic *found = NULL;
	if (producer_revive(sink, 0, &f) != REASON_OK ||
	    topics_get(&sink->topics, sink->rk, topic, ASK_MS, &found, &f) != REASON_OK)
		return true; // cannot be told now: the commit will
	return found && partition < found->partitions;
}

static size_t output_bytes(const struct output *o)
{
	size_t n = o->key.len + o->value.len;
	for (size_t i = 0; i < o->header_count; i++)
		n += o->headers[i].name.len + o->headers[i].value.len;
	return n;
}

static enum reason check_output(struct sink *sink, const struct output *o, struct fault *f)
{
	struct topic *topic = NULL;
	if (output_bytes(o) > sink->limit)
		return fault_set(f, REASON_OUTPUT_TOO_LARGE, "%zu bytes for topic %.*s, which takes %zu", output_bytes(o),
				 (int)o->topic.len, o->topic.ptr, sink->limit);
	enum reason reason = topics_known(&sink->topics, sink->rk, o->topic, ASK_MS, &topic, f);
	if (reason == REASON_OK && (!topic || o->partition >= topic->partitions)) {
		// A reply address that is gone is the caller's to find out again; our own topics will be back.
		reason = o->kind == OUTPUT_REPLY ? REASON_KAFKA_ABORTED : REASON_KAFKA_UNAVAILABLE;
		return fault_set(f, reason, "topic %.*s or its partition %d does not exist", (int)o->topic.len, o->topic.ptr,
				 (int)o->partition);
	}
	return reason;
}

static enum reason check_brokers(struct sink *sink, struct fault *f)
{
	const struct rd_kafka_metadata *metadata = NULL;
	(void)rd_kafka_poll(sink->rk, 0);
	if (!sink->down)
		return REASON_OK;
	rd_kafka_resp_err_t err = rd_kafka_metadata(sink->rk, 0, NULL, &metadata, ASK_MS);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fault_set(f, client_reason(err), "producer of group %s: %s", sink->group, rd_kafka_err2str(err));
	rd_kafka_metadata_destroy(metadata);
	sink->down = false;
	return REASON_OK;
}

static enum reason prepare(struct batch *b, struct fault *f)
{
	enum reason reason = producer_revive(b->sink, REVIVE_MS, f);
	if (reason == REASON_OK)
		reason = check_brokers(b->sink, f);
	for (size_t i = 0; i < b->output_count && reason == REASON_OK; i++)
		reason = check_output(b->sink, &b->outputs[i], f);
	return reason;
}

static void set_offsets(struct batch *b, const struct passage *passages, size_t count)
{
	b->own = rd_kafka_topic_partition_list_new((int)count);
	b->passed = rd_kafka_topic_partition_list_new((int)count);
	for (size_t i = 0; i < count; i++) {
		const struct passage *p = &passages[i];
		rd_kafka_topic_partition_list_add(b->own, p->topic, p->partition)->offset = p->next;
		rd_kafka_topic_partition_list_add(b->passed, p->topic, p->partition)->offset = p->mark > p->next ? p->mark
														 : p->next;
	}
}

// --- the steps of a batch ---

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
		if (left_ms(b) == 0)
			break;
		(void)rd_kafka_poll(b->sink->rk, 10);
	}
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR && headers)
		rd_kafka_headers_destroy(headers); // they are librdkafka's only on success
	return err;
}

static enum reason produce(struct batch *b, struct fault *f)
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

static enum reason deliver(struct batch *b, struct fault *f)
{
	struct sink *sink = b->sink;
	rd_kafka_resp_err_t err = rd_kafka_flush(sink->rk, left_ms(b));
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && sink->failed > 0)
		err = sink->failed_err;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		return REASON_OK;
	return fault_set(f, REASON_KAFKA_ABORTED, "%zu of %zu outputs not delivered: %s", sink->failed, b->output_count,
			 rd_kafka_err2str(err));
}

// --- a batch as a transaction ---

static bool is_fatal(const struct sink *sink)
{
	char text[8];
	return rd_kafka_fatal_error(sink->rk, text, sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR;
}

// What is sure is told at once; the new producer may have to wait for its brokers until the next batch.
static void renew(struct sink *sink)
{
	struct fault f;
	producer_end(sink, END_MS);
	(void)!producer_revive(sink, REVIVE_MS, &f);
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
		producer_end(sink, END_MS);
	else
		renew(sink);
	return reason;
}

// Before EndTxn(commit): what was begun is given up for certain.
static enum reason give_up(struct sink *sink, struct fault *f)
{
	if (!sink->rk) { // abandoned
		renew(sink);
		return REASON_KAFKA_ABORTED;
	}
	if (is_fatal(sink))
		return fatal(sink, REASON_KAFKA_ABORTED, f);
	rd_kafka_error_t *error = rd_kafka_abort_transaction(sink->rk, ABORT_MS);
	bool aborted = !error;
	if (error)
		rd_kafka_error_destroy(error);
	if (!aborted && is_fatal(sink))
		return fatal(sink, REASON_KAFKA_ABORTED, f);
	bool adapt = sink->too_large > 0;
	if (adapt)
		producer_adapt(sink);
	if (adapt || !aborted)
		renew(sink); // its INIT aborts a transaction that is still open
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
		c->timeout_ms = left_ms(b);
		c->error = NULL;
		if (!client_run(call_send_offsets, c, release_call, c->timeout_ms + CALL_GRACE_MS)) {
			producer_abandon(b->sink);
			return fault_set(f, REASON_KAFKA_ABORTED, "offsets of %s: no answer from a coordinator", what);
		}
		again = false;
		reason = REASON_OK;
		if (c->error) {
			again = rd_kafka_error_is_retriable(c->error) && !rd_kafka_error_txn_requires_abort(c->error) &&
				left_ms(b) > 0;
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
		reason = produce(b, f);
	if (reason == REASON_OK && FAILPOINT(sink_produced))
		reason = fault_set(f, REASON_KAFKA_ABORTED, "failpoint sink.produced");
	if (reason == REASON_OK) {
		reason = send_offsets(b, b->own, b->metadata, b->sink->group, f);
		b->metadata = NULL;
	}
	if (reason == REASON_OK)
		reason = deliver(b, f);
	if (reason == REASON_OK && FAILPOINT(sink_offsets_sent))
		reason = fault_set(f, REASON_KAFKA_ABORTED, "failpoint sink.offsets_sent");
	return reason;
}

// After this call EndTxn(commit) may be on its way, so that no failure can be aborted or tried again: a new producer settles it.
// -1 for the time would wait for ever; the brokers end a transaction after its timeout.
static enum reason end(struct sink *sink, struct fault *f)
{
	rd_kafka_error_t *error = rd_kafka_commit_transaction(sink->rk, (int)sink->conf->transaction_timeout_ms);
	if (!error)
		return REASON_OK;
	(void)fault_set(f, REASON_KAFKA_UNKNOWN, "commit of the transaction: %s", rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
	if (is_fatal(sink))
		return fatal(sink, REASON_KAFKA_UNKNOWN, f);
	renew(sink);
	return REASON_KAFKA_UNKNOWN;
}

static enum reason commit_transaction(struct batch *b, struct fault *f)
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

// --- a batch without transaction ---

static enum reason commit_passed(struct batch *b, struct fault *f)
{
	struct sink *sink = b->sink;
	enum reason reason = sink->offsets ? REASON_OK : client_open_plain(sink->conf, sink->passed_group, &sink->offsets, f);
	if (reason == REASON_OK)
		reason = offsets_write(sink->offsets, sink->passed_group, b->passed, left_ms(b) + 1, f);
	if (reason != REASON_OK && sink->offsets) {
		(void)client_destroy(sink->offsets, END_MS); // its coordinator may have moved
		sink->offsets = NULL;
	}
	return reason;
}

static enum reason commit_plain(struct batch *b, struct fault *f)
{
	struct sink *sink = b->sink;
	enum reason reason = produce(b, f);
	if (reason == REASON_OK)
		reason = deliver(b, f);
	if (reason != REASON_OK) {
		if (sink->too_large > 0)
			producer_adapt(sink);
		renew(sink); // nothing of this batch may be delivered after a later one
		return reason;
	}
	reason = commit_passed(b, f);
	if (reason == REASON_OK)
		reason = source_commit(b->source, b->own, left_ms(b) + 1, f);
	return reason == REASON_OK ? REASON_OK : fault_set(f, REASON_KAFKA_UNKNOWN, "%s", f ? f->detail : "");
}

enum reason sink_commit(struct sink *sink, struct source *source, const struct output *outputs, size_t output_count,
			const struct passage *passages, size_t passage_count, struct fault *f)
{
	struct batch b = {.sink = sink, .source = source, .outputs = outputs, .output_count = output_count};
	struct fault fallback = {0};
	f = f ? f : &fallback;
	enum reason reason = prepare(&b, f);
	if (reason == REASON_OK)
		reason = source_hold(source, passages, passage_count, &b.metadata, f);
	if (reason != REASON_OK)
		return reason;
	// The broker's clock of the transaction must not run out before ours.
	b.deadline_ns = clock_mono_ns() + sink->conf->transaction_timeout_ms * MS * 4 / 5;
	sink->failed = sink->too_large = 0;
	set_offsets(&b, passages, passage_count);
	reason = sink_transactional(sink) ? commit_transaction(&b, f) : commit_plain(&b, f);
	source_release(source);
	if (reason == REASON_OK && sink->single) {
		producer_adapt(sink);
		producer_end(sink, END_MS);
	}
	rd_kafka_topic_partition_list_destroy(b.own);
	rd_kafka_topic_partition_list_destroy(b.passed);
	if (b.metadata)
		rd_kafka_consumer_group_metadata_destroy(b.metadata);
	return reason;
}
