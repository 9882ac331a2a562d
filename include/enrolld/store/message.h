// SPDX-License-Identifier: Apache-2.0
// Rows of table message, as the courier moves them: queued -> claimed -> transmitting -> accepted | deferred | refused | unknown (| expired).
// Database time throughout. A lease that ran out while claimed is safe to take again; one found transmitting is unknown.
#pragma once

#include "enrolld/store/store.h"

struct message_lease {
	struct uuid message_id;
	struct slice realm;
	const char *channel; // "email" or "sms"
	struct slice template_name;
	struct slice sealed;  // payload, sealed with the message id's 36 characters as context
	struct slice purpose; // of the challenge
	struct code_seed seed;
	struct code_form form;
	int attempts;          // times it was transmitting before
	int unknowns;          // times its outcome was unknown before
	int64_t expires_in_ms; // left of the life of what it carries
	int64_t claim;         // names this claim among all that the row ever has
	bool superseded;       // the address was given a newer code for the same purpose: do not send
};

// What a claim settled beside.
struct message_overdue {
	size_t unknown; // found transmitting
	size_t expired;
};

// Takes up to max due messages of a channel (FOR UPDATE SKIP LOCKED, oldest first), rows copied to arena; also settles expired ones as "expired"
// (as "unknown" if their outcome ever was) and transmitting ones whose lease is over as "unknown". resend_ms > 0: such a one is due once more if it is
// its first unknown outcome, after half the life that is left, at most resend_ms.
enum reason store_message_claim(struct store *store, const char *channel, int64_t lease_ms, int64_t resend_ms, size_t max,
				struct arena *arena, struct message_lease *out, size_t *count, struct message_overdue *overdue,
				struct fault *f) ATTR_MUST_USE;
// Commits the move claimed -> transmitting, before the first irrevocable byte, and starts a lease of lease_ms: how long the answer may take. *ours is
// false if the lease was lost meanwhile, the life of what it carries is over or a newer code has taken its place: do not send.
enum reason store_message_transmitting(struct store *store, const struct uuid *id, int64_t claim, int64_t lease_ms, bool *ours,
				       struct fault *f) ATTR_MUST_USE;

enum message_state { MESSAGE_ACCEPTED, MESSAGE_DEFERRED, MESSAGE_REFUSED, MESSAGE_UNKNOWN, MESSAGE_EXPIRED };
const char *message_state_name(enum message_state state) ATTR_MUST_USE;

struct message_settlement {
	enum message_state state;
	int64_t again_in_ms;   // DEFERRED, or UNKNOWN that may be sent once more: next attempt from now; else 0
	const char *code;      // provider's reply code or our reason code, at most 32 characters; "" if none
	const char *remote_id; // provider's id, at most 128 characters; "" if none
};
// From transmitting to any; from claimed to deferred, refused or expired (which is unknown if its outcome ever was); from unknown, without another attempt, to accepted or refused (an answer
// that came late); all that only by the last who claimed it. Anything else changes nothing, so that a settlement whose answer was lost can be repeated. Another attempt is never
// later than the end of its life. The payload is wiped unless one follows; also writes a notice row for a final state.
enum reason store_message_settle(struct store *store, const struct uuid *id, int64_t claim, const struct message_settlement *s,
				 struct fault *f) ATTR_MUST_USE;
// Messages of a channel that are not settled, for the metric.
enum reason store_message_waiting(struct store *store, const char *channel, int64_t *count, struct fault *f) ATTR_MUST_USE;
