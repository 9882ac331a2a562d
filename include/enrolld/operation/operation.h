// SPDX-License-Identifier: Apache-2.0
// What a request does: a pure function of request, registration and facts that gives changes and a receipt. The same inputs give the same
// ids and nonces, since these are derived, so that it may run again with other facts.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/dialect/dialect.h"
#include "enrolld/model/changes.h"
#include "enrolld/model/facts.h"
#include "enrolld/model/output.h"
#include "enrolld/model/settings.h"
#include "enrolld/operation/sending.h"

struct operation_conf {
	bool verify_email, verify_phone; // send a code (and link) to new addresses
	int64_t email_life_ms, text_life_ms;
	bool hash_taken; // also where the identity is taken, so that the time of the answer does not tell
};
extern const struct setting_table operation_settings; // "signup.*"

struct operation {
	const struct operation_conf *conf;
	const struct keyring *keys;
	int64_t horizon_ms;
	struct sending *sending; // NULL: everybody is sent everything
};

// One request on its way. Everything lives in its arena.
struct operation_case {
	const struct request *request;
	const struct route *route;               // NULL: no dialect knows it
	const struct registration *registration; // NULL: the body could not be read, or nobody looked
	const struct limit_use *limits;          // that it comes under, also where the body could not be read
	size_t limit_count;
	enum reason refusal; // why it is refused so far; OK if it is not
	const struct facts *facts;
	struct arena *arena;
	enum reason withheld[CLAIM_KIND_COUNT]; // why addresses of the kind are sent nothing now (held, no budget); OK if they are
};

enum decision {
	DECISION_HASH,  // acceptable: hash the password, then store
	DECISION_STORE, // store as it is: accepted without a hash, refused, expired or dead
};

// For a new request (facts->hit NONE), and again when the store found other facts. Fills receipt and changes; account.password_hash is left absent for
// DECISION_HASH. In this order, and the first that holds is the answer: buried, expired, over a limit before the body, unreadable, over a limit
// before the rules, rules not met, operation not available, over a limit after the rules, identity taken, message withheld.
enum decision operation_decide(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			       struct changes *changes) ATTR_MUST_USE;

// Within the store transaction, for an item that was WON and holds an address: decides again with what is true of it now, which is what counts.
// false: by that it is acceptable and wants a hash, so that it is to be looked at again.
bool operation_confirm(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
		       struct changes *changes) ATTR_MUST_USE;

// Within the store transaction, for an item that was WON or LOST (and then decided again): brings the receipt up to how limits stand now that the
// request was counted, and to the account's number. true: it has changed, and so has changes->receipt.
bool operation_complete(const struct operation_case *c, struct receipt *receipt, struct changes *changes) ATTR_MUST_USE;

// The result record of a request: bytes of the inbox row, headers as CloudEvents binary mode, key the request id.
void operation_result_output(const struct request *request, const struct receipt *receipt, struct slice bytes, const char *topic,
			     struct arena *arena, struct output *output);

#define OPERATION_EVENTS_MAX 2
// Account events of an accepted request; the same bytes and ids whenever it is asked again. Returns how many.
size_t operation_event_outputs(const struct request *request, const struct registration *registration,
			       const struct receipt *receipt, const char *topic, struct arena *arena,
			       struct output outputs[static OPERATION_EVENTS_MAX]);
