// SPDX-License-Identifier: Apache-2.0
// The hash pool: threads that turn passwords into Argon2id hashes, or compare them with stored ones, and nothing else.
//
// One thread uses one core and the memory of one hash (and up to 256 MiB more while it compares with a hash made elsewhere), whatever
// the backlog. The threads yield to all others (batch priority).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/slice.h"
#include "enrolld/crypto/argon2.h"
#include "enrolld/model/settings.h"

struct credential_conf {
	int64_t threads;      // 0: one per CPU that this process may use
	int64_t memory_bytes; // of one hash
	int64_t passes;
	bool keep_memory; // between hashes
	bool allow_weak;  // below OWASP's minimum
	bool renew;       // make a hash of today's cost where one of another fits
};
extern const struct setting_table credential_settings; // "hash.*"

struct argon2_cost credential_cost(const struct credential_conf *conf) ATTR_MUST_USE;
// SETTING_INVALID, naming what is accepted, if the cost is below OWASP's minimum (unless allow_weak) or out of range.
enum reason credential_cost_check(struct argon2_cost cost, bool allow_weak, struct fault *f) ATTR_MUST_USE;

enum credential_priority {
	CREDENTIAL_URGENT, // OTP lane: a person waits at a sign-in. Seven of eight hashes while both wait
	CREDENTIAL_USUAL,  // sign-up lane
	CREDENTIAL_PRIORITIES,
};

// One hash to make or to compare. The caller fills the first part and keeps the job in place until done; from submit to done it
// is the pool's.
struct credential_job {
	struct secret *password; // handed over; released, and NULL, as soon as the work is done
	struct secret *next;     // so is this one: if the password fits, its hash is made; NULL: none
	char *hash;              // ARGON2_TEXT_SIZE bytes for the PHC string; NULL: only compare
	struct slice stored;     // absent: make a hash. Else a hash that passed foreign_check, or one of ours: compare
	enum credential_priority priority;
	// On a hash thread, once. Must be quick (hand the job to a queue) and may free the job.
	void (*done)(struct credential_job *job, void *ctx);
	void *ctx;

	enum reason reason; // OK; HASH_MEMORY only if the pool was closed while the kernel had none
	bool fits;          // stored: the password is the one
	bool made; // there is a hash: of the password if nothing is stored, of the next one, or of the same at today's cost
};

struct credential_pool;

// Threads start at once. SETTING_INVALID (an Argon2 cost out of range) or NO_MEMORY.
enum reason credential_pool_create(const struct credential_conf *conf, struct credential_pool **pool,
				   struct fault *f) ATTR_MUST_USE;
// Waits while twice as many jobs as threads wait at this priority. false if the pool is closed: the job and its password stay the
// caller's.
bool credential_pool_submit(struct credential_pool *pool, struct credential_job *job) ATTR_MUST_USE;
// No more jobs; what waits is still done. Returns at once.
void credential_pool_close(struct credential_pool *pool);
// Closes, waits for the last job's done, wipes. No submit may be under way. NULL is fine.
void credential_pool_destroy(struct credential_pool *pool);
