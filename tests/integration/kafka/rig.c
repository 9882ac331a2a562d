// SPDX-License-Identifier: Apache-2.0
// Helpers over the modules' own interfaces and plain librdkafka.
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"

#define WAIT_MS 30000
#define ASK_MS 10000

static struct arena *arena;

void rig_conf(struct kafka_conf *conf)
{
	const char *brokers = getenv("ENROLLD_BOOTSTRAP_SERVERS");
	if (!brokers)
		fail_msg("ENROLLD_BOOTSTRAP_SERVERS is not set: eval \"$(scripts/services env)\"");
	if (!arena)
		arena = arena_create(4096);
	settings_defaults(&kafka_settings, arena, conf);
	conf->bootstrap_servers = brokers;
	conf->session_timeout_ms = 6000;
	if (getenv("RIG_DEBUG")) { // e.g. cgrp,eos: what librdkafka does, on stderr
		log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
		rig_property(&conf->properties, "debug", getenv("RIG_DEBUG"));
	}
}

void rig_property(struct setting_map *map, const char *name, const char *value)
{
	struct setting_pair *pairs = ARENA_ARRAY(arena, map->count + 1, struct setting_pair);
	for (size_t i = 0; i < map->count; i++)
		pairs[i] = map->pairs[i];
	pairs[map->count] = (struct setting_pair){name, value};
	*map = (struct setting_map){pairs, map->count + 1};
}

const char *rig_name(char out[static RIG_NAME_SIZE], const char *word)
{
	static unsigned serial;
	(void)snprintf(out, RIG_NAME_SIZE, "test-%s-%lld-%d-%u", word, (long long)clock_wall_ms(), (int)getpid(), serial++);
	return out;
}

