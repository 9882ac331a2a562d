// SPDX-License-Identifier: Apache-2.0
// Settings of the hash pool, and the floor below which a password hash is not worth making.
#include "enrolld/credential/pool.h"

#define KIB 1024
#define AT(type, member) SETTING_AT(type, struct credential_conf, member)

static const struct setting rows[] = {
	{"hash.threads", AT(INT, threads), .min = 0, .max = 256, .unit = "threads", .fallback = "0",
	 .doc = "Threads that hash passwords; each uses one core and hash.memory. 0: one per CPU that the process may use."},
	{"hash.memory", AT(SIZE, memory_bytes), .min = (int64_t)ARGON2_MEMORY_KIB_MIN * KIB,
	 .max = (int64_t)ARGON2_MEMORY_KIB_MAX * KIB, .fallback = "64MiB", .doc = "Memory of one Argon2id hash (m)."},
	{"hash.passes", AT(INT, passes), .min = 1, .max = ARGON2_PASSES_MAX, .unit = "passes", .fallback = "2",
	 .doc = "Passes of one Argon2id hash over its memory (t). Lanes (p) are always 1."},
	{"hash.keep_memory", AT(BOOL, keep_memory), .fallback = "true",
	 .doc = "Keep each thread's memory between hashes, on huge pages where the kernel offers them: 1.3 to 1.7 times as fast. "
		"It is left out of core files and wiped when the thread is idle."},
	{"hash.renew", AT(BOOL, renew), .fallback = "true",
	 .doc = "At sign-in, replace a hash that fits and was made elsewhere or at another cost by one of today's; costs that request a second hash."},
	{"hash.allow_weak", AT(BOOL, allow_weak), .fallback = "false",
	 .doc = "Accept a cost below OWASP's minimum (46 MiB with 1 pass, 19 MiB with 2, 12 MiB with 3). For tests only."},
};

struct argon2_cost credential_cost(const struct credential_conf *conf)
{
	return (struct argon2_cost){.memory_kib = (uint32_t)(conf->memory_bytes / KIB), .passes = (uint32_t)conf->passes};
}

enum reason credential_cost_check(struct argon2_cost cost, bool allow_weak, struct fault *f)
{
	if (!argon2_cost_valid(cost))
		return fault_set(f, REASON_SETTING_INVALID,
				 "hash.memory: %u KiB with %u passes; Argon2 here takes %d KiB to %d KiB and 1 to %d passes",
				 cost.memory_kib, cost.passes, ARGON2_MEMORY_KIB_MIN, ARGON2_MEMORY_KIB_MAX, ARGON2_PASSES_MAX);
	if (!allow_weak && !argon2_cost_strong(cost))
		return fault_set(
			f, REASON_SETTING_INVALID,
			"hash.memory: %u KiB with hash.passes %u is below OWASP's minimum: at least 46MiB with 1 pass, 19MiB with 2, 12MiB "
			"with 3 or more",
			cost.memory_kib, cost.passes);
	return REASON_OK;
}

static enum reason check(const void *settings, struct fault *f)
{
	const struct credential_conf *conf = settings;
	return credential_cost_check(credential_cost(conf), conf->allow_weak, f);
}

const struct setting_table credential_settings = {
	.module = "credential",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct credential_conf),
	.doc = "How passwords are hashed.",
	.check = check,
};
