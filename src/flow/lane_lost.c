// SPDX-License-Identifier: Apache-2.0
// Members that are gone, killed or stopped in the middle of a Kafka transaction: until it ends, nobody sees results behind it, and whoever
// has their partitions now cannot start. The brokers end it some time after its timeout; a new holder of their transactional id at once.
#include "flow/lane.h"

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"

#define RUNS_MAX 256 // that are looked at, the youngest: those of the living and of the lost
#define FENCE_MS 2000
#define BUDGET_MS 5000 // then the others wait for the next time that offsets are undecided
#define PRESENT_MS 2000

struct lost {
	struct slice names[RUNS_MAX + 1]; // [0] is ourselves
	const char *ids[RUNS_MAX + 1];
	bool present[RUNS_MAX + 1];
	size_t count;
};

static void fence(struct lane *lane, const char *instance)
{
	struct fault f;
	char id[400];
	lane_transactional_id(lane, instance, id, sizeof(id));
	if (sink_fence(lane->parts->kafka, id, FENCE_MS, &f) == REASON_OK)
		LOG(member_fenced, log_text("lane", lane_kind_name(lane->kind)), log_text("lost", instance));
	else
		LOG_FAULT(member_not_fenced, &f, log_text("lane", lane_kind_name(lane->kind)), log_text("lost", instance));
}

// Runs that have no end, and who of them is a member of the group.
static enum reason find_runs(struct lane *lane, struct store *store, struct arena *arena, struct lost *lost, struct fault *f)
{
	size_t others = 0;
	lost->names[0] = slice_of(lane->parts->conf->instance);
	enum reason reason = store_run_others(store, lane->parts->conf->instance, lane_kind_name(lane->kind), RUNS_MAX, arena,
					      lost->names + 1, &others, f);
	if (reason != REASON_OK)
		return reason;
	lost->count = others + 1;
	for (size_t i = 0; i < lost->count; i++)
		lost->ids[i] = arena_printf(arena, "%s-%s", lost->names[i].ptr, lane_kind_name(lane->kind)).ptr;
	return others == 0 ? REASON_OK : source_present(lane->source, lost->ids, lost->count, PRESENT_MS, lost->present, f);
}

static void fence_all(struct lane *lane, const struct lost *lost, const atomic_bool *leaving)
{
	int64_t until = clock_mono_ns() + BUDGET_MS * (int64_t)1000000;
	if (!lost->present[0]) // a group that does not know us knows nobody
		return;
	for (size_t i = 1; i < lost->count && !atomic_load(leaving) && clock_mono_ns() < until; i++)
		if (!lost->present[i])
			fence(lane, lost->names[i].ptr);
}

void lane_fence_lost(struct lane *lane, struct store *store, const atomic_bool *leaving)
{
	bool due = atomic_exchange(&lane->undecided, false);
	if (!due || !lane->parts->kafka->static_membership) // without it members cannot be told apart
		return;
	struct arena *arena = arena_create(4096);
	struct lost *lost = ARENA_ARRAY(arena, 1, struct lost);
	struct fault f;
	if (find_runs(lane, store, arena, lost, &f) == REASON_OK)
		fence_all(lane, lost, leaving);
	else
		LOG_FAULT(member_not_fenced, &f, log_text("lane", lane_kind_name(lane->kind)));
	arena_destroy(arena);
}
