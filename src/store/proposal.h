// SPDX-License-Identifier: Apache-2.0
// Values for derived claims: the stem, then the stem with "-2", "-3", ...: the first that nobody holds.
//
// Exactly the first up to PROPOSAL_LINEAR. Beyond that, by doubling and halving: free, with the one before it taken, in a few steps, however
// many there are; only a gap that something left among the lower ones may be passed over.
#pragma once

#include "store/tables.h"

#define PROPOSAL_LINEAR 1024
#define PROPOSAL_FIRST 8    // asked together with everything else
#define PROPOSAL_PROBES 512 // asked at once later, at most

struct proposal {
	size_t item, index; // into the items, and into the derived claims of that item
	const struct request *request;
	const struct derived_claim *derived;
	struct slice *value; // where it goes; absent until it is found
	enum { PROPOSAL_COUNTING, PROPOSAL_DOUBLING, PROPOSAL_HALVING } way;
	int64_t low, high; // low is taken, or 0; high is free, where halving
	int64_t *probes;   // asked now, ascending
	size_t probe_count;
	size_t first; // index of the first one's claim among all that are asked
};

// n from 1.
struct slice proposal_value(const struct derived_claim *derived, int64_t n, struct arena *arena) ATTR_MUST_USE;

void proposal_begin(struct proposal *proposal);
// Appends what is to be asked to the claims, of which there are count; returns how many there are then.
size_t proposal_ask(struct proposal *proposal, struct arena *arena, struct claim_ref *claims, size_t count) ATTR_MUST_USE;
// taken: of all that were asked. true: the value is there.
bool proposal_hear(struct proposal *proposal, const bool *taken, struct arena *arena) ATTR_MUST_USE;
