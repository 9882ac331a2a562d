// SPDX-License-Identifier: Apache-2.0
// What "enrolld check" asks of the database: one finding each, with its remedy.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/store/schema.h"
#include "store/handle.h"
#include "store/result.h"

#define VERSION_LEAST 140000
#define CONNECTIONS_FEW 10
#define CLOCK_WARN_MS 2000
#define CLOCK_FAIL_MS 60000

enum column {
	VERSION_NUM,
	VERSION_TEXT,
	FSYNC,
	FULL_PAGE_WRITES,
	SYNCHRONOUS_COMMIT,
	STANDBYS,
	AUTOVACUUM,
	ENCODING,
	SLOTS,
	SLOTS_USED,
	LOGIN_LIMIT,
	SUPERUSER,
	OWNER,
	USABLE,
	CLOCK_MS,
	LOGS_VALUES,
};

// clang-format off
static const struct statement server = {"check_server",
	"SELECT current_setting('server_version_num'), current_setting('server_version'), current_setting('fsync'), "
		"current_setting('full_page_writes'), current_setting('synchronous_commit'), current_setting('synchronous_standby_names'), "
		"current_setting('autovacuum'), current_setting('server_encoding'), "
		"current_setting('max_connections')::int4 - current_setting('superuser_reserved_connections')::int4, "
		"(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), r.rolconnlimit, r.rolsuper, "
		"coalesce((SELECT nspowner = r.oid FROM pg_namespace WHERE nspname = 'enrolld'), false), "
		"coalesce((SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = 'enrolld'), true), "
		"(extract(epoch FROM clock_timestamp()) * 1000)::int8, "
		"current_setting('log_parameter_max_length_on_error') <> '0' OR current_setting('log_parameter_max_length') <> '0' "
			"AND (current_setting('log_statement') IN ('mod', 'all') OR current_setting('log_min_duration_statement') <> '-1' "
			"OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_transaction_sample_rate') <> '0') "
	"FROM pg_roles AS r WHERE r.rolname = current_user"};

static const struct statement missing_privileges = {"check_privileges",
	"SELECT string_agg(k.privilege || ' on ' || k.name, ', ' ORDER BY k.name, k.privilege) "
	"FROM unnest($1::text[], $2::text[]) AS k(name, privilege) "
	"WHERE NOT CASE k.privilege WHEN 'DELETE' THEN has_table_privilege(format('enrolld.%I', k.name), k.privilege) "
		"ELSE has_any_column_privilege(format('enrolld.%I', k.name), k.privilege) END"};
// clang-format on

