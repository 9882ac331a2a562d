// SPDX-License-Identifier: Apache-2.0
// The look: what the database knows about a batch of requests, in one round trip.
#include "enrolld/base/failpoint.h"
#include "store/handle.h"
#include "store/proposal.h"
#include "store/result.h"

struct looking {
	struct look_item *items;
};

static struct arena *found(void *ctx, size_t index, struct inbox_row **row)
{
	struct look_item *item = &((struct looking *)ctx)->items[index];
	item->facts->found = true;
	*row = &item->facts->row;
	return item->arena;
}

static size_t collect_claims(const struct look_item *items, size_t count, struct claim_ref *claims)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct registration *r = items[i].limits_only ? NULL : items[i].registration;
		for (size_t j = 0; r && j < r->claim_count; j++)
			claims[n++] = (struct claim_ref){
				.item = i, .index = j, .request = items[i].request, .claim = &r->claims[j]};
	}
	return n;
}

static void collect_limits(const struct look_item *items, size_t count, struct limit_table *limits)
{
	for (size_t i = 0; i < count; i++) {
		const struct registration *r = items[i].registration;
		for (size_t j = 0; r && j < r->limit_count; j++)
			limit_table_add(limits, items[i].request->realm, &r->limits[j]);
	}
}

static void fill_limits(struct look_item *items, size_t count, const struct limit_table *limits)
{
	for (size_t i = 0; i < count; i++) {
		const struct registration *r = items[i].registration;
		int64_t now_ms = items[i].facts->now_ms;
		for (size_t j = 0; r && j < r->limit_count; j++) {
			const struct limit_use *use = &r->limits[j];
			struct limit_row *row = limit_table_row(limits, items[i].request->realm, use);
			window_advance(&row->window, row->use, now_ms, limits->arena);
			items[i].facts->limits[j] = window_state(&row->window, row->use, now_ms);
			items[i].facts->limits[j].reached = window_full(&row->window, use);
		}
	}
}

static size_t collect_proposals(const struct look_item *items, size_t count, struct proposal **ret, struct arena *arena)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += items[i].registration && !items[i].limits_only ? items[i].registration->derived_count : 0;
	struct proposal *proposals = ARENA_ARRAY(arena, n + 1, struct proposal);
	n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct registration *r = items[i].limits_only ? NULL : items[i].registration;
		for (size_t j = 0; r && j < r->derived_count; j++) {
			struct proposal *p = &proposals[n++];
			*p = (struct proposal){.item = i, .index = j, .request = items[i].request, .derived = &r->derived[j]};
			p->value = &items[i].facts->proposals[j];
			proposal_begin(p);
		}
	}
	*ret = proposals;
	return n;
}

// Proposals that nobody needs any more are left out: the request is done, or another claim of it is taken.
static bool is_idle(const struct look_item *item)
{
	bool idle = item->facts->found;
	for (size_t i = 0; i < item->registration->claim_count; i++)
		idle = idle || item->facts->taken[i];
	return idle;
}

// Those for which no value was found yet.
static size_t hear_proposals(const struct look_item *items, struct proposal *proposals, size_t count, const bool *taken)
{
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		const struct look_item *item = &items[proposals[i].item];
		if (!proposal_hear(&proposals[i], taken, item->arena) && !is_idle(item))
			proposals[left++] = proposals[i];
	}
	return left;
}

static enum reason search_on(struct store *store, const struct look_item *items, struct proposal *proposals, size_t count,
			     struct fault *f)
{
	while (count > 0) {
		struct claim_ref *claims = ARENA_ARRAY(store->scratch, count * PROPOSAL_PROBES, struct claim_ref);
		size_t asked = 0;
		for (size_t i = 0; i < count; i++)
			asked = proposal_ask(&proposals[i], store->scratch, claims, asked);
		struct pipeline p;
		pipeline_begin(&p, &store->link);
		size_t handle = claim_find(&p, claims, asked);
		pipeline_commit(&p);
		enum reason reason = pipeline_run(&p, f);
		if (reason != REASON_OK)
			return reason;
		bool *taken = ARENA_ARRAY(store->scratch, asked, bool);
		for (size_t r = 0; r < result_rows(pipeline_result(&p, handle)); r++)
			taken[claim_read(pipeline_result(&p, handle), r)] = true;
		pipeline_end(&p);
		count = hear_proposals(items, proposals, count, taken);
	}
	return REASON_OK;
}

// What one look asks.
struct look {
	struct look_item *items;
	size_t count;
	const struct request **requests;
	struct claim_ref *claims; // of the items, then of proposals
	size_t own_claims, all_claims;
	struct proposal *proposals;
	size_t proposal_count;
	struct limit_table limits;
	struct progress_marks marks;
	struct code_ask *codes;
	size_t code_count;
	struct session_ask *sessions;
	size_t session_count;
	size_t inbox_handle, claim_handle, code_handle, session_handle;
};

