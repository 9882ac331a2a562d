// SPDX-License-Identifier: Apache-2.0
// The sinker: outputs of what is done leave in record order, in one Kafka transaction with the offsets they pass.
#include "flow/lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "flow/outputs.h"

#define TAKE_MS 200
#define CHUNK_BYTES ((size_t)8 << 20) // of outputs in one transaction

struct sinker {
	struct lane *lane;
	struct backoff backoff;
	size_t max;
	struct work **works;
	struct output *outputs;
	struct passage *passages;
};

static bool is_leaving(void *ctx)
{
	const struct lane *lane = ctx;
	return atomic_load(&lane->leaving);
}

static bool open_sink(struct sinker *s)
{
	struct lane *lane = s->lane;
	const struct flow_conf *conf = lane->parts->conf;
	const char *topics[] = {conf->result_topic, conf->event_topic, conf->dead_topic};
	char id[400];
	lane_transactional_id(lane, conf->instance, id, sizeof(id));
	struct sink_options options = {
		.conf = lane->parts->kafka,
		.group = lane->group,
		.transactional_id = id,
		.topics = topics,
		.topic_count = ARRAY_LEN(topics),
	};
	struct fault f;
	while (sink_create(&options, is_leaving, lane, &lane->sink, &f) != REASON_OK)
		if (atomic_load(&lane->leaving) || !lane_retry(lane, STAGE_SINK, &s->backoff, &f))
			return false;
	lane_works(lane, STAGE_SINK, &s->backoff);
	atomic_store(&lane->sink_open, true);
	return true;
}

static size_t output_bytes(const struct output *o)
{
	size_t n = o->key.len + o->value.len;
	for (size_t i = 0; i < o->header_count; i++)
		n += o->headers[i].name.len + o->headers[i].value.len;
	return n;
}

// What the broker would refuse must not spoil the transaction of others. Results, events and dead letters are bounded by
// construction; if their topic takes less, send waits.
static void check_replies(struct sinker *s, struct work *work)
{
	for (size_t i = 0; i < work->output_count; i++) {
		const struct output *o = &work->outputs[i];
		if (o->kind != OUTPUT_REPLY)
			continue;
		if (output_bytes(o) > sink_output_limit(s->lane->sink, o->topic))
			outputs_drop_reply(work, "too_large");
		else if (!sink_has_topic(s->lane->sink, o->topic, o->partition))
			outputs_drop_reply(work, "unknown_topic");
	}
}

// The first works whose outputs fit one transaction.
static size_t chunk(struct work **works, size_t count)
{
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < works[i]->output_count; k++)
			bytes += output_bytes(&works[i]->outputs[k]);
		if (bytes > CHUNK_BYTES && i > 0)
			return i;
	}
	return count;
}

static size_t gather_passages(struct sinker *s, struct work **works, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct ledger_entry *e = &works[i]->entry;
		size_t k = 0;
		while (k < n && (s->passages[k].partition != e->at.partition || s->passages[k].topic != e->at.topic ||
				 s->passages[k].epoch != e->epoch))
			k++;
		if (k == n)
			s->passages[n++] = (struct passage){e->at.topic, e->at.partition, e->epoch, 0,
							    marks_known(s->lane->marks, e->at.topic, e->at.partition)};
		if (s->passages[k].next <= e->at.offset)
			s->passages[k].next = e->at.offset + 1;
	}
	return n;
}

static size_t gather_outputs(struct sinker *s, struct work **works, size_t count)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < works[i]->output_count; k++)
			s->outputs[n++] = works[i]->outputs[k];
	return n;
}

static size_t drop_stale(struct sinker *s, struct work **works, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		const struct ledger_entry *e = &works[i]->entry;
		if (source_current(s->lane->source, e->at.topic, e->at.partition, e->epoch))
			works[kept++] = works[i];
		else
			lane_end(s->lane, works[i]);
	}
	return kept;
}

static void end_all(struct sinker *s, struct work **works, size_t count, bool passed)
{
	int64_t now = clock_mono_ns();
	for (size_t i = 0; i < count; i++) {
		if (passed)
			metric_observe(METRIC_request_seconds, METRIC_LABELS(lane_kind_name(s->lane->kind)),
				       (double)(now - works[i]->taken_ns) / 1e9);
		lane_end(s->lane, works[i]);
	}
}

static void rewind_lane(struct sinker *s, const struct fault *f)
{
	struct lane *lane = s->lane;
	metric_add(METRIC_rewinds, METRIC_LABELS(lane_kind_name(lane->kind), reason_code(f->reason)), 1);
	LOG_FAULT(lane_rewound, f, log_text("lane", lane_kind_name(lane->kind)));
	source_rewind(lane->source);
}

