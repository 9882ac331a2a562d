// SPDX-License-Identifier: Apache-2.0
// What store_begin's answers mean for each item.
#pragma once

#include "store/handle.h"

struct begun {
	size_t rows, claims; // inserted
	size_t foreign_rows, foreign_claims, codes, sessions;
	struct progress_marks marks;
};

// Sets outcomes and facts, and spends limits in memory. STORE_CONFLICT: something went away while we looked, try again.
enum reason outcome_settle(struct store *store, const struct pipeline *p, const struct begun *b, struct store_item *items,
			   size_t count, struct fault *f) ATTR_MUST_USE;
