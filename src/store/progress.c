// SPDX-License-Identifier: Apache-2.0
// Table progress: how far each group's committed Kafka transactions reach.
#include "store/handle.h"
#include "store/result.h"

// clang-format off
static const struct statement raise_marks = {"progress_raise",
	"INSERT INTO enrolld.progress AS p (\"group\", topic, partition, mark) "
	"SELECT $1, k.topic COLLATE \"C\", k.partition, max(k.mark) FROM unnest($2::text[], $3::int4[], $4::int8[]) AS k(topic, partition, mark) "
	"GROUP BY 2, 3 ORDER BY 2, 3 "
	"ON CONFLICT (\"group\", topic, partition) DO UPDATE SET mark = excluded.mark, updated_at = now() WHERE p.mark < excluded.mark"};

static const struct statement find = {"progress_find",
	"SELECT k.n, coalesce(p.mark, 0), (extract(epoch FROM now()) * 1000)::int8 "
	"FROM unnest($2::text[], $3::int4[]) WITH ORDINALITY AS k(topic, partition, n) "
	"LEFT JOIN enrolld.progress AS p ON p.\"group\" = $1 AND p.topic = k.topic AND p.partition = k.partition"};

static const struct statement forget = {"progress_forget",
	"DELETE FROM enrolld.progress WHERE \"group\" = $1 AND topic = $2 AND partition = $3::int4"};
// clang-format on

void progress_raise(struct pipeline *p, const char *group, const struct mark *raise, size_t count)
{
	if (count == 0)
		return;
	struct params params;
	params_init(&params, 4);
	param_set_text(&params.at[0], slice_of(group));
	for (size_t i = 0; i < count; i++) {
		param_add_text(&params.at[1], slice_of(raise[i].topic));
		param_add_int(&params.at[2], raise[i].partition);
		param_add_int(&params.at[3], raise[i].offset);
	}
	(void)pipeline_add(p, &raise_marks, &params);
}

static bool same_place(const struct coordinates *a, const struct coordinates *b)
{
	return a->partition == b->partition && (a->topic == b->topic || slice_equal_text(slice_of(a->topic), b->topic));
}

void progress_find(struct pipeline *p, const char *group, const struct request *const *requests, size_t count, struct arena *arena,
		   struct progress_marks *marks)
{
	*marks = (struct progress_marks){.places = ARENA_ARRAY(arena, count, struct coordinates)};
	struct params params;
	params_init(&params, 3);
	param_set_text(&params.at[0], slice_of(group));
	for (size_t i = 0; i < count; i++) {
		const struct coordinates *at = &requests[i]->record->at;
		size_t known = 0;
		while (known < marks->count && !same_place(&marks->places[known], at))
			known++;
		if (known < marks->count)
			continue;
		marks->places[marks->count++] = (struct coordinates){at->topic, at->partition, 0};
		param_add_text(&params.at[1], slice_of(at->topic));
		param_add_int(&params.at[2], at->partition);
	}
	marks->handle = pipeline_add(p, &find, &params);
}

void progress_read(struct progress_marks *marks, const struct pipeline *p)
{
	const PGresult *result = pipeline_result(p, marks->handle);
	size_t rows = result_rows(result);
	for (size_t r = 0; r < rows; r++) {
		marks->places[result_int(result, r, 0) - 1].offset = result_int(result, r, 1);
		marks->now_ms = result_int(result, r, 2);
	}
}

int64_t progress_mark(const struct progress_marks *marks, const struct coordinates *at)
{
	for (size_t i = 0; i < marks->count; i++) {
		if (same_place(&marks->places[i], at))
			return marks->places[i].offset;
	}
	return 0;
}

enum reason store_raise(struct store *store, const char *group, const struct mark *raise, size_t count, struct fault *f)
{
	if (count == 0)
		return REASON_OK;
	struct pipeline p;
	pipeline_begin(&p, &store->link);
	progress_raise(&p, group, raise, count);
	pipeline_commit(&p);
	enum reason reason = pipeline_run(&p, f);
	pipeline_end(&p);
	return reason;
}

enum reason store_forget(struct store *store, const char *group, const char *topic, int32_t partition, struct fault *f)
{
	struct params params;
	params_init(&params, 3);
	param_set_text(&params.at[0], slice_of(group));
	param_set_text(&params.at[1], slice_of(topic));
	param_set_int(&params.at[2], partition);
	struct pipeline p;
	size_t handle;
	enum reason reason = store_single(store, &p, &forget, &params, &handle, f);
	pipeline_end(&p);
	return reason;
}
