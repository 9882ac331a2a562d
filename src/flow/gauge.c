// SPDX-License-Identifier: Apache-2.0
// How a lane is doing, for readiness, the watchdog and the gauges.
#include "flow/lane.h"

#include "enrolld/base/clock.h"
#include "enrolld/base/metric.h"

bool lane_ready(struct lane *lane, struct strbuf *why)
{
	const char *name = lane_kind_name(lane->kind);
	bool ready = true;
	if (!source_ready(lane->source)) {
		ready = false;
		if (why)
			strbuf_printf(why, "%s: waits for its partitions\n", name);
	}
	if (!atomic_load(&lane->sink_open)) {
		ready = false;
		if (why)
			strbuf_printf(why, "%s: the producer is not ready\n", name);
	}
	for (int i = 0; i < STAGE_COUNT; i++) {
		if (!atomic_load(&lane->pulse[i].broken))
			continue;
		ready = false;
		if (why)
			strbuf_printf(why, "%s: %s: %s\n", name, stage_name((enum stage)i),
				      reason_code((enum reason)atomic_load(&lane->pulse[i].reason)));
	}
	return ready;
}

bool lane_alive(struct lane *lane, int64_t limit_ms)
{
	int64_t now = clock_mono_ns();
	for (int i = 0; i < STAGE_COUNT; i++)
		if (!atomic_load(&lane->pulse[i].waiting) && now - atomic_load(&lane->pulse[i].since_ns) > limit_ms * 1000000)
			return false;
	return true;
}

static void measure_window(struct lane *lane)
{
	struct metric_labels label = METRIC_LABELS(lane_kind_name(lane->kind));
	pthread_mutex_lock(&lane->window_lock);
	double records = (double)lane->records, bytes = (double)lane->bytes;
	pthread_mutex_unlock(&lane->window_lock);
	metric_set(METRIC_window_records, label, records);
	metric_set(METRIC_window_bytes, label, bytes);
	int64_t oldest = ledger_oldest_ns(lane->ledger);
	metric_set(METRIC_oldest_seconds, label, oldest ? (double)(clock_mono_ns() - oldest) / 1e9 : 0);
}

void lane_measure(struct lane *lane)
{
	const char *name = lane_kind_name(lane->kind);
	measure_window(lane);
	metric_set(METRIC_queue_depth, lane_stage_labels(lane, STAGE_LOOK), (double)queue_length(lane->look_queue));
	metric_set(METRIC_queue_depth, lane_stage_labels(lane, STAGE_HASH), (double)queue_length(lane->hash_queue));
	metric_set(METRIC_queue_depth, lane_stage_labels(lane, STAGE_STORE), (double)queue_length(lane->store_queue));
	metric_set(METRIC_queue_depth, METRIC_LABELS(name, "order"), (double)order_waiting(lane->order));
	metric_set(METRIC_queue_depth, lane_stage_labels(lane, STAGE_SINK), (double)ledger_length(lane->ledger));
	struct source_lag lag;
	source_lag(lane->source, &lag);
	metric_set(METRIC_lag_records, METRIC_LABELS(name), (double)lag.records + (double)ledger_length(lane->ledger));
	metric_set(METRIC_partitions, METRIC_LABELS(name, "running"), (double)lag.running);
	metric_set(METRIC_partitions, METRIC_LABELS(name, "paused"), (double)lag.paused);
}
