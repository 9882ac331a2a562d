// SPDX-License-Identifier: Apache-2.0
// Layers of librdkafka properties, the log line bridge, and errors to reasons.
#include "kafka/client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"
#include "enrolld/base/thread.h"

#define HEARTBEAT_MS 1000

struct property {
	const char *name;
	const char *value;
};

// Each because the stock value costs latency or memory, or hides a fault; see librdkafka's CONFIGURATION.md.
static const struct property common[] = {
	{"client.id", "enrolld"},
	{"socket.nagle.disable", "true"}, // 40 ms stalls otherwise (librdkafka #4986)
	{"socket.keepalive.enable", "true"},
	{"reconnect.backoff.ms", "100"},
	{"reconnect.backoff.max.ms", "2000"}, // an outage's end is noticed soon
	{"topic.metadata.refresh.interval.ms", "30000"},
	{"log.connection.close", "false"}, // idle connections are closed by design
};

static const struct property consumer[] = {
	{"partition.assignment.strategy", "cooperative-sticky"},
	{"fetch.wait.max.ms", "50"},
	{"fetch.error.backoff.ms", "100"},
	{"max.partition.fetch.bytes",
	 "262144"}, // what is fetched is kept until its last record is read: small steps, bounded with many partitions
	{"check.crcs", "true"},
};

static const struct property consumer_fixed[] = {
	{"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
	{"isolation.level", "read_committed"}, // also makes reads of committed offsets stable
	{"auto.offset.reset", "error"},        // every start is an offset we chose; leaving the log's range must not go unseen
	{"enable.partition.eof", "false"},
};

static const struct property producer[] = {
	{"linger.ms", "0"},
	{"retry.backoff.ms", "1"}, // a new transaction meets the last one's markers: 100 ms otherwise
	{"partitioner", "murmur2_random"},
	{"compression.type", "none"},
	{"queue.buffering.max.kbytes", "65536"},
};

static const struct property producer_fixed[] = {
	{"enable.idempotence", "true"},
	{"acks", "all"},
};

// Newer than the oldest librdkafka we build with; unknown there.
static const struct property optional[] = {
	{"fetch.queue.backoff.ms", "10"},
};

enum reason client_set(rd_kafka_conf_t *rdconf, const char *property, const char *value, struct fault *f)
{
	char text[8]; // librdkafka's own text may hold the value: not ours to show
	rd_kafka_conf_res_t res = rd_kafka_conf_set(rdconf, property, value, text, sizeof(text));
	if (res == RD_KAFKA_CONF_OK)
		return REASON_OK;
	return fault_set(f, REASON_SETTING_INVALID,
			 res == RD_KAFKA_CONF_UNKNOWN ? "librdkafka does not know the property %s"
						      : "librdkafka does not accept the value of property %s",
			 property);
}

enum reason client_set_number(rd_kafka_conf_t *rdconf, const char *property, int64_t value, struct fault *f)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%lld", (long long)value);
	return client_set(rdconf, property, text, f);
}

enum reason client_property_check(const char *row, const char *property, const char *value, struct fault *f)
{
	rd_kafka_conf_t *scratch = rd_kafka_conf_new();
	enum reason reason = client_set(scratch, property, value, f);
	rd_kafka_conf_destroy(scratch);
	if (reason == REASON_OK && strcmp(property, "client.id") == 0 && strlen(value) > 64)
		reason = fault_set(f, REASON_SETTING_INVALID,
				   "client.id is longer than 64 bytes"); // crashes librdkafka before 2.5 (#4689)
	return reason == REASON_OK ? reason : fault_prefix(f, "%s", row);
}

static enum reason set_all(rd_kafka_conf_t *rdconf, const struct property *properties, size_t count, struct fault *f)
{
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < count && reason == REASON_OK; i++)
		reason = client_set(rdconf, properties[i].name, properties[i].value, f);
	return reason;
}

static enum reason set_map(rd_kafka_conf_t *rdconf, const struct setting_map *map, struct fault *f)
{
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < map->count && reason == REASON_OK; i++)
		reason = client_set(rdconf, map->pairs[i].name, map->pairs[i].value, f);
	return reason;
}

