// SPDX-License-Identifier: Apache-2.0
// Table device: whose a device is, and whether it is in use.
#include "store/family.h"
#include "store/tables.h"

// clang-format off
#define IDLES "unnest($1::uuid[], $2::uuid[], $3::text[], $4::bool[]) AS k(account_id, device_id, registration, whole) " \
	"JOIN enrolld.device AS d ON d.account_id = k.account_id AND (k.whole OR d.device_id = k.device_id OR d.registration = k.registration)"

// Also those that move, which are locked in the same order then.
static const struct statement take = {"device_take",
	"SELECT 1 FROM enrolld.device AS t WHERE t.device_id IN (SELECT d.device_id FROM " IDLES " "
		"UNION SELECT m.device_id FROM unnest($5::text[], $6::text[]) AS k(realm, registration) "
			"JOIN enrolld.device AS m ON m.realm = k.realm AND m.registration = k.registration) "
	"ORDER BY t.realm, t.registration, t.device_id FOR UPDATE OF t"};

static const struct statement idle = {"device_idle",
	"UPDATE enrolld.device AS u SET active = false FROM (SELECT d.device_id FROM " IDLES ") AS e WHERE u.device_id = e.device_id AND u.active"};

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

static void add_idle(struct params *params, const struct session_change *change)
{
	bool own = change->idles && change->ends != SESSION_ALL && !uuid_is_nil(&change->device_id);
	bool whole = change->idles && change->ends == SESSION_ALL;
	param_add_uuid(&params->at[0], &change->account_id);
	param_add_uuid(&params->at[1], own ? &change->device_id : NULL);
	param_add_text(&params->at[2], change->registration);
	param_add_text(&params->at[3], whole ? SLICE_LIT("t") : SLICE_LIT("f"));
}

void device_idle(struct pipeline *p, const struct store_item *items, size_t count)
{
	struct params taking, idling;
	params_init(&taking, 6);
	params_init(&idling, 4);
	param_array(&taking.at[4]);
	param_array(&taking.at[5]);
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		if (has_device(&items[i])) {
			param_add_text(&taking.at[4], items[i].request->realm);
			param_add_text(&taking.at[5], items[i].changes->device.registration);
		}
		const struct session_change *change = store_item_sessions(&items[i]);
		if (!change || !session_idles(change))
			continue;
		any = true;
		add_idle(&taking, change);
		add_idle(&idling, change);
	}
	if (any) {
		(void)pipeline_add(p, &take, &taking);
		(void)pipeline_add(p, &idle, &idling);
	} else {
		params_free(&taking);
		params_free(&idling);
	}
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
