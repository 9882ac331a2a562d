// SPDX-License-Identifier: Apache-2.0
// Migrating, what the worker's role may do and may not, what check finds, and that every statement goes by an index.
#include "fixture.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/strbuf.h"

static struct fixture *fx, *empty;
static struct arena *arena;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	empty = fixture_open(true);
	arena = arena_create(4096);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	arena_destroy(arena);
	fixture_close(empty);
	fixture_close(fx);
	return 0;
}

static const char *migrate(const struct store_conf *conf, bool dry_run)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_ok(schema_migrate(conf, dry_run, out, &f_));
	(void)fclose(out);
	const char *copy = arena_text(arena, text);
	free(text);
	return copy;
}

static enum reason ping(const struct store_conf *conf, struct fault *f)
{
	struct store *store;
	assert_ok(store_open(conf, "enrolld/test/ping", &store, &f_));
	enum reason reason = store_ping(store, f);
	store_close(store);
	return reason;
}

static void a_dry_run_prints_and_changes_nothing(void **state)
{
	(void)state;
	const char *text = migrate(&empty->owner, true);
	assert_non_null(strstr(text, "-- step 0001_initial\n"));
	assert_non_null(strstr(text, "CREATE TABLE enrolld.inbox ("));
	assert_non_null(strstr(text, "GRANT SELECT (account_id, state"));
	assert_string_equal(fixture_sql(empty, "SELECT to_regnamespace('enrolld') IS NULL"), "t");
	struct fault f;
	assert_int_equal(ping(&empty->owner, &f), REASON_SCHEMA_MISMATCH);
	assert_non_null(strstr(f.detail, "enrolld migrate"));
}

struct racer {
	pthread_t thread;
	enum reason reason;
	struct fault fault;
	char *text;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	size_t size;
	FILE *out = open_memstream(&racer->text, &size);
	racer->reason = schema_migrate(&empty->owner, false, out, &racer->fault);
	(void)fclose(out);
	return NULL;
}

static void of_several_who_migrate_one_works(void **state)
{
	(void)state;
	enum { RACERS = 4 };
	struct racer racers[RACERS];
	int applied = 0;
	for (int i = 0; i < RACERS; i++)
		assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	for (int i = 0; i < RACERS; i++) {
		assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
		if (racers[i].reason != REASON_OK)
			fail_msg("%s", racers[i].fault.detail);
		applied += strstr(racers[i].text, "0001_initial: applied in ") != NULL;
		assert_non_null(strstr(racers[i].text, "schema enrolld is at version 9\n"));
		assert_non_null(strstr(racers[i].text, "privileges: granted to role enrolld_worker"));
		free(racers[i].text);
	}
	assert_int_equal(applied, 1);
	assert_string_equal(
		fixture_sql(empty, "SELECT string_agg(version || ' ' || name, ',') FROM enrolld.migration"),
		"1 0001_initial,2 0002_limits_and_numbers,3 0003_codes,4 0004_sessions,5 0005_passwords,6 0006_sending,7 0007_notices,8 0008_openings,9 0009_decoys");
	assert_int_equal(fixture_count(empty, "SELECT max(version) FROM enrolld.migration"), SCHEMA_VERSION);
	struct fault f;
	assert_int_equal(ping(&empty->owner, &f), REASON_OK);
}

static void migrating_again_changes_nothing(void **state)
{
	(void)state;
	(void)fixture_sql(fx, "INSERT INTO enrolld.counter (realm, name, value) VALUES ('r', 'kept', 7)");
	const char *text = migrate(&fx->owner, false);
	assert_null(strstr(text, "applied"));
	assert_non_null(strstr(text, "schema enrolld is at version 9\n"));
	assert_int_equal(fixture_count(fx, "SELECT value FROM enrolld.counter"), 7);
	assert_null(strstr(migrate(&fx->owner, true), "CREATE TABLE"));
}

