// SPDX-License-Identifier: Apache-2.0
// A lane: a consumer group, a transactional producer, its database connections and the threads between them. Private to flow.
//
//	reader -> [look queue] -> looker -> [hash queue] -> hash pool -> [tray, store queue] -> storer -> [ledger] -> sinker
//
// Each stage takes what waits when it becomes free. The window bounds what is in hand, so no queue can overflow.
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/queue.h"
#include "enrolld/flow/flow.h"
#include "enrolld/kafka/ledger.h"
#include "enrolld/kafka/sink.h"
#include "enrolld/kafka/source.h"
#include "flow/guard.h"
#include "flow/marks.h"
#include "flow/order.h"
#include "flow/spent.h"
#include "flow/tray.h"
#include "flow/work.h"

enum stage { STAGE_READ, STAGE_LOOK, STAGE_HASH, STAGE_STORE, STAGE_SINK, STAGE_COUNT };
const char *stage_name(enum stage stage) ATTR_MUST_USE;

// Whether a stage's peer (PostgreSQL, Kafka) answered last time, and since when the stage is in its present step.
struct pulse {
	_Atomic int64_t since_ns;
	atomic_bool waiting; // for work or for the peer: no sign of being stuck
	atomic_bool broken;
	_Atomic int reason; // enum reason of the last failure
};

struct lane {
	enum lane_kind kind;
	const struct flow_parts *parts;
	struct flow *flow;
	const struct topic_conf **topics;
	size_t topic_count;
	char group[160], instance[160];
	struct intake intake;
	struct guard *guard; // of all lanes

	struct source *source;
	struct sink *sink; // the sinker's
	struct store *read_store, *look_store, *store_store;
	struct ledger *ledger;
	struct order *order;
	struct marks *marks;
	struct spent *spent;
	struct queue *look_queue, *hash_queue, *store_queue;
	struct tray *hashed; // before the store queue

	pthread_mutex_t window_lock;
	pthread_cond_t window_room;
	size_t records, bytes; // in hand
	int64_t cautious;      // records still to go one by one; the reader's

	atomic_bool stopping;  // the reader takes no more
	atomic_bool leaving;   // what is in hand is given up
	atomic_bool undecided; // offsets of a partition: lane_fence_lost is due
	struct pulse pulse[STAGE_COUNT];
	pthread_t threads[STAGE_COUNT];
	size_t thread_count;
	atomic_bool sink_open;
};

// *lane is NULL, and nothing started, if no topic belongs to the lane.
enum reason lane_start(enum lane_kind kind, struct flow *flow, const struct flow_parts *parts, struct guard *guard,
		       struct lane **ret_lane, struct fault *f) ATTR_MUST_USE;
void lane_stop(struct lane *lane);               // asks the reader to take no more
bool lane_idle(struct lane *lane) ATTR_MUST_USE; // nothing in hand
// Gives up what is left, joins the threads, closes and frees everything. true: nothing was left and the run is marked as ended.
bool lane_leave(struct lane *lane);
// Where offsets are undecided: ends Kafka transactions that members who are gone may have left open, which hide offsets and results from
// readers. Janitor's thread; takes some seconds at most, less once leaving is set.
void lane_fence_lost(struct lane *lane, struct store *store, const atomic_bool *leaving);
bool lane_ready(struct lane *lane, struct strbuf *why) ATTR_MUST_USE;
bool lane_alive(struct lane *lane, int64_t limit_ms) ATTR_MUST_USE;
void lane_measure(struct lane *lane);

// Threads, one a stage; ctx is the lane.
void reader_run(void *ctx);
void looker_run(void *ctx);
void hasher_run(void *ctx);
void storer_run(void *ctx);
void sinker_run(void *ctx);

// Ends a work item that has left the ledger: frees its room in the window.
void lane_end(struct lane *lane, struct work *work);
// As lane_end for an item whose partition is no longer ours; releases its order keys first.
void lane_drop(struct lane *lane, struct work *work);
// Hands on those that waited for the work (order_leave) to the looker.
void lane_release_waiters(struct lane *lane, struct work *work);
// What the store withdrew goes back to the looker, with its order keys.
void lane_look_again(struct lane *lane, struct work *work);
// The outputs are there: to the ledger, for the sinker, which ledger_wake tells when all of a batch are. Releases order keys.
void lane_finish(struct lane *lane, struct work *work);

// The producer's name of an instance of this lane.
void lane_transactional_id(const struct lane *lane, const char *instance, char *out, size_t size);

// A step of a stage begins (work was taken) or ends.
void lane_busy(struct lane *lane, enum stage stage);
void lane_waits(struct lane *lane, enum stage stage);
// A peer failed: counts, logs the first time, waits with back-off unless leaving. HALT reasons fail the flow. false: give up.
bool lane_retry(struct lane *lane, enum stage stage, struct backoff *backoff, const struct fault *f) ATTR_MUST_USE;
// It worked (again).
void lane_works(struct lane *lane, enum stage stage, struct backoff *backoff);
void lane_halt(struct lane *lane, const struct fault *f);
struct metric_labels lane_stage_labels(const struct lane *lane, enum stage stage) ATTR_MUST_USE;

void flow_fail(struct flow *flow, const struct fault *f);
