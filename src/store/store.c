// SPDX-License-Identifier: Apache-2.0
// The handle: opening, closing, and whether the database is of our version.
#include <stdlib.h>
#include <string.h>

#include "enrolld/store/schema.h"
#include "store/handle.h"
#include "store/result.h"

#define SCRATCH_SIZE ((size_t)64 << 10)

// clang-format off
static const struct statement schema_known = {"schema_known", "SELECT to_regclass('enrolld.migration') IS NOT NULL"};
static const struct statement schema_version = {"schema_version", "SELECT coalesce(max(version), 0) FROM enrolld.migration"};
// clang-format on

enum reason store_open(const struct store_conf *conf, const char *name, struct store **ret_store, struct fault *f)
{
	enum reason reason = connection_check(conf, f);
	if (reason != REASON_OK)
		return reason;
	struct store *store = calloc(1, sizeof(*store));
	char *copy = strdup(name);
	if (!store || !copy) {
		free(store);
		free(copy);
		return fault_set(f, REASON_NO_MEMORY, "no memory for a database handle");
	}
	store->link = (struct connection){.conf = conf, .name = copy};
	store->scratch = arena_create(SCRATCH_SIZE);
	store->held = arena_create(SCRATCH_SIZE);
	*ret_store = store;
	return REASON_OK;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	connection_close(&store->link);
	arena_destroy(store->scratch);
	arena_destroy(store->held);
	free(store->link.name);
	free(store);
}

enum reason store_single(struct store *store, struct pipeline *p, const struct statement *statement, struct params *params,
			 size_t *ret_handle, struct fault *f)
{
	if (store->open)
		PANIC("%s within the transaction of a batch", statement->name);
	pipeline_begin(p, &store->link);
	size_t handle = pipeline_add(p, statement, params);
	pipeline_commit(p);
	enum reason reason = pipeline_run(p, f);
	if (reason == REASON_OK)
		*ret_handle = handle;
	return reason;
}

enum reason store_ping(struct store *store, struct fault *f)
{
	struct params none;
	params_init(&none, 0);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &schema_known, &none, &handle, f);
	if (reason != REASON_OK)
		return reason;
	bool known = result_bool(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	if (!known)
		return fault_set(f, REASON_SCHEMA_MISMATCH,
				 "the database has no schema enrolld, or this login may not use it: run \"enrolld migrate\"");

	params_init(&none, 0);
	reason = store_single(store, &p, &schema_version, &none, &handle, f);
	if (reason != REASON_OK)
		return reason;
	int64_t version = result_int(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	if (version < SCHEMA_VERSION)
		return fault_set(f, REASON_SCHEMA_MISMATCH,
				 "the database is at schema version %lld, this program needs %d: run \"enrolld migrate\"",
				 (long long)version, SCHEMA_VERSION);
	if (version > SCHEMA_VERSION + 1)
		return fault_set(f, REASON_SCHEMA_MISMATCH,
				 "the database is at schema version %lld, this program knows %d and works up to %d",
				 (long long)version, SCHEMA_VERSION, SCHEMA_VERSION + 1);
	return REASON_OK;
}
