// SPDX-License-Identifier: Apache-2.0
// Tables budget and prefix: what workers lease of budgets, and which prefixes are on hold. Transactions of their own, short ones, never within that of
// a batch: their rows are everybody's. Database time throughout.
#pragma once

#include "enrolld/store/store.h"

// The largest part of a budget that is leased before it is needed; near the end it is a sixteenth of what is left, at last one by one.
#define BUDGET_SLICE_MAX 1024

struct budget_lease {
	struct slice realm, name;
	int64_t allowed, window_ms; // windows begin at multiples of their length
	int64_t asked;              // that are wanted at once, at least 1
	// The answer.
	int64_t given;    // 0 to asked, or more where much is left
	int64_t used;     // of the window, by all workers, with what was given
	int64_t start_ms; // of the window
	int64_t left_ms;  // of it
};
// No two may be the same. Never more is given in a window than is allowed.
enum reason store_budget_lease(struct store *store, struct budget_lease *leases, size_t count, struct fault *f) ATTR_MUST_USE;

// What was leased in the window that began at start_ms and is not needed.
struct budget_return {
	struct slice realm, name;
	int64_t start_ms, count;
};
enum reason store_budget_return(struct store *store, const struct budget_return *returns, size_t count,
				struct fault *f) ATTR_MUST_USE;

// Texts to a prefix and codes of them that came back, since the last time, and when that is too few.
struct prefix_count {
	struct slice realm, prefix;
	int64_t sends, verified;
	int64_t window_ms;               // after which both begin anew
	int64_t least, percent, time_ms; // on hold for time_ms if of at least so many sends fewer than percent came back
};
struct prefix_hold {
	struct slice realm, prefix;
	int64_t left_ms;
	bool begun; // by the counts of this call; then also how many there were
	int64_t sends, verified;
};
#define PREFIX_HOLDS_MAX 4096
// Ends holds that are over, adds the counts (no two of one prefix), begins holds, each with its notice; then tells what is on hold, at most PREFIX_HOLDS_MAX. Texts live in arena.
enum reason store_prefix_count(struct store *store, const struct prefix_count *counts, size_t count, struct arena *arena,
			       struct prefix_hold **holds, size_t *hold_count, struct fault *f) ATTR_MUST_USE;
