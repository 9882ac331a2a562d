// SPDX-License-Identifier: Apache-2.0
// One record on its way through a lane.
#include "flow/work.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"

#define WORK_ARENA_BLOCK ((size_t)8 * 1024)

struct work *work_create(struct lane *lane)
{
	struct work *work = calloc(1, sizeof(*work));
	if (!work)
		PANIC("out of memory");
	work->lane = lane;
	work->arena = arena_create(WORK_ARENA_BLOCK);
	work->entry.item = work;
	work->taken_ns = clock_mono_ns();
	return work;
}

void work_destroy(struct work *work)
{
	if (!work)
		return;
	if (work->entry.listed || work->order.stage != ORDER_OUTSIDE)
		PANIC("a work item is destroyed while the ledger or an order key still holds it");
	registration_forget(&work->registration);
	dialect_set_release(work->dialects);
	arena_destroy(work->arena);
	secret_wipe(work->hash, sizeof(work->hash));
	free(work);
}

bool work_asks_claims(const struct work *work)
{
	return work->read && (work->refusal == REASON_OK || (work->refusal == REASON_INVALID && work->registration.unique_anyway));
}

struct operation_case work_case(struct work *work)
{
	struct operation_case c = {
		.request = &work->request,
		.route = work->route,
		.registration = work->read ? &work->registration : NULL,
		.limits = work->registration.limits,
		.limit_count = work->registration.limit_count,
		.refusal = work->refusal,
		.facts = &work->facts,
		.arena = work->arena,
	};
	memcpy(c.withheld, work->withheld, sizeof(c.withheld));
	return c;
}