static const struct {
	const char *table;
	const char *privileges[4];
} needed[] = {
	{"migration", {"SELECT"}},
	{"inbox", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"limit", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"address", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"budget", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"prefix", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"challenge", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"claim", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"account", {"SELECT", "INSERT", "UPDATE"}},
	{"device", {"SELECT", "INSERT", "UPDATE"}},
	{"session", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"message", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"counter", {"SELECT", "INSERT", "UPDATE"}},
	{"progress", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"notice", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
	{"run", {"SELECT", "INSERT", "UPDATE"}},
	{"hand", {"SELECT", "INSERT", "UPDATE", "DELETE"}},
};

struct checking {
	struct store *store;
	check_report *report;
	void *ctx;
};

static void say(const struct checking *c, enum check_level level, const char *what, const char *found, const char *remedy)
{
	c->report(c->ctx, level, what, found, level == CHECK_OK ? "" : remedy);
}

static void check_tls(const struct checking *c)
{
	PGconn *pg = c->store->link.pg;
	const char *host = PQhost(pg);
	bool local = !host || host[0] == '/' || host[0] == '@' || strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
		     strcmp(host, "::1") == 0;
	bool verified = false;
	PQconninfoOption *options = PQconninfo(pg);
	for (PQconninfoOption *option = options; option && option->keyword; option++) {
		if (strcmp(option->keyword, "sslmode") == 0 && option->val)
			verified = strcmp(option->val, "verify-full") == 0;
	}
	PQconninfoFree(options);
	static const char *const remedy = "set sslmode=verify-full and sslrootcert in database.properties";
	if (PQsslInUse(pg))
		say(c, verified || local ? CHECK_OK : CHECK_WARN, "database encryption",
		    verified ? "TLS, server verified" : "TLS, but the server's certificate and name are not verified", remedy);
	else
		say(c, local ? CHECK_OK : CHECK_WARN, "database encryption", local ? "none; the server is on this machine" : "none",
		    remedy);
}

static void check_setting(const struct checking *c, const char *what, const char *value, bool good, enum check_level level,
			  const char *remedy)
{
	say(c, good ? CHECK_OK : level, what, value, remedy);
}

static void check_durability(const struct checking *c, const PGresult *r)
{
	const char *commit = PQgetvalue(r, 0, SYNCHRONOUS_COMMIT);
	const char *standbys = PQgetvalue(r, 0, STANDBYS);
	check_setting(c, "database fsync", PQgetvalue(r, 0, FSYNC),
		      result_bool(r, 0, FSYNC) || strcmp(PQgetvalue(r, 0, FSYNC), "on") == 0, CHECK_FAIL,
		      "set fsync = on: without it a crash of the server's machine loses or corrupts accounts");
	check_setting(c, "database full_page_writes", PQgetvalue(r, 0, FULL_PAGE_WRITES),
		      strcmp(PQgetvalue(r, 0, FULL_PAGE_WRITES), "on") == 0, CHECK_FAIL,
		      "set full_page_writes = on, unless the file system writes pages atomically");
	check_setting(c, "database synchronous_commit", commit, strcmp(commit, "off") != 0, CHECK_FAIL,
		      "set synchronous_commit = on for this login or database: offsets would be ahead of accounts after a crash");
	if (standbys[0] == '\0')
		say(c, CHECK_WARN, "database replication", "no synchronous standby",
		    "set synchronous_standby_names if there is a failover: accounts that were acknowledged may be lost by it otherwise");
	else
		check_setting(c, "database replication", standbys, strcmp(commit, "local") != 0, CHECK_WARN,
			      "synchronous_commit = local does not wait for the standby; set it to on");
	check_setting(c, "database autovacuum", PQgetvalue(r, 0, AUTOVACUUM), strcmp(PQgetvalue(r, 0, AUTOVACUUM), "on") == 0,
		      CHECK_WARN, "set autovacuum = on: the tables of messages and marks grow without it");
}

static void check_version(const struct checking *c, const PGresult *r)
{
	check_setting(c, "database version", PQgetvalue(r, 0, VERSION_TEXT), result_int(r, 0, VERSION_NUM) >= VERSION_LEAST,
		      CHECK_FAIL, "upgrade to PostgreSQL 14 or newer");
	check_setting(c, "database encoding", PQgetvalue(r, 0, ENCODING), strcmp(PQgetvalue(r, 0, ENCODING), "UTF8") == 0,
		      CHECK_FAIL, "create the database with ENCODING 'UTF8'");
}

static void check_connections(const struct checking *c, const PGresult *r)
{
	int64_t slots = result_int(r, 0, SLOTS), used = result_int(r, 0, SLOTS_USED), limit = result_int(r, 0, LOGIN_LIMIT);
	int64_t left = slots - used;
	if (limit >= 0 && limit < left)
		left = limit;
	char found[100];
	(void)snprintf(found, sizeof(found), "%lld free of %lld", (long long)left, (long long)slots);
	say(c, left >= CONNECTIONS_FEW ? CHECK_OK : CHECK_WARN, "database connections", found,
	    "a worker takes three for each lane, one for each courier thread and two more: raise max_connections, or the login's connection limit");
}

static void check_clock(const struct checking *c, const PGresult *r, int64_t before_ms, int64_t after_ms)
{
	int64_t database_ms = result_int(r, 0, CLOCK_MS);
	int64_t ahead_ms = database_ms < before_ms ? database_ms - before_ms : database_ms > after_ms ? database_ms - after_ms : 0;
	char found[100];
	(void)snprintf(found, sizeof(found), "%lld ms %s this machine", (long long)llabs(ahead_ms),
		       ahead_ms < 0 ? "behind" : "ahead of");
	enum check_level level = llabs(ahead_ms) >= CLOCK_FAIL_MS   ? CHECK_FAIL
				 : llabs(ahead_ms) >= CLOCK_WARN_MS ? CHECK_WARN
								    : CHECK_OK;
	say(c, level, "database clock", level == CHECK_OK ? "agrees with this machine" : found,
	    "synchronise both clocks (NTP): codes live by database time");
}

static void check_privileges(const struct checking *c, const PGresult *r)
{
	struct params params;
	params_init(&params, 2);
	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		for (size_t j = 0; j < ARRAY_LEN(needed[i].privileges) && needed[i].privileges[j]; j++) {
			param_add_text(&params.at[0], slice_of(needed[i].table));
			param_add_text(&params.at[1], slice_of(needed[i].privileges[j]));
		}
	}
	struct pipeline p;
	struct fault f;
	size_t handle;
	if (store_single(c->store, &p, &missing_privileges, &params, &handle, &f) != REASON_OK) {
		say(c, CHECK_FAIL, "database privileges", f.detail, "grant the login membership of role enrolld_worker");
		return;
	}
	const char *missing = PQgetvalue(pipeline_result(&p, handle), 0, 0);
	bool too_much = result_bool(r, 0, SUPERUSER) || result_bool(r, 0, OWNER);
	if (missing[0] != '\0')
		say(c, CHECK_FAIL, "database privileges", missing,
		    "missing: run \"enrolld migrate\" as the owner and grant the worker's login membership of role enrolld_worker");
	else
		say(c, too_much ? CHECK_WARN : CHECK_OK, "database privileges",
		    too_much ? "more than the worker needs: the login is superuser or owns the schema" : "what the worker needs",
		    "give the worker a login of its own that is a member of role enrolld_worker and nothing else");
	pipeline_end(&p);
}

