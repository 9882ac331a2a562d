// SPDX-License-Identifier: Apache-2.0
// Table inbox: one row per request that ended.
#include <string.h>

#include "store/result.h"
#include "store/tables.h"

// clang-format off
#define KEYS "unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(realm, route, request_id, n) " \
	"JOIN enrolld.inbox AS i ON i.realm = k.realm AND i.route = k.route AND i.request_id = k.request_id"
#define COLUMNS "SELECT k.n, i.state = 'dead', i.topic, i.partition, i.\"offset\", i.fingerprint, i.fingerprint_epoch, i.result, i.receipt "
// Rows of this transaction. Not "=", which the planner would look up in the index by age and compare with every key of the batch.
#define OWN "i.xact = pg_current_xact_id() AND i.stored_at IS NOT DISTINCT FROM now()"

static const struct statement find = {"inbox_find", COLUMNS "FROM " KEYS};

static const struct statement find_foreign = {"inbox_find_foreign", COLUMNS "FROM " KEYS " WHERE NOT (" OWN ")"};

static const struct statement insert = {"inbox_insert",
	"INSERT INTO enrolld.inbox (realm, route, request_id, state, outcome, reason, topic, partition, \"offset\", "
		"fingerprint, fingerprint_epoch, result, receipt, account_id) "
	"SELECT k.realm, k.route, k.request_id, CASE WHEN k.result IS NULL THEN 'dead' ELSE 'done' END, k.outcome, k.reason, "
		"k.topic, k.partition, k.at, k.fingerprint, k.epoch, k.result, k.receipt, k.account_id "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[], "
		"$10::int4[], $11::int8[], $12::bytea[], $13::int2[]) "
		"AS k(realm, route, request_id, outcome, reason, result, receipt, account_id, topic, partition, at, fingerprint, epoch) "
	"ORDER BY k.realm COLLATE \"C\", k.route COLLATE \"C\", k.request_id COLLATE \"C\" "
	"ON CONFLICT DO NOTHING"};

static const struct statement correct = {"inbox_correct",
	"UPDATE enrolld.inbox AS i SET state = CASE WHEN k.result IS NULL THEN 'dead' ELSE 'done' END, "
		"outcome = k.outcome, reason = k.reason, result = k.result, receipt = k.receipt, account_id = k.account_id "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[]) "
		"AS k(realm, route, request_id, outcome, reason, result, receipt, account_id) "
	"WHERE i.realm = k.realm AND i.route = k.route AND i.request_id = k.request_id AND " OWN};

static const struct statement withdraw = {"inbox_withdraw",
	"DELETE FROM enrolld.inbox AS i USING unnest($1::text[], $2::text[], $3::text[]) AS k(realm, route, request_id) "
	"WHERE i.realm = k.realm AND i.route = k.route AND i.request_id = k.request_id AND " OWN};
// clang-format on

static void add_key(struct params *params, const struct request *request)
{
	param_add_text(&params->at[0], request->realm);
	param_add_text(&params->at[1], request->route);
	param_add_text(&params->at[2], request->request_id);
}

static size_t add_find(struct pipeline *p, const struct statement *statement, const struct request *const *requests, size_t count)
{
	struct params params;
	params_init(&params, 3);
	for (size_t i = 0; i < count; i++)
		add_key(&params, requests[i]);
	return pipeline_add(p, statement, &params);
}

size_t inbox_find(struct pipeline *p, const struct request *const *requests, size_t count)
{
	return add_find(p, &find, requests, count);
}

size_t inbox_find_foreign(struct pipeline *p, const struct request *const *requests, size_t count)
{
	return add_find(p, &find_foreign, requests, count);
}

size_t inbox_read(const PGresult *result, struct arena *(*found)(void *ctx, size_t index, struct inbox_row **row), void *ctx)
{
	size_t rows = result_rows(result);
	for (size_t r = 0; r < rows; r++) {
		struct inbox_row *row;
		struct arena *arena = found(ctx, (size_t)result_int(result, r, 0) - 1, &row);
		row->dead = result_bool(result, r, 1);
		row->topic = result_text(result, r, 2, arena);
		row->partition = (int32_t)result_int(result, r, 3);
		row->offset = result_int(result, r, 4);
		result_fixed(result, r, 5, row->fingerprint.bytes, FINGERPRINT_SIZE);
		row->fingerprint.epoch = (uint16_t)result_int(result, r, 6);
		row->result = result_text(result, r, 7, arena);
		row->receipt = result_text(result, r, 8, arena);
	}
	return rows;
}

static void add_answer(struct params *params, const struct changes *changes)
{
	param_add_text(&params->at[3], slice_of(outcome_name(changes->outcome)));
	param_add_text(&params->at[4], changes->why == REASON_OK ? SLICE_ABSENT : slice_of(reason_code(changes->why)));
	param_add_text(&params->at[5], changes->result);
	param_add_text(&params->at[6], changes->receipt);
	param_add_uuid(&params->at[7], changes->has_account ? &changes->account.account_id : NULL);
}

// Nobody sees it before it is corrected.
static void add_no_answer(struct params *params)
{
	param_add_text(&params->at[3], SLICE_LIT(""));
	param_add_text(&params->at[4], SLICE_ABSENT);
	param_add_text(&params->at[5], SLICE_ABSENT);
	param_add_text(&params->at[6], SLICE_LIT(""));
	param_add_uuid(&params->at[7], NULL);
}

size_t inbox_insert(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 13);
	for (size_t i = 0; i < count; i++) {
		const struct request *request = items[i].request;
		const struct coordinates *at = &request->record->at;
		static const struct fingerprint none = {0};
		const struct fingerprint *print = request->fingerprint_count > 0 ? &request->fingerprints[0] : &none;
		add_key(&params, request);
		if (items[i].completed)
			add_no_answer(&params);
		else
			add_answer(&params, items[i].changes);
		param_add_text(&params.at[8], slice_of(at->topic));
		param_add_int(&params.at[9], at->partition);
		param_add_int(&params.at[10], at->offset);
		param_add_bytes(&params.at[11], print->bytes, FINGERPRINT_SIZE);
		param_add_int(&params.at[12], print->epoch);
	}
	return pipeline_add(p, &insert, &params);
}

void inbox_correct(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 8);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome != STORE_LOST && !(items[i].outcome == STORE_WON && items[i].completed))
			continue;
		any = true;
		add_key(&params, items[i].request);
		add_answer(&params, items[i].changes);
	}
	if (any)
		(void)pipeline_add(p, &correct, &params);
	else
		params_free(&params);
}

void inbox_withdraw(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 3);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome != STORE_AGAIN)
			continue;
		any = true;
		add_key(&params, items[i].request);
	}
	if (any)
		(void)pipeline_add(p, &withdraw, &params);
	else
		params_free(&params);
}
