// SPDX-License-Identifier: Apache-2.0
// Takes notices under lock, publishes them, marks them. What fails in between gives the rows back, so that they are published again.
#include "enrolld/flow/herald.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/thread.h"
#include "enrolld/kafka/sink.h"
#include "enrolld/store/notice.h"

#define BATCH ((size_t)500)
#define PUBLISH_MS 2000 // rows are locked meanwhile
#define CLOSE_MS 3000
#define METER_NS INT64_C(10000000000)
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

struct herald {
	const struct flow_conf *conf;
	const struct kafka_conf *kafka;
	struct store *store;
	struct sink *sink; // the thread's
	struct arena *arena;
	struct notice *notices;
	struct output *outputs;
	struct backoff backoff;
	int64_t metered_ns;
	_Atomic int paused; // enum reason of the last failure; 0: it works
	atomic_bool stopping;
	bool started;
	pthread_t thread;
	pthread_mutex_t lock; // of woken
	pthread_cond_t wake;
	bool woken;
};

static bool is_stopping(void *ctx)
{
	const struct herald *h = ctx;
	return atomic_load(&h->stopping);
}

static enum reason open_sink(struct herald *h, struct fault *f)
{
	const char *topics[] = {h->conf->event_topic};
	const struct sink_options options = {.conf = h->kafka, .group = "notices", .topics = topics, .topic_count = 1};
	return h->sink ? sink_probe(h->sink, f) : sink_create(&options, is_stopping, h, &h->sink, f);
}

static struct slice id_text(const struct uuid *id, struct arena *arena)
{
	char text[UUID_TEXT_SIZE];
	return arena_copy(arena, slice_of(uuid_format(id, text)));
}

// CloudEvents Kafka binding 1.0, binary mode.
static struct output event_of(const struct herald *h, const struct notice *notice)
{
	char time[CLOCK_TEXT_SIZE];
	struct slice type = arena_printf(h->arena, "enrolld.%.*s.v1", (int)notice->kind.len, notice->kind.ptr);
	const struct header headers[] = {
		{SLICE_LIT("ce_specversion"), SLICE_LIT("1.0")},
		{SLICE_LIT("ce_id"), id_text(&notice->notice_id, h->arena)},
		{SLICE_LIT("ce_source"), SLICE_LIT("/enrolld")},
		{SLICE_LIT("ce_type"), type},
		{SLICE_LIT("ce_subject"), notice->subject},
		{SLICE_LIT("ce_time"), arena_copy(h->arena, slice_of(clock_format_ms(notice->created_ms, time)))},
		{SLICE_LIT("content-type"), SLICE_LIT("application/json")},
	};
	struct output event = {.kind = OUTPUT_EVENT,
			       .topic = slice_of(h->conf->event_topic),
			       .partition = -1,
			       .key = notice->key,
			       .value = notice->payload,
			       .headers = ARENA_ARRAY(h->arena, ARRAY_LEN(headers), struct header),
			       .header_count = ARRAY_LEN(headers)};
	memcpy(event.headers, headers, sizeof(headers));
	return event;
}

static void count_published(const struct herald *h, size_t count)
{
	for (size_t i = 0; i < count; i++)
		metric_add(METRIC_notices, METRIC_LABELS(arena_copy(h->arena, h->notices[i].kind).ptr), 1);
	LOG(notices_published, log_int("notices", (int64_t)count));
}

static enum reason publish(struct herald *h, size_t *ret_count, struct fault *f)
{
	size_t count = 0;
	arena_reset(h->arena);
	enum reason reason = store_notice_take(h->store, BATCH, h->arena, h->notices, &count, f);
	if (reason != REASON_OK || count == 0) {
		*ret_count = 0;
		return reason;
	}
	for (size_t i = 0; i < count; i++)
		h->outputs[i] = event_of(h, &h->notices[i]);
	reason = sink_publish(h->sink, h->outputs, count, PUBLISH_MS, f);
	if (reason != REASON_OK) {
		store_cancel(h->store);
		return reason;
	}
	(void)FAILPOINT(notice_published);
	reason = store_notice_mark(h->store, h->notices, count, f);
	if (reason != REASON_OK)
		return reason;
	count_published(h, count);
	*ret_count = count;
	return REASON_OK;
}

static void meter(struct herald *h)
{
	int64_t now_ns = clock_mono_ns(), waiting;
	if (h->metered_ns != 0 && now_ns - h->metered_ns < METER_NS)
		return;
	h->metered_ns = now_ns;
	if (store_notice_waiting(h->store, &waiting, NULL) == REASON_OK)
		metric_set(METRIC_notices_waiting, METRIC_NO_LABELS, (double)waiting);
}

