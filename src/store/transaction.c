// SPDX-License-Identifier: Apache-2.0
// The store transaction: store_begin takes rows and claims and tells who won, store_finish writes what follows and commits.
//
// Two round trips, since a claim or limit that is lost changes the answer in the frontend's words, which are not the store's to know.
// After the first, everything but devices, the counters and marks is locked: what follows waits for
// nobody who waits for us.
#include "enrolld/base/failpoint.h"
#include "store/outcome.h"

// The address that a code was sent to is a new account's from the start.
static bool is_proved(const struct changes *changes, const struct claim *claim)
{
	return changes->code.verifies && claim->kind == changes->code.kind && slice_equal(claim->value, changes->code.value);
}

static void hold_claims(struct store *store, const struct store_item *items, size_t count)
{
	store->claims = ARENA_ARRAY(store->held, count * (CLAIMS_MAX + DERIVED_MAX), struct claim_ref);
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
				.verified = is_proved(changes, &changes->claims[j]),
			};
	}
	store->claim_lost = ARENA_ARRAY(store->held, store->claim_count, bool);
}

static void hold_limits(struct store *store, const struct store_item *items, size_t count)
{
	limit_table_begin(&store->limits, count * LIMITS_MAX, store->held);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < items[i].changes->limit_count; j++)
			if (items[i].changes->counts[j])
				limit_table_add(&store->limits, items[i].request->realm, &items[i].changes->limits[j]);
}

static const struct uuid *own_account(const struct changes *changes)
{
	return changes->has_account ? &changes->account.account_id : NULL;
}

static void hold_addresses(struct store *store, const struct store_item *items, size_t count)
{
	address_table_begin(&store->addresses, items, count, store->held);
	account_table_begin(&store->accounts, items, count, store->held);
	store->codes = ARENA_ARRAY(store->held, count, struct code_ask);
	store->code_count = 0;
	for (size_t i = 0; i < count; i++)
		if (items[i].changes->code.holds)
			store->codes[store->code_count++] = (struct code_ask){.item = i,
									      .request = items[i].request,
									      .use = &items[i].registration->code,
									      .facts = items[i].facts,
									      .account_id = own_account(items[i].changes),
									      .arena = items[i].arena};
}

static void hold_sessions(struct store *store, const struct store_item *items, size_t count)
{
	store->sessions = ARENA_ARRAY(store->held, count, struct session_ask);
	store->session_count = 0;
	for (size_t i = 0; i < count; i++)
		if (items[i].changes->sessions.holds)
			store->sessions[store->session_count++] = (struct session_ask){
				items[i].request, &items[i].registration->session, items[i].facts};
}

enum reason store_begin(struct store *store, const char *group, struct store_item *items, size_t count, struct fault *f)
{
	if (store->open || count == 0)
		PANIC("store_begin: %s", store->open ? "a transaction is open" : "no items");
	arena_reset(store->scratch);
	const struct request **requests = ARENA_ARRAY(store->scratch, count, const struct request *);
	for (size_t i = 0; i < count; i++) {
		requests[i] = items[i].request;
		items[i].completed = items[i].changes->code.holds || items[i].changes->sessions.holds;
	}
	arena_reset(store->held);
	hold_claims(store, items, count);
	hold_limits(store, items, count);
	hold_addresses(store, items, count);
	hold_sessions(store, items, count);

	struct pipeline p;
	struct begun b = {0};
	pipeline_begin(&p, &store->link);
	b.rows = inbox_insert(&p, items, count);
	limit_take(&p, &store->limits);
	address_take(&p, &store->addresses);
	if (store->claim_count > 0)
		b.claims = claim_insert(&p, store->claims, store->claim_count);
	claim_take(&p, items, count);
	account_take(&p, items, count);
	session_take(&p, items, count);
	// Statements of their own: rows that others committed while ours waited for them are seen only by a later one.
	b.foreign_rows = inbox_find_foreign(&p, requests, count);
	if (store->claim_count > 0)
		b.foreign_claims = claim_find_foreign(&p, store->claims, store->claim_count);
	if (store->code_count > 0)
		b.codes = code_find(&p, store->codes, store->code_count);
	if (store->session_count > 0)
		b.sessions = session_find(&p, store->sessions, store->session_count);
	progress_find(&p, group, requests, count, store->scratch, &b.marks);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;

	progress_read(&b.marks, &p);
	reason = outcome_settle(store, &p, &b, items, count, f);
	pipeline_end(&p);
	if (reason != REASON_OK) {
		connection_roll_back(&store->link);
		return reason;
	}
	store->open = true;
	store->item_count = count;
	return REASON_OK;
}

const struct code_change *store_item_code(const struct store_item *item)
{
	bool ours = item->outcome == STORE_WON || item->outcome == STORE_LOST;
	return ours && item->changes->code.holds ? &item->changes->code : NULL;
}

const struct session_change *store_item_sessions(const struct store_item *item)
{
	bool ours = item->outcome == STORE_WON || item->outcome == STORE_LOST;
	return ours ? &item->changes->sessions : NULL;
}

static void give_back(struct store *store, struct pipeline *p, const struct store_item *items)
{
	struct claim_ref *half_won = ARENA_ARRAY(store->held, store->claim_count, struct claim_ref);
	size_t n = 0;
	for (size_t i = 0; i < store->claim_count; i++) {
		enum store_outcome outcome = items[store->claims[i].item].outcome;
		if ((outcome == STORE_LOST || outcome == STORE_AGAIN) && !store->claim_lost[i])
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
			PANIC("store_finish: an item that lost still has an account");
	}
	store->open = false;
	struct pipeline p;
	pipeline_resume(&p, &store->link);
	inbox_correct(&p, items, count);
	inbox_withdraw(&p, items, count);
	limit_spend(&p, &store->limits);
	address_count(&p, items, count);
	challenge_mark(&p, items, count);
	challenge_insert(&p, items, count);
	give_back(store, &p, items);
	claim_verify(&p, items, count);
	claim_oust(&p, items, count);
	account_welcome(&p, items, count);
	account_insert(&p, items, count);
	device_idle(&p, items, count);
	device_move(&p, items, count);
	session_turn(&p, items, count);
	session_end(&p, items, count);
	session_insert(&p, items, count);
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
