// SPDX-License-Identifier: Apache-2.0
// The worker as a whole.
#include "app/worker.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/admin.h"
#include "app/parts.h"
#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "enrolld/conf/process.h"
#include "enrolld/doc/json.h"
#include "enrolld/flow/flow.h"
#include "enrolld/flow/herald.h"
#include "enrolld/version.h"

struct worker {
	const struct process_conf *process;
	struct arena *arena; // of default topics and names
	struct flow_parts parts;
	struct operation operation;
	struct sending *sending;
	struct herald *herald;
	struct keyring *keys;
	struct dialect_shelf *dialects;
	const char *dialect_folder;
	struct admin *admin;
	pthread_mutex_t lock; // of flow, which the admin endpoint asks and worker_stop ends
	struct flow *flow;
	bool stopping;
};

// The dialects that the topics name, with what conf sets of them.
static enum reason load_dialects(const struct worker *w, const struct conf *conf, struct strbuf *report, struct dialect_set **set,
				 struct fault *f)
{
	struct arena *arena = arena_create(1024);
	size_t count;
	const char *const *names = parts_dialects(w->parts.topics, w->parts.topic_count, arena, &count);
	struct dialect_options options = parts_dialect_options(conf);
	options.keys = w->keys;
	enum reason reason = dialect_load(w->dialect_folder, names, count, &options, report, set, f);
	arena_destroy(arena);
	return reason;
}

static enum reason make_dialects(struct worker *w, const struct conf *conf, struct strbuf *report, struct fault *f)
{
	struct dialect_set *set = NULL;
	w->dialect_folder = parts_dialect_folder(conf, w->arena);
	enum reason reason = load_dialects(w, conf, report, &set, f);
	if (reason == REASON_OK)
		w->parts.dialects = w->dialects = dialect_shelf_create(set);
	return reason;
}

static enum reason make_secrets(struct worker *w, struct fault *f)
{
	bool locked = false;
	size_t slots = parts_secrets(w->parts.conf);
	enum reason reason = secret_pool_create(slots, &w->parts.secrets, &locked, f);
	if (reason == REASON_OK && !locked)
		LOG(memory_not_locked, log_int("bytes", (int64_t)(slots * SECRET_SIZE_MAX)));
	return reason;
}

static enum reason make_hashes(struct worker *w, const struct credential_conf *conf, struct fault *f)
{
	enum reason reason = credential_cost_check(credential_cost(conf), conf->allow_weak, f);
	return reason == REASON_OK ? credential_pool_create(conf, &w->parts.hashes, f) : reason;
}

static enum reason start_courier(struct worker *w, const struct conf *conf, struct fault *f)
{
	const struct courier_conf *courier = parts_courier(conf, w->arena);
	if (!courier->enabled)
		return REASON_OK;
	struct courier_listener listener = {herald_wake, w->herald};
	return courier_create(courier, w->parts.store, w->keys, w->parts.conf->instance, listener, &w->parts.courier, f);
}

static bool ask_healthy(void *ctx, struct strbuf *why)
{
	return worker_healthy(ctx, why);
}

static bool ask_ready(void *ctx, struct strbuf *why)
{
	return worker_ready(ctx, why);
}

static void ask_measure(void *ctx)
{
	worker_measure(ctx);
}

static enum reason start_admin(struct worker *w, struct fault *f)
{
	if (!w->process->admin_address || !w->process->admin_address[0])
		return REASON_OK;
	struct admin_sources sources = {w, ask_healthy, ask_ready, ask_measure, w->parts.conf->instance};
	return admin_start(w->process, &sources, &w->admin, f);
}

static enum reason build(struct worker *w, const struct conf *conf, struct strbuf *report, struct fault *f)
{
	const struct store_conf *store = conf_get(conf, &store_settings);
	w->process = conf_get(conf, &process_settings);
	w->parts.conf = conf_get(conf, &flow_settings);
	w->parts.kafka = conf_get(conf, &kafka_settings);
	w->parts.store = store;
	w->parts.topics = parts_topics(conf, w->arena, &w->parts.topic_count);
	json_setup();
	enum reason reason = crypto_setup(f);
	if (reason == REASON_OK)
		reason = keyring_load(w->process->keys_file, &w->keys, f);
	if (reason == REASON_OK)
		reason = make_dialects(w, conf, report, f);
	if (reason == REASON_OK)
		reason = make_secrets(w, f);
	if (reason == REASON_OK)
		reason = make_hashes(w, conf_get(conf, &credential_settings), f);
	size_t realms;
	const struct realm_conf *of_realms = conf_get_named(conf, &realm_settings, &realms);
	w->sending = sending_create(conf_get(conf, &sending_settings), of_realms, realms);
	w->operation = (struct operation){conf_get(conf, &operation_settings), w->keys, store->horizon_ms, w->sending};
	w->parts.operation = &w->operation;
	w->parts.keys = w->keys;
	if (reason == REASON_OK)
		reason = start_admin(w, f);
	if (reason == REASON_OK)
		reason = herald_start(w->parts.conf, w->parts.kafka, w->parts.store, &w->herald, f);
	if (reason == REASON_OK)
		reason = start_courier(w, conf, f);
	struct flow *flow = NULL;
	if (reason == REASON_OK)
		reason = flow_start(&w->parts, &flow, f);
	pthread_mutex_lock(&w->lock);
	w->flow = flow;
	pthread_mutex_unlock(&w->lock);
	return reason;
}

