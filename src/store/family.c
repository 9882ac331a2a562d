// SPDX-License-Identifier: Apache-2.0
// Table session: one row for each family of tokens.
//
// Who uses a token or signs out holds the session's row first, and is decided by what is in it then: of two that come with one token at once, one finds it
// used. Who begins one holds its account first (account_take), as does who ends all of them or sets another password: it is there to be ended with the
// others, or the password is found to be an old one.
#include "store/family.h"

#include "store/result.h"

enum column { ASK, SESSION_ID, ACCOUNT_ID, DEVICE_ID, NONCE, EPOCH, SERIAL, CREATED, REFRESHED, EXPIRES, REVOKED, NUMBER, NOW };

// clang-format off
#define MS(moment) "(extract(epoch FROM " moment ") * 1000)::int8"
#define MOMENT(ms) "timestamptz 'epoch' + " ms " * interval '1 millisecond'"

static const struct statement find = {"session_find",
	"SELECT k.n, s.session_id, s.account_id, s.device_id, s.nonce, s.key_epoch, s.serial, " MS("s.created_at") ", "
		MS("s.refreshed_at") ", " MS("s.expires_at") ", "
		"s.revoked_at IS NOT NULL, a.number, " MS("clock_timestamp()") " "
	"FROM unnest($1::int4[], $2::text[], $3::bytea[]) AS k(n, realm, digest) "
	"JOIN enrolld.session AS s ON s.token_digest = k.digest AND s.realm = k.realm "
	"JOIN enrolld.account AS a ON a.account_id = s.account_id"};

static const struct statement take = {"session_take",
	"SELECT 1 FROM enrolld.session AS s WHERE s.session_id IN (SELECT unnest($1::uuid[]) "
		"UNION SELECT t.session_id FROM unnest($2::uuid[]) AS k(account_id) "
			"JOIN enrolld.session AS t ON t.account_id = k.account_id WHERE t.revoked_at IS NULL) "
	"ORDER BY s.session_id FOR UPDATE OF s"};

static const struct statement turn = {"session_turn",
	"UPDATE enrolld.session AS s SET serial = k.serial, refreshed_at = clock_timestamp(), expires_at = " MOMENT("k.expires") " "
	"FROM unnest($1::uuid[], $2::int4[], $3::int8[]) AS k(session_id, serial, expires) WHERE s.session_id = k.session_id"};

static const struct statement end = {"session_end",
	"UPDATE enrolld.session AS s SET revoked_at = clock_timestamp(), revoked_reason = e.why "
	"FROM (SELECT k.session_id, k.why FROM unnest($1::uuid[], $5::text[]) AS k(session_id, why) WHERE k.session_id IS NOT NULL "
		"UNION SELECT t.session_id, k.why FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS k(account_id, device_id, kept, why) "
			"JOIN enrolld.session AS t ON t.account_id = k.account_id AND t.revoked_at IS NULL "
			"WHERE (k.device_id IS NULL OR t.device_id = k.device_id) AND t.session_id IS DISTINCT FROM k.kept) AS e "
	"WHERE s.session_id = e.session_id AND s.revoked_at IS NULL"};

static const struct statement insert = {"session_insert",
	"INSERT INTO enrolld.session (session_id, realm, account_id, device_id, nonce, key_epoch, token_digest, created_at, refreshed_at, expires_at) "
	"SELECT k.session_id, k.realm, k.account_id, d.device_id, k.nonce, k.epoch, k.digest, " MOMENT("k.created") ", " MOMENT("k.created") ", "
		MOMENT("k.expires") " "
	"FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::bytea[], $6::int2[], $7::bytea[], $8::int8[], $9::int8[]) "
		"AS k(session_id, realm, account_id, registration, nonce, epoch, digest, created, expires) "
	"LEFT JOIN enrolld.device AS d ON d.realm = k.realm AND d.registration = k.registration AND d.account_id = k.account_id "
	"ORDER BY k.session_id"};
// clang-format on

bool session_asks(const struct registration *registration)
{
	return registration && registration->session.digest_count > 0;
}

size_t session_find(struct pipeline *p, const struct session_ask *asks, size_t count)
{
	struct params params;
	params_init(&params, 3);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < asks[i].use->digest_count; j++) {
			param_add_int(&params.at[0], (int64_t)i);
			param_add_text(&params.at[1], asks[i].request->realm);
			param_add_bytes(&params.at[2], asks[i].use->digests[j], DIGEST_SIZE);
		}
	return pipeline_add(p, &find, &params);
}

