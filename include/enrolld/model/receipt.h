// SPDX-License-Identifier: Apache-2.0
// What is known at the end of a request, and all that is needed to render its answer again: generated values, violation codes with pointers.
// Never secrets, and never input values, but for an address that a code or link was right for. Kept as JSON in the inbox row.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/uuid.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/model/registration.h"

enum outcome { OUTCOME_ACCEPTED, OUTCOME_REFUSED, OUTCOME_EXPIRED, OUTCOME_DEAD };
const char *outcome_name(enum outcome outcome) ATTR_MUST_USE; // "accepted", "refused", "expired", "dead"

// What an answer says of a limit.
struct limit_summary {
	struct slice name;
	int64_t allowed, remaining;
	int64_t resets_ms; // database time, as limit_state
	bool reached;
};

struct receipt {
	enum outcome outcome;
	enum reason reason; // REASON_OK if accepted
	enum operation_kind operation;
	int64_t at_ms; // database time of the decision
	bool veiled;   // refused, and answered as if it were accepted: account and challenge are nobody's
	bool has_account;
	struct uuid account_id;
	bool has_challenge;
	struct uuid challenge_id;
	enum claim_kind challenge_kind; // of its address
	struct nonce nonce;             // of the challenge: codes and tokens are derived from it
	uint16_t epoch;
	int64_t expires_ms; // of the challenge
	int64_t next_ms;    // from when on the next code may be asked for, or tried; 0: not said
	int64_t tries_left; // of the code that was tried; valid if has_tries
	bool has_tries;
	bool created;  // the account, by a code that was right
	bool verified; // an address that was not so before: it has an event
	enum claim_kind address_kind;
	struct slice address; // that the code or link was right for; absent: none
	struct violation *violations;
	size_t violation_count;
	int64_t account_number; // integer id; 0: none
	struct slice slug;      // absent: none
	struct slice opening;   // of the account, JSON object text; absent: none
	bool has_mint;          // tokens are derived from this, with at_ms as their time
	struct nonce mint_nonce;
	uint16_t mint_epoch; // of what they are signed with
	bool has_session;    // they are of a session, whose nonce that is
	struct uuid session_id;
	uint16_t session_epoch;
	uint32_t session_serial;
	int64_t session_ends_ms;                 // none of its tokens is good for longer
	struct limit_summary limits[LIMITS_MAX]; // those that were asked
	size_t limit_count;
};

// The limit that an answer with one set of rate-limit headers speaks of: the one that is reached (of several the one that lasts longest), else the
// one with least remaining. NULL: none.
const struct limit_summary *receipt_limit(const struct receipt *receipt) ATTR_MUST_USE;

struct slice receipt_write(const struct receipt *receipt, struct arena *arena) ATTR_MUST_USE; // JSON
// INTERNAL if the text is not a receipt of this or an older version. Violations come back with field and code; the text is the dialect's to fill.
enum reason receipt_read(struct slice json, struct arena *arena, struct receipt *receipt, struct fault *f) ATTR_MUST_USE;
