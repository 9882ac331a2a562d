// SPDX-License-Identifier: Apache-2.0
// Table prefix: texts and the codes of them that came back, and holds.
#include "enrolld/store/sending.h"
#include "store/handle.h"
#include "store/notice.h"
#include "store/result.h"

// clang-format off
#define KEYS "unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[]) AS k(realm, prefix, sends, verified, length)"
#define MS(n) n " * interval '1 millisecond'"
#define OVER "p.window_end <= now()"
#define NOTICE(kind, from, more) NOTICE_INSERT \
	"SELECT realm, '" kind "', realm || '/' || prefix, realm || '/' || prefix, " \
		"json_build_object('realm', realm, 'prefix', prefix" more ", 'at', " NOTICE_MOMENT("now()") ")::text FROM " from " ORDER BY realm, prefix"

// When a hold is over, what it was for is forgotten.
static const struct statement release = {"prefix_release",
	"WITH over AS (SELECT realm, prefix FROM enrolld.prefix WHERE held_until <= now() ORDER BY realm, prefix LIMIT $1::int8 FOR UPDATE SKIP LOCKED), "
		"released AS (UPDATE enrolld.prefix AS p SET held_until = NULL, window_end = now(), sends = 0, verified = 0 "
			"FROM over AS o WHERE p.realm = o.realm AND p.prefix = o.prefix RETURNING p.realm, p.prefix) "
	NOTICE("sending.released", "released", "")};

static const struct statement add = {"prefix_add",
	"INSERT INTO enrolld.prefix AS p (realm, prefix, window_end, sends, verified, expires_at) "
	"SELECT k.realm COLLATE \"C\", k.prefix COLLATE \"C\", now() + " MS("k.length") ", k.sends, k.verified, now() + " MS("2 * k.length") " "
	"FROM " KEYS " ORDER BY 1, 2 "
	"ON CONFLICT (realm, prefix) DO UPDATE SET "
		"window_end = CASE WHEN " OVER " THEN excluded.window_end ELSE p.window_end END, "
		"sends = CASE WHEN " OVER " THEN 0 ELSE p.sends END + excluded.sends, "
		"verified = CASE WHEN " OVER " THEN 0 ELSE p.verified END + excluded.verified, "
		"expires_at = greatest(p.expires_at, excluded.expires_at)"};

// Their rows are locked by the statement before.
static const struct statement hold = {"prefix_hold",
	"WITH begun AS (UPDATE enrolld.prefix AS p SET held_until = now() + " MS("k.time") ", "
			"expires_at = greatest(p.expires_at, now() + " MS("2 * k.time") ") "
			"FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::int8[]) AS k(realm, prefix, least, percent, time) "
			"WHERE p.realm = k.realm AND p.prefix = k.prefix AND p.held_until IS NULL "
				"AND p.sends >= k.least AND p.verified * 100 < p.sends * k.percent "
			"RETURNING p.realm, p.prefix, p.sends, p.verified, p.held_until), "
		"told AS (" NOTICE("sending.held", "begun", ", 'sends', sends, 'verified', verified, 'percent', verified * 100 / sends, "
			"'until', " NOTICE_MOMENT("held_until")) ") "
	"SELECT realm, prefix, sends, verified FROM begun"};

static const struct statement held = {"prefix_held",
	"SELECT realm, prefix, (extract(epoch FROM held_until - now()) * 1000)::int8 FROM enrolld.prefix "
	"WHERE held_until > now() ORDER BY held_until DESC LIMIT $1::int8"};
// clang-format on

static void add_key(struct params *params, const struct prefix_count *count)
{
	param_add_text(&params->at[0], count->realm);
	param_add_text(&params->at[1], count->prefix);
}

static size_t add_counts(struct pipeline *p, const struct prefix_count *counts, size_t count)
{
	struct params adding, holding;
	params_init(&adding, 5);
	params_init(&holding, 5);
	for (size_t i = 0; i < count; i++) {
		add_key(&adding, &counts[i]);
		param_add_int(&adding.at[2], counts[i].sends);
		param_add_int(&adding.at[3], counts[i].verified);
		param_add_int(&adding.at[4], counts[i].window_ms);
		add_key(&holding, &counts[i]);
		param_add_int(&holding.at[2], counts[i].least);
		param_add_int(&holding.at[3], counts[i].percent);
		param_add_int(&holding.at[4], counts[i].time_ms);
	}
	(void)pipeline_add(p, &add, &adding);
	return pipeline_add(p, &hold, &holding);
}

static void read_holds(const PGresult *result, struct arena *arena, struct prefix_hold *holds)
{
	for (size_t r = 0; r < result_rows(result); r++)
		holds[r] = (struct prefix_hold){.realm = result_text(result, r, 0, arena),
						.prefix = result_text(result, r, 1, arena),
						.left_ms = result_int(result, r, 2)};
}

static void read_begun(const PGresult *result, struct prefix_hold *holds, size_t count)
{
	for (size_t r = 0; r < result_rows(result); r++)
		for (size_t i = 0; i < count; i++) {
			struct prefix_hold *own = &holds[i];
			if (!slice_equal_text(own->realm, PQgetvalue(result, (int)r, 0)) ||
			    !slice_equal_text(own->prefix, PQgetvalue(result, (int)r, 1)))
				continue;
			own->begun = true;
			own->sends = result_int(result, r, 2);
			own->verified = result_int(result, r, 3);
		}
}

enum reason store_prefix_count(struct store *store, const struct prefix_count *counts, size_t count, struct arena *arena,
			       struct prefix_hold **ret_holds, size_t *ret_hold_count, struct fault *f)
{
	if (store->open)
		PANIC("store_prefix_count within the transaction of a batch");
	struct pipeline p;
	struct params params;
	size_t begun = 0;
	pipeline_begin(&p, &store->link);
	params_init(&params, 1);
	param_set_int(&params.at[0], PREFIX_HOLDS_MAX);
	(void)pipeline_add(&p, &release, &params);
	if (count > 0)
		begun = add_counts(&p, counts, count);
	params_init(&params, 1);
	param_set_int(&params.at[0], PREFIX_HOLDS_MAX);
	size_t all = pipeline_add(&p, &held, &params);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;
	const PGresult *result = pipeline_result(&p, all);
	size_t hold_count = result_rows(result);
	struct prefix_hold *holds = ARENA_ARRAY(arena, hold_count, struct prefix_hold);
	read_holds(result, arena, holds);
	if (count > 0)
		read_begun(pipeline_result(&p, begun), holds, hold_count);
	pipeline_end(&p);
	*ret_holds = holds;
	*ret_hold_count = hold_count;
	return REASON_OK;
}
