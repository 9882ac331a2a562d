// SPDX-License-Identifier: Apache-2.0
// A database of its own for a test program, a login with the worker's privileges only, and requests to store.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/store/message.h"
#include "enrolld/store/schema.h"
#include "enrolld/store/store.h"

struct fixture {
	char database[64];
	struct store_conf owner;  // of the database
	struct store_conf worker; // the least-privilege login
	struct arena *arena;
};

// Makes the database in the cluster of ENROLLD_DSN. empty: without migrating it.
struct fixture *fixture_open(bool empty);
void fixture_close(struct fixture *fx); // drops database and login
struct store *fixture_store(const struct fixture *fx, const char *name);

// SQL as the owner; the first cell of the answer as text ("" if there is none), valid until the arena ends.
const char *fixture_sql(const struct fixture *fx, const char *fmt, ...) ATTR_PRINTF(2, 3);
int64_t fixture_count(const struct fixture *fx, const char *fmt, ...) ATTR_PRINTF(2, 3);

struct sample {
	struct record record;
	struct request request;
	struct registration registration;
	struct changes changes;
	struct facts facts;
	struct arena *arena;
};
#define SAMPLE_GROUP "enrolld.signup"
#define SAMPLE_TOPIC "enroll.signup"

// A sign-up of partition 0 and this offset, without claims, refused until sample_accept.
struct sample *sample_create(struct arena *arena, const char *realm, const char *request_id, int64_t offset);
void sample_claim(struct sample *s, enum claim_kind kind, const char *value);
// A limit that the sample counts on from sample_accept or sample_refuse on.
struct limit_use *sample_limit(struct sample *s, const char *name, const char *subject, int64_t allowed, int64_t window_ms);
void sample_derive(struct sample *s, const char *stem, size_t max); // a slug, taken as the look proposed it
void sample_accept(struct sample *s);                               // account, and for an e-mail claim a challenge and a message
void sample_refuse(struct sample *s); // what the operation decides when a claim is taken or a limit reached
struct look_item sample_look(struct sample *s);
struct store_item sample_item(struct sample *s);

// begin, number and finish, refusing what lost. The outcome of each item is in items.
enum reason store_batch(struct store *store, struct store_item *items, size_t count, struct fault *f) ATTR_MUST_USE;
enum store_outcome store_one(struct store *store, struct sample *s);

// The call fills a fault called f_.
#define assert_ok(call)                                                        \
	do {                                                                   \
		struct fault f_ = {0};                                         \
		if ((call) != REASON_OK)                                       \
			fail_msg("%s: %s", reason_code(f_.reason), f_.detail); \
	} while (0)