static void collect_codes(struct look *look, struct arena *arena)
{
	look->codes = ARENA_ARRAY(arena, look->count, struct code_ask);
	for (size_t i = 0; i < look->count; i++) {
		const struct look_item *item = &look->items[i];
		if (!item->limits_only && code_asks(item->registration))
			look->codes[look->code_count++] = (struct code_ask){.item = i,
									    .request = item->request,
									    .use = &item->registration->code,
									    .facts = item->facts,
									    .arena = item->arena};
	}
}

static void collect_sessions(struct look *look, struct arena *arena)
{
	look->sessions = ARENA_ARRAY(arena, look->count, struct session_ask);
	for (size_t i = 0; i < look->count; i++) {
		const struct look_item *item = &look->items[i];
		if (session_asks(item->registration)) // an access token is asked about before the rules
			look->sessions[look->session_count++] = (struct session_ask){item->request, &item->registration->session,
										     item->facts};
	}
}

static void collect(struct look *look, struct arena *arena)
{
	look->requests = ARENA_ARRAY(arena, look->count, const struct request *);
	for (size_t i = 0; i < look->count; i++)
		look->requests[i] = look->items[i].request;
	look->proposal_count = collect_proposals(look->items, look->count, &look->proposals, arena);
	look->claims = ARENA_ARRAY(arena, look->count * CLAIMS_MAX + look->proposal_count * PROPOSAL_FIRST, struct claim_ref);
	look->own_claims = look->all_claims = collect_claims(look->items, look->count, look->claims);
	for (size_t i = 0; i < look->proposal_count; i++)
		look->all_claims = proposal_ask(&look->proposals[i], arena, look->claims, look->all_claims);
	limit_table_begin(&look->limits, look->count * LIMITS_MAX, arena);
	collect_limits(look->items, look->count, &look->limits);
	collect_codes(look, arena);
	collect_sessions(look, arena);
}

static void read_answers(struct look *look, const struct pipeline *p, struct arena *arena)
{
	progress_read(&look->marks, p);
	for (size_t i = 0; i < look->count; i++)
		*look->items[i].facts = (struct facts){.now_ms = look->marks.now_ms,
						       .mark = progress_mark(&look->marks, &look->requests[i]->record->at)};
	if (!FAILPOINT(rule_inbox))
		(void)inbox_read(pipeline_result(p, look->inbox_handle), found, &(struct looking){look->items});
	bool *taken = ARENA_ARRAY(arena, look->all_claims, bool);
	bool asked = look->all_claims > 0 && !FAILPOINT(rule_claims);
	for (size_t r = 0; asked && r < result_rows(pipeline_result(p, look->claim_handle)); r++) {
		size_t n = claim_read(pipeline_result(p, look->claim_handle), r);
		taken[n] = true;
		if (n < look->own_claims)
			look->items[look->claims[n].item].facts->taken[look->claims[n].index] = true;
	}
	limit_read(&look->limits, p);
	fill_limits(look->items, look->count, &look->limits);
	if (look->code_count > 0)
		code_read(pipeline_result(p, look->code_handle), look->codes, look->code_count);
	if (look->session_count > 0)
		session_read(pipeline_result(p, look->session_handle), look->sessions, look->session_count);
	look->proposal_count = hear_proposals(look->items, look->proposals, look->proposal_count, taken);
}

enum reason store_look(struct store *store, const char *group, const struct mark *raise, size_t raise_count,
		       struct look_item *items, size_t count, struct fault *f)
{
	if (store->open)
		PANIC("store_look within the transaction of a batch");
	if (count == 0)
		return store_raise(store, group, raise, raise_count, f);
	arena_reset(store->scratch);
	struct look look = {.items = items, .count = count};
	collect(&look, store->scratch);

	struct pipeline p;
	pipeline_begin(&p, &store->link);
	progress_raise(&p, group, raise, raise_count);
	look.inbox_handle = inbox_find(&p, look.requests, count);
	if (look.all_claims > 0)
		look.claim_handle = claim_find(&p, look.claims, look.all_claims);
	limit_find(&p, &look.limits);
	if (look.code_count > 0)
		look.code_handle = code_find(&p, look.codes, look.code_count);
	if (look.session_count > 0)
		look.session_handle = session_find(&p, look.sessions, look.session_count);
	progress_find(&p, group, look.requests, count, store->scratch, &look.marks);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;
	read_answers(&look, &p, store->scratch);
	pipeline_end(&p);

	reason = search_on(store, items, look.proposals, look.proposal_count, f);
	for (size_t i = 0; reason == REASON_OK && i < count; i++)
		facts_classify(items[i].facts, items[i].request, store->link.conf->horizon_ms);
	return reason;
}