enum reason worker_create(const struct conf *conf, struct worker **ret_worker, struct strbuf *report, struct fault *f)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (!w)
		PANIC("out of memory");
	w->arena = arena_create(4096);
	pthread_mutex_init(&w->lock, NULL);
	metric_set(METRIC_start_time, METRIC_NO_LABELS, (double)clock_wall_ms() / 1000);
	metric_set(METRIC_build_info, METRIC_LABELS(ENROLLD_VERSION, ENROLLD_COMMIT), 1);
	enum reason reason = build(w, conf, report, f);
	if (reason != REASON_OK) {
		worker_destroy(w);
		return reason;
	}
	*ret_worker = w;
	return REASON_OK;
}

void worker_stop(struct worker *w, bool *clean)
{
	*clean = true;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_mutex_unlock(&w->lock);
	// Draining takes a while and the endpoint answers meanwhile: it asks under the lock, and no more once stopping is set.
	if (w->flow)
		flow_stop(w->flow, clean);
	if (w->parts.courier)
		courier_stop(w->parts.courier, w->parts.conf->drain_ms < 5000 ? 5000 : w->parts.conf->drain_ms);
	if (w->herald)
		herald_stop(w->herald);
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	admin_stop(w->admin);
	flow_destroy(w->flow);
	courier_destroy(w->parts.courier);
	herald_destroy(w->herald);
	credential_pool_destroy(w->parts.hashes);
	secret_pool_destroy(w->parts.secrets);
	sending_destroy(w->sending);
	dialect_shelf_destroy(w->dialects);
	keyring_destroy(w->keys);
	pthread_mutex_destroy(&w->lock);
	arena_destroy(w->arena);
	free(w);
}

enum reason worker_reload(struct worker *w, const struct conf *conf, struct strbuf *report, struct fault *f)
{
	const struct process_conf *process = conf_get(conf, &process_settings);
	struct dialect_set *set = NULL;
	enum reason reason = load_dialects(w, conf, report, &set, f);
	metric_add(METRIC_dialect_reloads, METRIC_LABELS(reason == REASON_OK ? "done" : "refused"), 1);
	if (reason != REASON_OK)
		return reason;
	dialect_shelf_put(w->dialects, set);
	size_t realms;
	const struct realm_conf *of_realms = conf_get_named(conf, &realm_settings, &realms);
	sending_replace(w->sending, conf_get(conf, &sending_settings), of_realms, realms);
	log_configure((enum log_level)process->log_level, (enum log_format)process->log_format);
	return REASON_OK;
}

enum reason worker_failure(struct worker *w, struct fault *f)
{
	return flow_failure(w->flow, f);
}

bool worker_ready(struct worker *w, struct strbuf *why)
{
	pthread_mutex_lock(&w->lock);
	bool ready = false;
	if (w->stopping)
		strbuf_add_text(why, "stopping\n");
	else if (!w->flow)
		strbuf_add_text(why, "starting\n");
	else
		ready = flow_ready(w->flow, why);
	if (w->flow && !w->stopping && w->parts.courier)
		ready = courier_ready(w->parts.courier, why) && ready;
	if (w->flow && !w->stopping)
		ready = herald_ready(w->herald, why) && ready;
	pthread_mutex_unlock(&w->lock);
	return ready;
}

bool worker_healthy(struct worker *w, struct strbuf *why)
{
	pthread_mutex_lock(&w->lock);
	bool healthy = w->stopping || !w->flow || flow_alive(w->flow, w->process->stuck_ms);
	pthread_mutex_unlock(&w->lock);
	if (!healthy)
		strbuf_printf(why, "a stage has made no step for %lld ms\n", (long long)w->process->stuck_ms);
	return healthy;
}

void worker_measure(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	if (w->flow && !w->stopping) {
		flow_measure(w->flow);
		if (w->parts.courier)
			courier_measure(w->parts.courier);
	}
	pthread_mutex_unlock(&w->lock);
}

int worker_admin_port(const struct worker *w)
{
	return w->admin ? admin_port(w->admin) : 0;
}
