// SPDX-License-Identifier: Apache-2.0
// Why a source does not get on: noted when librdkafka tells, told by source_poll until something shows that it has passed.
#include "kafka/source_private.h"

#include <stdarg.h>
#include <stdio.h>

#include "enrolld/base/clock.h"

#define MS ((int64_t)1000000)
#define PROBE_EVERY_MS 1000
#define PROBE_MS 500

bool source_halted(const struct source *s)
{
	return s->trouble.reason != REASON_OK && reason_verdict(s->trouble.reason) == VERDICT_HALT;
}

void source_note(struct source *s, enum reason reason, const char *fmt, ...)
{
	struct trouble *t = &s->trouble;
	if (source_halted(s))
		return; // the first one is the cause
	va_list args;
	va_start(args, fmt);
	(void)vsnprintf(t->text, sizeof(t->text), fmt, args);
	va_end(args);
	t->reason = reason;
	t->since_ns = clock_mono_ns();
}

void source_works(struct source *s)
{
	if (!source_halted(s))
		s->trouble.reason = REASON_OK;
}

// A static member that was away for longer than its session may meet its own former self, so that once is no proof of a twin.
static void note_fatal(struct source *s)
{
	char text[160];
	rd_kafka_resp_err_t err = rd_kafka_fatal_error(s->rk, text, sizeof(text));
	if (err != RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID)
		source_note(s, REASON_KAFKA_FATAL, "consumer of group %s: %s", s->group, text);
	else if (s->reopen)
		return; // told before
	else if (client_fenced_often(&s->fences))
		source_note(s, REASON_KAFKA_FATAL,
			    "another process reads group %s as instance %s: give each worker its own instance name", s->group,
			    s->instance);
	else
		s->reopen = true;
}

// Wrong credentials at the start are a setting to be corrected; once it has worked they may be a change under way.
static enum reason tolerate(struct source *s, enum reason reason)
{
	(void)pthread_mutex_lock(&s->lock);
	bool was_ready = s->was_ready;
	(void)pthread_mutex_unlock(&s->lock);
	return reason == REASON_KAFKA_DENIED && was_ready ? REASON_KAFKA_UNAVAILABLE : reason;
}

void source_note_error(struct source *s, rd_kafka_resp_err_t err, const char *text)
{
	switch ((int)err) {
	case RD_KAFKA_RESP_ERR__FATAL: note_fatal(s); return;
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED: return; // one connection of several; a rebalance follows
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE: source_rewind(s); return; // the ends of the log tell why
	default: source_note(s, tolerate(s, client_reason(err)), "%s", text); return;
	}
}

void source_note_record(struct source *s, const rd_kafka_message_t *message, bool ours)
{
	if (ours || !message->rkt)
		source_note_error(s, message->err, rd_kafka_message_errstr(message));
}

void source_on_error(rd_kafka_t *rk, int err, const char *text, void *opaque)
{
	(void)rk;
	source_note_error(opaque, (rd_kafka_resp_err_t)err, text);
}

// Asked by name: a list of all topics may be long.
static bool has_topic(struct source *s, const char *name)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(s->rk, name, NULL);
	if (!rkt)
		return false;
	rd_kafka_resp_err_t err = rd_kafka_metadata(s->rk, 0, rkt, &metadata, PROBE_MS);
	rd_kafka_topic_destroy(rkt);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return false;
	bool found = metadata->topic_cnt == 1 && metadata->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
	rd_kafka_metadata_destroy(metadata);
	return found;
}

// Do the brokers answer, and do they have our topics?
void source_probe(struct source *s)
{
	int64_t now = clock_mono_ns();
	if (now - s->trouble.since_ns < PROBE_EVERY_MS * MS || now - s->trouble.probe_ns < PROBE_EVERY_MS * MS)
		return;
	s->trouble.probe_ns = now;
	for (size_t i = 0; i < s->topic_count; i++)
		if (!has_topic(s, s->topics[i]))
			return;
	source_works(s);
}
