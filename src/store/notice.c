// SPDX-License-Identifier: Apache-2.0
// Table notice: taken under lock, so that of several workers each publishes its own, and marked in the same transaction.
#include "enrolld/store/notice.h"

#include "enrolld/base/fault.h"
#include "store/handle.h"
#include "store/result.h"

// clang-format off
// What waits and is older than one of ours is ours too, or in another's hands: then ours is not the so-manieth of its key, and has to wait. Counting
// costs no more than there are such rows.
static const struct statement take = {"notice_take",
	"WITH taken AS (SELECT notice_id, kind, subject, key, payload, created_at FROM enrolld.notice WHERE published_at IS NULL "
			"ORDER BY created_at, notice_id LIMIT $1::int8 FOR UPDATE SKIP LOCKED), "
		"counted AS (SELECT t.*, row_number() OVER (PARTITION BY t.key ORDER BY t.created_at, t.notice_id) AS nth FROM taken AS t) "
	"SELECT t.notice_id, t.kind, coalesce(t.subject, t.notice_id::text), coalesce(t.key, t.subject, t.notice_id::text), t.payload, "
		"(extract(epoch FROM t.created_at) * 1000)::int8 "
	"FROM counted AS t WHERE t.key IS NULL OR t.nth = (SELECT count(*) FROM enrolld.notice AS o WHERE o.key = t.key "
		"AND o.published_at IS NULL AND (o.created_at, o.notice_id) <= (t.created_at, t.notice_id)) "
	"ORDER BY t.created_at, t.notice_id"};

static const struct statement mark = {"notice_mark",
	"UPDATE enrolld.notice SET published_at = now() WHERE notice_id = ANY ($1::uuid[])"};

static const struct statement waiting = {"notice_waiting", "SELECT count(*) FROM enrolld.notice WHERE published_at IS NULL"};
// clang-format on

enum reason store_notice_take(struct store *store, size_t max, struct arena *arena, struct notice *out, size_t *ret_count,
			      struct fault *f)
{
	if (store->open)
		PANIC("store_notice_take: a transaction is open");
	struct pipeline p;
	struct params params;
	pipeline_begin(&p, &store->link);
	params_init(&params, 1);
	param_set_int(&params.at[0], (int64_t)max);
	size_t handle = pipeline_add(&p, &take, &params);
	enum reason reason = pipeline_run(&p, f);
	if (reason != REASON_OK)
		return reason;
	const PGresult *result = pipeline_result(&p, handle);
	size_t count = result_rows(result);
	for (size_t r = 0; r < count; r++)
		out[r] = (struct notice){.notice_id = result_uuid(result, r, 0),
					 .kind = result_text(result, r, 1, arena),
					 .subject = result_text(result, r, 2, arena),
					 .key = result_text(result, r, 3, arena),
					 .payload = result_text(result, r, 4, arena),
					 .created_ms = result_int(result, r, 5)};
	pipeline_end(&p);
	if (count == 0)
		connection_roll_back(&store->link);
	store->open = count > 0;
	*ret_count = count;
	return REASON_OK;
}

enum reason store_notice_mark(struct store *store, const struct notice *notices, size_t count, struct fault *f)
{
	if (!store->open)
		PANIC("store_notice_mark: no transaction is open");
	store->open = false;
	struct pipeline p;
	struct params params;
	pipeline_resume(&p, &store->link);
	params_init(&params, 1);
	for (size_t i = 0; i < count; i++)
		param_add_uuid(&params.at[0], &notices[i].notice_id);
	(void)pipeline_add(&p, &mark, &params);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	if (reason == REASON_OK)
		pipeline_end(&p);
	return reason;
}

enum reason store_notice_waiting(struct store *store, int64_t *ret_count, struct fault *f)
{
	struct params none;
	params_init(&none, 0);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &waiting, &none, &handle, f);
	if (reason != REASON_OK)
		return reason;
	*ret_count = result_int(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	return REASON_OK;
}
