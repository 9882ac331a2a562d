// SPDX-License-Identifier: Apache-2.0
// The database, its login and the samples.
#include "fixture.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enrolld/base/random.h"
#include "enrolld/doc/json.h"

#define PASSWORD "only-for-tests"

static const char *dsn_of_services(void)
{
	const char *dsn = getenv("ENROLLD_DSN");
	if (!dsn)
		fail_msg("ENROLLD_DSN is not set: scripts/services up, then eval \"$(scripts/services env)\" with set -a");
	return dsn;
}

static PGconn *connect_to(const char *database)
{
	const char *const names[] = {"dbname", database ? "dbname" : NULL, NULL};
	const char *const values[] = {dsn_of_services(), database, NULL};
	PGconn *pg = PQconnectdbParams(names, values, 1);
	if (PQstatus(pg) != CONNECTION_OK)
		fail_msg("PostgreSQL at ENROLLD_DSN: %s", PQerrorMessage(pg));
	PQclear(PQexec(pg, "SET client_min_messages = error"));
	return pg;
}

static char *run_sql(const char *database, const char *sql)
{
	PGconn *pg = connect_to(database);
	PGresult *result = PQexec(pg, sql);
	if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	char *cell = strdup(PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
	PQclear(result);
	PQfinish(pg);
	return cell;
}

static struct setting_map pairs_of(struct arena *arena, const char *database, const char *user)
{
	struct setting_pair *pairs = ARENA_ARRAY(arena, 3, struct setting_pair);
	pairs[0] = (struct setting_pair){"dbname", database};
	pairs[1] = (struct setting_pair){"user", user};
	pairs[2] = (struct setting_pair){"password", PASSWORD};
	return (struct setting_map){pairs, user ? 3 : 1};
}

static void make_login(const struct fixture *fx)
{
	char sql[400];
	(void)snprintf(sql, sizeof(sql), "CREATE ROLE %s LOGIN PASSWORD '%s' NOSUPERUSER IN ROLE enrolld_worker", fx->database,
		       PASSWORD);
	free(run_sql(NULL, sql));
}

struct fixture *fixture_open(bool empty)
{
	json_setup();
	struct fixture *fx = calloc(1, sizeof(*fx));
	fx->arena = arena_create(4096);
	(void)snprintf(fx->database, sizeof(fx->database), "enrolld_test_%d_%llu", (int)getpid(),
		       (unsigned long long)random_below(1000000));
	char sql[200];
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s ENCODING 'UTF8' TEMPLATE template0", fx->database);
	free(run_sql(NULL, sql));

	fx->owner = (struct store_conf){
		.dsn = dsn_of_services(),
		.properties = pairs_of(fx->arena, fx->database, NULL),
		.prepared = true,
		.connect_timeout_ms = 5000,
		.statement_timeout_ms = 5000,
		.lock_timeout_ms = 3000,
		.idle_timeout_ms = 5000,
		.horizon_ms = INT64_C(30) * 86400000,
	};
	fx->worker = fx->owner;
	fx->worker.properties = pairs_of(fx->arena, fx->database, fx->database);
	if (!empty) {
		FILE *null = fopen("/dev/null", "w");
		assert_non_null(null);
		assert_ok(schema_migrate(&fx->owner, false, null, &f_));
		(void)fclose(null);
		make_login(fx);
	}
	return fx;
}

void fixture_close(struct fixture *fx)
{
	char sql[200];
	(void)snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s WITH (FORCE)", fx->database);
	free(run_sql(NULL, sql));
	(void)snprintf(sql, sizeof(sql), "DROP ROLE IF EXISTS %s", fx->database);
	free(run_sql(NULL, sql));
	arena_destroy(fx->arena);
	free(fx);
}

struct store *fixture_store(const struct fixture *fx, const char *name)
{
	struct store *store = NULL;
	assert_ok(store_open(&fx->worker, name, &store, &f_));
	return store;
}

static const char *query(const struct fixture *fx, const char *fmt, va_list args) ATTR_PRINTF(2, 0);

static const char *query(const struct fixture *fx, const char *fmt, va_list args)
{
	char sql[2000];
	int len = vsnprintf(sql, sizeof(sql), fmt, args);
	assert_in_range(len, 1, sizeof(sql) - 1);
	char *cell = run_sql(fx->database, sql);
	const char *copy = arena_text(fx->arena, cell);
	free(cell);
	return copy;
}

const char *fixture_sql(const struct fixture *fx, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *cell = query(fx, fmt, args);
	va_end(args);
	return cell;
}

int64_t fixture_count(const struct fixture *fx, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *cell = query(fx, fmt, args);
	va_end(args);
	return strtoll(cell, NULL, 10);
}

struct sample *sample_create(struct arena *arena, const char *realm, const char *request_id, int64_t offset)
{
	struct sample *s = ARENA_NEW(arena, struct sample);
	s->arena = arena;
	s->record = (struct record){.at = {SAMPLE_TOPIC, 0, offset}, .timestamp_ms = 1};
	s->request = (struct request){
		.record = &s->record,
		.realm = slice_of(arena_text(arena, realm)),
		.route = SLICE_LIT("signup"),
		.request_id = slice_of(arena_text(arena, request_id)),
		.fingerprint_count = 1,
	};
	s->request.fingerprints[0].epoch = 1;
	memcpy(s->request.fingerprints[0].bytes, "0123456789abcdef", FINGERPRINT_SIZE);
	sample_refuse(s);
	return s;
}

void sample_claim(struct sample *s, enum claim_kind kind, const char *value)
{
	struct slice text = slice_of(arena_text(s->arena, value));
	s->registration.claims[s->registration.claim_count++] = (struct claim){
		.kind = kind, .value = text, .shown = text, .field = "/x"};
}

struct limit_use *sample_limit(struct sample *s, const char *name, const char *subject, int64_t allowed, int64_t window_ms)
{
	struct limit_use *use = &s->registration.limits[s->registration.limit_count++];
	*use = (struct limit_use){
		.name = arena_text(s->arena, name),
		.subject = slice_of(arena_text(s->arena, subject)),
		.allowed = allowed,
		.window_ms = window_ms,
		.kind = LIMIT_FIXED,
		.stage = LIMIT_AFTER_RULES,
	};
	return use;
}

void sample_derive(struct sample *s, const char *stem, size_t max)
{
	s->registration.derived[s->registration.derived_count++] = (struct derived_claim){
		.kind = CLAIM_SLUG, .stem = slice_of(arena_text(s->arena, stem)), .max = max, .field = "/slug"};
}

static void count_limits(struct sample *s)
{
	s->changes.limits = s->registration.limits;
	s->changes.limit_count = s->registration.limit_count;
	for (size_t i = 0; i < s->registration.limit_count; i++)
		s->changes.counts[i] = true;
}

static void add_claims(struct sample *s)
{
	const struct registration *r = &s->registration;
	s->changes.claims = r->claims;
	s->changes.claim_count = r->claim_count;
	if (r->derived_count == 0)
		return;
	struct claim *claims = ARENA_ARRAY(s->arena, CLAIMS_MAX + DERIVED_MAX, struct claim);
	memcpy(claims, r->claims, sizeof(r->claims));
	for (size_t i = 0; i < r->derived_count; i++)
		claims[r->claim_count + i] = (struct claim){.kind = r->derived[i].kind,
							    .value = s->facts.proposals[i],
							    .shown = s->facts.proposals[i],
							    .field = r->derived[i].field};
	s->changes.claims = claims;
	s->changes.claim_count = r->claim_count + r->derived_count;
	s->changes.derived_count = r->derived_count;
}

static void add_verification(struct sample *s, const struct claim *claim)
{
	struct challenge_row *challenge = &s->changes.challenges[s->changes.challenge_count++];
	*challenge = (struct challenge_row){
		.challenge_id = uuid_v7(),
		.account_id = s->changes.account.account_id,
		.purpose = "verify_email",
		.channel = "email",
		.claim_kind = claim->kind,
		.claim_value = claim->value,
		.seed.epoch = 1,
		.form = {CODE_LENGTH_USUAL, CODE_DIGITS},
		.life_ms = 600000,
	};
	random_fill(challenge->seed.nonce.bytes, NONCE_SIZE);
	random_fill(challenge->token_digest, DIGEST_SIZE);
	s->changes.messages[s->changes.message_count++] = (struct message_row){
		.message_id = uuid_v7(),
		.challenge_id = challenge->challenge_id,
		.channel = "email",
		.template_name = "verify_email",
		.sealed = SLICE_LIT("\x01\x00sealed\xff bytes \"\\ of a payload, some hundred of them in a real one"),
		.life_ms = 600000,
	};
}

void sample_accept(struct sample *s)
{
	s->changes = (struct changes){
		.has_account = true,
		.account = {.account_id = uuid_v7(),
			    .state = "pending",
			    .password_hash = SLICE_LIT(
				    "$argon2id$v=19$m=65536,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNo"),
			    .given_name = SLICE_LIT("Zo\xc3\xab \"Q\\"),
			    .birth_date = SLICE_LIT("1990-02-28"),
			    .locale = SLICE_LIT("de-AT"),
			    .attributes = SLICE_LIT("{\"plan\": \"free\", \"n\": [1, {\"a\": null}]}")},
	};
	add_claims(s);
	count_limits(s);
	if (s->registration.wants_number)
		s->changes.account.counter = s->registration.counter;
	struct receipt receipt = {.outcome = OUTCOME_ACCEPTED,
				  .operation = OPERATION_SIGN_UP,
				  .at_ms = 1795560731123,
				  .has_account = true,
				  .account_id = s->changes.account.account_id};
	s->changes.receipt = receipt_write(&receipt, s->arena);
	char id[UUID_TEXT_SIZE];
	s->changes.result = arena_printf(s->arena, "{\"request_id\":\"%.*s\",\"outcome\":\"accepted\",\"account_id\":\"%s\"}",
					 (int)s->request.request_id.len, s->request.request_id.ptr,
					 uuid_format(&s->changes.account.account_id, id));
	const struct claim *mail = registration_claim(&s->registration, CLAIM_EMAIL);
	if (mail)
		add_verification(s, mail);
}

void sample_refuse(struct sample *s)
{
	s->changes = (struct changes){0};
	count_limits(s);
	struct violation *violation = ARENA_NEW(s->arena, struct violation);
	*violation = (struct violation){SLICE_LIT("/email"), SLICE_LIT("taken"), SLICE_ABSENT};
	struct receipt receipt = {.outcome = OUTCOME_REFUSED,
				  .reason = REASON_IDENTITY_TAKEN,
				  .operation = OPERATION_SIGN_UP,
				  .at_ms = 1795560731123,
				  .violations = violation,
				  .violation_count = 1};
	s->changes.receipt = receipt_write(&receipt, s->arena);
	s->changes.outcome = receipt.outcome;
	s->changes.why = receipt.reason;
	s->changes.result = arena_printf(s->arena,
					 "{\"request_id\":\"%.*s\",\"outcome\":\"refused\",\"reason\":\"identity_taken\"}",
					 (int)s->request.request_id.len, s->request.request_id.ptr);
}

struct look_item sample_look(struct sample *s)
{
	return (struct look_item){.request = &s->request, .registration = &s->registration, .arena = s->arena, .facts = &s->facts};
}

struct store_item sample_item(struct sample *s)
{
	return (struct store_item){.request = &s->request,
				   .registration = &s->registration,
				   .changes = &s->changes,
				   .arena = s->arena,
				   .facts = &s->facts};
}

static struct sample *sample_of(const struct store_item *item)
{
	return (struct sample *)(void *)((char *)item->changes - offsetof(struct sample, changes));
}

enum reason store_batch(struct store *store, struct store_item *items, size_t count, struct fault *f)
{
	enum reason reason = store_begin(store, SAMPLE_GROUP, items, count, f);
	if (reason != REASON_OK)
		return reason;
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome == STORE_LOST)
			sample_refuse(sample_of(&items[i]));
	}
	reason = store_number(store, items, count, f);
	return reason == REASON_OK ? store_finish(store, SAMPLE_GROUP, NULL, 0, items, count, f) : reason;
}

enum store_outcome store_one(struct store *store, struct sample *s)
{
	struct store_item item = sample_item(s);
	assert_ok(store_batch(store, &item, 1, &f_));
	return item.outcome;
}
