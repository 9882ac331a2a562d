// SPDX-License-Identifier: Apache-2.0
// A request's way through look, operation and store, on a real database, one step at a time; the hash pool is played by the test.
#pragma once

#include "enrolld/operation/operation.h"
#include "integration/store/fixture.h"

extern struct fixture *fx;
extern struct store *store, *other;
extern struct arena *arena;
extern struct keyring *keys;
extern struct operation op;

int passing_open(void **state);
int passing_close(void **state);

// A request with all that becomes of it.
struct passing {
	struct record record;
	struct request request;
	const struct route *route;
	struct registration registration;
	struct facts facts;
	struct receipt receipt;
	struct changes changes;
	struct arena *arena;
	enum store_outcome outcome;
};

// Of the native dialect, or of the store PosBytz by a visitor.
struct passing *passing_make(struct arena *where, const char *realm, const char *path, const char *body);
struct operation_case passing_case(const struct passing *p);
void passing_look(struct store *with, struct passing *p); // and decides, without a hash
struct store_item passing_item(struct passing *p);
void passing_settle(struct passing *p, struct store_item *item); // between begin and finish, as the storer does it
void passing_store(struct store *with, struct passing *p);
struct passing *passing_run(struct store *with, struct passing *p); // look and store
void passing_release(struct passing *p);
struct passing *passing_sign_up(const char *realm, const char *path, const char *body); // without a hash
void assert_reason(const struct passing *p, enum reason reason);
// The code of a challenge that was made, as the message has it.
const char *passing_code(const struct passing *asked, const char *purpose);
