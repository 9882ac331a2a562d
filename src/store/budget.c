// SPDX-License-Identifier: Apache-2.0
// Table budget: leases of a window's messages. One statement decides on the row as it is once it is locked, so that all leases of a window together
// are never more than is allowed.
#include "enrolld/store/sending.h"
#include "store/handle.h"
#include "store/result.h"

#include <stdlib.h>

// clang-format off
#define EPOCH_MS(moment) "(extract(epoch FROM " moment ") * 1000)::int8"
#define MOMENT(ms) "timestamptz 'epoch' + " ms " * interval '1 millisecond'"
// As much as is asked; more of what is far from its end.
#define GIVEN(asked, left) "greatest(0, least(" left ", greatest(" asked ", least(1024, " left " / 16))))"
// Whoever waited for the lock may have begun in a window that is over by now.
#define BEFORE "(CASE WHEN b.window_start < excluded.window_start THEN 0 ELSE b.used END)"
#define LEFT_NOW "(excluded.allowed - " BEFORE ")"

static const struct statement lease = {"budget_lease",
	"INSERT INTO enrolld.budget AS b (realm, name, window_start, used, allowed, asked, given, expires_at) "
	"SELECT k.realm COLLATE \"C\", k.name COLLATE \"C\", " MOMENT("w.start") ", " GIVEN("k.asked", "k.allowed") ", k.allowed, k.asked, "
		GIVEN("k.asked", "k.allowed") ", " MOMENT("(w.start + 2 * k.length)") " "
	"FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[]) AS k(realm, name, allowed, length, asked), "
		"LATERAL (SELECT " EPOCH_MS("clock_timestamp()") " / k.length * k.length AS start) AS w "
	"ORDER BY 1, 2 "
	"ON CONFLICT (realm, name) DO UPDATE SET window_start = greatest(b.window_start, excluded.window_start), "
		"used = " BEFORE " + " GIVEN("excluded.asked", LEFT_NOW) ", given = " GIVEN("excluded.asked", LEFT_NOW) ", "
		"allowed = excluded.allowed, asked = excluded.asked, expires_at = greatest(b.expires_at, excluded.expires_at) "
	"RETURNING b.realm, b.name, b.given, b.used, " EPOCH_MS("b.window_start") ", " EPOCH_MS("clock_timestamp()")};

static const struct statement give_back = {"budget_return",
	"UPDATE enrolld.budget AS b SET used = greatest(0, b.used - k.count) "
	"FROM (SELECT b.realm, b.name, k.start, k.count FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) AS k(realm, name, start, count) "
			"JOIN enrolld.budget AS b ON b.realm = k.realm AND b.name = k.name ORDER BY b.realm, b.name FOR UPDATE OF b) AS k "
	"WHERE b.realm = k.realm AND b.name = k.name AND b.window_start = " MOMENT("k.start")};
// clang-format on

static void read_lease(const PGresult *result, size_t r, struct budget_lease *leases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct budget_lease *own = &leases[i];
		if (!slice_equal_text(own->realm, PQgetvalue(result, (int)r, 0)) ||
		    !slice_equal_text(own->name, PQgetvalue(result, (int)r, 1)))
			continue;
		own->given = result_int(result, r, 2);
		own->used = result_int(result, r, 3);
		own->start_ms = result_int(result, r, 4);
		int64_t left_ms = own->start_ms + own->window_ms - result_int(result, r, 5);
		own->left_ms = left_ms < 0 ? 0 : left_ms < own->window_ms ? left_ms : own->window_ms;
		return;
	}
}

enum reason store_budget_lease(struct store *store, struct budget_lease *leases, size_t count, struct fault *f)
{
	struct params params;
	struct pipeline p;
	size_t handle;
	params_init(&params, 5);
	for (size_t i = 0; i < count; i++) {
		param_add_text(&params.at[0], leases[i].realm);
		param_add_text(&params.at[1], leases[i].name);
		param_add_int(&params.at[2], leases[i].allowed);
		param_add_int(&params.at[3], leases[i].window_ms);
		param_add_int(&params.at[4], leases[i].asked);
	}
	enum reason reason = store_single(store, &p, &lease, &params, &handle, f);
	if (reason != REASON_OK)
		return reason;
	const PGresult *result = pipeline_result(&p, handle);
	for (size_t r = 0; r < result_rows(result); r++)
		read_lease(result, r, leases, count);
	pipeline_end(&p);
	return REASON_OK;
}

enum reason store_budget_return(struct store *store, const struct budget_return *returns, size_t count, struct fault *f)
{
	struct params params;
	struct pipeline p;
	size_t handle;
	params_init(&params, 4);
	for (size_t i = 0; i < count; i++) {
		param_add_text(&params.at[0], returns[i].realm);
		param_add_text(&params.at[1], returns[i].name);
		param_add_int(&params.at[2], returns[i].start_ms);
		param_add_int(&params.at[3], returns[i].count);
	}
	enum reason reason = store_single(store, &p, &give_back, &params, &handle, f);
	if (reason == REASON_OK)
		pipeline_end(&p);
	return reason;
}
