// SPDX-License-Identifier: Apache-2.0
// Partitions come and go: every revocation and every rewind ends the epoch before librdkafka is answered.
//
// Two traps of the group protocol shape this file. incremental_unassign() answers whatever revocation is pending, even one whose callback
// has not been served yet; so a rewind first ends all epochs, then unassigns, then serves what is queued, and only then starts again. And a
// member that was thrown out may rejoin under a new member id before it is told; so the member id of the assignment is kept and compared.
#include "kafka/source_private.h"

#include <stdlib.h>
#include <string.h>

const char *source_topic(const struct source *s, const char *name)
{
	for (size_t i = 0; i < s->topic_count; i++)
		if (strcmp(s->topics[i], name) == 0)
			return s->topics[i];
	return NULL;
}

static void end_epoch(struct source *s, struct partition *p, enum partition_state state)
{
	partition_end_epoch(&s->table, p, state);
	if (p->announced) {
		p->announced = false;
		s->events.dropped(s->events.ctx, p->topic, p->number);
	}
}

static void note_error(struct source *s, rd_kafka_error_t *error, const char *what)
{
	if (!error)
		return;
	source_note(s, client_reason(rd_kafka_error_code(error)), "%s: %s", what, rd_kafka_error_string(error));
	rd_kafka_error_destroy(error);
}

static void whole_assignment(struct source *s, const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_resp_err_t err = rd_kafka_assign(s->rk, partitions);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		source_note(s, client_reason(err), "assignment: %s", rd_kafka_err2str(err));
}

static bool member_changed(struct source *s)
{
	char *member = rd_kafka_memberid(s->rk);
	(void)pthread_mutex_lock(&s->lock);
	bool changed = strcmp(member ? member : "", s->member ? s->member : "") != 0;
	if (changed) {
		free(s->member);
		s->member = member ? strdup(member) : NULL;
	}
	(void)pthread_mutex_unlock(&s->lock);
	if (member)
		rd_kafka_mem_free(s->rk, member);
	return changed;
}

static void on_assign(struct source *s, rd_kafka_topic_partition_list_t *partitions)
{
	const char *protocol = rd_kafka_rebalance_protocol(s->rk);
	if (protocol) // NULL while the group is being left
		s->eager = strcmp(protocol, "EAGER") == 0;
	orphans_doubt(&s->orphans);
	if (member_changed(s) && s->table.count > 0)
		partition_table_rewind(&s->table);
	for (int i = 0; i < partitions->cnt && !s->closing; i++) {
		const char *topic = source_topic(s, partitions->elems[i].topic);
		if (topic)
			(void)partition_add(&s->table, topic, partitions->elems[i].partition);
	}
	(void)pthread_mutex_lock(&s->lock);
	s->joined = true;
	(void)pthread_mutex_unlock(&s->lock);
	if (s->eager && !s->closing) {
		s->ack_pending = true; // with the first whole assignment, when all offsets are known
		return;
	}
	// Answered at once, so that the others are not paused while committed offsets are read; each starts when its own is known.
	rd_kafka_topic_partition_list_t *none = rd_kafka_topic_partition_list_new(0);
	if (s->eager)
		whole_assignment(s, none);
	else
		note_error(s, rd_kafka_incremental_assign(s->rk, none), "assignment");
	rd_kafka_topic_partition_list_destroy(none);
}

static void on_revoke(struct source *s, const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_topic_partition_list_t *fetched = rd_kafka_topic_partition_list_new(partitions->cnt);
	for (int i = 0; i < partitions->cnt; i++) {
		struct partition *p = partition_find(&s->table, partitions->elems[i].topic, partitions->elems[i].partition);
		if (!p)
			continue;
		end_epoch(s, p, PARTITION_WAITING);
		if (p->fetched)
			(void)rd_kafka_topic_partition_list_add(fetched, p->topic, p->number);
		partition_remove(&s->table, p);
	}
	if (s->eager) {
		s->ack_pending = false;
		whole_assignment(s, NULL);
	} else {
		note_error(s, rd_kafka_incremental_unassign(s->rk, fetched), "revocation");
	}
	rd_kafka_topic_partition_list_destroy(fetched);
}

void source_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
	struct source *s = opaque;
	(void)rk;
	if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
		on_assign(s, partitions);
	else
		on_revoke(s, partitions);
}

// After this no record fetched before can come out of the work queue: unassigning raised their partitions' versions, and the fence sees
// to it that librdkafka's main thread has also undone the forwarding, so that it can be set again.
void source_stop_fetching(struct source *s)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->table.count);
	for (size_t i = 0; i < s->table.count; i++) {
		struct partition *p = s->table.items[i];
		if (p->fetched && !s->eager)
			(void)rd_kafka_topic_partition_list_add(list, p->topic, p->number);
		p->fetched = false;
	}
	if (s->eager)
		whole_assignment(s, list); // empty
	else if (list->cnt > 0)
		note_error(s, rd_kafka_incremental_unassign(s->rk, list), "rewind");
	rd_kafka_topic_partition_list_destroy(list);
	if (rd_kafka_assignment(s->rk, &list) == RD_KAFKA_RESP_ERR_NO_ERROR)
		rd_kafka_topic_partition_list_destroy(list);
}

void source_drop_all(struct source *s)
{
	for (size_t i = 0; i < s->table.count; i++) {
		struct partition *p = s->table.items[i];
		end_epoch(s, p, p->state == PARTITION_PAUSED ? PARTITION_PAUSED : PARTITION_WAITING);
		p->retry_ns = 0;
	}
	source_stop_fetching(s);
}

void source_do_rewind(struct source *s)
{
	source_drop_all(s);
	source_serve_group(s, 0);
	(void)member_changed(s); // the assignment is now that member's
}
