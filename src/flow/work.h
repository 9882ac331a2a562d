// SPDX-License-Identifier: Apache-2.0
// One record on its way through a lane: all that is known of it, in one place, owned by one stage at a time.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/credential/pool.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/intake/intake.h"
#include "enrolld/kafka/ledger.h"
#include "enrolld/model/changes.h"
#include "enrolld/model/facts.h"
#include "enrolld/model/output.h"
#include "enrolld/operation/operation.h"
#include "enrolld/store/store.h"
#include "flow/purse.h"

struct lane;
struct work;

#define ORDER_KEYS_MAX (3 + CLAIMS_MAX + DERIVED_MAX)

// A place in the queue of one order key. Private to order.c.
struct order_ticket {
	uint64_t key;
	struct work *work;
	struct order_ticket *next, *prev;
};

// How far a work has come in the matter of order keys. Private to order.c.
struct order_place {
	struct order_ticket tickets
		[ORDER_KEYS_MAX]; // [0] is the request id's, then those of claims, of a challenge and of a session, then those of stems
	size_t count, stems_from;
	enum { ORDER_OUTSIDE, ORDER_WAITING, ORDER_LOOKING, ORDER_ANSWERING, ORDER_REFUSING, ORDER_CHANGING } stage;
	struct work *released_next; // of a list that order_leave returned
	uint64_t group;             // those released together
};

#define OUTPUTS_MAX (2 + OPERATION_EVENTS_MAX)

struct work {
	struct ledger_entry entry;
	struct order_place order;
	struct arena *arena;
	struct lane *lane;
	int64_t taken_ns; // when it was read
	size_t bytes;     // counted against the window

	struct record record;
	const struct topic_conf *topic;
	struct request request;
	bool addressed;
	enum reason refusal;          // why it cannot be accepted, as far as is known; OK if it can
	struct dialect_set *dialects; // held as long as the work, whatever takes its place meanwhile
	const struct dialect *dialect;
	const struct route *route;
	bool read; // registration is filled
	struct registration registration;

	struct facts facts;
	struct receipt receipt;
	struct changes changes;
	struct credential_job hash_job;
	char hash[ARGON2_TEXT_SIZE];
	struct password_facts password; // facts.password, for the facts of a later look
	bool recalled;                  // before its hash, to be looked at again

	enum reason withheld[CLAIM_KIND_COUNT]; // as in the case
	bool admitted;                          // by the guard: what it is to send may be sent
	struct grant *grants;                   // that it has taken of budgets
	size_t grant_count;

	struct output outputs[OUTPUTS_MAX];
	size_t output_count;
};

struct work *work_create(struct lane *lane);
// Releases the password if it is still there, wipes and frees.
void work_destroy(struct work *work); // NULL is fine
struct operation_case work_case(struct work *work);
// Is the registration one whose claims matter: acceptable so far, or told of taken ones anyway?
bool work_asks_claims(const struct work *work) ATTR_MUST_USE;
