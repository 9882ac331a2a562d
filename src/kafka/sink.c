// SPDX-License-Identifier: Apache-2.0
// One batch out: outputs and the offsets they pass, as a Kafka transaction or (idempotent) one after the other.
#include "enrolld/kafka/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "kafka/batch.h"
#include "kafka/client.h"
#include "kafka/offsets.h"

#define MS ((int64_t)1000000)
#define ASK_MS 1000
#define TOPIC_WAIT_MS 10000 // at the start, for topics that are just being made

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
	sink->transactional_id = o->transactional_id ? copy_text(o->transactional_id, "") : NULL;
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
		sink_close(sink, BATCH_END_MS);
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

enum reason sink_fence(const struct kafka_conf *conf, const char *transactional_id, int timeout_ms, struct fault *f)
{
	struct sink *sink = calloc(1, sizeof(*sink));
	if (!sink)
		PANIC("sink: out of memory");
	sink->conf = conf;
	sink->transactional_id = copy_text(transactional_id, "");
	topics_init(&sink->topics);
	enum reason reason = producer_revive(sink, timeout_ms, f);
	sink_close(sink, BATCH_END_MS);
	return reason;
}

bool sink_ready(const struct sink *sink)
{
	return sink->rk && sink->ready;
}

enum reason sink_revive(struct sink *sink, struct fault *f)
{
	return producer_revive(sink, 0, f);
}

// --- before a batch begins ---

size_t sink_output_limit(const struct sink *sink, struct slice topic)
{
	return topics_limit(&sink->topics, topic, sink->limit);
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
	size_t limit = sink_output_limit(sink, o->topic);
	if (output_bytes(o) > limit)
		return fault_set(f, REASON_OUTPUT_TOO_LARGE, "%zu bytes for topic %.*s, which takes %zu", output_bytes(o),
				 (int)o->topic.len, o->topic.ptr, limit);
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
	enum reason reason = producer_revive(b->sink, BATCH_REVIVE_MS, f);
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

// --- a batch without transaction ---

static enum reason commit_passed(struct batch *b, struct fault *f)
{
	struct sink *sink = b->sink;
	enum reason reason = sink->offsets ? REASON_OK : client_open_plain(sink->conf, sink->passed_group, &sink->offsets, f);
	if (reason == REASON_OK)
		reason = offsets_write(sink->offsets, sink->passed_group, b->passed, batch_left_ms(b) + 1, f);
	if (reason != REASON_OK && sink->offsets) {
		(void)client_destroy(sink->offsets, BATCH_END_MS); // its coordinator may have moved
		sink->offsets = NULL;
	}
	return reason;
}

static enum reason produce_plain(struct batch *b, struct fault *f)
{
	enum reason reason = batch_produce(b, f);
	if (reason == REASON_OK)
		reason = batch_deliver(b, f);
	if (reason != REASON_OK)
		batch_renew(b->sink); // nothing of this batch may be delivered after a later one
	return reason;
}

static enum reason commit_plain(struct batch *b, struct fault *f)
{
	enum reason reason = produce_plain(b, f);
	if (reason != REASON_OK)
		return reason;
	reason = commit_passed(b, f);
	if (reason == REASON_OK)
		reason = source_commit(b->source, b->own, batch_left_ms(b) + 1, f);
	return reason == REASON_OK ? REASON_OK : fault_set(f, REASON_KAFKA_UNKNOWN, "%s", f ? f->detail : "");
}

// The message that was too large for its topic has gone through.
static void end_single(struct sink *sink)
{
	if (!sink->single)
		return;
	producer_end(sink, BATCH_END_MS);
	producer_adapt(sink);
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
	sink->begun_ns = clock_mono_ns();
	// The broker's clock of the transaction must not run out before ours.
	b.deadline_ns = sink->begun_ns + sink->conf->transaction_timeout_ms * MS * 4 / 5;
	sink->failed = 0;
	sink->too_large = false;
	set_offsets(&b, passages, passage_count);
	reason = sink_transactional(sink) ? batch_commit_transaction(&b, f) : commit_plain(&b, f);
	source_release(source);
	if (reason == REASON_OK)
		end_single(sink);
	rd_kafka_topic_partition_list_destroy(b.own);
	rd_kafka_topic_partition_list_destroy(b.passed);
	if (b.metadata)
		rd_kafka_consumer_group_metadata_destroy(b.metadata);
	return reason;
}

enum reason sink_probe(struct sink *sink, struct fault *f)
{
	enum reason reason = producer_revive(sink, BATCH_REVIVE_MS, f);
	return reason == REASON_OK ? check_brokers(sink, f) : reason;
}

enum reason sink_publish(struct sink *sink, const struct output *outputs, size_t count, int timeout_ms, struct fault *f)
{
	struct batch b = {.sink = sink, .outputs = outputs, .output_count = count};
	if (sink_transactional(sink))
		PANIC("sink_publish: outputs of a transactional sink go with the offsets that they pass");
	sink->begun_ns = clock_mono_ns();
	b.deadline_ns = sink->begun_ns + timeout_ms * MS;
	sink->failed = 0;
	sink->too_large = false;
	enum reason reason = prepare(&b, f);
	if (reason == REASON_OK)
		reason = produce_plain(&b, f);
	if (reason == REASON_OK)
		end_single(sink);
	return reason;
}
