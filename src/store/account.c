// SPDX-License-Identifier: Apache-2.0
// Table account.
#include <stdlib.h>
#include <string.h>

#include "store/family.h"
#include "store/tables.h"

// clang-format off
static const struct statement insert = {"account_insert",
	"INSERT INTO enrolld.account (account_id, realm, state, password_hash, given_name, family_name, display_name, birth_date, locale, attributes, number, opening) "
	"SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::date[], $9::text[], $10::jsonb[], "
		"$11::int8[], $12::json[]) "
		"AS k(account_id) ORDER BY k.account_id"};

// What is known of their passwords is true then until the end.
static const struct statement take = {"account_take",
	"SELECT 1 FROM enrolld.account AS a WHERE a.account_id IN (SELECT unnest($1::uuid[])) ORDER BY a.account_id FOR NO KEY UPDATE OF a"};

// In key order: two addresses of one account may be signed in with at once. Of several new hashes the last counts.
#define LAST(column) "(array_agg(w." column " ORDER BY w.n DESC) FILTER (WHERE w.password IS NOT NULL))[1] AS " column
static const struct statement welcome = {"account_welcome",
	"UPDATE enrolld.account AS a SET state = CASE WHEN k.activates AND a.state = 'pending' THEN 'active' ELSE a.state END, "
		"password_hash = CASE WHEN k.hashed THEN k.password WHEN k.ousts AND a.state = 'pending' THEN NULL ELSE a.password_hash END, "
		"password_serial = a.password_serial + (k.ousts AND a.state = 'pending' OR k.hashed AND k.renews IS NULL)::int4, "
		"locale = coalesce(k.locale, a.locale), updated_at = now() "
	"FROM (SELECT l.account_id, u.activates, u.ousts, u.locale, u.password, u.renews, "
			"u.password IS NOT NULL AND (u.renews IS NULL OR l.password_hash IS NOT DISTINCT FROM u.renews) AS hashed "
		"FROM (SELECT w.account_id, bool_or(w.activates) AS activates, bool_or(w.ousts) AS ousts, max(w.locale) AS locale, "
				LAST("password") ", " LAST("renews") " "
			"FROM unnest($1::uuid[], $2::bool[], $3::bool[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY "
				"AS w(account_id, activates, ousts, locale, password, renews, n) GROUP BY w.account_id) AS u "
		"JOIN enrolld.account AS l ON l.account_id = u.account_id ORDER BY l.account_id FOR UPDATE OF l) AS k "
	"WHERE a.account_id = k.account_id "
		"AND ((k.activates AND a.state = 'pending') OR k.hashed OR coalesce(k.locale, a.locale) IS DISTINCT FROM a.locale)"};
// clang-format on

void account_insert(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 12);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (items[i].outcome != STORE_WON || !items[i].changes->has_account)
			continue;
		any = true;
		const struct account_row *row = &items[i].changes->account;
		param_add_uuid(&params.at[0], &row->account_id);
		param_add_text(&params.at[1], items[i].request->realm);
		param_add_text(&params.at[2], slice_of(row->state));
		param_add_text(&params.at[3], row->password_hash);
		param_add_text(&params.at[4], row->given_name);
		param_add_text(&params.at[5], row->family_name);
		param_add_text(&params.at[6], row->display_name);
		param_add_text(&params.at[7], row->birth_date);
		param_add_text(&params.at[8], row->locale);
		param_add_text(&params.at[9], row->attributes);
		if (row->number != 0)
			param_add_int(&params.at[10], row->number);
		else
			param_add_text(&params.at[10], SLICE_ABSENT);
		param_add_text(&params.at[11], row->opening);
	}
	if (any)
		(void)pipeline_add(p, &insert, &params);
	else
		params_free(&params);
}

bool account_gets_password(const struct store_item *item)
{
	const struct code_change *code = &item->changes->code;
	return code->holds && !slice_is_absent(code->password) && slice_is_absent(code->renews);
}