static void set_optional(rd_kafka_conf_t *rdconf)
{
	char text[8];
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		(void)rd_kafka_conf_set(rdconf, optional[i].name, optional[i].value, text, sizeof(text));
}

static enum reason fix_consumer(const struct kafka_conf *conf, rd_kafka_conf_t *rdconf, struct fault *f)
{
	// With each heartbeat a member learns of a rebalance: others who wait for it do not wait long.
	int64_t heartbeat = conf->session_timeout_ms / 3 < HEARTBEAT_MS ? conf->session_timeout_ms / 3 : HEARTBEAT_MS;
	enum reason reason = set_all(rdconf, consumer_fixed, ARRAY_LEN(consumer_fixed), f);
	if (reason == REASON_OK)
		reason = client_set_number(rdconf, "session.timeout.ms", conf->session_timeout_ms, f);
	if (reason == REASON_OK)
		reason = client_set_number(rdconf, "heartbeat.interval.ms", heartbeat, f);
	if (reason == REASON_OK)
		reason = client_set_number(rdconf, "queued.min.messages", conf->prefetch_records, f);
	if (reason == REASON_OK)
		reason = client_set_number(rdconf, "queued.max.messages.kbytes", conf->prefetch_bytes / 1024, f);
	return reason;
}

// A log line of librdkafka may come from any of its threads.
static void on_log(const rd_kafka_t *rk, int severity, const char *facility, const char *text)
{
	LOG(kafka_log, log_text("client", rk ? rd_kafka_name(rk) : "-"), log_int("severity", severity),
	    log_text("facility", facility), log_text("text", text));
}

static enum reason layers(const struct kafka_conf *conf, enum client_role role, rd_kafka_conf_t *rdconf, struct fault *f)
{
	enum reason reason = set_all(rdconf, common, ARRAY_LEN(common), f);
	if (reason == REASON_OK && role == CLIENT_CONSUMER)
		reason = set_all(rdconf, consumer, ARRAY_LEN(consumer), f);
	if (reason == REASON_OK && role == CLIENT_PRODUCER)
		reason = set_all(rdconf, producer, ARRAY_LEN(producer), f);
	if (reason == REASON_OK)
		reason = set_map(rdconf, &conf->properties, f);
	if (reason == REASON_OK && role == CLIENT_CONSUMER)
		reason = set_map(rdconf, &conf->consumer_properties, f);
	if (reason == REASON_OK && role == CLIENT_PRODUCER)
		reason = set_map(rdconf, &conf->producer_properties, f);
	if (reason == REASON_OK)
		reason = client_set(rdconf, "bootstrap.servers", conf->bootstrap_servers, f);
	if (reason == REASON_OK && role == CLIENT_CONSUMER)
		reason = fix_consumer(conf, rdconf, f);
	if (reason == REASON_OK && role == CLIENT_PRODUCER)
		reason = set_all(rdconf, producer_fixed, ARRAY_LEN(producer_fixed), f);
	return reason;
}

enum reason client_conf(const struct kafka_conf *conf, enum client_role role, rd_kafka_conf_t **ret_rdconf, struct fault *f)
{
	rd_kafka_conf_t *rdconf = rd_kafka_conf_new();
	set_optional(rdconf);
	enum reason reason = layers(conf, role, rdconf, f);
	if (reason != REASON_OK) {
		rd_kafka_conf_destroy(rdconf);
		return reason;
	}
	rd_kafka_conf_set_log_cb(rdconf, on_log);
	*ret_rdconf = rdconf;
	return REASON_OK;
}

enum reason client_create(rd_kafka_type_t type, rd_kafka_conf_t *rdconf, rd_kafka_t **ret_rk, struct fault *f)
{
	char text[256];
	rd_kafka_t *rk = rd_kafka_new(type, rdconf, text, sizeof(text));
	if (!rk) {
		rd_kafka_conf_destroy(rdconf);
		return fault_set(f, REASON_SETTING_INVALID, "kafka: %s", text);
	}
	*ret_rk = rk;
	return REASON_OK;
}