static void check_server(const struct checking *c)
{
	struct params none;
	struct pipeline p;
	struct fault f;
	size_t handle;
	params_init(&none, 0);
	int64_t before_ms = clock_wall_ms();
	if (store_single(c->store, &p, &server, &none, &handle, &f) != REASON_OK) {
		say(c, CHECK_FAIL, "database settings", f.detail, reason_text(f.reason));
		return;
	}
	int64_t after_ms = clock_wall_ms();
	const PGresult *r = pipeline_result(&p, handle);
	check_tls(c);
	check_version(c, r);
	check_durability(c, r);
	check_connections(c, r);
	check_clock(c, r, before_ms, after_ms);
	bool logs_values = result_bool(r, 0, LOGS_VALUES);
	say(c, logs_values ? CHECK_WARN : CHECK_OK, "database log",
	    logs_values ? "may hold bound values: addresses, names, password hashes" : "without values",
	    "set log_parameter_max_length = 0 and log_parameter_max_length_on_error = 0 for this login or database");
	if (!result_bool(r, 0, USABLE)) {
		char remedy[160];
		(void)snprintf(remedy, sizeof(remedy), "GRANT enrolld_worker TO \"%s\"", PQuser(c->store->link.pg));
		say(c, CHECK_FAIL, "database privileges", "this login may not use schema enrolld", remedy);
	} else if (store_ping(c->store, &f) == REASON_OK) {
		say(c, CHECK_OK, "database schema", "of this program's version", "");
		check_privileges(c, r);
	} else {
		say(c, CHECK_FAIL, "database schema", f.detail, "run \"enrolld migrate\" as the owner of the database");
	}
	pipeline_end(&p);
}

static const char *remedy_of(enum reason reason)
{
	switch (reason) {
	case REASON_STORE_DENIED:
		return "check user and password in database.dsn, that the database exists, and the server's pg_hba.conf";
	case REASON_SETTING_INVALID: return "correct database.dsn or database.properties";
	default: return "check host and port in database.dsn, and that a primary server is running there and takes connections";
	}
}

void schema_check(const struct store_conf *conf, check_report *report, void *ctx)
{
	struct checking c = {.report = report, .ctx = ctx};
	struct fault f;
	enum reason reason = store_open(conf, "enrolld/check", &c.store, &f);
	if (reason == REASON_OK)
		reason = connection_ready(&c.store->link, &f);
	if (reason != REASON_OK)
		say(&c, CHECK_FAIL, "database connection", f.detail, remedy_of(reason));
	else {
		say(&c, CHECK_OK, "database connection", "works", "");
		check_server(&c);
	}
	store_close(c.store);
}
