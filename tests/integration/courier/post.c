// SPDX-License-Identifier: Apache-2.0
// Rows of table message made by hand, with real payloads.
#include "post.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/hex.h"
#include "enrolld/base/random.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/crypto/seal.h"
#include "enrolld/doc/json.h"
#include "enrolld/model/payload.h"

#define PASSWORD "only-for-tests"
#define WAIT_MS 20000

static const char *dsn_of_services(void)
{
	const char *dsn = getenv("ENROLLD_DSN");
	if (!dsn)
		fail_msg("ENROLLD_DSN is not set: scripts/services up, then eval \"$(scripts/services env)\" with set -a");
	return dsn;
}

static char *run_sql(const char *database, const char *sql)
{
	const char *const names[] = {"dbname", database ? "dbname" : NULL, NULL};
	const char *const values[] = {dsn_of_services(), database, NULL};
	PGconn *pg = PQconnectdbParams(names, values, 1);
	if (PQstatus(pg) != CONNECTION_OK)
		fail_msg("PostgreSQL at ENROLLD_DSN: %s", PQerrorMessage(pg));
	PQclear(PQexec(pg, "SET client_min_messages = error"));
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

static void set_hasty(struct post *p)
{
	settings_defaults(&courier_settings, p->arena, &p->conf);
	p->conf.messages_dir = ENROLLD_SCHEMAS_DIR "/messages";
	p->conf.providers_dir = ENROLLD_SCHEMAS_DIR "/providers";
	p->conf.smtp_tls = COURIER_TLS_NONE;
	p->conf.mail_from = "no-reply@mail.example.com";
	p->conf.brand = "Example";
	p->conf.link_url = "https://example.com/verify?token={{token}}";
	p->conf.poll_ms = 50;
	p->conf.lease_ms = 5000;
	p->conf.retry_min_ms = 300;
	p->conf.retry_max_ms = 600;
	p->conf.connect_timeout_ms = 1000;
	p->conf.smtp_command_timeout_ms = 1000;
	p->conf.answer_timeout_ms = 2000;
	p->conf.text_answer_timeout_ms = 2000;
	p->conf.smtp_connections = 2;
	p->conf.text_connections = 4;
}

struct post *post_open(void)
{
	json_setup();
	struct fault f = {0};
	assert_int_equal(crypto_setup(&f), REASON_OK);
	struct post *p = calloc(1, sizeof(*p));
	p->arena = arena_create(4096);
	p->keys = keyring_for_tests();
	(void)snprintf(p->database, sizeof(p->database), "enrolld_post_%d_%llu", (int)getpid(),
		       (unsigned long long)random_below(1000000));
	char sql[300];
	(void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s ENCODING 'UTF8' TEMPLATE template0", p->database);
	free(run_sql(NULL, sql));
	settings_defaults(&store_settings, p->arena, &p->owner);
	p->owner.dsn = dsn_of_services();
	p->owner.properties = pairs_of(p->arena, p->database, NULL);
	FILE *null = fopen("/dev/null", "w");
	if (!null || schema_migrate(&p->owner, false, null, &f) != REASON_OK)
		fail_msg("migrate: %s", f.detail);
	(void)fclose(null);
	(void)snprintf(sql, sizeof(sql), "CREATE ROLE %s LOGIN PASSWORD '%s' NOSUPERUSER IN ROLE enrolld_worker", p->database,
		       PASSWORD);
	free(run_sql(NULL, sql));
	p->worker = p->owner;
	p->worker.properties = pairs_of(p->arena, p->database, p->database);
	set_hasty(p);
	return p;
}

void post_close(struct post *p)
{
	courier_destroy(p->courier);
	keyring_destroy(p->keys);
	char sql[200];
	(void)snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s WITH (FORCE)", p->database);
	free(run_sql(NULL, sql));
	(void)snprintf(sql, sizeof(sql), "DROP ROLE IF EXISTS %s", p->database);
	free(run_sql(NULL, sql));
	arena_destroy(p->arena);
	free(p);
}

void post_start(struct post *p)
{
	struct fault f = {0};
	if (courier_create(&p->conf, &p->worker, p->keys, "test", (struct courier_listener){NULL, NULL}, &p->courier, &f) !=
	    REASON_OK)
		fail_msg("%s", f.detail);
}

ATTR_PRINTF(2, 0) static const char *query(const struct post *p, const char *fmt, va_list args)
{
	char sql[8000];
	assert_in_range(vsnprintf(sql, sizeof(sql), fmt, args), 1, sizeof(sql) - 1);
	char *cell = run_sql(p->database, sql);
	const char *copy = arena_text(p->arena, cell);
	free(cell);
	return copy;
}

const char *post_sql(const struct post *p, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *cell = query(p, fmt, args);
	va_end(args);
	return cell;
}

int64_t post_count(const struct post *p, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	const char *cell = query(p, fmt, args);
	va_end(args);
	return strtoll(cell, NULL, 10);
}

struct posted post_message(const struct post *p, const char *channel, const char *to, const char *locale, const char *name,
			   int64_t life_ms)
{
	bool mail = strcmp(channel, "email") == 0;
	const char *purpose = mail ? "verify_email" : "verify_phone", *link = mail ? "verify_email.link" : "verify_phone.link";
	struct uuid challenge = uuid_v7(), message = uuid_v7();
	struct nonce nonce;
	nonce_draw(&nonce);
	uint16_t epoch = keyring_active(p->keys);
	struct posted out;
	char challenge_id[UUID_TEXT_SIZE], hex[HEX_TEXT_SIZE(NONCE_SIZE)];
	uuid_format(&challenge, challenge_id);
	uuid_format(&message, out.id);
	hex_encode(nonce.bytes, NONCE_SIZE, hex);
	derive_code(p->keys, epoch, purpose, SLICE_LIT("shop"), &nonce, 0, 6, out.code);
	derive_token(p->keys, epoch, link, SLICE_LIT("shop"), &nonce, 0, out.token);
	const struct payload payload = {.recipient = slice_of(to), .locale = slice_of(locale), .name = slice_of(name)};
	struct slice sealed = seal_close(p->keys, slice_of(out.id), payload_write(&payload, p->arena), p->arena);
	char *sealed_hex = arena_alloc(p->arena, HEX_TEXT_SIZE(sealed.len));
	hex_encode(sealed.ptr, sealed.len, sealed_hex);
	post_sql(
		p,
		"INSERT INTO enrolld.challenge (challenge_id, realm, account_id, purpose, channel, claim_kind, claim_value, nonce, key_epoch, expires_at) "
		"VALUES ('%s', 'shop', gen_random_uuid(), '%s', '%s', '%s', '%s', '\\x%s', %d, now() + interval '1 day')",
		challenge_id, purpose, channel, mail ? "email" : "phone", out.id, hex,
		epoch); // an address of its own: none takes another's place
	post_sql(p,
		 "INSERT INTO enrolld.message (message_id, realm, challenge_id, channel, template, sealed, expires_at) "
		 "VALUES ('%s', 'shop', '%s', '%s', '%s', '\\x%s', now() + %lld * interval '1 millisecond')",
		 out.id, challenge_id, channel, purpose, sealed_hex, (long long)life_ms);
	return out;
}

void post_wait(const struct post *p, int64_t rows, const char *condition)
{
	for (int64_t start = clock_mono_ns(); clock_mono_ns() - start < WAIT_MS * INT64_C(1000000);) {
		if (post_count(p, "SELECT count(*) FROM enrolld.message WHERE %s", condition) == rows)
			return;
		clock_sleep_ms(50);
	}
	fail_msg("%s: %lld rows, not %lld; all: %s", condition,
		 (long long)post_count(p, "SELECT count(*) FROM enrolld.message WHERE %s", condition), (long long)rows,
		 post_sql(p, "SELECT string_agg(concat_ws(' ', channel, state, code, attempts), '; ') FROM enrolld.message"));
}
