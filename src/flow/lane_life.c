// SPDX-License-Identifier: Apache-2.0
// A lane's beginning and end: its parts are made, its threads run, and everything is given back in reverse order.
#include "flow/lane.h"

#include <stdio.h>
#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/thread.h"

#define CLOSE_MS 3000
#define KEY_SHARE 8 // one order key may hold this part of the window

static void on_assigned(void *ctx, const char *topic, int32_t partition, int64_t start, int64_t passed)
{
	struct lane *lane = ctx;
	(void)FAILPOINT(source_assigned);
	marks_assigned(lane->marks, topic, partition, passed);
	LOG(partition_assigned, log_text("lane", lane_kind_name(lane->kind)), log_text("topic", topic),
	    log_int("partition", partition), log_int("start", start), log_int("passed", passed));
}

static void end_item(void *item, void *ctx)
{
	lane_end(ctx, item);
}

static void on_dropped(void *ctx, const char *topic, int32_t partition)
{
	struct lane *lane = ctx;
	ledger_drop(lane->ledger, topic, partition, end_item, lane);
	(void)FAILPOINT(source_dropped);
	LOG(partition_revoked, log_text("lane", lane_kind_name(lane->kind)), log_text("topic", topic),
	    log_int("partition", partition));
}

static void on_gap(void *ctx, const char *topic, int32_t partition, int64_t committed, int64_t low, int64_t high)
{
	const struct lane *lane = ctx;
	const char *name = lane_kind_name(lane->kind);
	metric_add(METRIC_gaps, METRIC_LABELS(name, committed < low ? "below_start" : "above_end"), 1);
	if (committed < low)
		LOG(partition_below_start, log_text("lane", name), log_text("topic", topic), log_int("partition", partition),
		    log_int("committed", committed), log_int("start", low), log_int("missed", low - committed));
	else
		LOG(partition_above_end, log_text("lane", name), log_text("topic", topic), log_int("partition", partition),
		    log_int("committed", committed), log_int("end", high));
}

static void on_orphaned(void *ctx, size_t partitions)
{
	const struct lane *lane = ctx;
	LOG(partitions_orphaned, log_text("lane", lane_kind_name(lane->kind)), log_int("partitions", (int64_t)partitions));
}

// The janitor sees to it: the reader has the group to serve.
static void on_undecided(void *ctx)
{
	struct lane *lane = ctx;
	atomic_store(&lane->undecided, true);
}

static void gather_topics(struct lane *lane)
{
	const struct flow_parts *parts = lane->parts;
	lane->topics = calloc(parts->topic_count + 1, sizeof(struct topic_conf *));
	if (!lane->topics)
		PANIC("out of memory");
	for (size_t i = 0; i < parts->topic_count; i++)
		if (parts->topics[i].lane == (int)lane->kind)
			lane->topics[lane->topic_count++] = &parts->topics[i];
}

static enum reason open_stores(struct lane *lane, struct fault *f)
{
	struct {
		struct store **store;
		const char *use;
	} all[] = {{&lane->read_store, "read"}, {&lane->look_store, "look"}, {&lane->store_store, "store"}};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "enrolld/%.30s/%s/%s", lane->parts->conf->instance, lane_kind_name(lane->kind),
			       all[i].use);
		enum reason reason = store_open(lane->parts->store, name, all[i].store, f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static enum reason open_source(struct lane *lane, struct fault *f)
{
	const char **names = calloc(lane->topic_count, sizeof(char *));
	if (!names)
		PANIC("out of memory");
	int64_t limit = 0;
	for (size_t i = 0; i < lane->topic_count; i++) {
		names[i] = lane->topics[i]->name;
		if (lane->topics[i]->record_limit > limit)
			limit = lane->topics[i]->record_limit;
	}
	struct source_options options = {
		.conf = lane->parts->kafka,
		.group = lane->group,
		.instance = lane->instance,
		.topics = names,
		.topic_count = lane->topic_count,
		.value_limit = (size_t)limit,
		.events = {lane, on_assigned, on_dropped, on_gap, on_orphaned, on_undecided},
	};
	enum reason reason = source_create(&options, &lane->source, f);
	free(names);
	return reason;
}

static void make_plumbing(struct lane *lane)
{
	size_t window = (size_t)lane->parts->conf->window_records + 1;
	lane->ledger = ledger_create();
	lane->order = order_create(window / KEY_SHARE);
	lane->marks = marks_create();
	lane->spent = spent_create();
	lane->look_queue = queue_create(window);
	lane->hash_queue = queue_create(window);
	lane->store_queue = queue_create(window);
	lane->hashed = tray_create(lane->store_queue);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&lane->window_lock, NULL);
	pthread_cond_init(&lane->window_room, &attr);
	pthread_condattr_destroy(&attr);
	for (int i = 0; i < STAGE_COUNT; i++)
		atomic_store(&lane->pulse[i].waiting, true);
}

