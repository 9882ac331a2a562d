// SPDX-License-Identifier: Apache-2.0
// Stands before every message that costs money: budgets and holds, as far as this process knows them and the database says. One of all lanes.
//
// A work that is to send something is admitted once, before its transaction: it takes a message of each budget that counts it, leased in slices. What
// is then not sent is given back. What is dropped on the way, or lost with the process, stays used until the window ends: never more is sent
// than a budget allows.
#pragma once

#include "flow/work.h"

struct guard;

struct guard *guard_create(struct sending *sending);
void guard_destroy(struct guard *guard); // NULL is fine

// After a decision: is it known without asking the database that something of it may not be sent? Then work->withheld says so, and it is to be
// decided again.
bool guard_foresees(struct guard *guard, struct work *work) ATTR_MUST_USE;
// Admits those that have recipients (work->admitted), or says in work->withheld why not; such a one is to be decided again, and may then want to be
// admitted for what is left. Asks the database only for another slice. Fails as the store does, and nobody is admitted then.
enum reason guard_admit(struct guard *guard, struct store *store, struct work **works, size_t count, struct fault *f) ATTR_MUST_USE;
bool guard_wants(const struct work *work) ATTR_MUST_USE; // is it to be admitted?
// The transaction is committed: counts what was sent, withheld and came back. written: by this work; false: somebody had stored it before.
void guard_settle(struct guard *guard, struct work *work, bool written);

// About every second, by one thread: counts to the database, holds from it, idle leases back to it. leaving: everything, at once.
void guard_tend(struct guard *guard, struct store *store, bool leaving);
void guard_measure(struct guard *guard);
