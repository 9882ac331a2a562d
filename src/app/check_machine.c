// SPDX-License-Identifier: Apache-2.0
// enrolld check: this machine: hash cost and memory, locked memory, huge pages.
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/check.h"
#include "app/parts.h"
#include "enrolld/base/secret.h"
#include "enrolld/credential/pool.h"

#define MIB (INT64_C(1) << 20)

static void check_cost(struct checkup *c, const struct credential_conf *hash)
{
	struct argon2_cost cost = credential_cost(hash);
	struct fault f;
	if (credential_cost_check(cost, false, &f) == REASON_OK)
		check_add(c, CHECK_OK, "hash cost", "", "Argon2id with %u MiB and %u passes, at or above OWASP's minimum",
			  cost.memory_kib / 1024, cost.passes);
	else
		check_add(c, CHECK_WARN, "hash cost", "hash.memory: 64MiB, hash.passes: 2, hash.allow_weak: false",
			  "%s; hash.allow_weak lets it pass", f.detail);
}

// What the control group or else the machine has, in bytes.
static int64_t memory_limit(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	int64_t limit = pages > 0 && page > 0 ? (int64_t)pages * page : INT64_MAX;
	char line[64] = "";
	FILE *file = fopen("/sys/fs/cgroup/memory.max", "re");
	if (file && fgets(line, sizeof(line), file)) {
		int64_t group;
		line[strcspn(line, "\n")] = '\0';
		if (setting_parse_int(slice_of(line), &group) && group < limit) // else "max"
			limit = group;
	}
	if (file)
		fclose(file);
	return limit;
}

static void check_memory(struct checkup *c, const struct credential_conf *hash)
{
	cpu_set_t cpus;
	int64_t threads = hash->threads;
	if (threads == 0)
		threads = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
	int64_t need = threads * hash->memory_bytes, limit = memory_limit();
	if (need > limit / 4 * 3)
		check_add(c, CHECK_WARN, "hash memory", "lower hash.threads, or give the worker more memory",
			  "%lld threads of hash.memory need %lld MiB of %lld MiB", (long long)threads, (long long)(need / MIB),
			  (long long)(limit / MIB));
	else
		check_add(c, CHECK_OK, "hash memory", "", "%lld threads, %lld MiB of %lld MiB", (long long)threads,
			  (long long)(need / MIB), (long long)(limit / MIB));
}

// Tried rather than computed: limits, privileges and what else is locked all have a say.
static void check_lock(struct checkup *c, const struct flow_conf *flow)
{
	size_t slots = parts_secrets(flow), kib = slots * SECRET_SIZE_MAX / 1024;
	struct secret_pool *pool = NULL;
	struct rlimit limit = {0};
	struct fault f;
	bool locked = false;
	if (secret_pool_create(slots, &pool, &locked, &f) != REASON_OK) {
		check_add(c, CHECK_FAIL, "locked memory", "lower worker.window_records, or give the worker more memory", "%s",
			  f.detail);
		return;
	}
	secret_pool_destroy(pool);
	if (locked) {
		check_add(c, CHECK_OK, "locked memory", "", "%zu KiB for passwords in hand are locked", kib);
		return;
	}
	getrlimit(RLIMIT_MEMLOCK, &limit);
	check_add(
		c, CHECK_WARN, "locked memory",
		check_text(c, "LimitMEMLOCK=%zuK in the unit, or ulimit -l; or lower worker.window_records", kib + kib / 4 + 1024),
		"passwords in hand (%zu KiB) could be swapped out: the limit is %llu KiB", kib,
		(unsigned long long)limit.rlim_cur / 1024);
}

static void check_huge_pages(struct checkup *c, const struct credential_conf *hash)
{
	static const char path[] = "/sys/kernel/mm/transparent_hugepage/enabled";
	char line[128] = "";
	FILE *file = fopen(path, "re");
	bool known = file && fgets(line, sizeof(line), file);
	if (file)
		fclose(file);
	if (!hash->keep_memory)
		check_add(c, CHECK_WARN, "hash.keep_memory", "hash.keep_memory: true", "off: hashing takes up to twice as long");
	else if (known && strstr(line, "[never]"))
		check_add(c, CHECK_WARN, "huge pages", check_text(c, "echo madvise > %s", path),
			  "the kernel offers none, so hashing is slower");
	else if (known)
		check_add(c, CHECK_OK, "huge pages", "", "offered by the kernel");
}

void check_machine(struct checkup *c, const struct conf *conf)
{
	const struct credential_conf *hash = conf_get(conf, &credential_settings);
	c->subject = "machine";
	check_cost(c, hash);
	check_memory(c, hash);
	check_lock(c, conf_get(conf, &flow_settings));
	check_huge_pages(c, hash);
}