static struct kafka_admin *admin_open(void)
{
	struct kafka_conf *conf = calloc(1, sizeof(*conf));
	struct kafka_admin *admin = NULL;
	struct fault f = {0};
	rig_conf(conf);
	if (kafka_admin_create(conf, &admin, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	free(conf);
	return admin;
}

void rig_topic(const char *name, int partitions, const char *config, const char *value)
{
	struct kafka_admin *admin = admin_open();
	struct topic_spec spec = {.name = name, .partitions = partitions, .replication = 1};
	struct fault f = {0};
	bool existed = true;
	if (config) {
		spec.configs[0].name = config;
		spec.configs[0].value = value;
		spec.config_count = 1;
	}
	if (kafka_admin_create_topic(admin, &spec, ASK_MS, &existed, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	assert_false(existed);
	kafka_admin_destroy(admin);
}

int64_t rig_committed(const char *group, const char *topic, int32_t partition)
{
	struct kafka_admin *admin = admin_open();
	struct fault f = {0};
	int64_t offset = -2;
	if (kafka_admin_committed(admin, group, topic, partition, ASK_MS, &offset, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	kafka_admin_destroy(admin);
	return offset;
}

void rig_check(rd_kafka_error_t *error)
{
	if (error)
		fail_msg("%s", rd_kafka_error_string(error));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];
	if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
		fail_msg("%s", text);
}

static rd_kafka_t *handle(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
	char text[256];
	set(conf, "bootstrap.servers", getenv("ENROLLD_BOOTSTRAP_SERVERS"));
	set(conf, "socket.nagle.disable", "true");
	set(conf, "log_level", "2");
	rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
	if (!rk)
		fail_msg("%s", text);
	return rk;
}

rd_kafka_t *rig_producer(const char *transactional_id)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "enable.idempotence", "true");
	if (transactional_id) {
		set(conf, "transactional.id", transactional_id);
		set(conf, "transaction.timeout.ms", "20000");
	}
	rd_kafka_t *rk = handle(RD_KAFKA_PRODUCER, conf);
	if (transactional_id)
		rig_check(rd_kafka_init_transactions(rk, ASK_MS));
	return rk;
}

static rd_kafka_t *reader(const char *group)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "group.id", group);
	set(conf, "enable.auto.commit", "false");
	set(conf, "isolation.level", "read_committed");
	set(conf, "auto.offset.reset", "earliest");
	set(conf, "enable.partition.eof", "true");
	return handle(RD_KAFKA_CONSUMER, conf);
}

void rig_set_offset(const char *group, const char *topic, int32_t partition, int64_t offset)
{
	rd_kafka_t *rk = reader(group);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
	assert_int_equal(rd_kafka_assign(rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_resp_err_t err = rd_kafka_commit(rk, list, 0);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		fail_msg("commit of offset %lld for %s: %s", (long long)offset, group, rd_kafka_err2str(err));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
}

void rig_delete_before(const char *topic, int32_t partition, int64_t offset)
{
	rd_kafka_t *rk = rig_producer(NULL);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(list, topic, partition)->offset = offset;
	rd_kafka_DeleteRecords_t *request = rd_kafka_DeleteRecords_new(list);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
	rd_kafka_DeleteRecords(rk, &request, 1, NULL, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ASK_MS);
	assert_non_null(event);
	assert_int_equal(rd_kafka_event_error(event), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_DeleteRecords_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
}

void rig_send(rd_kafka_t *rk, struct rig_message m)
{
	size_t len = m.value_len > 0 || !m.value ? m.value_len : strlen(m.value);
	rd_kafka_resp_err_t err = rd_kafka_producev(
		rk, RD_KAFKA_VTYPE_TOPIC, m.topic, RD_KAFKA_VTYPE_PARTITION, m.partition, RD_KAFKA_VTYPE_KEY, (const void *)m.key,
		m.key ? strlen(m.key) : 0, RD_KAFKA_VTYPE_VALUE, (const void *)m.value, len, RD_KAFKA_VTYPE_TIMESTAMP, m.timestamp,
		RD_KAFKA_VTYPE_HEADERS, m.headers, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_MSG_F_COPY, RD_KAFKA_VTYPE_END);
	assert_int_equal(err, RD_KAFKA_RESP_ERR_NO_ERROR);
}

void rig_produce(const char *topic, int32_t partition, int from, int count)
{
	rd_kafka_t *rk = rig_producer(NULL);
	for (int i = 0; i < count; i++) {
		char value[40];
		(void)snprintf(value, sizeof(value), "p%d-%d", (int)partition, from + i);
		rig_send(rk, (struct rig_message){.topic = topic, .partition = partition, .value = value});
	}
	assert_int_equal(rd_kafka_flush(rk, ASK_MS), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_destroy(rk);
}

static void keep(struct rig_outputs *outputs, const rd_kafka_message_t *message)
{
	outputs->items = reallocarray(outputs->items, outputs->count + 1, sizeof(*outputs->items));
	assert_non_null(outputs->items);
	char *value = strndup(message->payload ? message->payload : "", message->len);
	outputs->items[outputs->count++] = (struct rig_output){message->partition, message->offset, value};
}

struct rig_outputs rig_read(const char *topic, int partitions)
{
	struct rig_outputs outputs = {0};
	char group[RIG_NAME_SIZE];
	rd_kafka_t *rk = reader(rig_name(group, "reader"));
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
	for (int i = 0; i < partitions; i++)
		rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
	assert_int_equal(rd_kafka_assign(rk, list), RD_KAFKA_RESP_ERR_NO_ERROR);
	rd_kafka_topic_partition_list_destroy(list);
	for (int ends = 0; ends < partitions;) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, ASK_MS);
		assert_non_null(message);
		if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			ends++;
		else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
			keep(&outputs, message);
		else
			fail_msg("%s", rd_kafka_message_errstr(message));
		rd_kafka_message_destroy(message);
	}
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return outputs;
}

size_t rig_count(const struct rig_outputs *outputs, const char *value)
{
	size_t n = 0;
	for (size_t i = 0; i < outputs->count; i++)
		n += strcmp(outputs->items[i].value, value) == 0;
	return n;
}

void rig_free(struct rig_outputs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++)
		free(outputs->items[i].value);
	free(outputs->items);
}

// --- worker ---

static void note(struct worker *w, struct rig_event event)
{
	assert_true(w->event_count < sizeof(w->events) / sizeof(w->events[0]));
	w->events[w->event_count++] = event;
}

static void on_assigned(void *ctx, const char *topic, int32_t partition, int64_t start, int64_t passed)
{
	(void)topic;
	note(ctx, (struct rig_event){RIG_ASSIGNED, partition, start, passed, 0});
}

static void on_dropped(void *ctx, const char *topic, int32_t partition)
{
	struct worker *w = ctx;
	size_t kept = 0;
	(void)topic;
	for (size_t i = 0; i < w->taken_count; i++)
		if (w->taken[i].at.partition != partition)
			w->taken[kept++] = w->taken[i];
	w->taken_count = kept;
	note(w, (struct rig_event){RIG_DROPPED, partition, 0, 0, 0});
}

static void on_gap(void *ctx, const char *topic, int32_t partition, int64_t committed, int64_t low, int64_t high)
{
	(void)topic;
	note(ctx, (struct rig_event){RIG_GAP, partition, committed, low, high});
}

static void on_undecided(void *ctx)
{
	note(ctx, (struct rig_event){.kind = RIG_UNDECIDED});
}

struct worker *worker_create(const char *group, const char *instance, const char *topic, const char *out)
{
	struct worker *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	rig_conf(&w->conf);
	(void)snprintf(w->group, sizeof(w->group), "%s", group);
	(void)snprintf(w->instance, sizeof(w->instance), "%s", instance);
	(void)snprintf(w->topic, sizeof(w->topic), "%s", topic);
	(void)snprintf(w->out, sizeof(w->out), "%s", out ? out : "");
	return w;
}

void worker_open(struct worker *w)
{
	const char *topics[] = {w->topic}, *outs[] = {w->out};
	struct source_options source = {
		.conf = &w->conf,
		.group = w->group,
		.instance = w->instance,
		.topics = topics,
		.topic_count = 1,
		.value_limit = 1024,
		.events = {.ctx = w, .assigned = on_assigned, .dropped = on_dropped, .gap = on_gap, .undecided = on_undecided}};
	struct sink_options sink = {
		.conf = &w->conf, .group = w->group, .transactional_id = w->instance, .topics = outs, .topic_count = 1};
	struct fault f = {0};
	if (source_create(&source, &w->source, &f) != REASON_OK)
		fail_msg("source: %s", f.detail);
	if (w->out[0] && sink_create(&sink, NULL, NULL, &w->sink, &f) != REASON_OK)
		fail_msg("sink: %s", f.detail);
}

void worker_close(struct worker *w)
{
	sink_close(w->sink, 5000);
	source_close(w->source, 5000);
	w->sink = NULL;
	w->source = NULL;
	w->taken_count = 0;
}

void worker_destroy(struct worker *w)
{
	worker_close(w);
	free(w);
}

void worker_step(struct worker *w)
{
	struct arena *mine = arena_create(4096);
	struct record record;
	w->reason = source_poll(w->source, 10, &w->fault);
	for (int i = 0; i < 200 && w->taken_count < RIG_RECORDS_MAX && source_next(w->source, 10, mine, &record); i++) {
		struct rig_taken *t = &w->taken[w->taken_count++];
		*t = (struct rig_taken){.at = record.at, .epoch = record.epoch};
		(void)snprintf(t->value, sizeof(t->value), "%.*s", (int)record.value.len, record.value.ptr ? record.value.ptr : "");
		arena_reset(mine);
	}
	arena_destroy(mine);
}

void worker_until_taken(struct worker *w, size_t count)
{
	int64_t until = clock_mono_ns() + WAIT_MS * (int64_t)1000000;
	while (w->taken_count < count) {
		worker_step(w);
		if (clock_mono_ns() > until)
			fail_msg("%zu records of %zu came (%s)", w->taken_count, count, w->reason ? w->fault.detail : "no fault");
	}
}

size_t worker_events(const struct worker *w, int kind)
{
	size_t n = 0;
	for (size_t i = 0; i < w->event_count; i++)
		n += (int)w->events[i].kind == kind;
	return n;
}

const struct rig_event *worker_event(const struct worker *w, int kind, size_t n)
{
	for (size_t i = 0; i < w->event_count; i++)
		if ((int)w->events[i].kind == kind && n-- == 0)
			return &w->events[i];
	fail_msg("event %d of kind %d did not come", (int)n, kind);
	return NULL;
}

void worker_until_event(struct worker *w, int kind, size_t count)
{
	int64_t until = clock_mono_ns() + WAIT_MS * (int64_t)1000000;
	while (worker_events(w, kind) < count) {
		worker_step(w);
		if (clock_mono_ns() > until)
			fail_msg("%zu of %zu events of kind %d came (%s)", worker_events(w, kind), count, kind,
				 w->reason ? w->fault.detail : "no fault");
	}
}

static size_t add_passage(struct passage *passages, size_t n, const struct rig_taken *t)
{
	for (size_t i = 0; i < n; i++)
		if (passages[i].partition == t->at.partition && passages[i].epoch == t->epoch) {
			passages[i].next = t->at.offset + 1;
			return n;
		}
	passages[n] = (struct passage){t->at.topic, t->at.partition, t->epoch, t->at.offset + 1, 0};
	return n + 1;
}

enum reason worker_commit(struct worker *w, size_t count)
{
	if (count == 0 || count > w->taken_count)
		count = w->taken_count;
	struct output *outputs = calloc(count + 1, sizeof(*outputs));
	struct passage *passages = calloc(count + 1, sizeof(*passages));
	size_t passage_count = 0;
	assert_non_null(outputs);
	assert_non_null(passages);
	for (size_t i = 0; i < count; i++) {
		const struct rig_taken *t = &w->taken[i];
		outputs[i] = (struct output){.kind = OUTPUT_RESULT,
					     .topic = slice_of(w->out),
					     .partition = -1,
					     .key = slice_of(t->value),
					     .value = slice_of(t->value)};
		passage_count = add_passage(passages, passage_count, t);
	}
	enum reason reason = sink_commit(w->sink, w->source, outputs, count, passages, passage_count, &w->fault);
	if (reason == REASON_OK) {
		memmove(w->taken, w->taken + count, (w->taken_count - count) * sizeof(w->taken[0]));
		w->taken_count -= count;
	}
	free(outputs);
	free(passages);
	return reason;
}
