// SPDX-License-Identifier: Apache-2.0
// What the stages of a lane share: room in the window, pulses, failures.
#include "flow/lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"

const char *lane_kind_name(enum lane_kind kind)
{
	static const char *const names[LANE_COUNT] = {"signup", "otp"};
	return names[kind];
}

const char *stage_name(enum stage stage)
{
	static const char *const names[STAGE_COUNT] = {"intake", "look", "hash", "store", "sink"};
	return names[stage];
}

struct metric_labels lane_stage_labels(const struct lane *lane, enum stage stage)
{
	return METRIC_LABELS(lane_kind_name(lane->kind), stage_name(stage));
}

void lane_end(struct lane *lane, struct work *work)
{
	pthread_mutex_lock(&lane->window_lock);
	lane->records--;
	lane->bytes -= work->bytes;
	pthread_cond_signal(&lane->window_room);
	pthread_mutex_unlock(&lane->window_lock);
	work_destroy(work);
}

// Hands released works to the looker; when that has gone (leaving), they end here, and so do those that waited for them.
static void hand_on(struct lane *lane, struct work *released)
{
	while (released) {
		struct work *work = released;
		released = order_next(work);
		if (queue_try_push(lane->look_queue, work))
			continue;
		if (!atomic_load(&lane->leaving))
			PANIC("the look queue is smaller than the window");
		struct work *more = order_leave(lane->order, work);
		lane_end(lane, work);
		hand_on(lane, more);
	}
}

void lane_release_waiters(struct lane *lane, struct work *work)
{
	hand_on(lane, order_leave(lane->order, work));
}

void lane_look_again(struct lane *lane, struct work *work)
{
	if (queue_try_push(lane->look_queue, work))
		return;
	if (!atomic_load(&lane->leaving))
		PANIC("the look queue is smaller than the window");
	lane_drop(lane, work);
}

void lane_drop(struct lane *lane, struct work *work)
{
	lane_release_waiters(lane, work);
	lane_end(lane, work);
}

void lane_finish(struct lane *lane, struct work *work)
{
	secret_release(work->registration.code.typed); // it has been compared
	work->registration.code.typed = NULL;
	lane_release_waiters(lane, work);
	if (!ledger_done(lane->ledger, &work->entry))
		lane_end(lane, work);
}

void lane_transactional_id(const struct lane *lane, const char *instance, char *out, size_t size)
{
	(void)snprintf(out, size, "%s-%s", lane->group, instance);
}

bool lane_idle(struct lane *lane)
{
	pthread_mutex_lock(&lane->window_lock);
	bool idle = lane->records == 0;
	pthread_mutex_unlock(&lane->window_lock);
	return idle;
}

void lane_busy(struct lane *lane, enum stage stage)
{
	atomic_store(&lane->pulse[stage].since_ns, clock_mono_ns());
	atomic_store(&lane->pulse[stage].waiting, false);
}

void lane_waits(struct lane *lane, enum stage stage)
{
	atomic_store(&lane->pulse[stage].waiting, true);
}

static bool is_kafka_stage(enum stage stage)
{
	return stage == STAGE_READ || stage == STAGE_SINK;
}

void lane_halt(struct lane *lane, const struct fault *f)
{
	flow_fail(lane->flow, f);
}

static void sleep_unless_leaving(struct lane *lane, int64_t ms)
{
	int64_t until = clock_mono_ns() + ms * 1000000;
	while (!atomic_load(&lane->leaving)) {
		int64_t left = (until - clock_mono_ns()) / 1000000;
		if (left <= 0)
			return;
		clock_sleep_ms(left < 50 ? left : 50);
	}
}

bool lane_retry(struct lane *lane, enum stage stage, struct backoff *backoff, const struct fault *f)
{
	struct pulse *pulse = &lane->pulse[stage];
	metric_add(METRIC_retries, METRIC_LABELS(lane_kind_name(lane->kind), stage_name(stage), reason_code(f->reason)), 1);
	if (reason_verdict(f->reason) == VERDICT_HALT) {
		lane_halt(lane, f);
		return false;
	}
	atomic_store(&pulse->reason, (int)f->reason);
	if (!atomic_exchange(&pulse->broken, true)) {
		if (is_kafka_stage(stage))
			LOG_FAULT(kafka_paused, f, log_text("lane", lane_kind_name(lane->kind)),
				  log_text("stage", stage_name(stage)));
		else
			LOG_FAULT(store_paused, f, log_text("lane", lane_kind_name(lane->kind)),
				  log_text("stage", stage_name(stage)));
	}
	lane_waits(lane, stage);
	sleep_unless_leaving(lane, backoff_next_ms(backoff));
	lane_busy(lane, stage);
	return !atomic_load(&lane->leaving);
}

void lane_works(struct lane *lane, enum stage stage, struct backoff *backoff)
{
	backoff_reset(backoff);
	if (!atomic_exchange(&lane->pulse[stage].broken, false))
		return;
	if (is_kafka_stage(stage))
		LOG(kafka_resumed, log_text("lane", lane_kind_name(lane->kind)), log_text("stage", stage_name(stage)));
	else
		LOG(store_resumed, log_text("lane", lane_kind_name(lane->kind)), log_text("stage", stage_name(stage)));
}
