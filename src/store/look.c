// SPDX-License-Identifier: Apache-2.0
// The look: what the database knows about a batch of requests, in one round trip.
#include <string.h>

#include "store/handle.h"
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
		const struct registration *r = items[i].registration;
		for (size_t j = 0; r && j < r->claim_count; j++)
			claims[n++] = (struct claim_ref){
				.item = i, .index = j, .request = items[i].request, .claim = &r->claims[j]};
	}
	return n;
}

enum reason store_look(struct store *store, const char *group, const struct mark *raise, size_t raise_count,
		       struct look_item *items, size_t count, struct fault *f)
{
	if (store->open)
		PANIC("store_look within the transaction of a batch");
	if (count == 0)
		return store_raise(store, group, raise, raise_count, f);
	arena_reset(store->scratch);
	const struct request **requests = ARENA_ARRAY(store->scratch, count, const struct request *);
	struct claim_ref *claims = ARENA_ARRAY(store->scratch, count * CLAIMS_MAX, struct claim_ref);
	for (size_t i = 0; i < count; i++)
		requests[i] = items[i].request;
	size_t claim_count = collect_claims(items, count, claims);

	struct pipeline p;
	struct progress_marks marks;
	pipeline_begin(&p, &store->link);
	progress_raise(&p, group, raise, raise_count);
	size_t inbox = inbox_find(&p, requests, count);
	size_t taken = claim_count > 0 ? claim_find(&p, claims, claim_count) : 0;
	progress_find(&p, group, requests, count, store->scratch, &marks);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;

	progress_read(&marks, &p);
	for (size_t i = 0; i < count; i++)
		*items[i].facts = (struct facts){.now_ms = marks.now_ms, .mark = progress_mark(&marks, &requests[i]->record->at)};
	(void)inbox_read(pipeline_result(&p, inbox), found, &(struct looking){items});
	for (size_t r = 0; claim_count > 0 && r < result_rows(pipeline_result(&p, taken)); r++) {
		const struct claim_ref *ref = &claims[claim_read(pipeline_result(&p, taken), r)];
		items[ref->item].facts->taken[ref->index] = true;
	}
	for (size_t i = 0; i < count; i++)
		facts_classify(items[i].facts, items[i].request, store->link.conf->horizon_ms);
	pipeline_end(&p);
	return REASON_OK;
}