static void versions_n_and_n_plus_1_are_served(void **state)
{
	(void)state;
	struct fault f;
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (10, 'later')");
	assert_int_equal(ping(&fx->worker, &f), REASON_OK);
	(void)migrate(&fx->owner, false);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (11, 'much later')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	assert_int_equal(schema_migrate(&fx->owner, false, stdout, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "DELETE FROM enrolld.migration");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (1, '0001_initial')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (2, '0002_limits_and_numbers')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (3, '0003_codes')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (4, '0004_sessions')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (5, '0005_passwords')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (6, '0006_sending')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (7, '0007_notices')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (8, '0008_openings')");
	assert_int_equal(ping(&fx->worker, &f), REASON_SCHEMA_MISMATCH);
	(void)fixture_sql(fx, "INSERT INTO enrolld.migration (version, name) VALUES (9, '0009_decoys')");
	assert_int_equal(ping(&fx->worker, &f), REASON_OK);
}

static void an_owner_who_is_nobody_else_can_migrate(void **state)
{
	(void)state;
	struct fixture *own = fixture_open(true);
	(void)fixture_sql(own, "CREATE ROLE %s LOGIN PASSWORD 'only-for-tests' NOSUPERUSER NOCREATEROLE", own->database);
	(void)fixture_sql(own, "ALTER DATABASE %s OWNER TO %s", own->database, own->database);
	const char *text = migrate(&own->worker, false);
	assert_non_null(strstr(text, "0001_initial: applied"));
	assert_non_null(strstr(text, "privileges: granted"));
	(void)fixture_sql(own, "ALTER DATABASE %s OWNER TO current_user", own->database);
	(void)fixture_sql(own, "REASSIGN OWNED BY %s TO current_user", own->database);
	fixture_close(own);
}

// SQLSTATE of a statement that the worker's login runs by hand; "" if it is allowed.
static const char *refusal(const char *sql)
{
	const char *names[8] = {"dbname"}, *values[8] = {fx->worker.dsn};
	for (size_t i = 0; i < fx->worker.properties.count; i++) {
		names[i + 1] = fx->worker.properties.pairs[i].name;
		values[i + 1] = fx->worker.properties.pairs[i].value;
	}
	PGconn *pg = PQconnectdbParams(names, values, 1);
	assert_int_equal(PQstatus(pg), CONNECTION_OK);
	PGresult *result = PQexec(pg, sql);
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *copy = arena_text(arena, state ? state : "");
	PQclear(result);
	PQfinish(pg);
	return copy;
}

static void the_worker_may_not_do_more_than_it_does(void **state)
{
	(void)state;
	static const char *const forbidden[] = {
		"SELECT attributes FROM enrolld.account",
		"SELECT birth_date FROM enrolld.account",
		"UPDATE enrolld.account SET account_id = gen_random_uuid()",
		"UPDATE enrolld.challenge SET nonce = ''",
		"DELETE FROM enrolld.account",
		"TRUNCATE enrolld.inbox",
		"TRUNCATE enrolld.message",
		"UPDATE enrolld.inbox SET request_id = 'x'",
		"UPDATE enrolld.inbox SET stored_at = now()",
		"UPDATE enrolld.\"limit\" SET subject = 'x'",
		"UPDATE enrolld.counter SET realm = 'x'",
		"DELETE FROM enrolld.counter",
		"UPDATE enrolld.claim SET account_id = gen_random_uuid()",
		"UPDATE enrolld.message SET channel = 'sms'",
		"UPDATE enrolld.notice SET payload = ''",
		"INSERT INTO enrolld.migration (version, name) VALUES (99, 'x')",
		"UPDATE enrolld.session SET nonce = ''",
		"UPDATE enrolld.session SET token_digest = ''",
		"UPDATE enrolld.session SET account_id = gen_random_uuid()",
		"DELETE FROM enrolld.device",
		"SELECT * FROM enrolld.inbox_00",
		"CREATE TABLE enrolld.x (n int)",
		"DROP TABLE enrolld.hand",
		"ALTER TABLE enrolld.message SET (fillfactor = 10)",
		"CREATE ROLE x",
	};
	for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
		if (strcmp(refusal(forbidden[i]), "42501") != 0)
			fail_msg("%s: '%s'", forbidden[i], refusal(forbidden[i]));
	}
	assert_string_equal(refusal("SELECT version FROM enrolld.migration"), "");
}

struct findings {
	struct strbuf text;
	int fails, warns;
};

static void note(void *ctx, enum check_level level, const char *what, const char *found, const char *remedy)
{
	struct findings *findings = ctx;
	findings->fails += level == CHECK_FAIL;
	findings->warns += level == CHECK_WARN;
	assert_int_equal(remedy[0] == '\0', level == CHECK_OK);
	strbuf_printf(&findings->text, "%s|%s|%s|%s\n",
		      level == CHECK_OK     ? "ok"
		      : level == CHECK_WARN ? "warn"
					    : "fail",
		      what, found, remedy);
}

static struct findings check(const struct store_conf *conf)
{
	struct findings findings = {.text = STRBUF_INIT(65536)};
	schema_check(conf, note, &findings);
	const char *copy = arena_text(arena, strbuf_slice(&findings.text).ptr);
	strbuf_free(&findings.text);
	findings.text.data = (char *)(uintptr_t)copy;
	return findings;
}

#define assert_finding(findings, line)                                             \
	do {                                                                       \
		if (!strstr((findings).text.data, (line)))                         \
			fail_msg("no '%s' in:\n%s", (line), (findings).text.data); \
	} while (0)

