// SPDX-License-Identifier: Apache-2.0
// Who won: first those whose row is another's, then claims that are, then limits, item by item in their order.
#include "store/outcome.h"

#include "enrolld/base/failpoint.h"
#include "store/result.h"

#define STAGES (LIMIT_SENDS + 1)

struct settling {
	struct store *store;
	struct store_item *items;
	const struct progress_marks *marks;
};

// Facts of the look stay with those that won; the others get what is true now.
static void renew_facts(const struct settling *s, struct store_item *item, enum store_outcome outcome)
{
	item->outcome = outcome;
	facts_renew(item->facts, s->marks->now_ms, progress_mark(s->marks, &item->request->record->at));
}

static struct arena *found(void *ctx, size_t index, struct inbox_row **row)
{
	const struct settling *s = ctx;
	struct store_item *item = &s->items[index];
	renew_facts(s, item, STORE_HIT);
	item->facts->found = true;
	*row = &item->facts->row;
	return item->arena;
}

static void lose(const struct settling *s, struct store_item *item, size_t claim)
{
	bool derived = claim >= item->changes->claim_count - item->changes->derived_count;
	if (item->outcome == STORE_WON)
		renew_facts(s, item, STORE_AGAIN);
	if (derived)
		return;
	item->outcome = STORE_LOST;
	item->facts->taken[claim] = true;
}

static size_t mark_lost(const struct settling *s, const PGresult *result)
{
	struct store *store = s->store;
	size_t lost = 0;
	for (size_t r = 0; r < result_rows(result); r++) {
		size_t n = claim_read(result, r);
		struct store_item *item = &s->items[store->claims[n].item];
		if (item->outcome == STORE_HIT)
			continue;
		lose(s, item, store->claims[n].index);
		store->claim_lost[n] = true;
		lost++;
	}
	return lost;
}

// Is the address that was held still the one that the item is about? Whoever asked may have asked for a code to another one meanwhile.
static bool holds_its_address(const struct store_item *item)
{
	const struct code_change *change = &item->changes->code;
	const struct code_facts *code = &item->facts->code;
	return change->kind == code->kind && slice_equal(change->value, code->value);
}

// Is the account that is to get another password still the one that has the identity?
static bool holds_its_account(const struct store_item *item)
{
	const struct code_holder *holder = &item->facts->code.holder;
	return !account_gets_password(item) || !holder->found || uuid_equal(&holder->account_id, &item->changes->code.account_id);
}

// What is known of the addresses now that they are held. Of two items of one address the second is to see what the first has changed.
static enum reason settle_codes(const struct settling *s, const struct pipeline *p, size_t handle, struct fault *f)
{
	const struct store *store = s->store;
	if (store->code_count == 0)
		return REASON_OK;
	if (!address_taken(&store->addresses, p))
		return fault_set(f, REASON_STORE_CONFLICT, "an address's row went away meanwhile");
	code_read(pipeline_result(p, handle), store->codes, store->code_count);
	for (size_t i = 0; i < store->code_count; i++) {
		struct store_item *item = &s->items[store->codes[i].item];
		bool held = item->outcome == STORE_HIT || (address_owned(&store->addresses, item) && holds_its_address(item) &&
							   holds_its_account(item) && account_owned(&store->accounts, item));
		if (!held)
			item->outcome = STORE_AGAIN;
	}
	return REASON_OK;
}

static struct limit_row *row_of(const struct settling *s, const struct store_item *item, size_t limit)
{
	return limit_table_row(&s->store->limits, item->request->realm, &item->changes->limits[limit]);
}

// The first stage of which a limit is full; STAGES if there is none.
static size_t full_stage(const struct settling *s, const struct store_item *item, int64_t now_ms)
{
	size_t stage = STAGES;
	for (size_t i = 0; i < item->changes->limit_count; i++) {
		const struct limit_use *use = &item->changes->limits[i];
		if (!item->changes->counts[i])
			continue;
		struct limit_row *row = row_of(s, item, i);
		window_advance(&row->window, row->use, now_ms, s->store->held);
		if (window_full(&row->window, use) && use->stage < stage)
			stage = use->stage;
	}
	return stage;
}

// Counts the request on the limits before that stage, and says how all of them stand.
static void spend(const struct settling *s, struct store_item *item, size_t stage, int64_t now_ms)
{
	for (size_t i = 0; i < item->changes->limit_count; i++) {
		const struct limit_use *use = &item->changes->limits[i];
		if (!item->changes->counts[i])
			continue;
		struct limit_row *row = row_of(s, item, i);
		bool reached = use->stage == stage && window_full(&row->window, use);
		if (use->stage < stage) {
			window_spend(&row->window, row->use, row->at_ms, s->store->held);
			row->spent = true;
		}
		item->facts->limits[i] = window_state(&row->window, row->use, now_ms);
		item->facts->limits[i].reached = reached;
	}
}

static void count_limits(const struct settling *s, size_t count, int64_t now_ms)
{
	for (size_t i = 0; i < count; i++) {
		struct store_item *item = &s->items[i];
		if (item->outcome == STORE_HIT || item->changes->limit_count == 0)
			continue;
		size_t stage = full_stage(s, item, now_ms);
		if (item->outcome == STORE_AGAIN && stage == STAGES)
			continue;           // is counted when it comes again
		if (stage == LIMIT_SENDS) { // it is answered as ever, without its message
			if (item->outcome == STORE_WON)
				renew_facts(s, item, STORE_AGAIN);
			continue;
		}
		if (stage < STAGES && item->outcome != STORE_LOST)
			renew_facts(s, item, STORE_LOST);
		spend(s, item, stage, now_ms);
	}
}

// Every row that is not ours must be seen as somebody's. One that was there when we inserted and is gone when we look was swept or
// deleted in between: the whole batch is tried again.
enum reason outcome_settle(struct store *store, const struct pipeline *p, const struct begun *b, struct store_item *items,
			   size_t count, struct fault *f)
{
	struct settling s = {store, items, &b->marks};
	for (size_t i = 0; i < count; i++)
		items[i].outcome = STORE_WON;
	size_t hits = FAILPOINT(rule_inbox) ? 0 : inbox_read(pipeline_result(p, b->foreign_rows), found, &s);
	if (pipeline_touched(p, b->rows) + hits != count)
		return fault_set(f, REASON_STORE_CONFLICT, "an inbox row went away meanwhile");
	if (store->claim_count > 0) {
		size_t wanted = 0;
		for (size_t i = 0; i < store->claim_count; i++)
			wanted += items[store->claims[i].item].outcome != STORE_HIT;
		size_t lost = FAILPOINT(rule_claims) ? 0 : mark_lost(&s, pipeline_result(p, b->foreign_claims));
		if (pipeline_touched(p, b->claims) + lost != wanted)
			return fault_set(f, REASON_STORE_CONFLICT, "a claim went away meanwhile");
	}
	enum reason reason = settle_codes(&s, p, b->codes, f);
	if (reason != REASON_OK)
		return reason;
	if (store->session_count > 0)
		session_read(pipeline_result(p, b->sessions), store->sessions, store->session_count);
	if (store->limits.count > 0) {
		if (!limit_taken(&store->limits, p, b->marks.now_ms))
			return fault_set(f, REASON_STORE_CONFLICT, "a limit's row went away meanwhile");
		count_limits(&s, count, limit_now(&store->limits, p));
	}
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome == STORE_HIT)
			facts_classify(items[i].facts, items[i].request, store->link.conf->horizon_ms);
	}
	return REASON_OK;
}
