// SPDX-License-Identifier: Apache-2.0
// The lanes and their janitor, started and stopped together.
#include "enrolld/flow/flow.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/thread.h"
#include "flow/lane.h"

struct flow {
	const struct flow_parts *parts;
	struct lane *lanes[LANE_COUNT];
	struct guard *guard;
	struct store *janitor_store;
	pthread_t janitor;
	bool has_janitor;
	atomic_bool leaving;
	pthread_mutex_t lock;
	struct fault failure; // under lock; the first one stays
};

void flow_fail(struct flow *flow, const struct fault *f)
{
	pthread_mutex_lock(&flow->lock);
	if (flow->failure.reason == REASON_OK)
		flow->failure = *f;
	pthread_mutex_unlock(&flow->lock);
}

enum reason flow_failure(struct flow *flow, struct fault *f)
{
	pthread_mutex_lock(&flow->lock);
	enum reason reason = flow->failure.reason;
	if (reason != REASON_OK && f)
		*f = flow->failure;
	pthread_mutex_unlock(&flow->lock);
	return reason;
}

static void fence_lost(struct flow *flow)
{
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i])
			lane_fence_lost(flow->lanes[i], flow->janitor_store, &flow->leaving);
}

// Deletes what is past its life, in small batches until nothing is left. Failures wait for the next turn; the lanes report outages.
static void sweep(struct flow *flow)
{
	struct fault f;
	size_t limit = (size_t)flow->parts->conf->sweep_batch, deleted = limit;
	while (deleted == limit && !atomic_load(&flow->leaving)) {
		if (store_sweep(flow->janitor_store, limit, &deleted, &f) != REASON_OK)
			return;
		fence_lost(flow);
		guard_tend(flow->guard, flow->janitor_store, false);
	}
}

static void janitor_run(void *ctx)
{
	struct flow *flow = ctx;
	int64_t due = clock_mono_ns() + flow->parts->conf->sweep_every_ms * 1000000;
	while (!atomic_load(&flow->leaving)) {
		clock_sleep_ms(100);
		fence_lost(flow);
		guard_tend(flow->guard, flow->janitor_store, false);
		if (clock_mono_ns() < due)
			continue;
		sweep(flow);
		due = clock_mono_ns() + flow->parts->conf->sweep_every_ms * 1000000;
	}
}

static enum reason start_janitor(struct flow *flow, struct fault *f)
{
	enum reason reason = store_open(flow->parts->store, "enrolld/janitor", &flow->janitor_store, f);
	if (reason == REASON_OK)
		reason = thread_start("janitor", janitor_run, flow, &flow->janitor, f);
	flow->has_janitor = reason == REASON_OK;
	return reason;
}

enum reason flow_start(const struct flow_parts *parts, struct flow **ret_flow, struct fault *f)
{
	struct flow *flow = calloc(1, sizeof(*flow));
	if (!flow)
		PANIC("out of memory");
	flow->parts = parts;
	flow->guard = guard_create(parts->operation->sending);
	pthread_mutex_init(&flow->lock, NULL);
	enum reason reason = REASON_OK;
	for (int i = 0; i < LANE_COUNT && reason == REASON_OK; i++)
		reason = lane_start((enum lane_kind)i, flow, parts, flow->guard, &flow->lanes[i], f);
	if (reason == REASON_OK && !flow->lanes[LANE_SIGNUP] && !flow->lanes[LANE_OTP])
		reason = fault_set(f, REASON_SETTING_INVALID, "topics: no request topic is named, so there is nothing to do");
	if (reason == REASON_OK)
		reason = start_janitor(flow, f);
	if (reason != REASON_OK) {
		bool clean;
		flow_stop(flow, &clean);
		flow_destroy(flow);
		return reason;
	}
	*ret_flow = flow;
	return REASON_OK;
}

static bool is_idle(struct flow *flow)
{
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i] && !lane_idle(flow->lanes[i]))
			return false;
	return true;
}

// Before the lanes go, which it looks at.
static void stop_janitor(struct flow *flow)
{
	if (flow->has_janitor)
		thread_join(flow->janitor);
	flow->has_janitor = false;
}

void flow_stop(struct flow *flow, bool *clean)
{
	atomic_store(&flow->leaving, true);
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i])
			lane_stop(flow->lanes[i]);
	int64_t until = clock_mono_ns() + flow->parts->conf->drain_ms * 1000000;
	while (!is_idle(flow) && clock_mono_ns() < until && flow_failure(flow, NULL) == REASON_OK)
		clock_sleep_ms(5);
	stop_janitor(flow);
	*clean = true;
	for (int i = 0; i < LANE_COUNT; i++) {
		if (flow->lanes[i])
			*clean = lane_leave(flow->lanes[i]) && *clean;
		flow->lanes[i] = NULL;
	}
	if (*clean && flow->janitor_store)
		guard_tend(flow->guard, flow->janitor_store, true);
}

void flow_destroy(struct flow *flow)
{
	if (!flow)
		return;
	guard_destroy(flow->guard);
	store_close(flow->janitor_store);
	pthread_mutex_destroy(&flow->lock);
	free(flow);
}

bool flow_ready(struct flow *flow, struct strbuf *why)
{
	bool ready = true;
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i])
			ready = lane_ready(flow->lanes[i], why) && ready;
	return ready;
}

bool flow_alive(struct flow *flow, int64_t limit_ms)
{
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i] && !lane_alive(flow->lanes[i], limit_ms))
			return false;
	return true;
}

static bool is_up(struct flow *flow, enum stage a, enum stage b)
{
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i] &&
		    (atomic_load(&flow->lanes[i]->pulse[a].broken) || atomic_load(&flow->lanes[i]->pulse[b].broken)))
			return false;
	return true;
}

void flow_measure(struct flow *flow)
{
	for (int i = 0; i < LANE_COUNT; i++)
		if (flow->lanes[i])
			lane_measure(flow->lanes[i]);
	guard_measure(flow->guard);
	metric_set(METRIC_store_up, METRIC_NO_LABELS, is_up(flow, STAGE_LOOK, STAGE_STORE));
	metric_set(METRIC_kafka_up, METRIC_NO_LABELS, is_up(flow, STAGE_READ, STAGE_SINK));
}
