// SPDX-License-Identifier: Apache-2.0
// Table device: whose a device is.
#include "store/tables.h"

// clang-format off
static const struct statement move = {"device_move",
	"INSERT INTO enrolld.device AS d (device_id, realm, account_id, registration, name, kind) "
	"SELECT k.device_id, k.realm, k.account_id, k.registration, k.name, k.kind "
	"FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[]) "
		"AS k(device_id, realm, account_id, registration, name, kind) "
	"ORDER BY k.realm COLLATE \"C\", k.registration COLLATE \"C\" "
	"ON CONFLICT (realm, registration) WHERE registration IS NOT NULL DO UPDATE SET account_id = excluded.account_id, "
		"name = excluded.name, kind = excluded.kind, active = true, last_seen_at = now()"};
// clang-format on

static bool has_device(const struct store_item *item)
{
	return (item->outcome == STORE_WON || item->outcome == STORE_LOST) && item->changes->has_device;
}

// Of several of a batch with one device the last has it: a statement can move a row once.
static bool is_last(const struct store_item *items, size_t count, size_t i)
{
	for (size_t j = i + 1; j < count; j++)
		if (has_device(&items[j]) && slice_equal(items[j].request->realm, items[i].request->realm) &&
		    slice_equal(items[j].changes->device.registration, items[i].changes->device.registration))
			return false;
	return true;
}

void device_move(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params params;
	params_init(&params, 6);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (!has_device(&items[i]) || !is_last(items, count, i))
			continue;
		any = true;
		const struct device_row *row = &items[i].changes->device;
		param_add_uuid(&params.at[0], &row->device_id);
		param_add_text(&params.at[1], items[i].request->realm);
		param_add_uuid(&params.at[2], &row->account_id);
		param_add_text(&params.at[3], row->registration);
		param_add_text(&params.at[4], row->name);
		param_add_text(&params.at[5], row->kind);
	}
	if (any)
		(void)pipeline_add(p, &move, &params);
	else
		params_free(&params);
}
