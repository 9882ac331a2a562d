// SPDX-License-Identifier: Apache-2.0
// What this process has leased of budgets and not used yet. Thread-safe; of both lanes. Times are monotonic, but for the start of a window, which is
// the database's and names it.
#pragma once

#include "enrolld/operation/sending.h"
#include "enrolld/store/sending.h"

struct purse;

// One message of a window.
struct grant {
	uint64_t key;
	int64_t start_ms;
};

struct purse *purse_create(void);
void purse_destroy(struct purse *purse); // NULL is fine

// One message on each of the budgets, or on none: false, and *lacking is the index of the first that has none.
bool purse_take(struct purse *purse, const struct sending_budget *budgets, size_t count, int64_t now_ns, struct grant *grants,
		size_t *lacking) ATTR_MUST_USE;
// Messages that were not sent after all; those of windows that are over are nobody's.
void purse_give_back(struct purse *purse, const struct grant *grants, size_t count);
int64_t purse_left(struct purse *purse, const struct sending_budget *budget, int64_t now_ns) ATTR_MUST_USE;
// Is it known, for a second or so, that the database has no more to give?
bool purse_is_dry(struct purse *purse, const struct sending_budget *budget, int64_t now_ns) ATTR_MUST_USE;
// What a lease gave that was asked for at asked_ns. true: the budget is used up, and that is news of this window.
bool purse_fill(struct purse *purse, const struct sending_budget *budget, const struct budget_lease *lease,
		int64_t asked_ns) ATTR_MUST_USE;
// Takes out what lies idle since before idle_ns, to be returned to the database; at most max. Texts live in arena.
size_t purse_empty(struct purse *purse, int64_t idle_ns, int64_t now_ns, struct arena *arena, struct budget_return *out,
		   size_t max) ATTR_MUST_USE;
void purse_measure(struct purse *purse, int64_t now_ns);
