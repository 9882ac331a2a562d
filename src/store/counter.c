// SPDX-License-Identifier: Apache-2.0
// Table counter: integer ids, without gaps, since a number is taken in the transaction that uses it.
#include "store/handle.h"
#include "store/result.h"

// clang-format off
static const struct statement take = {"counter_take",
	"INSERT INTO enrolld.counter AS c (realm, name, value) "
	"SELECT k.realm COLLATE \"C\", k.name COLLATE \"C\", count(*) FROM unnest($1::text[], $2::text[]) AS k(realm, name) "
	"GROUP BY 1, 2 ORDER BY 1, 2 "
	"ON CONFLICT (realm, name) DO UPDATE SET value = c.value + excluded.value "
	"RETURNING c.realm, c.name, c.value"};
// clang-format on

static bool wants_number(const struct store_item *item)
{
	return item->outcome == STORE_WON && item->changes->has_account && item->changes->account.counter;
}

// The last of the counter's new numbers goes to the last item.
static void hand_out(struct store_item *items, size_t count, struct slice realm, struct slice name, int64_t value)
{
	for (size_t i = count; i-- > 0;) {
		struct account_row *account = &items[i].changes->account;
		if (wants_number(&items[i]) && slice_equal(items[i].request->realm, realm) &&
		    slice_equal_text(name, account->counter))
			account->number = value--;
	}
}

enum reason store_number(struct store *store, struct store_item *items, size_t count, struct fault *f)
{
	if (!store->open)
		PANIC("store_number: no transaction is open");
	struct params params;
	params_init(&params, 2);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (!wants_number(&items[i]))
			continue;
		any = true;
		param_add_text(&params.at[0], items[i].request->realm);
		param_add_text(&params.at[1], slice_of(items[i].changes->account.counter));
	}
	if (!any) {
		params_free(&params);
		return REASON_OK;
	}
	struct pipeline p;
	pipeline_resume(&p, &store->link);
	size_t handle = pipeline_add(&p, &take, &params);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK) {
		store->open = false;
		return reason;
	}
	const PGresult *result = pipeline_result(&p, handle);
	for (size_t r = 0; r < result_rows(result); r++)
		hand_out(items, count, result_text(result, r, 0, store->held), result_text(result, r, 1, store->held),
			 result_int(result, r, 2));
	pipeline_end(&p);
	return REASON_OK;
}