static void wait(struct herald *h, int64_t ms, bool for_notices)
{
	int64_t until = clock_mono_ns() + ms * NS_PER_MS;
	struct timespec end = {.tv_sec = until / NS_PER_S, .tv_nsec = until % NS_PER_S};
	(void)pthread_mutex_lock(&h->lock);
	while (!atomic_load(&h->stopping) && !(for_notices && h->woken))
		if (pthread_cond_timedwait(&h->wake, &h->lock, &end) != 0)
			break;
	h->woken = h->woken && !for_notices;
	(void)pthread_mutex_unlock(&h->lock);
}

static void note_failure(struct herald *h, const struct fault *f)
{
	if (atomic_exchange(&h->paused, (int)f->reason) == REASON_OK)
		LOG_FAULT(notices_paused, f);
	wait(h, backoff_next_ms(&h->backoff), false);
}

static void note_success(struct herald *h)
{
	backoff_reset(&h->backoff);
	if (atomic_exchange(&h->paused, REASON_OK) != REASON_OK)
		LOG(notices_resumed);
}

static void run(void *ctx)
{
	struct herald *h = ctx;
	bool works = false;
	while (!is_stopping(h)) {
		struct fault f = {0};
		size_t count = 0;
		meter(h);
		enum reason reason = works ? REASON_OK : open_sink(h, &f); // no row is locked while the brokers are away
		if (reason == REASON_OK)
			reason = publish(h, &count, &f);
		works = reason == REASON_OK;
		if (works)
			note_success(h);
		else if (reason != REASON_STOPPING)
			note_failure(h, &f);
		if (works && count == 0)
			wait(h, h->conf->notice_every_ms, true);
	}
	struct fault f;
	size_t count;
	if (works)
		(void)!publish(h, &count, &f); // what others have written until now
}

static struct herald *make(const struct flow_conf *conf, const struct kafka_conf *kafka)
{
	struct herald *h = calloc(1, sizeof(*h));
	pthread_condattr_t attr;
	if (!h)
		PANIC("out of memory");
	h->conf = conf;
	h->kafka = kafka;
	h->arena = arena_create((size_t)64 << 10);
	h->notices = calloc(BATCH, sizeof(*h->notices));
	h->outputs = calloc(BATCH, sizeof(*h->outputs));
	h->backoff = BACKOFF_INIT(conf->retry_min_ms, conf->retry_max_ms);
	if (!h->notices || !h->outputs || pthread_condattr_init(&attr) != 0 ||
	    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 || pthread_cond_init(&h->wake, &attr) != 0 ||
	    pthread_mutex_init(&h->lock, NULL) != 0)
		PANIC("out of memory");
	(void)pthread_condattr_destroy(&attr);
	return h;
}

enum reason herald_start(const struct flow_conf *conf, const struct kafka_conf *kafka, const struct store_conf *store,
			 struct herald **ret_herald, struct fault *f)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "enrolld/%.30s/notices", conf->instance);
	struct herald *h = make(conf, kafka);
	enum reason reason = store_open(store, name, &h->store, f);
	if (reason == REASON_OK)
		reason = thread_start("notices", run, h, &h->thread, f);
	h->started = reason == REASON_OK;
	if (reason == REASON_OK)
		*ret_herald = h;
	else
		herald_destroy(h);
	return reason;
}

static void ring(struct herald *h)
{
	(void)pthread_mutex_lock(&h->lock);
	h->woken = true;
	(void)pthread_mutex_unlock(&h->lock);
	(void)pthread_cond_broadcast(&h->wake);
}

void herald_wake(void *herald)
{
	ring(herald);
}

bool herald_ready(const struct herald *h, struct strbuf *why)
{
	enum reason reason = (enum reason)atomic_load(&h->paused);
	if (reason != REASON_OK && why)
		strbuf_printf(why, "notices: %s\n", reason_code(reason));
	return reason == REASON_OK;
}

void herald_stop(struct herald *h)
{
	if (!h->started)
		return;
	h->started = false;
	atomic_store(&h->stopping, true);
	ring(h);
	thread_join(h->thread);
}

void herald_destroy(struct herald *h)
{
	if (!h)
		return;
	herald_stop(h);
	sink_close(h->sink, CLOSE_MS);
	store_close(h->store);
	(void)pthread_cond_destroy(&h->wake);
	(void)pthread_mutex_destroy(&h->lock);
	arena_destroy(h->arena);
	free(h->notices);
	free(h->outputs);
	free(h);
}
