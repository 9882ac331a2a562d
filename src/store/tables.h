// SPDX-License-Identifier: Apache-2.0
// What the transactions ask of each table: functions that add a statement to a pipeline and functions that read its answer.
#pragma once

#include "enrolld/store/message.h"
#include "enrolld/store/store.h"
#include "store/pipeline.h"

// inbox.c
size_t inbox_find(struct pipeline *p, const struct request *const *requests, size_t count);
// Rows of others: those of this transaction are left out.
size_t inbox_find_foreign(struct pipeline *p, const struct request *const *requests, size_t count);
// Calls back with the index of each request found; what it returns, and the row it points to, take what is read. Returns how many.
size_t inbox_read(const PGresult *result, struct arena *(*found)(void *ctx, size_t index, struct inbox_row **row), void *ctx);
size_t inbox_insert(struct pipeline *p, const struct store_item *items, size_t count);
void inbox_correct(struct pipeline *p, const struct store_item *items, size_t count);  // LOST ones, and those that were completed
void inbox_withdraw(struct pipeline *p, const struct store_item *items, size_t count); // AGAIN ones

// claim.c
struct claim_ref {
	size_t item, index; // into the items, and into the claims of that item
	const struct request *request;
	const struct claim *claim;
	struct uuid account_id; // that wants it
	bool verified;          // it was proved before there was an account
};
size_t claim_find(struct pipeline *p, const struct claim_ref *claims, size_t count);
size_t claim_insert(struct pipeline *p, const struct claim_ref *claims, size_t count);
// Those that are not this transaction's.
size_t claim_find_foreign(struct pipeline *p, const struct claim_ref *claims, size_t count);
void claim_give_back(struct pipeline *p, const struct claim_ref *claims, size_t count);
size_t claim_read(const PGresult *result, size_t row) ATTR_MUST_USE; // index into claims
// Locks those that were there and are to be verified, since accounts are locked next.
void claim_take(struct pipeline *p, const struct store_item *items, size_t count);
void claim_verify(struct pipeline *p, const struct store_item *items, size_t count);
void claim_oust(struct pipeline *p, const struct store_item *items, size_t count);

// What an item that holds an address changes of it; NULL: nothing.
const struct code_change *store_item_code(const struct store_item *item) ATTR_MUST_USE;
// What an item changes of sessions that were there; NULL: nothing.
const struct session_change *store_item_sessions(const struct store_item *item) ATTR_MUST_USE;

// account.c, challenge.c, message.c: rows of WON items
void account_insert(struct pipeline *p, const struct store_item *items, size_t count);
// Locks accounts that were there, if an item changes them, enters them or ends their sessions; before what is known of them is asked. So no session of
// theirs begins meanwhile.
void account_take(struct pipeline *p, const struct store_item *items, size_t count);
bool account_gets_password(const struct store_item *item) ATTR_MUST_USE;
// Accounts of items that hold an address, each once.
struct account_hold {
	struct uuid account_id;
	bool entered, ended; // by an item before: it was about it; it ended what its password is good for
};
struct account_table {
	struct account_hold *rows; // in key order
	size_t count;
};
void account_table_begin(struct account_table *table, const struct store_item *items, size_t count, struct arena *arena);
// Whoever comes after another password of its account, or has one after an entry with the old one, is to see what the first has changed. The identities
// may be different ones, which no address holds together. Asked in order of the items, of those that are to be stored otherwise.
bool account_owned(const struct account_table *table, const struct store_item *item) ATTR_MUST_USE;
// Accounts that were there: verified by an address, their language, their password.
void account_welcome(struct pipeline *p, const struct store_item *items, size_t count);
void device_idle(struct pipeline *p, const struct store_item *items, size_t count); // those that sessions ended on
void device_move(struct pipeline *p, const struct store_item *items, size_t count); // device.c: to who signed in with it last
void challenge_insert(struct pipeline *p, const struct store_item *items, size_t count);
void challenge_mark(struct pipeline *p, const struct store_item *items, size_t count); // sent, tried, consumed
void message_insert(struct pipeline *p, const struct store_item *items, size_t count);

// progress.c
void progress_raise(struct pipeline *p, const char *group, const struct mark *raise, size_t count);
// Partitions of the requests, each once, with their marks and the database's time.
struct progress_marks {
	struct coordinates *places; // offset: the mark
	size_t count;
	size_t handle;
	int64_t now_ms;
};
void progress_find(struct pipeline *p, const char *group, const struct request *const *requests, size_t count, struct arena *arena,
		   struct progress_marks *marks);
void progress_read(struct progress_marks *marks, const struct pipeline *p);
int64_t progress_mark(const struct progress_marks *marks, const struct coordinates *at) ATTR_MUST_USE;
