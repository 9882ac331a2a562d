// SPDX-License-Identifier: Apache-2.0
// Bringing the database to this program's schema, forward only.
//
// Each step is a transaction that takes the advisory lock first and asks for the version then, so that of several who migrate at once
// one works and the others find it done; transaction locks work through poolers too.
#include "store/migrations.h"

#include "enrolld/base/clock.h"
#include "enrolld/store/schema.h"
#include "store/handle.h"
#include "store/result.h"

#define STATEMENT_LIMIT_MS 3600000
#define LOCK_LIMIT_MS 60000

// clang-format off
static const struct statement lock = {"migrate_lock", "SELECT pg_advisory_xact_lock(1701737071, 0)"};
static const struct statement known = {"schema_known", "SELECT to_regclass('enrolld.migration') IS NOT NULL"};
static const struct statement version = {"schema_version", "SELECT coalesce(max(version), 0) FROM enrolld.migration"};
static const struct statement record = {"migration_insert", "INSERT INTO enrolld.migration (version, name) VALUES ($1::int4, $2)"};

// A role belongs to the whole cluster: another database's migration may make it at the same moment.
static const struct statement make_role = {"role_create",
	"DO $$ BEGIN "
		"IF to_regrole('enrolld_worker') IS NULL AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN "
			"CREATE ROLE enrolld_worker NOLOGIN; "
		"END IF; "
	"EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; "
	"END $$"};
static const struct statement role_known = {"role_known", "SELECT to_regrole('enrolld_worker') IS NOT NULL"};
// clang-format on

static size_t add_plain(struct pipeline *p, const struct statement *statement)
{
	struct params none;
	params_init(&none, 0);
	return pipeline_add(p, statement, &none);
}

static enum reason ask(struct connection *link, const struct statement *statement, bool *ret_bool, int64_t *ret_int,
		       struct fault *f)
{
	struct pipeline p;
	pipeline_resume(&p, link);
	size_t handle = add_plain(&p, statement);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;
	if (ret_bool)
		*ret_bool = result_bool(pipeline_result(&p, handle), 0, 0);
	if (ret_int)
		*ret_int = result_int(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	return REASON_OK;
}

// Opens a transaction that holds the lock, and reads the version under it.
static enum reason begin_step(struct connection *link, int64_t *ret_version, struct fault *f)
{
	struct pipeline p;
	pipeline_begin(&p, link);
	(void)add_plain(&p, &lock);
	enum reason reason = pipeline_run(&p, f);
	pipeline_end(&p);
	bool exists = false;
	int64_t found = 0;
	if (reason == REASON_OK)
		reason = ask(link, &known, &exists, NULL, f);
	if (reason == REASON_OK && exists)
		reason = ask(link, &version, NULL, &found, f);
	if (reason == REASON_OK)
		*ret_version = found;
	return reason;
}

static enum reason finish_step(struct connection *link, const struct migration *step, struct fault *f)
{
	const struct statement statement = {step->name, step->sql};
	enum reason reason = connection_execute(link, &statement, f);
	if (reason != REASON_OK) {
		connection_roll_back(link);
		return reason;
	}
	struct params params;
	params_init(&params, 2);
	param_set_int(&params.at[0], step->version);
	param_set_text(&params.at[1], slice_of(step->name));
	struct pipeline p;
	pipeline_resume(&p, link);
	(void)pipeline_add(&p, &record, &params);
	pipeline_commit(&p);
	reason = pipeline_run(&p, f);
	pipeline_end(&p);
	return reason;
}

static enum reason refuse_later(int64_t found, struct fault *f)
{
	return fault_set(f, REASON_SCHEMA_MISMATCH,
			 "the database is at schema version %lld, this program knows %d: use the newer program", (long long)found,
			 SCHEMA_VERSION);
}

static enum reason apply_missing(struct connection *link, FILE *out, struct fault *f)
{
	for (;;) {
		int64_t start_ns = clock_mono_ns(), found;
		enum reason reason = begin_step(link, &found, f);
		if (reason != REASON_OK)
			return reason;
		if (found > SCHEMA_VERSION + 1)
			reason = refuse_later(found, f);
		if (reason != REASON_OK || found >= (int64_t)migration_count) {
			connection_roll_back(link);
			if (reason == REASON_OK)
				(void)fprintf(out, "schema enrolld is at version %lld\n", (long long)found);
			return reason;
		}
		const struct migration *step = &migrations[found];
		reason = finish_step(link, step, f);
		if (reason != REASON_OK)
			return reason;
		(void)fprintf(out, "%s: applied in %lld ms\n", step->name, (long long)((clock_mono_ns() - start_ns) / 1000000));
	}
}

static enum reason apply_privileges(struct connection *link, FILE *out, struct fault *f)
{
	static const struct statement privileges = {"privileges", privileges_sql};
	static const struct statement commit = {"commit", "COMMIT"};
	int64_t found;
	bool exists = false;
	enum reason reason = begin_step(link, &found, f);
	if (reason == REASON_OK)
		reason = connection_execute(link, &make_role, f);
	if (reason == REASON_OK)
		reason = ask(link, &role_known, &exists, NULL, f);
	// A later schema brought its own privileges, which this program does not know.
	if (reason == REASON_OK && exists && found <= SCHEMA_VERSION)
		reason = connection_execute(link, &privileges, f);
	if (reason == REASON_OK)
		reason = connection_execute(link, &commit, f);
	if (reason != REASON_OK) {
		connection_roll_back(link);
		return reason;
	}
	if (exists)
		(void)fprintf(out, "privileges: granted to role enrolld_worker; the worker's login needs to be a member of it\n");
	else
		(void)fprintf(
			out,
			"privileges: there is no role enrolld_worker and this login may not make one. Have an administrator run "
			"\"CREATE ROLE enrolld_worker NOLOGIN\", then migrate again\n");
	return REASON_OK;
}

static enum reason print_missing(struct connection *link, FILE *out, struct fault *f)
{
	int64_t found;
	enum reason reason = begin_step(link, &found, f);
	connection_roll_back(link);
	if (reason != REASON_OK)
		return reason;
	if (found > SCHEMA_VERSION + 1)
		return refuse_later(found, f);
	for (size_t i = (size_t)found; i < migration_count; i++)
		(void)fprintf(out, "-- step %s\n%s\n", migrations[i].name, migrations[i].sql);
	if (found <= SCHEMA_VERSION)
		(void)fprintf(out, "-- privileges, if role enrolld_worker exists or can be made\n%s", privileges_sql);
	return REASON_OK;
}

enum reason schema_migrate(const struct store_conf *conf, bool dry_run, FILE *out, struct fault *f)
{
	struct store_conf patient = *conf;
	patient.statement_timeout_ms = STATEMENT_LIMIT_MS;
	patient.lock_timeout_ms = LOCK_LIMIT_MS;
	struct store *store;
	enum reason reason = store_open(&patient, "enrolld/migrate", &store, f);
	if (reason != REASON_OK)
		return reason;
	if (dry_run)
		reason = print_missing(&store->link, out, f);
	else
		reason = apply_missing(&store->link, out, f);
	if (reason == REASON_OK && !dry_run)
		reason = apply_privileges(&store->link, out, f);
	store_close(store);
	return reason;
}
