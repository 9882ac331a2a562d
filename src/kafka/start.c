// SPDX-License-Identifier: Apache-2.0
// Where a partition starts: the group's committed offset, read stable, then that of <group>.passed, then the ends of the log.
//
// In this order, since a transaction commits for <group>.passed first (one of both orders must hold). Never while a transaction of ours is
// in flight: it could still move what was read.
#include "kafka/source_private.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "kafka/offsets.h"

#define ASK_MS 1000   // longest wait for one answer
#define RETRY_MS 50   // between two questions about an undecided offset
#define FAILED_MS 200 // after a question without an answer
#define ABOVE_MS 3000 // an offset above the end for this long is no passing state of a new leader
#define PAUSED_EVERY_MS 10000
#define UNDECIDED_MS 500        // a transaction in good health ends in milliseconds
#define UNDECIDED_EVERY_MS 3000 // between two times that it is told of
#define MS ((int64_t)1000000)

static bool is_due(const struct partition *p, int64_t now)
{
	return (p->state == PARTITION_WAITING || p->state == PARTITION_PAUSED) && p->retry_ns <= now;
}

static rd_kafka_topic_partition_list_t *due_partitions(const struct source *s, int64_t now)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->table.count);
	for (size_t i = 0; i < s->table.count; i++)
		if (is_due(s->table.items[i], now))
			(void)rd_kafka_topic_partition_list_add(list, s->table.items[i]->topic, s->table.items[i]->number);
	return list;
}

static void postpone(struct source *s, const rd_kafka_topic_partition_list_t *list, int64_t ms)
{
	int64_t until = clock_mono_ns() + ms * MS;
	for (int i = 0; i < list->cnt; i++) {
		struct partition *p = partition_find(&s->table, list->elems[i].topic, list->elems[i].partition);
		if (p)
			p->retry_ns = until;
	}
}

static void close_offsets(struct source *s)
{
	if (s->offsets)
		(void)client_destroy(s->offsets, ASK_MS);
	s->offsets = NULL;
}

static enum reason read_both(struct source *s, rd_kafka_topic_partition_list_t *own, rd_kafka_topic_partition_list_t *passed,
			     struct fault *f)
{
	// A handle of its own for each assignment: librdkafka caches coordinators for such requests and never drops one that has moved.
	enum reason reason = s->offsets ? REASON_OK : client_open_plain(s->conf, s->group, &s->offsets, f);
	if (reason == REASON_OK)
		reason = offsets_read(s->offsets, s->group, own, ASK_MS, f);
	if (reason == REASON_OK)
		reason = offsets_read(s->offsets, s->passed_group, passed, ASK_MS, f);
	return reason;
}

static bool is_above(struct source *s, struct partition *p, int64_t known, int64_t low, int64_t high)
{
	int64_t now = clock_mono_ns();
	if (known <= high) {
		p->above_since_ns = 0;
		return false;
	}
	if (p->above_since_ns == 0)
		p->above_since_ns = now;
	if (now - p->above_since_ns < ABOVE_MS * MS) {
		p->retry_ns = now + FAILED_MS * MS;
		return true;
	}
	p->retry_ns = now + PAUSED_EVERY_MS * MS;
	p->above = known;
	partition_end_epoch(&s->table, p, PARTITION_PAUSED);
	s->events.gap(s->events.ctx, p->topic, p->number, known, low, high);
	return true;
}

static void resolve(struct source *s, struct partition *p, int64_t own, int64_t passed, int64_t low, int64_t high)
{
	int64_t known = own > passed ? own : passed; // -1 if there is neither
	known = p->mark > known ? p->mark : known;   // offsets of a topic that was deleted are gone, the mark is not
	if (p->state == PARTITION_PAUSED && known == p->above) {
		p->retry_ns = clock_mono_ns() + PAUSED_EVERY_MS * MS; // the log may have grown past it: still another log
		return;
	}
	if (is_above(s, p, known, low, high))
		return;
	if (own >= 0 && own < low)
		s->events.gap(s->events.ctx, p->topic, p->number, own, low, high);
	(void)pthread_mutex_lock(&s->table.lock);
	p->position = own < low ? low : own;
	p->passed = known > 0 ? known : 0;
	p->high = high;
	p->state = PARTITION_RESOLVED;
	(void)pthread_mutex_unlock(&s->table.lock);
}

static void note_undecided(struct partition *p, bool undecided)
{
	if (!undecided)
		p->undecided_ns = 0;
	else if (p->undecided_ns == 0)
		p->undecided_ns = clock_mono_ns();
}