static void note_sent(const struct lane *lane, size_t records, size_t outputs, int64_t begin_ns)
{
	LOG(batch_sent, log_text("lane", lane_kind_name(lane->kind)), log_int("records", (int64_t)records),
	    log_int("outputs", (int64_t)outputs), log_int("us", (clock_mono_ns() - begin_ns) / 1000));
}

// One transaction for all given; they are ended when it returns.
static void send(struct sinker *s, struct work **works, size_t count)
{
	struct lane *lane = s->lane;
	struct fault f;
	while ((count = drop_stale(s, works, count)) > 0) {
		size_t outputs = gather_outputs(s, works, count);
		size_t passages = gather_passages(s, works, count);
		int64_t begin = clock_mono_ns();
		enum reason reason = FAILPOINT(sink_taken) ? fault_set(&f, REASON_KAFKA_UNAVAILABLE, "failpoint sink.taken")
							   : sink_commit(lane->sink, lane->source, s->outputs, outputs, s->passages,
									 passages, &f);
		if (reason == REASON_OK && FAILPOINT(sink_committed))
			reason = fault_set(&f, REASON_KAFKA_UNKNOWN, "failpoint sink.committed");
		switch (reason) {
		case REASON_OK:
			note_sent(lane, count, outputs, begin);
			for (size_t i = 0; i < passages; i++)
				marks_passed(lane->marks, s->passages[i].topic, s->passages[i].partition, s->passages[i].next);
			lane_works(lane, STAGE_SINK, &s->backoff);
			end_all(s, works, count, true);
			return;
		case REASON_ASSIGNMENT_STALE: continue;
		case REASON_KAFKA_ABORTED:
		case REASON_KAFKA_FENCED:
		case REASON_KAFKA_UNKNOWN:
			rewind_lane(s, &f);
			end_all(s, works, count, false);
			(void)!lane_retry(lane, STAGE_SINK, &s->backoff, &f);
			return;
		default: // also OUTPUT_TOO_LARGE: what is owed is not left out, so the lane waits until its topic takes it
			if (lane_retry(lane, STAGE_SINK, &s->backoff, &f))
				continue;
			end_all(s, works, count, false);
			return;
		}
	}
}

static void send_all(struct sinker *s, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_replies(s, s->works[i]);
	for (size_t at = 0; at < count;) {
		size_t n = chunk(s->works + at, count - at);
		send(s, s->works + at, n);
		at += n;
	}
}

// With nothing to send the producer is made ready all the same: a transaction of ours may still be open, which hides the offsets from whoever
// would read the records that we wait for.
static void tend(struct sinker *s)
{
	struct lane *lane = s->lane;
	struct fault f;
	if (sink_ready(lane->sink))
		return;
	if (sink_revive(lane->sink, &f) == REASON_OK)
		lane_works(lane, STAGE_SINK, &s->backoff);
	else if (!atomic_load(&lane->leaving))
		(void)!lane_retry(lane, STAGE_SINK, &s->backoff, &f);
}

void sinker_run(void *ctx)
{
	struct sinker s = {.lane = ctx};
	struct lane *lane = s.lane;
	const struct flow_conf *conf = lane->parts->conf;
	s.backoff = BACKOFF_INIT(conf->retry_min_ms, conf->retry_max_ms);
	s.max = (size_t)conf->sink_batch;
	s.works = calloc(s.max, sizeof(struct work *));
	s.outputs = calloc(s.max * OUTPUTS_MAX, sizeof(*s.outputs));
	s.passages = calloc(s.max, sizeof(*s.passages));
	if (!s.works || !s.outputs || !s.passages)
		PANIC("out of memory");
	lane_busy(lane, STAGE_SINK);
	bool open = open_sink(&s);
	while (open && !atomic_load(&lane->leaving)) {
		lane_waits(lane, STAGE_SINK);
		size_t count = ledger_take(lane->ledger, (void **)s.works, s.max, TAKE_MS);
		if (count == 0) {
			tend(&s);
			continue;
		}
		lane_busy(lane, STAGE_SINK);
		int64_t begin = clock_mono_ns();
		send_all(&s, count);
		metric_observe(METRIC_batch_size, lane_stage_labels(lane, STAGE_SINK), (double)count);
		metric_observe(METRIC_stage_seconds, lane_stage_labels(lane, STAGE_SINK), (double)(clock_mono_ns() - begin) / 1e9);
	}
	lane_waits(lane, STAGE_SINK);
	sink_close(lane->sink, 2000);
	lane->sink = NULL;
	free(s.works);
	free(s.outputs);
	free(s.passages);
}
