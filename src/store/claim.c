// SPDX-License-Identifier: Apache-2.0
// Table claim: who holds an identity.
#include "store/result.h"
#include "store/tables.h"

// clang-format off
#define KEYS "unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(realm, kind, value, n) " \
	"JOIN enrolld.claim AS c ON c.realm = k.realm AND c.kind = k.kind AND c.value = k.value"

// An address that nobody has shown to read. To user names nothing is sent: they let nobody in without a password.
#define UNPROVED(c) c ".kind IN ('email', 'phone') AND " c ".verified_at IS NULL"

static const struct statement find = {"claim_find", "SELECT k.n FROM " KEYS};

// Only for requests whose inbox row is this transaction's: a repeat must not take what its first copy did not get.
static const struct statement insert = {"claim_insert",
	"INSERT INTO enrolld.claim (realm, kind, value, account_id, shown, verified_at) "
	"SELECT k.realm, k.kind, k.value, k.account_id, k.shown, CASE WHEN k.verified THEN clock_timestamp() END "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::bool[]) "
		"AS k(realm, kind, value, route, request_id, account_id, shown, verified) "
	"JOIN enrolld.inbox AS i ON i.realm = k.realm AND i.route = k.route AND i.request_id = k.request_id "
		"AND i.xact = pg_current_xact_id() AND i.stored_at IS NOT DISTINCT FROM now() "
	"ORDER BY k.realm COLLATE \"C\", k.kind COLLATE \"C\", k.value COLLATE \"C\" "
	"ON CONFLICT DO NOTHING"};

static const struct statement find_foreign = {"claim_find_foreign",
	"SELECT k.n FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) WITH ORDINALITY AS k(realm, kind, value, account_id, n) "
	"JOIN enrolld.claim AS c ON c.realm = k.realm AND c.kind = k.kind AND c.value = k.value "
	"WHERE NOT (c.account_id = k.account_id AND c.claimed_at = now())"};

static const struct statement give_back = {"claim_give_back",
	"DELETE FROM enrolld.claim AS c USING unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS k(realm, kind, value, account_id) "
	"WHERE c.realm = k.realm AND c.kind = k.kind AND c.value = k.value AND c.account_id = k.account_id AND c.claimed_at = now()"};

// Those of the accounts too whose other addresses may go.
static const struct statement take = {"claim_take",
	"SELECT 1 FROM (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS k(realm, kind, value) "
		"UNION SELECT o.realm, o.kind, o.value FROM unnest($4::uuid[]) AS a(account_id) "
			"JOIN enrolld.claim AS o ON o.account_id = a.account_id AND " UNPROVED("o") ") AS k "
	"JOIN enrolld.claim AS c ON c.realm = k.realm AND c.kind = k.kind AND c.value = k.value "
	"ORDER BY c.realm, c.kind, c.value FOR NO KEY UPDATE OF c"};

static const struct statement verify = {"claim_verify",
	"UPDATE enrolld.claim AS c SET verified_at = clock_timestamp() "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS k(realm, kind, value, account_id) "
	"WHERE c.realm = k.realm AND c.kind = k.kind AND c.value = k.value AND c.account_id = k.account_id AND c.verified_at IS NULL"};

// With the claim goes what was sent to it: a code of an account that does not hold the address is superseded.
static const struct statement oust = {"claim_oust",
	"DELETE FROM enrolld.claim AS c USING unnest($1::uuid[]) AS k(account_id) "
	"WHERE c.account_id = k.account_id AND " UNPROVED("c")};
// clang-format on

static void add_key(struct params *params, const struct claim_ref *ref)
{
	param_add_text(&params->at[0], ref->request->realm);
	param_add_text(&params->at[1], slice_of(claim_kind_name(ref->claim->kind)));
	param_add_text(&params->at[2], ref->claim->value);
}

size_t claim_find(struct pipeline *p, const struct claim_ref *claims, size_t count)
{
	struct params params;
	params_init(&params, 3);
	for (size_t i = 0; i < count; i++)
		add_key(&params, &claims[i]);
	return pipeline_add(p, &find, &params);
}

size_t claim_insert(struct pipeline *p, const struct claim_ref *claims, size_t count)
{
	struct params params;
	params_init(&params, 8);
	for (size_t i = 0; i < count; i++) {
		add_key(&params, &claims[i]);
		param_add_text(&params.at[3], claims[i].request->route);
		param_add_text(&params.at[4], claims[i].request->request_id);
		param_add_uuid(&params.at[5], &claims[i].account_id);
		param_add_text(&params.at[6], claims[i].claim->shown);
		param_add_text(&params.at[7], claims[i].verified ? SLICE_LIT("t") : SLICE_LIT("f"));
	}
	return pipeline_add(p, &insert, &params);
}

static size_t add_with_account(struct pipeline *p, const struct statement *statement, const struct claim_ref *claims, size_t count)
{
	struct params params;
	params_init(&params, 4);
	for (size_t i = 0; i < count; i++) {
		add_key(&params, &claims[i]);
		param_add_uuid(&params.at[3], &claims[i].account_id);
	}
	return pipeline_add(p, statement, &params);
}

size_t claim_find_foreign(struct pipeline *p, const struct claim_ref *claims, size_t count)
{
	return add_with_account(p, &find_foreign, claims, count);
}

void claim_give_back(struct pipeline *p, const struct claim_ref *claims, size_t count)
{
	(void)add_with_account(p, &give_back, claims, count);
}

size_t claim_read(const PGresult *result, size_t row)
{
	return (size_t)result_int(result, row, 0) - 1;
}

void claim_take(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 4);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = &items[i].changes->code;
		if (!code->holds || !code->verifies || items[i].changes->has_account)
			continue;
		any = true;
		param_add_text(&params.at[0], items[i].request->realm);
		param_add_text(&params.at[1], slice_of(claim_kind_name(code->kind)));
		param_add_text(&params.at[2], code->value);
		if (code->ousts)
			param_add_uuid(&params.at[3], &code->account_id);
	}
	if (any)
		(void)pipeline_add(p, &take, &params);
	else
		params_free(&params);
}

void claim_verify(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 4);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = store_item_code(&items[i]);
		if (!code || !code->verifies || items[i].changes->has_account)
			continue;
		any = true;
		param_add_text(&params.at[0], items[i].request->realm);
		param_add_text(&params.at[1], slice_of(claim_kind_name(code->kind)));
		param_add_text(&params.at[2], code->value);
		param_add_uuid(&params.at[3], &code->account_id);
	}
	if (any)
		(void)pipeline_add(p, &verify, &params);
	else
		params_free(&params);
}

void claim_oust(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 1);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = store_item_code(&items[i]);
		if (!code || !code->ousts)
			continue;
		any = true;
		param_add_uuid(&params.at[0], &code->account_id);
	}
	if (any)
		(void)pipeline_add(p, &oust, &params);
	else
		params_free(&params);
}
