// SPDX-License-Identifier: Apache-2.0
// The reader: takes records while there is room, makes requests of them, and lets each wait for its order keys.
#include "flow/lane.h"

#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/secret.h"

#define POLL_EVERY 64     // records between two services of the group
#define IDLE_MS 20        // longest wait in one call
#define HAND_TRIES_KILL 2 // in hand before, after the first crash: the third one is the last that carries it out

// Youngest record time of each partition, for records that have none.
struct youngest {
	const char *topic;
	int32_t partition;
	int64_t ms;
};

struct reader {
	struct lane *lane;
	struct backoff backoff;
	struct youngest *youngest;
	size_t youngest_count;
	struct work *blank; // taken by the next record
};

static int64_t *youngest_of(struct reader *r, const struct coordinates *at)
{
	for (size_t i = 0; i < r->youngest_count; i++)
		if (r->youngest[i].partition == at->partition && r->youngest[i].topic == at->topic)
			return &r->youngest[i].ms;
	r->youngest = reallocarray(r->youngest, r->youngest_count + 1, sizeof(*r->youngest));
	if (!r->youngest)
		PANIC("out of memory");
	r->youngest[r->youngest_count] = (struct youngest){at->topic, at->partition, -1};
	return &r->youngest[r->youngest_count++].ms;
}

static const struct topic_conf *topic_of(const struct lane *lane, const char *name)
{
	for (size_t i = 0; i < lane->topic_count; i++)
		if (strcmp(lane->topics[i]->name, name) == 0)
			return lane->topics[i];
	PANIC("a record of a topic that was not asked for");
}

static bool has_room(struct lane *lane)
{
	const struct flow_conf *conf = lane->parts->conf;
	pthread_mutex_lock(&lane->window_lock);
	bool room = lane->cautious > 0 ? lane->records == 0
				       : lane->records < (size_t)conf->window_records && lane->bytes < (size_t)conf->window_bytes;
	pthread_mutex_unlock(&lane->window_lock);
	return room;
}

static void wait_for_room(struct lane *lane)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += IDLE_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&lane->window_lock);
	if (lane->records)
		pthread_cond_timedwait(&lane->window_room, &lane->window_lock, &until);
	pthread_mutex_unlock(&lane->window_lock);
}

static void admit(struct lane *lane, struct work *work)
{
	work->bytes = arena_held(work->arena) + sizeof(*work);
	work->entry.at = work->record.at;
	work->entry.epoch = work->record.epoch;
	pthread_mutex_lock(&lane->window_lock);
	lane->records++;
	lane->bytes += work->bytes;
	pthread_mutex_unlock(&lane->window_lock);
	ledger_add(lane->ledger, &work->entry);
}

// What reading the record needed counts against the window too.
static void account(struct lane *lane, struct work *work)
{
	size_t bytes = arena_held(work->arena) + sizeof(*work);
	pthread_mutex_lock(&lane->window_lock);
	lane->bytes += bytes - work->bytes;
	pthread_mutex_unlock(&lane->window_lock);
	work->bytes = bytes;
}

// The pool of secrets holds more than both windows, so that waiting for a place in it is never long.
static void read_body(struct lane *lane, struct work *work)
{
	struct fault f;
	for (;;) {
		work->refusal = dialect_read(work->route, &work->request, lane->parts->secrets, clock_wall_ms(), work->arena,
					     &work->registration, &f);
		if (reason_verdict(work->refusal) != VERDICT_RETRY || atomic_load(&lane->leaving))
			return;
		clock_sleep_ms(IDLE_MS);
	}
}

