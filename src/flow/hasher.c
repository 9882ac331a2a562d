// SPDX-License-Identifier: Apache-2.0
// The hasher: feeds the pool that both lanes share, which takes no more than it can soon hash.
#include "flow/lane.h"

#include "enrolld/base/failpoint.h"

// What was to be known is known: whose password it is, and the hash of another one.
static void known(struct work *work, const struct credential_job *job)
{
	const struct code_holder *holder = &work->facts.code.holder;
	bool compared = !slice_is_absent(job->stored), by_password = work->registration.code.by_password;
	work->password = (struct password_facts){
		.state = by_password ? compared && job->fits ? PASSWORD_FITS : PASSWORD_MISFITS : PASSWORD_UNCOMPARED,
		.account_id = holder->account_id,
		.serial = holder->password_serial,
		.compared = holder->password_hash,
		.made = job->made && (!by_password || job->fits) ? slice_of(work->hash) : SLICE_ABSENT,
	};
	work->facts.password = work->password;
	struct operation_case c = work_case(work);
	if (operation_decide(work->lane->parts->operation, &c, &work->receipt, &work->changes) != DECISION_STORE)
		PANIC("what was hashed and compared is to be so again");
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
	if (work->registration.operation == OPERATION_SIGN_UP)
		work->changes.account.password_hash = slice_of(work->hash);
	else
		known(work, job);
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
	struct registration *r = &work->registration;
	work->hash_job = (struct credential_job){
		.password = r->old_password ? r->old_password : r->password,
		.next = r->old_password ? r->password : NULL,
		.hash = work->hash,
		.stored = r->code.by_password ? work->facts.code.holder.password_hash
					      : SLICE_ABSENT, // absent: makes one, also where there is nothing to compare with
		.done = hashed,
		.ctx = work,
		.priority = lane->kind == LANE_OTP ? CREDENTIAL_URGENT : CREDENTIAL_USUAL,
	};
	r->password = r->old_password = NULL; // the pool releases them
	if (credential_pool_submit(lane->parts->hashes, &work->hash_job))
		return true;
	secret_release(work->hash_job.password);
	secret_release(work->hash_job.next);
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