// false: the brokers do not answer; the others need not be asked now.
static bool resolve_one(struct source *s, const rd_kafka_topic_partition_t *own, const rd_kafka_topic_partition_t *passed)
{
	struct partition *p = partition_find(&s->table, own->topic, own->partition);
	int64_t low = 0, high = 0;
	rd_kafka_resp_err_t err = own->err != RD_KAFKA_RESP_ERR_NO_ERROR ? own->err : passed->err;
	bool asked = err == RD_KAFKA_RESP_ERR_NO_ERROR;
	if (!p)
		return true;
	note_undecided(p, err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT);
	if (asked)
		err = rd_kafka_query_watermark_offsets(s->rk, own->topic, own->partition, &low, &high, ASK_MS);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		resolve(s, p, own->offset < 0 ? -1 : own->offset, passed->offset < 0 ? -1 : passed->offset, low, high);
		return true;
	}
	p->retry_ns = clock_mono_ns() + (err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT ? RETRY_MS : FAILED_MS) * MS;
	if (err != RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT)
		source_note(s, client_reason(err), "%s of %s [%d]: %s", asked ? "ends" : "committed offset", own->topic,
			    (int)own->partition, rd_kafka_err2str(err));
	return !asked;
}

static void read_offsets(struct source *s, rd_kafka_topic_partition_list_t *own)
{
	struct fault f;
	rd_kafka_topic_partition_list_t *passed = rd_kafka_topic_partition_list_copy(own);
	if (read_both(s, own, passed, &f) != REASON_OK) {
		source_note(s, f.reason, "%s", f.detail);
		postpone(s, own, FAILED_MS);
		close_offsets(s);
	} else {
		for (int i = 0; i < own->cnt; i++)
			if (!resolve_one(s, &own->elems[i], &passed->elems[i]))
				break;
	}
	rd_kafka_topic_partition_list_destroy(passed);
}

// Whoever has that transaction open is no owner of the partition any more.
static void tell_undecided(struct source *s)
{
	int64_t now = clock_mono_ns(), since = now;
	for (size_t i = 0; i < s->table.count; i++)
		if (s->table.items[i]->undecided_ns != 0 && s->table.items[i]->undecided_ns < since)
			since = s->table.items[i]->undecided_ns;
	if (!s->events.undecided || now - since < UNDECIDED_MS * MS || now - s->undecided_ns < UNDECIDED_EVERY_MS * MS)
		return;
	s->events.undecided(s->events.ctx);
	s->undecided_ns = clock_mono_ns();
}

static bool forward(struct source *s, const struct partition *p)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_get_partition(s->rk, p->topic, p->number);
	if (!queue)
		return false;
	rd_kafka_queue_forward(queue, s->work);
	rd_kafka_queue_destroy(queue);
	return true;
}

static bool fetch(struct source *s, const rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_error_t *error = NULL;
	rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR_NO_ERROR;
	if (s->eager)
		err = rd_kafka_assign(s->rk, list);
	else
		error = rd_kafka_incremental_assign(s->rk, list);
	if (error)
		err = rd_kafka_error_code(error);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		source_note(s, client_reason(err), "assignment: %s", error ? rd_kafka_error_string(error) : rd_kafka_err2str(err));
	if (error)
		rd_kafka_error_destroy(error);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

// The partitions that begin, and with the eager protocol those that go on where they are.
static void begin(struct source *s)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->table.count);
	for (size_t i = 0; i < s->table.count; i++) {
		struct partition *p = s->table.items[i];
		bool wanted = p->state == PARTITION_RESOLVED || (p->state == PARTITION_RUNNING && !p->fetched);
		if (wanted && forward(s, p))
			rd_kafka_topic_partition_list_add(list, p->topic, p->number)->offset = p->position;
	}
	if ((list->cnt > 0 || s->ack_pending) && fetch(s, list)) {
		s->ack_pending = false;
		for (int i = 0; i < list->cnt; i++) {
			struct partition *p = partition_find(&s->table, list->elems[i].topic, list->elems[i].partition);
			p->fetched = true;
			if (p->state == PARTITION_RUNNING)
				continue;
			p->announced = true;
			s->events.assigned(s->events.ctx, p->topic, p->number, p->position, p->passed);
			partition_begin_epoch(&s->table, p);
		}
		source_works(s);
	}
	rd_kafka_topic_partition_list_destroy(list);
}

static size_t count_state(const struct source *s, enum partition_state state)
{
	size_t n = 0;
	for (size_t i = 0; i < s->table.count; i++)
		n += s->table.items[i]->state == state;
	return n;
}

static bool is_fetching(const struct source *s)
{
	for (size_t i = 0; i < s->table.count; i++)
		if (s->table.items[i]->fetched)
			return true;
	return false;
}

void source_start_partitions(struct source *s)
{
	bool held = partition_table_held(&s->table);
	rd_kafka_topic_partition_list_t *due = due_partitions(s, clock_mono_ns());
	if (due->cnt > 0 && !held)
		read_offsets(s, due);
	rd_kafka_topic_partition_list_destroy(due);
	tell_undecided(s);

	size_t waiting = count_state(s, PARTITION_WAITING);
	if (waiting == 0)
		close_offsets(s);
	size_t resolved = count_state(s, PARTITION_RESOLVED);
	if (s->eager ? waiting == 0 && (resolved > 0 || s->ack_pending) : resolved > 0) {
		if (s->eager && is_fetching(s))
			source_stop_fetching(s); // a new assignment replaces the old one, and would undo the forwarding
		begin(s);
	}
}
