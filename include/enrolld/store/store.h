// SPDX-License-Identifier: Apache-2.0
// PostgreSQL, one connection: the look, the store transaction, marks and runs. Every SQL statement of the worker is behind these functions.
//
// A struct store belongs to one thread. It connects on first use and again after a broken link; a call never retries by itself but for
// that: its reason's verdict says what to do. STORE_UNAVAILABLE, STORE_CONFLICT and STORE_FAILED: again later. STORE_DATA: the batch holds
// a bad record (class 21, 22, 23): bisect. STORE_DENIED and SCHEMA_MISMATCH: halt. After any failure the transaction is rolled back (or the
// link is gone) and the same items may be given again: a lost COMMIT shows as HIT_REDELIVERY then.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/model/changes.h"
#include "enrolld/model/facts.h"
#include "enrolld/model/settings.h"

struct store_conf {
	const char *dsn;               // libpq URI or keywords; secret
	struct setting_map properties; // any further libpq keyword
	bool prepared;                 // named prepared statements; off behind old pgbouncer
	int64_t connect_timeout_ms, statement_timeout_ms, lock_timeout_ms, idle_timeout_ms;
	int64_t horizon_ms; // age past which inbox rows are swept and records end expired
};
extern const struct setting_table store_settings; // "database.*"

struct store;

// Does not connect yet. name: shown as application_name ("enrolld/<instance>/<lane>/look"). conf must outlive the store.
enum reason store_open(const struct store_conf *conf, const char *name, struct store **store, struct fault *f) ATTR_MUST_USE;
void store_close(struct store *store); // NULL is fine
// Connects now and compares the schema version: SCHEMA_MISMATCH unless the database is at this program's version or one above.
enum reason store_ping(struct store *store, struct fault *f) ATTR_MUST_USE;

// An offset that a Kafka transaction of the group is known to have committed.
struct mark {
	const char *topic;
	int32_t partition;
	int64_t offset; // the next record to read
};

// One request before the look: its facts are filled, rows copied to its arena.
struct look_item {
	const struct request *request;
	const struct registration *registration;
	bool limits_only; // nothing else of the registration is asked
	struct arena *arena;
	struct facts *facts;
};

// Raises the marks first (never lowers), then reads the inbox rows, the claims, the limits, addresses with their codes, and the marks of the items' partitions in one round
// trip; further ones only for derived claims of which the first few values are taken. Fills all of facts; facts->hit by facts_classify and the
// horizon of conf. A registration may be NULL: nothing of it is asked.
enum reason store_look(struct store *store, const char *group, const struct mark *raise, size_t raise_count,
		       struct look_item *items, size_t count, struct fault *f) ATTR_MUST_USE;

enum store_outcome {
	STORE_WON,  // row and claims are this transaction's
	STORE_HIT,  // somebody stored this request id first: facts hold the row and its class; nothing is written for the item
	STORE_LOST, // the row is ours, but a claim is not or a limit is reached: facts->taken and facts->limits say which; decide again before store_finish
	STORE_AGAIN, // only a derived claim is another's, or an item before it holds the same address: store_finish takes everything of the item back,
	// which is then to be looked at again
};

struct store_item {
	const struct request *request;
	const struct registration *registration;
	struct changes *changes;
	struct arena *arena;
	struct facts *facts; // filled for HIT and LOST; limits and code also for WON
	// Set by store_begin. The caller may make a WON item LOST that is to have no account after all, or AGAIN one that wants an account only now.
	enum store_outcome outcome;
	// Set by the caller before store_finish: receipt or result of a WON item have changed since store_begin; by store_begin where something is
	// held, as that item is decided on only then.
	bool completed;
};

// Begins the transaction: inbox rows in key order, then limits in key order, then claims in key order, then what was lost; one round trip. At
// least one item; no two may share a request id or a claim (of two derived ones that are alike one is lost). Rows are written as changes say, so
// those of WON items stay as they are until store_finish; of completed ones there is nothing but the key till then.
// Addresses that changes->code holds are locked after the limits, in key order: facts->code and now_ms then are what is true until store_finish.
// So are, after claims and accounts, the sessions that changes->sessions holds, with facts->session; and those of accounts of which all are to end.
// Limits are counted exactly, item by item in their order, as changes->counts say and stage by stage: where a limit of a stage is reached the
// item is LOST, and counted on those of earlier stages only. A HIT or AGAIN counts nothing. facts->limits tell how the counted ones stand then.
enum reason store_begin(struct store *store, const char *group, struct store_item *items, size_t count,
			struct fault *f) ATTR_MUST_USE;
// Between the two, only for WON items whose account names a counter: takes their numbers, in order of the items and without gaps, and puts them
// into changes->account.number. One round trip; none if nobody asks. Other transactions of the realm wait for the commit then: call it last.
// After a failure the transaction is rolled back.
enum reason store_number(struct store *store, struct store_item *items, size_t count, struct fault *f) ATTR_MUST_USE;
// The same items. Changes of a LOST one have no account any more. Gives back half-won claims, withdraws AGAIN items, writes what was counted,
// accounts, challenges and messages, corrects the inbox rows of LOST and completed items from their (new) changes, raises marks, commits; one
// round trip.
enum reason store_finish(struct store *store, const char *group, const struct mark *raise, size_t raise_count,
			 struct store_item *items, size_t count, struct fault *f) ATTR_MUST_USE;
void store_cancel(struct store *store); // rolls back between begin and finish

// Marks alone, on leaving.
enum reason store_raise(struct store *store, const char *group, const struct mark *raise, size_t count,
			struct fault *f) ATTR_MUST_USE;
// "enrolld progress forget": removes the mark of one partition.
enum reason store_forget(struct store *store, const char *group, const char *topic, int32_t partition,
			 struct fault *f) ATTR_MUST_USE;

// A run of an instance's lane: *unclean tells whether the last one did not reach store_run_end.
enum reason store_run_begin(struct store *store, const char *instance, const char *lane, bool *unclean,
			    struct fault *f) ATTR_MUST_USE;
enum reason store_run_end(struct store *store, const char *instance, const char *lane, struct fault *f) ATTR_MUST_USE;
// Other instances whose run of the lane has no end, the youngest first: they work, or are lost. max of them at most.
enum reason store_run_others(struct store *store, const char *instance, const char *lane, size_t max, struct arena *arena,
			     struct slice *instances, size_t *count, struct fault *f) ATTR_MUST_USE;
// After an unclean stop: commits that the record is in hand and returns how often it was before. store_hand_off forgets it again.
enum reason store_hand_on(struct store *store, const char *group, const struct coordinates *at, int *before,
			  struct fault *f) ATTR_MUST_USE;
enum reason store_hand_off(struct store *store, const char *group, const struct coordinates *at, struct fault *f) ATTR_MUST_USE;

// Deletes inbox rows, settled messages, ended challenges and published notices older than the horizon and an hour (clocks differ), and limits,
// addresses and sessions that have ended; at most limit rows;
// *deleted tells how many. One worker at a time: for another that asks meanwhile there is nothing to do.
enum reason store_sweep(struct store *store, size_t limit, size_t *deleted, struct fault *f) ATTR_MUST_USE;
