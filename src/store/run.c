// SPDX-License-Identifier: Apache-2.0
// Tables run and hand: whether the last run of a lane ended cleanly, and the records that were in hand when one did not.
#include "store/handle.h"
#include "store/result.h"

// clang-format off
static const struct statement begin = {"run_begin",
	"INSERT INTO enrolld.run AS r (instance, lane) VALUES ($1, $2) "
	"ON CONFLICT (instance, lane) DO UPDATE SET started_at = now(), ended_at = NULL, unclean = r.ended_at IS NULL RETURNING unclean"};

static const struct statement end = {"run_end", "UPDATE enrolld.run SET ended_at = now() WHERE instance = $1 AND lane = $2"};

static const struct statement others = {"run_others",
	"SELECT instance FROM enrolld.run WHERE instance <> $1 AND lane = $2 AND ended_at IS NULL ORDER BY started_at DESC LIMIT $3::int4"};

static const struct statement on = {"hand_on",
	"INSERT INTO enrolld.hand AS h (\"group\", topic, partition, \"offset\") VALUES ($1, $2, $3::int4, $4::int8) "
	"ON CONFLICT (\"group\", topic, partition, \"offset\") DO UPDATE SET times = h.times + 1, taken_at = now() RETURNING times - 1"};

static const struct statement off = {"hand_off",
	"DELETE FROM enrolld.hand WHERE \"group\" = $1 AND topic = $2 AND partition = $3::int4 AND \"offset\" = $4::int8"};
// clang-format on

static struct params run_params(const char *instance, const char *lane)
{
	struct params params;
	params_init(&params, 2);
	param_set_text(&params.at[0], slice_of(instance));
	param_set_text(&params.at[1], slice_of(lane));
	return params;
}

static struct params hand_params(const char *group, const struct coordinates *at)
{
	struct params params;
	params_init(&params, 4);
	param_set_text(&params.at[0], slice_of(group));
	param_set_text(&params.at[1], slice_of(at->topic));
	param_set_int(&params.at[2], at->partition);
	param_set_int(&params.at[3], at->offset);
	return params;
}

enum reason store_run_begin(struct store *store, const char *instance, const char *lane, bool *ret_unclean, struct fault *f)
{
	struct params params = run_params(instance, lane);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &begin, &params, &handle, f);
	if (reason != REASON_OK)
		return reason;
	*ret_unclean = result_bool(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	return REASON_OK;
}

enum reason store_run_end(struct store *store, const char *instance, const char *lane, struct fault *f)
{
	struct params params = run_params(instance, lane);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &end, &params, &handle, f);
	pipeline_end(&p);
	return reason;
}

enum reason store_run_others(struct store *store, const char *instance, const char *lane, size_t max, struct arena *arena,
			     struct slice *instances, size_t *ret_count, struct fault *f)
{
	struct params params;
	params_init(&params, 3);
	param_set_text(&params.at[0], slice_of(instance));
	param_set_text(&params.at[1], slice_of(lane));
	param_set_int(&params.at[2], (int64_t)max);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &others, &params, &handle, f);
	if (reason != REASON_OK)
		return reason;
	size_t rows = result_rows(pipeline_result(&p, handle));
	for (size_t r = 0; r < rows; r++)
		instances[r] = result_text(pipeline_result(&p, handle), r, 0, arena);
	pipeline_end(&p);
	*ret_count = rows;
	return REASON_OK;
}

enum reason store_hand_on(struct store *store, const char *group, const struct coordinates *at, int *ret_before, struct fault *f)
{
	struct params params = hand_params(group, at);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &on, &params, &handle, f);
	if (reason != REASON_OK)
		return reason;
	*ret_before = (int)result_int(pipeline_result(&p, handle), 0, 0);
	pipeline_end(&p);
	return REASON_OK;
}

enum reason store_hand_off(struct store *store, const char *group, const struct coordinates *at, struct fault *f)
{
	struct params params = hand_params(group, at);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &off, &params, &handle, f);
	pipeline_end(&p);
	return reason;
}