// Record to request to registration. What is wrong with it is kept as the refusal; it goes the same way as all others.
static void interpret(struct reader *r, struct work *work)
{
	struct lane *lane = r->lane;
	struct fault f;
	work->refusal = intake_read(&lane->intake, work->topic, &work->record, youngest_of(r, &work->record.at), work->arena,
				    &work->request, &work->addressed, &f);
	if (work->addressed) {
		const struct setting_list *names = &work->topic->dialects;
		work->dialects = dialect_shelf_take(lane->parts->dialects);
		enum reason routed = dialect_route(work->dialects, names->items, names->count, &work->request, &work->dialect,
						   &work->route, &f);
		if (work->refusal == REASON_OK)
			work->refusal = routed;
	}
	if (work->refusal == REASON_OK) {
		read_body(lane, work);
		work->read = work->refusal == REASON_OK || work->refusal == REASON_INVALID;
	} else if (work->route && work->request.realm.len &&
		   (work->refusal == REASON_RECORD_TOO_LARGE || work->refusal == REASON_REQUEST_ID_INVALID)) {
		// Whoever sends such records is counted too. Of others it is not known what came with them, or the realm to count in.
		enum reason reason = dialect_admit(work->route, &work->request, clock_wall_ms(), work->arena, &work->registration,
						   &f);
		if (reason != REASON_OK)
			work->refusal = reason;
	}
	// Body and value have been read; they may hold a password. A body that was unwrapped is a copy.
	if (!slice_is_absent(work->request.body))
		secret_wipe((void *)(uintptr_t)work->request.body.ptr, work->request.body.len);
	if (!slice_is_absent(work->record.value))
		secret_wipe((void *)(uintptr_t)work->record.value.ptr, work->record.value.len);
	work->record.value = SLICE_ABSENT;
	work->request.body = SLICE_ABSENT;
	secret_wipe_traces();
	account(lane, work);
}

// A record that killed the worker again after it was not to be carried out any more.
static void bury_unread(struct reader *r, struct work *work)
{
	struct record *bare = &work->record; // the request refers to it as long as it lives
	if (!slice_is_absent(bare->value))
		secret_wipe((void *)(uintptr_t)bare->value.ptr, bare->value.len);
	bare->value = SLICE_ABSENT;
	bare->value_size = 0;
	bare->header_count = 0;
	struct fault f;
	bool addressed;
	work->refusal = intake_read(&r->lane->intake, work->topic, bare, youngest_of(r, &bare->at), work->arena, &work->request,
				    &addressed, &f);
}

static void enter(struct reader *r, struct work *work)
{
	struct lane *lane = r->lane;
	struct fault f;
	for (;;) {
		enum order_entry entry = order_enter(lane->order, work);
		(void)FAILPOINT(reader_entered);
		if (entry == ORDER_FIRST && !queue_try_push(lane->look_queue, work))
			PANIC("the look queue is smaller than the window");
		if (entry != ORDER_KEY_FULL)
			return;
		// One key has its share of the window: serve the group until something ends, then try again.
		lane_waits(lane, STAGE_READ);
		if (source_poll(lane->source, 0, &f) != REASON_OK && reason_verdict(f.reason) == VERDICT_HALT)
			lane_halt(lane, &f);
		if (atomic_load(&lane->leaving) || !ledger_alive(lane->ledger, &work->entry)) {
			lane_end(lane, work);
			return;
		}
		wait_for_room(lane);
		lane_busy(lane, STAGE_READ);
	}
}

// After an unclean stop: commits that this record is in hand, alone. false: give up (leaving).
static bool take_in_hand(struct reader *r, struct work *work, int *before)
{
	struct lane *lane = r->lane;
	struct fault f;
	while (store_hand_on(lane->read_store, lane->group, &work->record.at, before, &f) != REASON_OK)
		if (!lane_retry(lane, STAGE_READ, &r->backoff, &f))
			return false;
	(void)FAILPOINT(hand_on);
	lane_works(lane, STAGE_READ, &r->backoff);
	return true;
}

static void put_down(struct reader *r, const struct coordinates *at)
{
	struct lane *lane = r->lane;
	struct fault f;
	while (!lane_idle(lane) && !atomic_load(&lane->leaving)) {
		if (source_poll(lane->source, 0, &f) != REASON_OK && reason_verdict(f.reason) == VERDICT_HALT)
			lane_halt(lane, &f);
		wait_for_room(lane);
	}
	while (lane_idle(lane) && store_hand_off(lane->read_store, lane->group, at, &f) != REASON_OK)
		if (!lane_retry(lane, STAGE_READ, &r->backoff, &f))
			return;
}

