// SPDX-License-Identifier: Apache-2.0
// The storer: one database transaction for all that wait. What the store finds otherwise is decided again; data that the database refuses is
// searched by halves and buried alone.
#include "flow/lane.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/secret.h"
#include "flow/outputs.h"

#define REJECTED_IN_A_ROW 3 // records refused with one reason, one after the other: then it is the database, not the data

struct storer {
	struct lane *lane;
	struct backoff backoff;
	size_t max;
	struct work **works;
	struct store_item *items;
	struct mark *marks;
	size_t marks_size;
	unsigned rejected; // in a row
};

static size_t drop_stale(struct storer *s, struct work **works, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (ledger_alive(s->lane->ledger, &works[i]->entry))
			works[kept++] = works[i];
		else
			lane_drop(s->lane, works[i]);
	}
	return kept;
}

static size_t gather_marks(struct storer *s)
{
	size_t need = marks_count(s->lane->marks);
	if (need > s->marks_size) {
		s->marks_size = need;
		s->marks = reallocarray(s->marks, need, sizeof(*s->marks));
		if (!s->marks)
			PANIC("out of memory");
	}
	return marks_pending(s->lane->marks, false, s->marks, s->marks_size);
}

static void decide_again(struct storer *s, struct work *work)
{
	struct operation_case c = work_case(work);
	if (operation_decide(s->lane->parts->operation, &c, &work->receipt, &work->changes) != DECISION_STORE ||
	    work->changes.has_account)
		PANIC("a request that lost a claim or reached a limit was accepted");
}

// The address, or the session, is held: what is decided on what is known of it now is what counts.
static void confirm(struct storer *s, struct work *work, struct store_item *item)
{
	struct operation_case c = work_case(work);
	bool had_account = work->changes.has_account;
	bool settled = operation_confirm(s->lane->parts->operation, &c, &work->receipt, &work->changes);
	item->completed = true;
	if (!settled || (!had_account && work->changes.has_account) || guard_wants(work))
		item->outcome = STORE_AGAIN;
	else if (had_account && !work->changes.has_account)
		item->outcome = STORE_LOST;
}

// Between begin and finish: answers in the frontend's words for what the store found otherwise, numbers, and how limits stand.
static enum reason complete(struct storer *s, struct work **works, size_t count, struct fault *f)
{
	for (size_t i = 0; i < count; i++) {
		if (s->items[i].outcome == STORE_LOST)
			decide_again(s, works[i]);
		else if (s->items[i].outcome == STORE_WON && (works[i]->changes.code.holds || works[i]->changes.sessions.holds))
			confirm(s, works[i], &s->items[i]);
	}
	enum reason reason = store_number(s->lane->store_store, s->items, count, f);
	for (size_t i = 0; i < count && reason == REASON_OK; i++) {
		spent_note(s->lane->spent, &s->items[i]);
		if (s->items[i].outcome != STORE_WON && s->items[i].outcome != STORE_LOST)
			continue;
		struct operation_case c = work_case(works[i]);
		if (operation_complete(&c, &works[i]->receipt, &works[i]->changes))
			s->items[i].completed = true;
	}
	return reason;
}

// Before the transaction: budgets and holds. What may not be sent is decided again, without it; its password is gone, its hash is not.
static enum reason admit(struct storer *s, struct work **works, size_t count, struct fault *f)
{
	for (bool left = true; left;) {
		enum reason reason = guard_admit(s->lane->guard, s->lane->store_store, works, count, f);
		if (reason != REASON_OK)
			return reason;
		left = false;
		for (size_t i = 0; i < count; i++) {
			struct work *work = works[i];
			if (!guard_wants(work))
				continue;
			if (work->hash[0] && work->registration.operation == OPERATION_SIGN_UP)
				work->registration.password_hash = slice_of(work->hash);
			struct operation_case c = work_case(work);
			if (operation_decide(s->lane->parts->operation, &c, &work->receipt, &work->changes) != DECISION_STORE)
				PANIC("a request whose message is withheld wants a hash");
			left = left || guard_wants(work);
		}
	}
	return REASON_OK;
}

static enum reason transaction(struct storer *s, struct work **works, size_t count, struct fault *f)
{
	struct lane *lane = s->lane;
	enum reason reason = admit(s, works, count, f);
	if (reason != REASON_OK)
		return reason;
	for (size_t i = 0; i < count; i++)
		s->items[i] = (struct store_item){.request = &works[i]->request,
						  .registration = works[i]->read ? &works[i]->registration : NULL,
						  .changes = &works[i]->changes,
						  .arena = works[i]->arena,
						  .facts = &works[i]->facts};
	reason = store_begin(lane->store_store, lane->group, s->items, count, f);
	if (reason != REASON_OK)
		return reason;
	if (FAILPOINT(store_begun)) {
		store_cancel(lane->store_store);
		return fault_set(f, REASON_STORE_UNAVAILABLE, "failpoint store.begun");
	}
	reason = complete(s, works, count, f);
	if (reason != REASON_OK)
		return reason;
	size_t raise = gather_marks(s);
	reason = store_finish(lane->store_store, lane->group, s->marks, raise, s->items, count, f);
	if (reason == REASON_OK && FAILPOINT(store_committed))
		return fault_set(f, REASON_STORE_UNAVAILABLE, "failpoint store.committed"); // as if the answer to COMMIT were lost
	if (reason == REASON_OK)
		marks_raised(lane->marks, s->marks, raise);
	return reason;
}

