// SPDX-License-Identifier: Apache-2.0
// One thread's side of table message: it takes rows, opens the gate, writes down what became of them, counts and logs. Nothing here retries.
#pragma once

#include "courier/handover.h"
#include "courier/parts.h"
#include "enrolld/base/arena.h"
#include "enrolld/store/store.h"

struct desk {
	struct parts *parts;
	enum channel channel;
	struct store *store;
	struct backoff backoff; // of whatever the thread waits for
	int64_t metered_ns;     // when the waiting messages were last counted; 0: this thread does not count
};

// What is left of a row once its message is written.
struct ticket {
	struct desk *desk;
	struct uuid message_id;
	int64_t claim;
	int attempts;       // earlier ones
	int unknowns;       // of them, those of unknown outcome
	int64_t end_ns;     // of the life of what it carries, monotonic
	bool transmitting;  // the row says so, or may say so
	bool lost;          // it was not ours any more
	struct fault fault; // why the gate stayed shut, when it was the database
};

// meters: this thread counts the waiting messages. name: of the database connection.
enum reason desk_open(struct parts *parts, enum channel channel, bool meters, const char *name, struct desk *desk,
		      struct fault *f) ATTR_MUST_USE;
void desk_close(struct desk *desk);

// Counts the waiting messages now and then, also while nothing can be handed over.
void desk_meter(struct desk *desk);

#define DESK_BATCH_MAX 64

// Whether no message waits at all, due or not; false if that cannot be told.
bool desk_empty(struct desk *desk) ATTR_MUST_USE;

// Takes at most max due rows (DESK_BATCH_MAX), in the arena.
enum reason desk_claim(struct desk *desk, size_t max, struct arena *arena, struct message_lease *leases, size_t *count,
		       struct fault *f) ATTR_MUST_USE;
struct ticket desk_ticket(struct desk *desk, const struct message_lease *lease);

// A gate's function; ctx is the ticket. Commits claimed -> transmitting.
bool desk_gate(void *ticket);

// Writes down the outcome (ACCEPTED, DEFERRED, REFUSED, UNKNOWN), counts and logs it. An answer that came before the gate was asked counts as an
// attempt as well. took_ns: of the hand-over.
enum reason desk_settle(struct ticket *ticket, const struct handover *handover, int64_t took_ns, struct fault *f) ATTR_MUST_USE;
// Back among the waiting ones after again_ms: nothing was handed over, no attempt is spent (unless the row said transmitting already).
enum reason desk_give_back(struct ticket *ticket, int64_t again_ms, struct fault *f) ATTR_MUST_USE;
// The message cannot be written: refused if reason says so, else it waits for other keys or templates until it expires.
enum reason desk_set_aside(struct ticket *ticket, const struct fault *why, struct fault *f) ATTR_MUST_USE;
