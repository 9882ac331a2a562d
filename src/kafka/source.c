// SPDX-License-Identifier: Apache-2.0
// The consumer of one group: its life, what it reports, and the services around it.
#include "kafka/source_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"

#define MS ((int64_t)1000000)
#define PROBE_MS 500
#define CLOSE_STEP_MS 50
#define REOPEN_MS 2000

void source_serve_group(struct source *s, int timeout_ms)
{
	for (;;) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(s->rk, timeout_ms);
		if (!message)
			return;
		if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			source_note_error(s, message->err, rd_kafka_message_errstr(message));
		else
			source_rewind(s); // a record that missed the work queue: read again, so that none is lost
		rd_kafka_message_destroy(message);
		timeout_ms = 0;
	}
}

static void set_callbacks(rd_kafka_conf_t *rdconf, struct source *s)
{
	rd_kafka_conf_set_opaque(rdconf, s);
	rd_kafka_conf_set_rebalance_cb(rdconf, source_on_rebalance);
	rd_kafka_conf_set_error_cb(rdconf, source_on_error);
}

static rd_kafka_resp_err_t subscribe(struct source *s)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new((int)s->topic_count);
	for (size_t i = 0; i < s->topic_count; i++)
		(void)rd_kafka_topic_partition_list_add(topics, s->topics[i], RD_KAFKA_PARTITION_UA);
	rd_kafka_resp_err_t err = rd_kafka_subscribe(s->rk, topics);
	rd_kafka_topic_partition_list_destroy(topics);
	return err;
}

static enum reason open_consumer(struct source *s, struct fault *f)
{
	rd_kafka_conf_t *rdconf = NULL;
	enum reason reason = client_conf(s->conf, CLIENT_CONSUMER, &rdconf, f);
	if (reason == REASON_OK)
		reason = client_set(rdconf, "group.id", s->group, f);
	if (reason == REASON_OK && s->conf->static_membership)
		reason = client_set(rdconf, "group.instance.id", s->instance, f);
	if (reason != REASON_OK) {
		if (rdconf)
			rd_kafka_conf_destroy(rdconf);
		return reason;
	}
	set_callbacks(rdconf, s);
	reason = client_create(RD_KAFKA_CONSUMER, rdconf, &s->rk, f);
	if (reason != REASON_OK)
		return reason;
	s->work = rd_kafka_queue_new(s->rk);
	rd_kafka_resp_err_t err = rd_kafka_poll_set_consumer(s->rk);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = subscribe(s);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR
		       ? REASON_OK
		       : fault_set(f, REASON_KAFKA_FATAL, "group %s: %s", s->group, rd_kafka_err2str(err));
}

static void empty_work(struct source *s)
{
	rd_kafka_message_t *message;
	while ((message = rd_kafka_consume_queue(s->work, 0)))
		rd_kafka_message_destroy(message);
	rd_kafka_queue_destroy(s->work);
}

// Before 2.3.0 librdkafka ends the process when a handle is destroyed that has joined its group but got no assignment yet (#4381): such a
// one is left alone, inert.
static void end_handle(struct source *s, int deadline_ms)
{
	empty_work(s);
	if (s->joined || rd_kafka_version() >= 0x02030000)
		(void)client_destroy(s->rk, deadline_ms);
	s->rk = NULL;
}

static void reopen(struct source *s)
{
	struct fault f;
	s->reopen = false;
	source_drop_all(s);
	while (s->table.count > 0)
		partition_remove(&s->table, s->table.items[0]);
	(void)pthread_rwlock_wrlock(&s->handle);
	end_handle(s, REOPEN_MS);
	(void)pthread_mutex_lock(&s->lock);
	free(s->member);
	s->member = NULL;
	s->joined = false;
	(void)pthread_mutex_unlock(&s->lock);
	enum reason reason = open_consumer(s, &f);
	(void)pthread_rwlock_unlock(&s->handle);
	if (reason != REASON_OK)
		source_note(s, REASON_KAFKA_FATAL, "%s", f.detail);
	else
		source_note(s, REASON_KAFKA_UNAVAILABLE, "instance %s was taken over in group %s; it joins again", s->instance,
			    s->group);
}

enum reason source_present(const struct source *s, const char *const *instances, size_t count, int timeout_ms, bool *present,
			   struct fault *f)
{
	rd_kafka_t *rk = NULL;
	enum reason reason = client_open_plain(s->conf, s->group, &rk, f);
	if (reason == REASON_OK)
		reason = group_present(rk, s->group, instances, count, timeout_ms, present, f);
	if (rk)
		(void)client_destroy(rk, PROBE_MS);
	return reason;
}

static bool started(const struct source *s)
{
	for (size_t i = 0; i < s->table.count; i++)
		if (s->table.items[i]->state == PARTITION_WAITING || s->table.items[i]->state == PARTITION_RESOLVED)
			return false;
	return true;
}