// Another took the value of a derived claim, or holds the address. The password is gone, its hash is not.
static void look_again(struct storer *s, struct work *work)
{
	if (work->changes.derived_count > 0)
		metric_add(METRIC_proposals_lost, METRIC_LABELS(lane_kind_name(s->lane->kind)), 1);
	if (work->hash[0])
		work->registration.password_hash = slice_of(work->hash);
	lane_look_again(s->lane, work);
}

static void settle(struct storer *s, struct work **works, size_t count)
{
	bool messages = false;
	for (size_t i = 0; i < count; i++) {
		struct work *work = works[i];
		if (s->items[i].outcome == STORE_AGAIN) {
			look_again(s, work);
			continue;
		}
		guard_settle(s->lane->guard, work, s->items[i].outcome != STORE_HIT);
		if (s->items[i].outcome == STORE_HIT) {
			outputs_of_hit(work);
		} else {
			outputs_of_decision(work);
			if (!slice_is_absent(work->changes.code.renews))
				metric_add(METRIC_hashes_renewed, METRIC_LABELS(lane_kind_name(s->lane->kind)), 1);
			messages |= work->changes.message_count > 0;
		}
		lane_finish(s->lane, work);
	}
	ledger_wake(s->lane->ledger);
	(void)FAILPOINT(store_settled);
	if (messages && s->lane->parts->courier)
		courier_wake(s->lane->parts->courier);
}

// The record's own data is refused: it is stored as dead instead.
static void bury(struct work *work)
{
	struct lane *lane = work->lane;
	work->refusal = REASON_STORE_REJECTS;
	struct operation_case c = work_case(work);
	if (operation_decide(lane->parts->operation, &c, &work->receipt, &work->changes) != DECISION_STORE)
		PANIC("a buried record wants a hash");
}

static void drop_all(struct storer *s, struct work **works, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lane_drop(s->lane, works[i]);
}

// One record alone is refused: bury it, unless it is one of several in a row (then it is the database) or is buried already. false: leaving.
static bool reject(struct storer *s, struct work *work, const struct fault *f)
{
	if (++s->rejected >= REJECTED_IN_A_ROW || work->refusal == REASON_STORE_REJECTS)
		return lane_retry(s->lane, STAGE_STORE, &s->backoff, f);
	bury(work);
	return true;
}

static void store(struct storer *s, struct work **works, size_t count)
{
	struct lane *lane = s->lane;
	struct fault f;
	while ((count = drop_stale(s, works, count)) > 0) {
		enum reason reason = transaction(s, works, count, &f);
		if (reason == REASON_OK) {
			if (works[0]->refusal != REASON_STORE_REJECTS)
				s->rejected = 0;
			lane_works(lane, STAGE_STORE, &s->backoff);
			settle(s, works, count);
			return;
		}
		bool bad_data = reason == REASON_STORE_DATA;
		bool go = bad_data ? count > 1 || reject(s, works[0], &f) : lane_retry(lane, STAGE_STORE, &s->backoff, &f);
		if (!go) {
			drop_all(s, works, count);
			return;
		}
		// By halves: to find the record whose data is refused, or to hold fewer locks.
		if (count > 1 && (bad_data || reason == REASON_STORE_CONFLICT)) {
			if (bad_data)
				metric_add(METRIC_bisections, METRIC_LABELS(lane_kind_name(lane->kind)), 1);
			store(s, works, count / 2);
			works += count / 2;
			count -= count / 2;
		}
	}
}

void storer_run(void *ctx)
{
	struct storer s = {.lane = ctx};
	struct lane *lane = s.lane;
	const struct flow_conf *conf = lane->parts->conf;
	s.backoff = BACKOFF_INIT(conf->retry_min_ms, conf->retry_max_ms);
	s.max = (size_t)conf->store_batch;
	s.works = calloc(s.max, sizeof(struct work *));
	s.items = calloc(s.max, sizeof(*s.items));
	if (!s.works || !s.items)
		PANIC("out of memory");
	for (;;) {
		lane_waits(lane, STAGE_STORE);
		size_t count = queue_take(lane->store_queue, (void **)s.works, s.max, -1);
		if (count == 0)
			break;
		lane_busy(lane, STAGE_STORE);
		int64_t begin = clock_mono_ns();
		metric_observe(METRIC_queue_seen, lane_stage_labels(lane, STAGE_STORE),
			       (double)(count + queue_length(lane->store_queue)));
		metric_observe(METRIC_batch_size, lane_stage_labels(lane, STAGE_STORE), (double)count);
		store(&s, s.works, count);
		secret_wipe_traces();
		metric_observe(METRIC_stage_seconds, lane_stage_labels(lane, STAGE_STORE), (double)(clock_mono_ns() - begin) / 1e9);
	}
	free(s.works);
	free(s.items);
	free(s.marks);
}
