// SPDX-License-Identifier: Apache-2.0
// Table address: who asks for a code or tries one holds the row of the address that it was sent to; who tries a password, that of its identity.
#include "store/address.h"

#include <stdlib.h>

#include "store/result.h"

#define IDLE_MS (INT64_C(24) * 3600000)        // a row without failures
#define FAILED_MS (INT64_C(30) * 24 * 3600000) // after the last failure

// clang-format off
#define KEYS "unnest($1::text[], $2::text[], $3::text[]) AS k(realm, kind, value)"

static const struct statement make = {"address_make",
	"INSERT INTO enrolld.address (realm, kind, value, expires_at) "
	"SELECT k.realm, k.kind, k.value, now() + $4::int8 * interval '1 millisecond' FROM " KEYS " "
	"ORDER BY k.realm COLLATE \"C\", k.kind COLLATE \"C\", k.value COLLATE \"C\" "
	"ON CONFLICT DO NOTHING"};

static const struct statement take = {"address_take",
	"SELECT 1 FROM " KEYS " JOIN enrolld.address AS a ON a.realm = k.realm AND a.kind = k.kind AND a.value = k.value "
	"ORDER BY a.realm, a.kind, a.value FOR UPDATE OF a"};

static const struct statement count_failures = {"address_count",
	"UPDATE enrolld.address AS a SET failures = k.failures, "
		"locked_until = timestamptz 'epoch' + nullif(k.locked, 0) * interval '1 millisecond', "
		"expires_at = now() + k.life * interval '1 millisecond' "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::int4[], $5::int8[], $6::int8[]) AS k(realm, kind, value, failures, locked, life) "
	"WHERE a.realm = k.realm AND a.kind = k.kind AND a.value = k.value"};
// clang-format on

static int compare(const void *a, const void *b)
{
	const struct address_row *left = a, *right = b;
	int order = slice_compare(left->realm, right->realm);
	if (order == 0)
		order = slice_compare(left->kind, right->kind);
	return order ? order : slice_compare(left->value, right->value);
}

// Wrong passwords of an identity do not keep anybody from its codes, nor the other way round: each has a row.
static struct slice password_kind(enum claim_kind kind)
{
	static const char *const password_kinds[CLAIM_KIND_COUNT] = {
		[CLAIM_EMAIL] = "password:email", [CLAIM_PHONE] = "password:phone",   [CLAIM_USERNAME] = "password:username",
		[CLAIM_SLUG] = "password:slug",   [CLAIM_HANDLE] = "password:handle",
	};
	return slice_of(password_kinds[kind]);
}

static struct address_row row_of(const struct store_item *item)
{
	const struct code_change *code = &item->changes->code;
	bool by_password = !slice_is_absent(code->subject);
	return (struct address_row){
		.realm = item->request->realm,
		.kind = by_password ? password_kind(code->kind) : slice_of(claim_kind_name(code->kind)),
		.value = by_password ? code->subject : code->value,
	};
}

// The other row that it holds, if it has one: no item both eases and reminds.
static struct address_row second_row_of(const struct store_item *item)
{
	const struct code_change *code = &item->changes->code;
	if (code->reminds)
		return (struct address_row){
			.realm = item->request->realm, .kind = slice_of(claim_kind_name(code->kind)), .value = code->value};
	return (struct address_row){.realm = item->request->realm, .kind = password_kind(code->kind), .value = code->eases};
}

static bool has_second_row(const struct code_change *code)
{
	return code->reminds || !slice_is_absent(code->eases);
}

void address_table_begin(struct address_table *table, const struct store_item *items, size_t count, struct arena *arena)
{
	*table = (struct address_table){.rows = ARENA_ARRAY(arena, 2 * count, struct address_row)};
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = &items[i].changes->code;
		if (code->holds)
			table->rows[table->count++] = row_of(&items[i]);
		if (code->holds && has_second_row(code))
			table->rows[table->count++] = second_row_of(&items[i]);
	}
	if (table->count == 0)
		return;
	qsort(table->rows, table->count, sizeof(*table->rows), compare);
	size_t kept = 1;
	for (size_t i = 1; i < table->count; i++)
		if (compare(&table->rows[i], &table->rows[kept - 1]) != 0)
			table->rows[kept++] = table->rows[i];
	table->count = kept;
}

static void add_keys(struct params *params, const struct address_row *row)
{
	param_add_text(&params->at[0], row->realm);
	param_add_text(&params->at[1], row->kind);
	param_add_text(&params->at[2], row->value);
}

void address_take(struct pipeline *p, struct address_table *table)
{
	struct params making, taking;
	if (table->count == 0)
		return;
	params_init(&making, 4);
	params_init(&taking, 3);
	for (size_t i = 0; i < table->count; i++) {
		add_keys(&making, &table->rows[i]);
		add_keys(&taking, &table->rows[i]);
	}
	param_set_int(&making.at[3], IDLE_MS);
	(void)pipeline_add(p, &make, &making);
	table->handle = pipeline_add(p, &take, &taking);
}

bool address_taken(const struct address_table *table, const struct pipeline *p)
{
	return table->count == 0 || result_rows(pipeline_result(p, table->handle)) == table->count;
}

static bool own(const struct address_table *table, const struct address_row *key, const struct store_item *item)
{
	struct address_row *row = bsearch(key, table->rows, table->count, sizeof(*key), compare);
	if (!row->owner)
		row->owner = item;
	return row->owner == item;
}

bool address_owned(const struct address_table *table, const struct store_item *item)
{
	struct address_row row = row_of(item), second = second_row_of(item);
	return own(table, &row, item) && (!has_second_row(&item->changes->code) || own(table, &second, item));
}

static void add_count(struct params *params, const struct address_row *row, int64_t failures, int64_t locked_until_ms)
{
	add_keys(params, row);
	param_add_int(&params->at[3], failures);
	param_add_int(&params->at[4], locked_until_ms);
	param_add_int(&params->at[5], failures > 0 ? FAILED_MS : IDLE_MS);
}

void address_count(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 6);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		const struct code_change *code = store_item_code(&items[i]);
		if (!code)
			continue;
		any = any || code->counts || !slice_is_absent(code->eases);
		struct address_row row = row_of(&items[i]), eased = second_row_of(&items[i]);
		if (code->counts)
			add_count(&params, &row, code->failures, code->locked_until_ms);
		if (!slice_is_absent(code->eases))
			add_count(&params, &eased, 0, 0);
	}
	if (any)
		(void)pipeline_add(p, &count_failures, &params);
	else
		params_free(&params);
}