static void note_ready(struct source *s)
{
	(void)pthread_mutex_lock(&s->lock);
	s->was_ready = s->was_ready || (s->joined && s->table.count > 0 && started(s));
	(void)pthread_mutex_unlock(&s->lock);
}

// A handle of its own for each look, as for committed offsets: one that asks for long keeps asking a coordinator that has moved.
static void watch_group(struct source *s)
{
	if (!s->conf->static_membership || !s->joined || s->eager || s->closing || !orphans_due(&s->orphans))
		return;
	struct fault f;
	struct group_look look;
	rd_kafka_t *rk = NULL;
	char *member = rd_kafka_memberid(s->rk);
	enum reason reason = member ? client_open_plain(s->conf, s->group, &rk, &f) : REASON_KAFKA_UNAVAILABLE;
	if (reason == REASON_OK)
		reason = group_look(rk, s->group, member, s->topics, s->topic_count, PROBE_MS, &look, &f);
	if (rk)
		(void)client_destroy(rk, PROBE_MS);
	if (member)
		rd_kafka_mem_free(s->rk, member);
	if (!orphans_decide(&s->orphans, reason == REASON_OK ? &look : NULL))
		return;
	if (s->events.orphaned)
		s->events.orphaned(s->events.ctx, look.orphans);
	rd_kafka_resp_err_t err = rd_kafka_unsubscribe(s->rk);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
		err = subscribe(s);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		source_note(s, REASON_KAFKA_FATAL, "group %s: %s", s->group, rd_kafka_err2str(err));
}

enum reason source_poll(struct source *s, int timeout_ms, struct fault *f)
{
	source_serve_group(s, timeout_ms);
	if (s->reopen)
		reopen(s);
	if (partition_table_take_rewind(&s->table))
		source_do_rewind(s);
	if (source_halted(s)) {
		if (!s->closing)
			source_drop_all(s); // nothing in hand may leave any more
		s->closing = true;
		return fault_set(f, s->trouble.reason, "%s", s->trouble.text);
	}
	source_start_partitions(s);
	note_ready(s);
	if (s->trouble.reason != REASON_OK)
		source_probe(s);
	else
		watch_group(s);
	return s->trouble.reason == REASON_OK ? REASON_OK : fault_set(f, s->trouble.reason, "%s", s->trouble.text);
}

bool source_current(struct source *s, const char *topic, int32_t partition, uint64_t epoch)
{
	return partition_current(&s->table, topic, partition, epoch);
}

void source_rewind(struct source *s)
{
	partition_table_rewind(&s->table);
}

bool source_fits_mark(struct source *s, const char *topic, int32_t partition, int64_t mark)
{
	return partition_fits_mark(&s->table, topic, partition, mark);
}

void source_lag(struct source *s, struct source_lag *lag)
{
	*lag = (struct source_lag){0};
	(void)pthread_rwlock_rdlock(&s->handle);
	(void)pthread_mutex_lock(&s->table.lock);
	for (size_t i = 0; i < s->table.count; i++) {
		struct partition *p = s->table.items[i];
		int64_t low = 0, high = 0;
		if (p->state == PARTITION_PAUSED)
			lag->paused++;
		if (p->state != PARTITION_RUNNING)
			continue;
		lag->running++;
		if (rd_kafka_get_watermark_offsets(s->rk, p->topic, p->number, &low, &high) == RD_KAFKA_RESP_ERR_NO_ERROR &&
		    high > p->high)
			p->high = high;
		if (p->high > p->position)
			lag->records += p->high - p->position;
	}
	(void)pthread_mutex_unlock(&s->table.lock);
	(void)pthread_rwlock_unlock(&s->handle);
}

bool source_ready(struct source *s)
{
	(void)pthread_mutex_lock(&s->lock);
	bool joined = s->joined;
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_mutex_lock(&s->table.lock);
	bool ready = joined && started(s);
	(void)pthread_mutex_unlock(&s->table.lock);
	return ready;
}

const char *source_cluster_id(struct source *s, int timeout_ms)
{
	(void)pthread_rwlock_rdlock(&s->handle);
	(void)pthread_mutex_lock(&s->lock);
	if (!s->cluster_id && s->rk) {
		char *id = rd_kafka_clusterid(s->rk, timeout_ms);
		s->cluster_id = id ? strdup(id) : NULL;
		if (id)
			rd_kafka_mem_free(s->rk, id);
	}
	const char *id = s->cluster_id ? s->cluster_id : "";
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_rwlock_unlock(&s->handle);
	return id;
}

static bool same_member(struct source *s)
{
	char *member = rd_kafka_memberid(s->rk);
	(void)pthread_mutex_lock(&s->lock);
	bool same = member && s->member && strcmp(member, s->member) == 0;
	(void)pthread_mutex_unlock(&s->lock);
	if (member)
		rd_kafka_mem_free(s->rk, member);
	return same;
}