static void take_cautiously(struct reader *r, struct work *work)
{
	struct lane *lane = r->lane;
	struct coordinates at = work->record.at;
	int before = 0;
	lane->cautious--;
	if (!take_in_hand(r, work, &before)) {
		work_destroy(work);
		return;
	}
	admit(lane, work);
	if (before > HAND_TRIES_KILL)
		bury_unread(r, work);
	else
		interpret(r, work);
	// It is read all the same the first time: its request may have been stored before the worker died, and then the look finds its row, which says what
	// goes out.
	if (before >= HAND_TRIES_KILL)
		work->refusal = REASON_KILLS_WORKER;
	enter(r, work);
	put_down(r, &at);
}

static bool take_one(struct reader *r, int timeout_ms)
{
	struct lane *lane = r->lane;
	if (!r->blank)
		r->blank = work_create(lane);
	lane_waits(lane, STAGE_READ);
	bool came = source_next(lane->source, timeout_ms, r->blank->arena, &r->blank->record);
	lane_busy(lane, STAGE_READ);
	if (!came)
		return false;
	struct work *work = r->blank;
	r->blank = NULL;
	(void)FAILPOINT(reader_taken);
	work->taken_ns = clock_mono_ns();
	work->topic = topic_of(lane, work->record.at.topic);
	metric_add(METRIC_records, METRIC_LABELS(lane_kind_name(lane->kind)), 1);
	if (lane->cautious > 0) {
		take_cautiously(r, work);
		return true;
	}
	admit(lane, work);
	interpret(r, work);
	metric_observe(METRIC_stage_seconds, lane_stage_labels(lane, STAGE_READ), (double)(clock_mono_ns() - work->taken_ns) / 1e9);
	enter(r, work);
	return true;
}

static void serve_group(struct reader *r)
{
	struct fault f;
	if (source_poll(r->lane->source, 0, &f) == REASON_OK) {
		lane_works(r->lane, STAGE_READ, &r->backoff);
		return;
	}
	if (!lane_retry(r->lane, STAGE_READ, &r->backoff, &f))
		return;
}

// Marks this run as under way. After one that did not end cleanly the first records go one by one.
static void begin_run(struct reader *r)
{
	struct lane *lane = r->lane;
	const struct flow_conf *conf = lane->parts->conf;
	struct fault f;
	bool unclean = false;
	while (store_run_begin(lane->read_store, conf->instance, lane_kind_name(lane->kind), &unclean, &f) != REASON_OK)
		if (!lane_retry(lane, STAGE_READ, &r->backoff, &f))
			return;
	lane_works(lane, STAGE_READ, &r->backoff);
	if (!unclean)
		return;
	lane->cautious = conf->cautious_records;
	LOG(unclean_start, log_text("lane", lane_kind_name(lane->kind)), log_int("records", lane->cautious));
}

static void note_cluster(struct lane *lane)
{
	if (!lane->intake.cluster_id[0])
		lane->intake.cluster_id = source_cluster_id(lane->source, 0);
}

void reader_run(void *ctx)
{
	struct reader r = {.lane = ctx, .backoff = BACKOFF_INIT(50, 2000)};
	struct lane *lane = r.lane;
	lane_busy(lane, STAGE_READ);
	begin_run(&r);
	while (!atomic_load(&lane->leaving)) {
		serve_group(&r);
		note_cluster(lane);
		if (atomic_load(&lane->stopping) || !has_room(lane)) {
			lane_waits(lane, STAGE_READ);
			wait_for_room(lane);
			if (lane_idle(lane))
				clock_sleep_ms(IDLE_MS / 4);
			lane_busy(lane, STAGE_READ);
			continue;
		}
		for (int i = 0; i < POLL_EVERY && has_room(lane) && !atomic_load(&lane->stopping); i++)
			if (!take_one(&r, IDLE_MS))
				break;
	}
	work_destroy(r.blank);
	free(r.youngest);
	lane_waits(lane, STAGE_READ);
}