static void check_finds_a_sound_database_sound(void **state)
{
	(void)state;
	struct findings findings = check(&fx->worker);
	if (findings.fails)
		fail_msg("%s", findings.text.data);
	assert_finding(findings, "ok|database connection|works|\n");
	assert_finding(findings, "ok|database version|");
	assert_finding(findings, "ok|database encoding|UTF8|\n");
	assert_finding(findings, "ok|database fsync|on|\n");
	assert_finding(findings, "ok|database full_page_writes|on|\n");
	assert_finding(findings, "ok|database synchronous_commit|on|\n");
	assert_finding(findings, "warn|database replication|no synchronous standby|");
	assert_finding(findings, "ok|database connections|");
	assert_finding(findings, "ok|database clock|agrees");
	assert_finding(findings, "ok|database schema|");
	assert_finding(findings, "ok|database privileges|what the worker needs|\n");
	assert_finding(findings, "ok|database encryption|");
	assert_finding(findings, "ok|database log|without values|\n");
	assert_finding(check(&fx->owner), "warn|database privileges|more than the worker needs");
}

static void check_names_what_is_wrong(void **state)
{
	(void)state;
	(void)fixture_sql(fx, "ALTER ROLE %s SET synchronous_commit = off", fx->database);
	(void)fixture_sql(fx, "ALTER ROLE %s CONNECTION LIMIT 3", fx->database);
	(void)fixture_sql(fx, "REVOKE DELETE ON enrolld.claim FROM enrolld_worker");
	(void)fixture_sql(fx, "REVOKE UPDATE (mark, updated_at) ON enrolld.progress FROM enrolld_worker");
	(void)fixture_sql(fx, "ALTER ROLE %s SET log_min_duration_statement = '1s'", fx->database);
	struct findings findings = check(&fx->worker);
	assert_int_equal(findings.fails, 2);
	assert_finding(
		findings,
		"warn|database log|may hold bound values: addresses, names, password hashes|set log_parameter_max_length = 0");
	assert_finding(findings, "fail|database synchronous_commit|off|");
	assert_finding(findings, "fail|database privileges|DELETE on claim, UPDATE on progress|missing: run");
	assert_finding(findings, "warn|database connections|3 free of ");
	(void)migrate(&fx->owner, false); // grants again what was taken away
	(void)fixture_sql(fx, "ALTER ROLE %s RESET synchronous_commit", fx->database);
	(void)fixture_sql(fx, "ALTER ROLE %s RESET log_min_duration_statement", fx->database);
	(void)fixture_sql(fx, "ALTER ROLE %s CONNECTION LIMIT -1", fx->database);
	assert_int_equal(check(&fx->worker).fails, 0);

	(void)fixture_sql(fx, "REVOKE enrolld_worker FROM %s", fx->database);
	assert_int_equal(check(&fx->worker).fails, 1);
	assert_finding(check(&fx->worker),
		       "fail|database privileges|this login may not use schema enrolld|GRANT enrolld_worker TO");
	(void)fixture_sql(fx, "GRANT enrolld_worker TO %s", fx->database);

	struct store_conf away = fx->worker;
	away.properties = (struct setting_map){(const struct setting_pair[]){{"port", "1"}}, 1};
	findings = check(&away);
	assert_int_equal(findings.fails, 1);
	assert_finding(
		findings,
		"fail|database connection|connect: connection to server at \"...\", port 1 failed: Connection refused|check host");
	struct fixture *bare = fixture_open(true);
	assert_finding(check(&bare->owner), "fail|database schema|the database has no schema enrolld");
	fixture_close(bare);
}

// A session and a device of the sample's account.
static void begin_session(struct sample *s)
{
	struct changes *changes = &s->changes;
	const struct slice id = s->request.request_id;
	changes->has_session = changes->has_device = true;
	changes->session = (struct session_row){.session_id = derive_id(&id, 1),
						.account_id = changes->account.account_id,
						.seed = {.epoch = 1},
						.created_ms = clock_wall_ms(),
						.expires_ms = clock_wall_ms() + 86400000};
	memcpy(changes->session.digest, changes->session.session_id.bytes, sizeof(changes->session.session_id.bytes));
	changes->device = (struct device_row){
		.device_id = derive_id(&id, 1), .account_id = changes->account.account_id, .registration = id};
}

// What begin_session() has made is held, used, and, but for every fourth, ended.
static void use_session(struct sample *s, const struct store_item *begun, enum session_scope ends)
{
	const struct session_row *row = &begun->changes->session;
	struct session_use *use = &s->registration.session;
	s->changes.sessions = (struct session_change){.holds = true,
						      .session_id = row->session_id,
						      .turns = ends == SESSION_NONE,
						      .serial = 1,
						      .expires_ms = row->expires_ms,
						      .ends = ends,
						      .why = "test",
						      .account_id = row->account_id,
						      .device_id = row->session_id,
						      .idles = true};
	use->digest_count = 1;
	memcpy(use->digests[0], row->digest, DIGEST_SIZE);
}

