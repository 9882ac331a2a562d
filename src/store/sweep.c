// SPDX-License-Identifier: Apache-2.0
// Deleting what is older than the horizon, in small batches; one worker at a time, which keeps it out of everybody's locks.
#include "store/handle.h"

// Rows are kept this much longer than requests are executed: clocks differ, and a request up to five minutes ahead counts as now.
#define MARGIN_MS 3600000

// clang-format off
#define SWEEP(table, key, age) \
	"DELETE FROM enrolld." table " WHERE (" key ") IN (SELECT " key " FROM enrolld." table " " \
	"WHERE " age " < now() - $1::int8 * interval '1 millisecond' AND (SELECT pg_try_advisory_xact_lock(1701737071, 1)) " \
	"ORDER BY " age " LIMIT $2::int8)"

// Limits, addresses and sessions change while they are swept: those in somebody's hand are passed over, and the age is asked of the newest row. They end by
// themselves: the horizon is not theirs.
#define SWEEP_LIMITS \
	"DELETE FROM enrolld.\"limit\" AS l USING (SELECT realm, name, subject FROM enrolld.\"limit\" " \
	"WHERE expires_at < now() AND $1::int8 >= 0 AND (SELECT pg_try_advisory_xact_lock(1701737071, 1)) " \
	"ORDER BY expires_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED) AS o " \
	"WHERE l.realm = o.realm AND l.name = o.name AND l.subject = o.subject AND l.expires_at < now()"

#define SWEEP_SENDING(table, key) \
	"DELETE FROM enrolld." table " AS t USING (SELECT realm, " key " FROM enrolld." table " " \
	"WHERE expires_at < now() AND $1::int8 >= 0 AND (SELECT pg_try_advisory_xact_lock(1701737071, 1)) " \
	"ORDER BY expires_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED) AS o " \
	"WHERE t.realm = o.realm AND t." key " = o." key " AND t.expires_at < now()"

#define SWEEP_ADDRESSES \
	"DELETE FROM enrolld.address AS a USING (SELECT realm, kind, value FROM enrolld.address " \
	"WHERE expires_at < now() AND $1::int8 >= 0 AND (SELECT pg_try_advisory_xact_lock(1701737071, 1)) " \
	"ORDER BY expires_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED) AS o " \
	"WHERE a.realm = o.realm AND a.kind = o.kind AND a.value = o.value AND a.expires_at < now()"

#define SWEEP_SESSIONS \
	"DELETE FROM enrolld.session AS s USING (SELECT session_id FROM enrolld.session " \
	"WHERE expires_at < now() AND $1::int8 >= 0 AND (SELECT pg_try_advisory_xact_lock(1701737071, 1)) " \
	"ORDER BY expires_at LIMIT $2::int8 FOR UPDATE SKIP LOCKED) AS o " \
	"WHERE s.session_id = o.session_id AND s.expires_at < now()"

// In the order in which tables are locked.
static const struct statement statements[] = {
	{"sweep_inbox", SWEEP("inbox", "realm, route, request_id", "stored_at")},
	{"sweep_limit", SWEEP_LIMITS},
	{"sweep_address", SWEEP_ADDRESSES},
	{"sweep_session", SWEEP_SESSIONS},
	{"sweep_challenge", SWEEP("challenge", "challenge_id", "expires_at")},
	{"sweep_message", SWEEP("message", "message_id", "settled_at")},
	{"sweep_budget", SWEEP_SENDING("budget", "name")},
	{"sweep_prefix", SWEEP_SENDING("prefix", "prefix")},
	{"sweep_notice", SWEEP("notice", "notice_id", "published_at")},
};
// clang-format on

enum reason store_sweep(struct store *store, size_t limit, size_t *ret_deleted, struct fault *f)
{
	size_t deleted = 0;
	for (size_t i = 0; i < ARRAY_LEN(statements) && deleted < limit; i++) {
		struct params params;
		params_init(&params, 2);
		param_set_int(&params.at[0], store->link.conf->horizon_ms + MARGIN_MS);
		param_set_int(&params.at[1], (int64_t)(limit - deleted));
		struct pipeline p;
		size_t handle;
		enum reason reason = store_single(store, &p, &statements[i], &params, &handle, f);
		if (reason != REASON_OK)
			return reason;
		deleted += pipeline_touched(&p, handle);
		pipeline_end(&p);
	}
	*ret_deleted = deleted;
	return REASON_OK;
}