enum reason source_hold(struct source *s, const struct passage *passages, size_t count,
			rd_kafka_consumer_group_metadata_t **ret_metadata, struct fault *f)
{
	(void)pthread_rwlock_rdlock(&s->handle);
	rd_kafka_consumer_group_metadata_t *metadata = s->rk ? rd_kafka_consumer_group_metadata(s->rk) : NULL;
	bool same = metadata && same_member(s);
	(void)pthread_rwlock_unlock(&s->handle);
	if (!same && metadata)
		source_rewind(s); // thrown out of the group and back in it: what is in hand may be another's by now
	if (same && partition_table_hold(&s->table, passages, count)) {
		*ret_metadata = metadata;
		return REASON_OK;
	}
	if (metadata)
		rd_kafka_consumer_group_metadata_destroy(metadata);
	return fault_set(f, REASON_ASSIGNMENT_STALE, "group %s: %s", s->group,
			 same ? "a partition moved or is read again" : "the membership has changed");
}

void source_release(struct source *s)
{
	partition_table_release(&s->table);
}

static rd_kafka_resp_err_t commit_offsets(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_resp_err_t err = rd_kafka_commit_queue(rk, offsets, queue, NULL, NULL);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(queue, timeout_ms);
		err = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
		if (event)
			rd_kafka_event_destroy(event);
	}
	rd_kafka_queue_destroy(queue);
	return err;
}

enum reason source_commit(struct source *s, const rd_kafka_topic_partition_list_t *offsets, int timeout_ms, struct fault *f)
{
	(void)pthread_rwlock_rdlock(&s->handle);
	rd_kafka_resp_err_t err = s->rk ? commit_offsets(s->rk, offsets, timeout_ms) : RD_KAFKA_RESP_ERR__STATE;
	(void)pthread_rwlock_unlock(&s->handle);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR
		       ? REASON_OK
		       : fault_set(f, client_reason(err), "offsets of %s: %s", s->group, rd_kafka_err2str(err));
}

static char *copy_text(const char *text, const char *suffix)
{
	char *copy = NULL;
	if (asprintf(&copy, "%s%s", text, suffix) < 0)
		PANIC("source: out of memory");
	return copy;
}

enum reason source_create(const struct source_options *o, struct source **ret_source, struct fault *f)
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s || pthread_mutex_init(&s->lock, NULL) != 0 || pthread_rwlock_init(&s->handle, NULL) != 0)
		PANIC("source: out of memory");
	partition_table_init(&s->table);
	s->conf = o->conf;
	s->group = copy_text(o->group, "");
	s->passed_group = copy_text(o->group, ".passed");
	s->instance = copy_text(o->instance ? o->instance : "", "");
	s->value_limit = o->value_limit;
	s->events = o->events;
	s->topics = calloc(o->topic_count, sizeof(char *));
	if (!s->topics)
		PANIC("source: out of memory");
	for (size_t i = 0; i < o->topic_count; i++)
		s->topics[s->topic_count++] = copy_text(o->topics[i], "");
	enum reason reason = open_consumer(s, f);
	if (reason == REASON_OK)
		*ret_source = s;
	else
		source_close(s, PROBE_MS);
	return reason;
}

// Serves librdkafka's farewell; true if it came to an end.
static bool close_group(struct source *s, int64_t until_ns)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(s->rk);
	rd_kafka_error_t *error = rd_kafka_consumer_close_queue(s->rk, queue);
	bool begun = !error;
	if (error)
		rd_kafka_error_destroy(error);
	while (begun && !rd_kafka_consumer_closed(s->rk) && clock_mono_ns() < until_ns)
		(void)rd_kafka_queue_poll_callback(queue, CLOSE_STEP_MS);
	bool closed = rd_kafka_consumer_closed(s->rk) != 0;
	rd_kafka_queue_destroy(queue);
	return closed;
}

static int left_ms(int64_t until_ns)
{
	int64_t left = (until_ns - clock_mono_ns()) / MS;
	return left > 0 ? (int)left : 0;
}

void source_close(struct source *s, int deadline_ms)
{
	if (!s)
		return;
	int64_t until = clock_mono_ns() + deadline_ms * MS;
	s->closing = true;
	if (s->rk) {
		source_drop_all(s);
		// That may have answered a rebalance which still waits here: later, nobody would be there to be asked about it.
		source_serve_group(s, 0);
		(void)close_group(s, until);
		end_handle(s, left_ms(until));
	}
	if (s->offsets)
		(void)client_destroy(s->offsets, left_ms(until));
	partition_table_clear(&s->table);
	for (size_t i = 0; i < s->topic_count; i++)
		free(s->topics[i]);
	free(s->topics);
	free(s->group);
	free(s->passed_group);
	free(s->instance);
	free(s->member);
	free(s->cluster_id);
	(void)pthread_rwlock_destroy(&s->handle);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}
