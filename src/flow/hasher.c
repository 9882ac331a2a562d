// SPDX-License-Identifier: Apache-2.0
// The hasher: feeds the pool that both lanes share, which takes no more than it can soon hash.
#include "flow/lane.h"

#include "enrolld/base/failpoint.h"

// What was to be known is known.
static void compared(struct work *work, bool fits)
{
	struct operation_case c = work_case(work);
	work->facts.password = work->password = fits ? PASSWORD_FITS : PASSWORD_MISFITS;
	work->facts.compared = work->compared = work->facts.code.holder.password_hash;
	if (operation_decide(work->lane->parts->operation, &c, &work->receipt, &work->changes) != DECISION_STORE)
		PANIC("a password that was compared is to be compared again");
}

static void hashed(struct credential_job *job, void *ctx)
{
	struct work *work = ctx;
	struct lane *lane = work->lane;
	if (job->reason != REASON_OK) { // the pool is closing
		lane_drop(lane, work);
		tray_miss(lane->hashed);
		return;
	}
	(void)FAILPOINT(hash_done);
	if (work->registration.code.by_password)
		compared(work, !slice_is_absent(job->stored) && job->fits);
	else
		work->changes.account.password_hash = slice_of(work->hash);
	tray_put(lane->hashed, work);
}

// Limits that were used up while it waited: the look refuses it without a hash then. Once, since the look decides.
static bool recall(struct lane *lane, struct work *work)
{
	if (work->recalled || !spent_holds(lane->spent, &work->request, &work->changes))
		return false;
	work->recalled = true;
	lane_look_again(lane, work);
	return true;
}

// To the pool. false: the work has gone elsewhere.
static bool submit(struct lane *lane, struct work *work)
{
	if (atomic_load(&lane->leaving) || !ledger_alive(lane->ledger, &work->entry)) {
		lane_drop(lane, work);
		return false;
	}
	if (recall(lane, work))
		return false;
	work->hash_job = (struct credential_job){
		.password = work->registration.password,
		.hash = work->hash,
		.stored = work->facts.code.holder.password_hash, // absent: makes one, also where there is nothing to compare with
		.done = hashed,
		.ctx = work,
		.priority = lane->kind == LANE_OTP ? CREDENTIAL_URGENT : CREDENTIAL_USUAL,
	};
	work->registration.password = NULL; // the pool releases it
	if (credential_pool_submit(lane->parts->hashes, &work->hash_job))
		return true;
	secret_release(work->hash_job.password);
	lane_drop(lane, work);
	return false;
}

void hasher_run(void *ctx)
{
	struct lane *lane = ctx;
	void *item;
	for (;;) {
		lane_waits(lane, STAGE_HASH);
		if (queue_take(lane->hash_queue, &item, 1, -1) == 0)
			return;
		if (!submit(lane, item))
			tray_miss(lane->hashed);
	}
}
