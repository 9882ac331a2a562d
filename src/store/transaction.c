// SPDX-License-Identifier: Apache-2.0
// The store transaction: store_begin takes rows and claims and tells who won, store_finish writes what follows and commits.
//
// Two round trips, since a claim that is lost changes the answer in the frontend's words, which are not the store's to know.
#include <string.h>

#include "enrolld/base/failpoint.h"
#include "store/handle.h"
#include "store/result.h"

struct begun {
	size_t rows, claims; // inserted
	size_t foreign_rows, foreign_claims;
	struct progress_marks marks;
};

static void hold_claims(struct store *store, const struct store_item *items, size_t count)
{
	arena_reset(store->held);
	store->claims = ARENA_ARRAY(store->held, count * CLAIMS_MAX, struct claim_ref);
	store->claim_count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct changes *changes = items[i].changes;
		for (size_t j = 0; changes->has_account && j < changes->claim_count; j++)
			store->claims[store->claim_count++] = (struct claim_ref){
				.item = i,
				.index = j,
				.request = items[i].request,
				.claim = &changes->claims[j],
				.account_id = changes->account.account_id,
			};
	}
	store->claim_lost = ARENA_ARRAY(store->held, store->claim_count, bool);
}

struct settling {
	struct store_item *items;
	const struct progress_marks *marks;
};

// Facts of the look stay with those that won; the others get what is true now.
static void renew_facts(const struct settling *s, struct store_item *item, enum store_outcome outcome)
{
	item->outcome = outcome;
	*item->facts = (struct facts){.now_ms = s->marks->now_ms, .mark = progress_mark(s->marks, &item->request->record->at)};
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

static size_t mark_lost(struct store *store, const PGresult *result, const struct settling *s)
{
	size_t lost = 0;
	for (size_t r = 0; r < result_rows(result); r++) {
		size_t n = claim_read(result, r);
		struct store_item *item = &s->items[store->claims[n].item];
		if (item->outcome == STORE_HIT)
			continue;
		if (item->outcome == STORE_WON)
			renew_facts(s, item, STORE_LOST);
		item->facts->taken[store->claims[n].index] = true;
		store->claim_lost[n] = true;
		lost++;
	}
	return lost;
}

// Every row that is not ours must be seen as somebody's. One that was there when we inserted and is gone when we look was swept or
// deleted in between: the whole batch is tried again.
static enum reason settle_outcomes(struct store *store, const struct pipeline *p, const struct begun *b, struct store_item *items,
				   size_t count, struct fault *f)
{
	struct settling s = {items, &b->marks};
	for (size_t i = 0; i < count; i++)
		items[i].outcome = STORE_WON;
	size_t hits = inbox_read(pipeline_result(p, b->foreign_rows), found, &s);
	if (pipeline_touched(p, b->rows) + hits != count)
		return fault_set(f, REASON_STORE_CONFLICT, "an inbox row went away meanwhile");
	if (store->claim_count > 0) {
		size_t wanted = 0;
		for (size_t i = 0; i < store->claim_count; i++)
			wanted += items[store->claims[i].item].outcome != STORE_HIT;
		size_t lost = mark_lost(store, pipeline_result(p, b->foreign_claims), &s);
		if (pipeline_touched(p, b->claims) + lost != wanted)
			return fault_set(f, REASON_STORE_CONFLICT, "a claim went away meanwhile");
	}
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome == STORE_HIT)
			facts_classify(items[i].facts, items[i].request, store->link.conf->horizon_ms);
	}
	return REASON_OK;
}

enum reason store_begin(struct store *store, const char *group, struct store_item *items, size_t count, struct fault *f)
{
	if (store->open || count == 0)
		PANIC("store_begin: %s", store->open ? "a transaction is open" : "no items");
	arena_reset(store->scratch);
	const struct request **requests = ARENA_ARRAY(store->scratch, count, const struct request *);
	for (size_t i = 0; i < count; i++)
		requests[i] = items[i].request;
	hold_claims(store, items, count);

	struct pipeline p;
	struct begun b = {0};
	pipeline_begin(&p, &store->link);
	b.rows = inbox_insert(&p, items, count);
	if (store->claim_count > 0)
		b.claims = claim_insert(&p, store->claims, store->claim_count);
	// Statements of their own: rows that others committed while ours waited for them are seen only by a later one.
	b.foreign_rows = inbox_find_foreign(&p, requests, count);
	if (store->claim_count > 0)
		b.foreign_claims = claim_find_foreign(&p, store->claims, store->claim_count);
	progress_find(&p, group, requests, count, store->scratch, &b.marks);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;

	progress_read(&b.marks, &p);
	reason = settle_outcomes(store, &p, &b, items, count, f);
	pipeline_end(&p);
	if (reason != REASON_OK) {
		connection_roll_back(&store->link);
		return reason;
	}
	store->open = true;
	store->item_count = count;
	return REASON_OK;
}

static void give_back(struct store *store, struct pipeline *p, const struct store_item *items)
{
	struct claim_ref *half_won = ARENA_ARRAY(store->held, store->claim_count, struct claim_ref);
	size_t n = 0;
	for (size_t i = 0; i < store->claim_count; i++) {
		if (items[store->claims[i].item].outcome == STORE_LOST && !store->claim_lost[i])
			half_won[n++] = store->claims[i];
	}
	if (n > 0)
		claim_give_back(p, half_won, n);
}

enum reason store_finish(struct store *store, const char *group, const struct mark *raise, size_t raise_count,
			 struct store_item *items, size_t count, struct fault *f)
{
	if (!store->open || count != store->item_count)
		PANIC("store_finish: %s", store->open ? "other items than in store_begin" : "no transaction is open");
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome == STORE_LOST && items[i].changes->has_account)
			PANIC("store_finish: an item that lost a claim still has an account");
	}
	store->open = false;
	struct pipeline p;
	pipeline_resume(&p, &store->link);
	inbox_correct(&p, items, count);
	challenge_insert(&p, items, count);
	give_back(store, &p, items);
	account_insert(&p, items, count);
	message_insert(&p, items, count);
	progress_raise(&p, group, raise, raise_count);
	(void)FAILPOINT(store_finished);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	pipeline_end(&p);
	return reason;
}

void store_cancel(struct store *store)
{
	if (store->open)
		connection_roll_back(&store->link);
	store->open = false;
}