enum reason client_open_plain(const struct kafka_conf *conf, const char *group, rd_kafka_t **rk, struct fault *f)
{
	rd_kafka_conf_t *rdconf = NULL;
	enum reason reason = client_conf(conf, CLIENT_PLAIN, &rdconf, f);
	if (reason != REASON_OK)
		return reason;
	reason = client_set(rdconf, "group.id", group, f);
	if (reason != REASON_OK) {
		rd_kafka_conf_destroy(rdconf);
		return reason;
	}
	return client_create(RD_KAFKA_CONSUMER, rdconf, rk, f);
}

enum reason client_reason(rd_kafka_resp_err_t err)
{
	switch ((int)err) {
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED: return REASON_KAFKA_DENIED;
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
	case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH: return REASON_KAFKA_FENCED;
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID: return REASON_KAFKA_FATAL;
	default: return REASON_KAFKA_UNAVAILABLE;
	}
}

enum reason client_fault(struct fault *f, rd_kafka_error_t *error, const char *what)
{
	enum reason reason = fault_set(f, client_reason(rd_kafka_error_code(error)), "%s: %s (%s)", what,
				       rd_kafka_error_string(error), rd_kafka_error_name(error));
	rd_kafka_error_destroy(error);
	return reason;
}

struct run {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	void (*fn)(void *ctx);
	void *ctx;
	void (*release)(void *ctx);
	bool ended, abandoned;
};

static void run_free(struct run *r)
{
	(void)pthread_cond_destroy(&r->changed);
	(void)pthread_mutex_destroy(&r->lock);
	free(r);
}

static void run_main(void *ctx)
{
	struct run *r = ctx;
	r->fn(r->ctx);
	(void)pthread_mutex_lock(&r->lock);
	bool abandoned = r->abandoned;
	r->ended = true;
	(void)pthread_cond_broadcast(&r->changed);
	(void)pthread_mutex_unlock(&r->lock);
	if (!abandoned)
		return;
	r->release(r->ctx);
	run_free(r);
}

static struct run *run_create(void (*fn)(void *ctx), void *ctx, void (*release)(void *ctx))
{
	struct run *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;
	if (!r || pthread_condattr_init(&attr) != 0 || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
	    pthread_cond_init(&r->changed, &attr) != 0 || pthread_mutex_init(&r->lock, NULL) != 0)
		PANIC("kafka: out of memory");
	(void)pthread_condattr_destroy(&attr);
	r->fn = fn;
	r->ctx = ctx;
	r->release = release;
	return r;
}

bool client_run(void (*fn)(void *ctx), void *ctx, void (*release)(void *ctx), int timeout_ms)
{
	struct fault f;
	pthread_t thread;
	struct run *r = run_create(fn, ctx, release);
	int64_t until = clock_mono_ns() + timeout_ms * (int64_t)1000000;
	struct timespec deadline = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
	if (thread_start("kafka-call", run_main, r, &thread, &f) != REASON_OK) {
		fn(ctx); // without a thread it takes as long as it takes
		run_free(r);
		return true;
	}
	(void)pthread_mutex_lock(&r->lock);
	while (!r->ended && pthread_cond_timedwait(&r->changed, &r->lock, &deadline) == 0)
		;
	bool ended = r->ended;
	r->abandoned = !ended;
	(void)pthread_mutex_unlock(&r->lock);
	if (!ended) {
		(void)pthread_detach(thread);
		return false;
	}
	thread_join(thread);
	run_free(r);
	return true;
}

static void destroy_handle(void *rk)
{
	rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

static void nothing(void *rk)
{
	(void)rk;
}

bool client_destroy(rd_kafka_t *rk, int deadline_ms)
{
	return client_run(destroy_handle, rk, nothing, deadline_ms);
}

bool client_fenced_often(struct fences *fences)
{
	memmove(fences->ns, fences->ns + 1, sizeof(fences->ns) - sizeof(fences->ns[0]));
	fences->ns[FENCES_MAX - 1] = clock_mono_ns();
	return fences->ns[0] != 0 && fences->ns[FENCES_MAX - 1] - fences->ns[0] < FENCE_WINDOW_MS * (int64_t)1000000;
}
