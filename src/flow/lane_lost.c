// SPDX-License-Identifier: Apache-2.0
// Members that are gone, killed or stopped in the middle of a Kafka transaction: until it ends, nobody sees results behind it, and whoever
// has their partitions now cannot start. The brokers end it some time after its timeout; a new holder of their transactional id at once.
#include "flow/lane.h"

#include "enrolld/base/log.h"

#define LOST_MAX 16 // at one time
#define FENCE_MS 2000

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

// Those whose run has no end and who are no members any more.
static enum reason find_lost(struct lane *lane, struct arena *arena, struct slice *names, bool *present, size_t *ret_count,
			     struct fault *f)
{
	const char *ids[LOST_MAX];
	enum reason reason = store_run_others(lane->read_store, lane->parts->conf->instance, lane_kind_name(lane->kind), LOST_MAX,
					      arena, names, ret_count, f);
	for (size_t i = 0; reason == REASON_OK && i < *ret_count; i++)
		ids[i] = arena_printf(arena, "%s-%s", names[i].ptr, lane_kind_name(lane->kind)).ptr;
	return reason == REASON_OK && *ret_count > 0 ? source_present(lane->source, ids, *ret_count, present, f) : reason;
}

void lane_fence_lost(struct lane *lane)
{
	if (!lane->parts->kafka->static_membership) // else members cannot be told apart
		return;
	struct arena *arena = arena_create(4096);
	struct slice names[LOST_MAX];
	bool present[LOST_MAX];
	size_t count = 0;
	struct fault f;
	if (find_lost(lane, arena, names, present, &count, &f) != REASON_OK)
		LOG_FAULT(member_not_fenced, &f, log_text("lane", lane_kind_name(lane->kind)));
	else
		for (size_t i = 0; i < count; i++)
			if (!present[i])
				fence(lane, names[i].ptr);
	arena_destroy(arena);
}