static enum reason start_threads(struct lane *lane, struct fault *f)
{
	static void (*const run[STAGE_COUNT])(void *) = {reader_run, looker_run, hasher_run, storer_run, sinker_run};
	for (int i = 0; i < STAGE_COUNT; i++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "%s-%s", lane_kind_name(lane->kind), stage_name((enum stage)i));
		enum reason reason = thread_start(name, run[i], lane, &lane->threads[i], f);
		if (reason != REASON_OK)
			return reason;
		lane->thread_count++;
	}
	return REASON_OK;
}

enum reason lane_start(enum lane_kind kind, struct flow *flow, const struct flow_parts *parts, struct guard *guard,
		       struct lane **ret_lane, struct fault *f)
{
	struct lane *lane = calloc(1, sizeof(*lane));
	if (!lane)
		PANIC("out of memory");
	lane->kind = kind;
	lane->flow = flow;
	lane->parts = parts;
	lane->guard = guard;
	lane->intake = (struct intake){parts->keys, ""};
	(void)snprintf(lane->group, sizeof(lane->group), "%s-%s", parts->conf->group, lane_kind_name(kind));
	(void)snprintf(lane->instance, sizeof(lane->instance), "%s-%s", parts->conf->instance, lane_kind_name(kind));
	gather_topics(lane);
	make_plumbing(lane);
	*ret_lane = NULL;
	if (lane->topic_count == 0) {
		(void)!lane_leave(lane);
		return REASON_OK;
	}
	enum reason reason = open_stores(lane, f);
	if (reason == REASON_OK)
		reason = open_source(lane, f);
	if (reason == REASON_OK)
		reason = start_threads(lane, f);
	if (reason != REASON_OK) {
		(void)!lane_leave(lane);
		return reason;
	}
	*ret_lane = lane;
	return REASON_OK;
}

void lane_stop(struct lane *lane)
{
	atomic_store(&lane->stopping, true);
}

static void join_thread(struct lane *lane, enum stage stage)
{
	if ((size_t)stage < lane->thread_count)
		thread_join(lane->threads[stage]);
}

// In the order of the flow, so that whoever still has work finds its next stage open.
static void join_threads(struct lane *lane)
{
	join_thread(lane, STAGE_READ);
	queue_close(lane->look_queue);
	join_thread(lane, STAGE_LOOK);
	queue_close(lane->hash_queue);
	join_thread(lane, STAGE_HASH);
	while (tray_expected(lane->hashed) > 0)
		clock_sleep_ms(5);
	queue_close(lane->store_queue);
	join_thread(lane, STAGE_STORE);
	join_thread(lane, STAGE_SINK);
}

// Leaving: the marks take what our last Kafka transactions have passed, and the run is marked as ended. Tried once.
static bool end_run(struct lane *lane)
{
	if (lane->thread_count < STAGE_COUNT)
		return false;
	struct fault f;
	size_t size = marks_count(lane->marks) + 1;
	struct mark *marks = calloc(size, sizeof(*marks));
	if (!marks)
		PANIC("out of memory");
	size_t count = marks_pending(lane->marks, false, marks, size);
	enum reason reason = count ? store_raise(lane->store_store, lane->group, marks, count, &f) : REASON_OK;
	free(marks);
	(void)FAILPOINT(leave_raised);
	if (reason == REASON_OK)
		reason = store_run_end(lane->store_store, lane->parts->conf->instance, lane_kind_name(lane->kind), &f);
	return reason == REASON_OK;
}

bool lane_leave(struct lane *lane)
{
	bool idle = lane_idle(lane);
	atomic_store(&lane->stopping, true);
	ledger_close(lane->ledger, end_item, lane); // from here on nothing passes but what the sinker holds already
	(void)FAILPOINT(leave_begun);
	atomic_store(&lane->leaving, true);
	join_threads(lane);
	bool ended = end_run(lane);
	source_close(lane->source, CLOSE_MS);
	store_close(lane->read_store);
	store_close(lane->look_store);
	store_close(lane->store_store);
	tray_destroy(lane->hashed);
	queue_destroy(lane->look_queue);
	queue_destroy(lane->hash_queue);
	queue_destroy(lane->store_queue);
	ledger_destroy(lane->ledger);
	order_destroy(lane->order);
	marks_destroy(lane->marks);
	spent_destroy(lane->spent);
	pthread_cond_destroy(&lane->window_room);
	pthread_mutex_destroy(&lane->window_lock);
	free(lane->topics);
	free(lane);
	return idle && ended;
}
