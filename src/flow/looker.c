// SPDX-License-Identifier: Apache-2.0
// The looker: one read of the database for all that wait, then the pure decision; what needs no hash goes on at once.
#include "flow/lane.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/secret.h"
#include "flow/outputs.h"

#define DROPPED_MS 20

struct looker {
	struct lane *lane;
	struct backoff backoff;
	size_t max;
	struct work **works;
	struct look_item *items;
	struct mark *marks;
	size_t marks_size;
};

static size_t drop_stale(struct looker *l, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (!atomic_load(&l->lane->leaving) && ledger_alive(l->lane->ledger, &l->works[i]->entry))
			l->works[kept++] = l->works[i];
		else
			lane_drop(l->lane, l->works[i]);
	}
	return kept;
}

// A mark above the log's end is that of another log: a topic that was deleted and made again. Its records are not to be taken for passed.
static bool marks_fit(struct looker *l, size_t count)
{
	bool fit = true;
	for (size_t i = 0; i < count && fit; i++) {
		const struct coordinates *at = &l->works[i]->record.at;
		int64_t mark = l->works[i]->facts.mark;
		fit = at->offset >= mark || source_fits_mark(l->lane->source, at->topic, at->partition, mark);
	}
	return fit;
}

static size_t gather_marks(struct looker *l)
{
	size_t need = marks_count(l->lane->marks);
	if (need > l->marks_size) {
		l->marks_size = need;
		l->marks = reallocarray(l->marks, need, sizeof(*l->marks));
		if (!l->marks)
			PANIC("out of memory");
	}
	return marks_pending(l->lane->marks, true, l->marks, l->marks_size);
}

// Fills the facts of all that are still ours; returns how many are left (0: leaving).
static size_t look(struct looker *l, size_t count)
{
	struct lane *lane = l->lane;
	struct fault f;
	while ((count = drop_stale(l, count)) > 0) {
		for (size_t i = 0; i < count; i++) {
			struct work *work = l->works[i];
			work->facts = (struct facts){0};
			l->items[i] = (struct look_item){.request = &work->request,
							 .registration = &work->registration,
							 .limits_only = !work_asks_claims(work),
							 .arena = work->arena,
							 .facts = &work->facts};
		}
		size_t raise = gather_marks(l);
		enum reason reason = store_look(lane->look_store, lane->group, l->marks, raise, l->items, count, &f);
		if (FAILPOINT(look_done))
			reason = fault_set(&f, REASON_STORE_UNAVAILABLE, "failpoint look.done");
		if (reason == REASON_OK) {
			for (size_t i = 0; i < count; i++)
				l->works[i]->facts.password = l->works[i]->password;
			marks_raised(lane->marks, l->marks, raise);
			lane_works(lane, STAGE_LOOK, &l->backoff);
			if (marks_fit(l, count))
				return count;
			clock_sleep_ms(DROPPED_MS); // the reader is about to drop them
			continue;
		}
		if (!lane_retry(lane, STAGE_LOOK, &l->backoff, &f)) {
			for (size_t i = 0; i < count; i++)
				lane_drop(lane, l->works[i]);
			return 0;
		}
	}
	return 0;
}

static enum order_need need_of(const struct work *work, enum decision decision)
{
	if (work->facts.hit != HIT_NONE)
		return ORDER_NEED_NOTHING;
	bool all = decision == DECISION_HASH || work->changes.claim_count || work->changes.code.holds ||
		   work->changes.sessions.holds;
	return all ? ORDER_NEED_ALL : ORDER_NEED_ID;
}

static void dispatch(struct looker *l, struct work *work)
{
	struct lane *lane = l->lane;
	enum decision decision = DECISION_STORE;
	if (work->facts.hit == HIT_NONE) {
		if (!work->admitted)
			memset(work->withheld, 0, sizeof(work->withheld));
		struct operation_case c = work_case(work);
		decision = operation_decide(lane->parts->operation, &c, &work->receipt, &work->changes);
		if (guard_foresees(lane->guard, work)) {
			c = work_case(work);
			decision = operation_decide(lane->parts->operation, &c, &work->receipt, &work->changes);
		}
	}
	enum order_need need = need_of(work, decision);
	if (!order_go_on(lane->order, work, need))
		return; // it waits again; order_leave of the one before it brings it back
	if (need == ORDER_NEED_NOTHING) {
		outputs_of_hit(work);
		lane_finish(lane, work);
		return;
	}
	if (decision == DECISION_HASH)
		tray_expect(lane->hashed);
	if (!queue_try_push(decision == DECISION_HASH ? lane->hash_queue : lane->store_queue, work))
		PANIC("a queue is smaller than the window");
}

void looker_run(void *ctx)
{
	struct looker l = {.lane = ctx};
	struct lane *lane = l.lane;
	const struct flow_conf *conf = lane->parts->conf;
	l.backoff = BACKOFF_INIT(conf->retry_min_ms, conf->retry_max_ms);
	l.max = (size_t)conf->look_batch;
	l.works = calloc(l.max, sizeof(struct work *));
	l.items = calloc(l.max, sizeof(*l.items));
	if (!l.works || !l.items)
		PANIC("out of memory");
	for (;;) {
		lane_waits(lane, STAGE_LOOK);
		size_t count = queue_take(lane->look_queue, (void **)l.works, l.max, -1);
		if (count == 0)
			break;
		lane_busy(lane, STAGE_LOOK);
		int64_t begin = clock_mono_ns();
		metric_observe(METRIC_queue_seen, lane_stage_labels(lane, STAGE_LOOK),
			       (double)(count + queue_length(lane->look_queue)));
		count = look(&l, count);
		for (size_t i = 0; i < count; i++)
			dispatch(&l, l.works[i]);
		ledger_wake(lane->ledger);
		secret_wipe_traces();
		if (count) {
			metric_observe(METRIC_batch_size, lane_stage_labels(lane, STAGE_LOOK), (double)count);
			metric_observe(METRIC_stage_seconds, lane_stage_labels(lane, STAGE_LOOK),
				       (double)(clock_mono_ns() - begin) / 1e9);
		}
	}
	free(l.works);
	free(l.items);
	free(l.marks);
}