// The tables are empty when the plans are made, which is when a planner likes to scan them whole.
static void no_statement_scans_a_table(void **state)
{
	(void)state;
	struct fixture *own = fixture_open(false);
	(void)fixture_sql(own, "SELECT pg_sleep(0.3)"); // what the migration scanned is counted by then
	(void)fixture_sql(own, "SELECT pg_stat_reset()");
	struct store *store = fixture_store(own, "enrolld/test/plans");
	const struct mark mark = {SAMPLE_TOPIC, 0, 1};
	for (int batch = 0; batch < 10; batch++) {
		struct store_item items[20], uses[20];
		struct look_item looks[20];
		for (int i = 0; i < 20; i++) {
			struct sample *s = sample_create(arena, "plans", arena_printf(arena, "r%d-%d", batch, i).ptr, i);
			sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "p%d@a.example", batch * 15 + i).ptr); // some are lost
			(void)sample_limit(s, "client", i % 2 ? "a" : "b", 1000, 60000);
			s->registration.wants_number = true;
			s->registration.counter = "account";
			sample_accept(s);
			begin_session(s);
			items[i] = sample_item(s);
			looks[i] = sample_look(s);
		}
		assert_ok(store_look(store, SAMPLE_GROUP, &mark, 1, looks, 20, &f_));
		assert_ok(store_batch(store, items, 20, &f_));
		for (int i = 0; i < 20; i++) {
			struct sample *s = sample_create(arena, "plans", arena_printf(arena, "s%d-%d", batch, i).ptr, 1000 + i);
			sample_refuse(s);
			use_session(s, &items[i], (enum session_scope)(i % 4));
			looks[i] = sample_look(s);
			uses[i] = sample_item(s);
		}
		assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, looks, 20, &f_));
		assert_ok(store_begin(store, SAMPLE_GROUP, uses, 20, &f_));
		assert_ok(store_finish(store, SAMPLE_GROUP, NULL, 0, uses, 20, &f_));
	}
	struct message_lease lease[50];
	size_t count, n;
	struct message_overdue overdue;
	bool ours;
	assert_ok(store_message_claim(store, "email", 1000, 0, 50, arena, lease, &count, &overdue, &f_));
	assert_int_equal(count, 50);
	assert_ok(store_message_transmitting(store, &lease[0].message_id, lease[0].claim, 1000, &ours, &f_));
	assert_ok(store_message_settle(store, &lease[0].message_id, lease[0].claim,
				       &(struct message_settlement){MESSAGE_ACCEPTED, 0, "", ""}, &f_));
	int64_t waiting;
	assert_ok(store_message_waiting(store, "email", &waiting, &f_));
	assert_ok(store_sweep(store, 10, &n, &f_));
	store_close(store);
	for (int tries = 0; tries < 50 && fixture_count(own, "SELECT sum(idx_scan) FROM pg_stat_user_tables") < 200; tries++)
		(void)fixture_sql(own, "SELECT pg_sleep(0.1)");
	assert_true(fixture_count(own, "SELECT sum(idx_scan) FROM pg_stat_user_tables WHERE relname LIKE 'inbox%%'") >= 200);
	assert_string_equal(
		fixture_sql(own, "SELECT coalesce(string_agg(relname || ' ' || seq_scan, ', '), '') FROM pg_stat_user_tables "
				 "WHERE seq_scan > 0 AND relname NOT LIKE 'inbox_%%' AND relname <> 'claim'"),
		"");
	assert_int_equal(fixture_count(own, "SELECT count(*) FROM enrolld.session WHERE revoked_at IS NOT NULL"),
			 123); // but for those that lost
	assert_int_equal(fixture_count(own, "SELECT count(*) FROM enrolld.session WHERE serial = 1"), 32);
	fixture_close(own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dry_run_prints_and_changes_nothing),
		cmocka_unit_test(of_several_who_migrate_one_works),
		cmocka_unit_test(migrating_again_changes_nothing),
		cmocka_unit_test(versions_n_and_n_plus_1_are_served),
		cmocka_unit_test(an_owner_who_is_nobody_else_can_migrate),
		cmocka_unit_test(the_worker_may_not_do_more_than_it_does),
		cmocka_unit_test(check_finds_a_sound_database_sound),
		cmocka_unit_test(check_names_what_is_wrong),
		cmocka_unit_test(no_statement_scans_a_table),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