static bool is_welcome(const struct code_change *code)
{
	return code->holds && (code->verifies || !slice_is_absent(code->locale) || !slice_is_absent(code->password));
}

// NULL: none that was there. Whoever moves a device to an account, or puts its devices out of use, holds it too: of these none comes in between.
static const struct uuid *touched(const struct changes *changes)
{
	if (changes->has_account)
		return NULL;
	if (changes->has_session)
		return &changes->session.account_id;
	if (changes->has_device)
		return &changes->device.account_id;
	if (session_ends_many(&changes->sessions) || session_idles(&changes->sessions))
		return &changes->sessions.account_id;
	return is_welcome(&changes->code) ? &changes->code.account_id : NULL;
}

static bool ends_password(const struct store_item *item)
{
	return account_gets_password(item) || (item->changes->code.holds && item->changes->code.ousts);
}

static int compare(const void *a, const void *b)
{
	const struct account_hold *left = a, *right = b;
	return memcmp(left->account_id.bytes, right->account_id.bytes, sizeof(left->account_id.bytes));
}

// Accounts that an item is about: at most two.
static size_t accounts_of(const struct store_item *item, const struct uuid *ids[static 2])
{
	const struct uuid *one = touched(item->changes), *two = &item->changes->code.account_id;
	size_t count = 0;
	if (!item->changes->code.holds)
		return 0;
	if (one)
		ids[count++] = one;
	if (!uuid_is_nil(two) && !(one && uuid_equal(one, two)))
		ids[count++] = two;
	return count;
}

void account_table_begin(struct account_table *table, const struct store_item *items, size_t count, struct arena *arena)
{
	*table = (struct account_table){.rows = ARENA_ARRAY(arena, 2 * count, struct account_hold)};
	const struct uuid *ids[2];
	for (size_t i = 0; i < count; i++)
		for (size_t n = accounts_of(&items[i], ids); n-- > 0;)
			table->rows[table->count++].account_id = *ids[n];
	qsort(table->rows, table->count, sizeof(*table->rows), compare);
	size_t kept = 0;
	for (size_t i = 0; i < table->count; i++)
		if (kept == 0 || compare(&table->rows[i], &table->rows[kept - 1]) != 0)
			table->rows[kept++] = table->rows[i];
	table->count = kept;
}

static struct account_hold *find_hold(const struct account_table *table, const struct uuid *id)
{
	const struct account_hold key = {.account_id = *id};
	return bsearch(&key, table->rows, table->count, sizeof(key), compare);
}

bool account_owned(const struct account_table *table, const struct store_item *item)
{
	const struct uuid *ids[2];
	bool ends = ends_password(item), owned = true;
	size_t count = accounts_of(item, ids);
	for (size_t i = 0; i < count; i++) {
		const struct account_hold *hold = find_hold(table, ids[i]);
		owned = owned && !hold->ended && !(ends && hold->entered);
	}
	for (size_t i = 0; owned && i < count; i++) {
		struct account_hold *hold = find_hold(table, ids[i]);
		hold->entered = true;
		hold->ended = hold->ended || ends;
	}
	return owned;
}

void account_take(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 1);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct uuid *id = touched(items[i].changes);
		if (!id)
			continue;
		any = true;
		param_add_uuid(&params.at[0], id);
	}
	if (any)
		(void)pipeline_add(p, &take, &params);
	else
		params_free(&params);
}

void account_welcome(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 6);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = store_item_code(&items[i]);
		if (!code || !is_welcome(code) || items[i].changes->has_account)
			continue;
		any = true;
		param_add_uuid(&params.at[0], &code->account_id);
		param_add_text(&params.at[1], code->verifies ? SLICE_LIT("t") : SLICE_LIT("f"));
		param_add_text(&params.at[2], code->ousts ? SLICE_LIT("t") : SLICE_LIT("f"));
		param_add_text(&params.at[3], code->locale);
		param_add_text(&params.at[4], code->password);
		param_add_text(&params.at[5], code->renews);
	}
	if (any)
		(void)pipeline_add(p, &welcome, &params);
	else
		params_free(&params);
}
