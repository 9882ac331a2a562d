// SPDX-License-Identifier: Apache-2.0
// What the database knows about a request: found by the look before any hashing, and again by the store, which decides.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/uuid.h"
#include "enrolld/crypto/digest.h"
#include "enrolld/model/registration.h"
#include "enrolld/model/request.h"

// How an inbox hit is to be answered (DESIGN section 3, "Coming back").
enum hit {
	HIT_NONE,       // no row: the request is new
	HIT_REPLAY,     // the record has passed before: nothing but a metric
	HIT_REDELIVERY, // not passed, the row's own coordinates: result, events and reply again, same bytes and ids
	HIT_REPEAT,     // not passed, other coordinates: a gateway's retry; a reply only
	HIT_CONFLICT,   // same id, other fingerprint: a conflict reply and a dead letter
	HIT_SWEPT,      // passed and beyond the horizon, row gone: ends silently
};
const char *hit_name(enum hit hit) ATTR_MUST_USE;

// The row of a request that is done. Slices live in the arena of the work item that looked.
struct inbox_row {
	bool dead;          // dead-lettered: no result
	struct slice topic; // coordinates of the record it was stored for
	int32_t partition;
	int64_t offset;
	struct fingerprint fingerprint;
	struct slice result;  // bytes of the result; absent if dead
	struct slice receipt; // JSON, see receipt.h
};

// How much of a limit is spent. After the store: with this request, if it was counted.
struct limit_state {
	int64_t used;
	int64_t resets_ms; // database time from which more are allowed: end of the window, or the oldest request leaves it
	bool reached;      // this request is one too many
};

// The account that holds an address.
struct code_holder {
	bool found;
	struct uuid account_id;
	bool verified;  // the address, by this account
	bool pending;   // no identity of the account is verified yet
	int64_t number; // integer id; 0: none
	struct slice locale, name;
	struct slice opening;       // JSON object text, what it was opened with; absent: nothing
	struct slice password_hash; // where a password is to be compared; absent: none
	int64_t password_serial;    // which password that is: raised by every new one
	struct slice email;         // where a password is to be set: a verified one, to be told; absent: none
};

// An address and the last code that was made for it and a purpose.
struct code_facts {
	bool asked;           // the address is known; all else is nothing without
	enum claim_kind kind; // of the address
	struct slice value;   // absent: no challenge was found by what names it
	struct slice purpose;
	bool found;      // there is a challenge
	bool decoy;      // of a sign-up that was answered as if: no code is right
	bool superseded; // a newer one has taken the place of that which was named
	struct uuid challenge_id;
	struct uuid account_id; // for which it was made; nil: none
	struct code_seed seed;
	struct code_form form;
	int64_t tries;
	int64_t created_ms, expires_ms;
	int64_t sent_ms; // the last message of it
	bool consumed;
	uint8_t caller[DIGEST_SIZE]; // who asked for it, if has_caller
	bool has_caller;
	int64_t failures;        // of the address, one after the other, whatever code they were about
	int64_t locked_until_ms; // the address; 0: is not
	struct code_holder holder;
};

// What the hash pool found and made. Stays whatever else is looked at again: the password itself is gone.
struct password_facts {
	enum { PASSWORD_UNCOMPARED, PASSWORD_FITS, PASSWORD_MISFITS } state;
	struct uuid account_id; // whose it was compared with
	int64_t serial;
	struct slice compared; // the hash of that; absent: none
	struct slice made;     // a hash of a new one, or of the one that fits at today's cost; absent: none
};

// The session that a token names.
struct session_facts {
	bool found;
	struct uuid session_id, account_id;
	struct uuid device_id; // that it began on; nil: none
	struct session_seed seed;
	int64_t created_ms, refreshed_ms, expires_ms;
	bool revoked;
	int64_t number; // integer id of the account; 0: none
};

struct facts {
	int64_t now_ms; // database time of the look
	int64_t mark;   // passed mark of the record's partition
	enum hit hit;
	struct inbox_row row;                  // valid unless hit is NONE or SWEPT
	bool found;                            // row is filled
	bool own;                              // the row was stored for this very record
	bool taken[CLAIMS_MAX];                // by claim index: held by another account
	struct slice proposals[DERIVED_MAX];   // by index of the derived claims: a value that was free at the look
	struct password_facts password;        // by the hash pool
	struct code_facts code;                // of a registration that uses codes
	struct session_facts session;          // of one that shows a session's token
	struct limit_state limits[LIMITS_MAX]; // by index of the registration's limits
};

// What was true is not any more. What was worked out since the look stays: proposals, how the limits stand, what was compared, and
// whose token was shown, so that who is over a limit is told that and not that nobody is known.
void facts_renew(struct facts *facts, int64_t now_ms, int64_t mark);
// Sets facts->hit from the rest: facts->found, row, mark, now_ms. horizon_ms: age past which inbox rows may have been swept.
// A row whose fingerprint epoch is no longer in the key ring counts as equal: nothing can be said against it.
void facts_classify(struct facts *facts, const struct request *request, int64_t horizon_ms);