static void read_row(const PGresult *result, size_t r, struct facts *facts)
{
	struct session_facts *s = &facts->session;
	*s = (struct session_facts){
		.found = true,
		.session_id = result_uuid(result, r, SESSION_ID),
		.account_id = result_uuid(result, r, ACCOUNT_ID),
		.seed = {.epoch = (uint16_t)result_int(result, r, EPOCH), .serial = (uint32_t)result_int(result, r, SERIAL)},
		.created_ms = result_int(result, r, CREATED),
		.refreshed_ms = result_int(result, r, REFRESHED),
		.expires_ms = result_int(result, r, EXPIRES),
		.revoked = result_bool(result, r, REVOKED),
	};
	result_fixed(result, r, NONCE, s->seed.nonce.bytes, NONCE_SIZE);
	if (!PQgetisnull(result, (int)r, DEVICE_ID))
		s->device_id = result_uuid(result, r, DEVICE_ID);
	if (!PQgetisnull(result, (int)r, NUMBER))
		s->number = result_int(result, r, NUMBER);
	facts->now_ms = result_int(result, r, NOW);
}

void session_read(const PGresult *result, const struct session_ask *asks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		asks[i].facts->session = (struct session_facts){0};
	for (size_t r = 0; r < result_rows(result); r++)
		read_row(result, r, asks[result_int(result, r, ASK)].facts);
}

bool session_ends_many(const struct session_change *change)
{
	return change->ends == SESSION_ALL || (change->ends == SESSION_DEVICE && !uuid_is_nil(&change->device_id));
}

bool session_idles(const struct session_change *change)
{
	return !slice_is_absent(change->registration) || (change->idles && change->ends != SESSION_NONE);
}

void session_take(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 2);
	param_array(&params.at[0]);
	param_array(&params.at[1]);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct session_change *change = &items[i].changes->sessions;
		if (change->holds)
			param_add_uuid(&params.at[0], &change->session_id);
		if (session_ends_many(change))
			param_add_uuid(&params.at[1], &change->account_id);
		any = any || change->holds || session_ends_many(change);
	}
	if (any)
		(void)pipeline_add(p, &take, &params);
	else
		params_free(&params);
}

void session_turn(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 3);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct session_change *change = store_item_sessions(&items[i]);
		if (!change || !change->turns)
			continue;
		any = true;
		param_add_uuid(&params.at[0], &change->session_id);
		param_add_int(&params.at[1], change->serial);
		param_add_int(&params.at[2], change->expires_ms);
	}
	if (any)
		(void)pipeline_add(p, &turn, &params);
	else
		params_free(&params);
}

void session_end(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 5);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct session_change *change = store_item_sessions(&items[i]);
		if (!change || change->ends == SESSION_NONE)
			continue;
		any = true;
		bool many = session_ends_many(change), device = change->ends == SESSION_DEVICE;
		param_add_uuid(&params.at[0], change->ends == SESSION_ALL ? NULL : &change->session_id);
		param_add_uuid(&params.at[1], many ? &change->account_id : NULL);
		param_add_uuid(&params.at[2], many && device ? &change->device_id : NULL);
		param_add_uuid(&params.at[3], uuid_is_nil(&change->kept) ? NULL : &change->kept);
		param_add_text(&params.at[4], slice_of(change->why));
	}
	if (any)
		(void)pipeline_add(p, &end, &params);
	else
		params_free(&params);
}

static bool begins(const struct store_item *item)
{
	return (item->outcome == STORE_WON || item->outcome == STORE_LOST) && item->changes->has_session;
}

void session_insert(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 9);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct changes *changes = items[i].changes;
		const struct session_row *row = &changes->session;
		if (!begins(&items[i]))
			continue;
		any = true;
		param_add_uuid(&params.at[0], &row->session_id);
		param_add_text(&params.at[1], items[i].request->realm);
		param_add_uuid(&params.at[2], &row->account_id);
		param_add_text(&params.at[3], changes->has_device ? changes->device.registration : SLICE_ABSENT);
		param_add_bytes(&params.at[4], row->seed.nonce.bytes, NONCE_SIZE);
		param_add_int(&params.at[5], row->seed.epoch);
		param_add_bytes(&params.at[6], row->digest, DIGEST_SIZE);
		param_add_int(&params.at[7], row->created_ms);
		param_add_int(&params.at[8], row->expires_ms);
	}
	if (any)
		(void)pipeline_add(p, &insert, &params);
	else
		params_free(&params);
}
