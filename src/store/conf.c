// SPDX-License-Identifier: Apache-2.0
// Settings "database.*".
#include "enrolld/store/store.h"

#define AT(type, member) SETTING_AT(type, struct store_conf, member)

static const struct setting rows[] = {
	{"database.dsn", AT(SECRET, dsn), .min = 1, .max = 4096, .required = true,
	 .doc = "Where PostgreSQL is: a URI or a list of keywords, as libpq reads them. Name several hosts for a failover."},
	{"database.properties", AT(MAP, properties), .max = 64,
	 .doc = "Further libpq keywords, such as sslmode, sslrootcert or passfile; they outweigh those of the DSN."},
	{"database.prepared", AT(BOOL, prepared), .fallback = "true",
	 .doc = "Keep prepared statements on each connection. Set it to false behind a pooler that switches servers between transactions."},
	{"database.connect_timeout", AT(DURATION, connect_timeout_ms), .min = 100, .max = 600000, .fallback = "10s",
	 .doc = "How long a connection attempt may take, for each host."},
	{"database.statement_timeout", AT(DURATION, statement_timeout_ms), .min = 100, .max = 600000, .fallback = "5s",
	 .doc = "How long a statement may run before PostgreSQL ends it; the batch is then tried again. Never applies to a commit."},
	{"database.lock_timeout", AT(DURATION, lock_timeout_ms), .min = 50, .max = 600000, .fallback = "3s",
	 .doc = "How long a statement may wait for a lock; the batch is then tried again. Below the statement timeout."},
	{"database.idle_timeout", AT(DURATION, idle_timeout_ms), .min = 1000, .max = 600000, .fallback = "5s",
	 .doc = "How long a transaction may wait for the worker before PostgreSQL ends it, so that a stopped process frees its locks."},
	{"database.horizon", AT(DURATION, horizon_ms), .min = 3600000, .max = INT64_C(315360000000), .fallback = "30d",
	 .doc = "How long answered requests are remembered. Longer than the retention of the request topics; older requests end expired."},
};

static enum reason check(const void *conf, struct fault *f)
{
	const struct store_conf *c = conf;
	if (c->lock_timeout_ms >= c->statement_timeout_ms)
		return fault_set(f, REASON_SETTING_INVALID, "database.lock_timeout: must be below database.statement_timeout");
	return REASON_OK;
}

const struct setting_table store_settings = {
	.module = "store",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct store_conf),
	.doc = "PostgreSQL, the authority over accounts and over what was done.",
	.check = check,
};
