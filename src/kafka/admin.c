// SPDX-License-Identifier: Apache-2.0
// The questions and orders of an administrator.
#include "enrolld/kafka/admin.h"

#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "kafka/client.h"
#include "kafka/offsets.h"

#define END_MS 2000

struct kafka_admin {
	rd_kafka_t *rk;
};

enum reason kafka_admin_create(const struct kafka_conf *conf, struct kafka_admin **ret_admin, struct fault *f)
{
	rd_kafka_t *rk = NULL;
	enum reason reason = client_open_plain(conf, "enrolld-admin", &rk, f);
	if (reason != REASON_OK)
		return reason;
	struct kafka_admin *admin = calloc(1, sizeof(*admin));
	if (!admin)
		PANIC("kafka admin: out of memory");
	admin->rk = rk;
	*ret_admin = admin;
	return REASON_OK;
}

void kafka_admin_destroy(struct kafka_admin *admin)
{
	if (!admin)
		return;
	(void)client_destroy(admin->rk, END_MS);
	free(admin);
}

enum reason kafka_admin_brokers(struct kafka_admin *admin, int timeout_ms, int *ret_brokers, struct fault *f)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_resp_err_t err = rd_kafka_metadata(admin->rk, 0, NULL, &metadata, timeout_ms);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fault_set(f, client_reason(err), "no broker answers: %s", rd_kafka_err2str(err));
	*ret_brokers = metadata->broker_cnt;
	rd_kafka_metadata_destroy(metadata);
	return REASON_OK;
}

static enum reason read_layout(struct kafka_admin *admin, const char *topic, int timeout_ms, struct topic_state *state,
			       struct fault *f)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(admin->rk, topic, NULL);
	if (!rkt)
		return fault_set(f, REASON_SETTING_INVALID, "topic %s: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
	rd_kafka_resp_err_t err = rd_kafka_metadata(admin->rk, 0, rkt, &metadata, timeout_ms);
	rd_kafka_topic_destroy(rkt);
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topic_cnt == 1)
		err = metadata->topics[0].err;
	state->exists = err == RD_KAFKA_RESP_ERR_NO_ERROR;
	if (state->exists) {
		const struct rd_kafka_metadata_topic *t = &metadata->topics[0];
		state->partitions = t->partition_cnt;
		for (int i = 0; i < t->partition_cnt; i++)
			if (i == 0 || t->partitions[i].replica_cnt < state->replication)
				state->replication = t->partitions[i].replica_cnt;
	}
	if (metadata)
		rd_kafka_metadata_destroy(metadata);
	bool missing = err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
	return state->exists || missing ? REASON_OK
					: fault_set(f, client_reason(err), "topic %s: %s", topic, rd_kafka_err2str(err));
}

static void read_config(const char *name, const char *value, struct topic_state *state)
{
	if (strcmp(name, "retention.ms") == 0)
		state->retention_ms = strtoll(value, NULL, 10);
	else if (strcmp(name, "segment.ms") == 0)
		state->segment_ms = strtoll(value, NULL, 10);
	else if (strcmp(name, "min.insync.replicas") == 0)
		state->min_insync = (int)strtol(value, NULL, 10);
	else if (strcmp(name, "max.message.bytes") == 0)
		state->max_message_bytes = strtoll(value, NULL, 10);
	else if (strcmp(name, "message.timestamp.type") == 0)
		state->log_append_time = strcmp(value, "LogAppendTime") == 0;
	else if (strcmp(name, "cleanup.policy") == 0) {
		state->cleanup_delete = strstr(value, "delete") != NULL;
		state->cleanup_compact = strstr(value, "compact") != NULL;
	}
}

static enum reason read_configs(const rd_kafka_event_t *event, const char *topic, struct topic_state *state, struct fault *f)
{
	size_t count = 0, entries = 0;
	const rd_kafka_ConfigResource_t **resources = rd_kafka_DescribeConfigs_result_resources(
		rd_kafka_event_DescribeConfigs_result((rd_kafka_event_t *)(uintptr_t)event), &count);
	if (count != 1)
		return fault_set(f, REASON_KAFKA_UNAVAILABLE, "settings of topic %s: %zu answers", topic, count);
	rd_kafka_resp_err_t err = rd_kafka_ConfigResource_error(resources[0]);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fault_set(f, client_reason(err), "settings of topic %s: %s", topic, rd_kafka_err2str(err));
	const rd_kafka_ConfigEntry_t **list = rd_kafka_ConfigResource_configs(resources[0], &entries);
	for (size_t i = 0; i < entries; i++)
		if (rd_kafka_ConfigEntry_value(list[i]))
			read_config(rd_kafka_ConfigEntry_name(list[i]), rd_kafka_ConfigEntry_value(list[i]), state);
	return REASON_OK;
}

enum reason kafka_admin_topic(struct kafka_admin *admin, const char *topic, int timeout_ms, struct topic_state *ret_state,
			      struct fault *f)
{
	struct topic_state state = {0};
	enum reason reason = read_layout(admin, topic, timeout_ms, &state, f);
	if (reason == REASON_OK && state.exists) {
		struct admin_call call;
		rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
		reason = admin_begin(admin->rk, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, &call, f);
		if (reason == REASON_OK) {
			rd_kafka_DescribeConfigs(admin->rk, &resource, 1, call.options, call.queue);
			reason = admin_wait(&call, timeout_ms, "settings of a topic", f);
		}
		if (reason == REASON_OK)
			reason = read_configs(call.event, topic, &state, f);
		admin_end(&call);
		rd_kafka_ConfigResource_destroy(resource);
	}
	if (reason == REASON_OK)
		*ret_state = state;
	return reason;
}

static enum reason new_topic(const struct topic_spec *spec, rd_kafka_NewTopic_t **ret_topic, struct fault *f)
{
	char text[128];
	rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(spec->name, spec->partitions, spec->replication, text, sizeof(text));
	if (!topic)
		return fault_set(f, REASON_SETTING_INVALID, "topic %s: %s", spec->name, text);
	for (size_t i = 0; i < spec->config_count; i++)
		if (rd_kafka_NewTopic_set_config(topic, spec->configs[i].name, spec->configs[i].value) !=
		    RD_KAFKA_RESP_ERR_NO_ERROR) {
			rd_kafka_NewTopic_destroy(topic);
			return fault_set(f, REASON_SETTING_INVALID, "topic %s: %s", spec->name, spec->configs[i].name);
		}
	*ret_topic = topic;
	return REASON_OK;
}

static enum reason created(const struct admin_call *call, const char *name, bool *existed, struct fault *f)
{
	size_t count = 0;
	const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(
		rd_kafka_event_CreateTopics_result(call->event), &count);
	if (count != 1)
		return fault_set(f, REASON_KAFKA_UNAVAILABLE, "topic %s: %zu answers", name, count);
	rd_kafka_resp_err_t err = rd_kafka_topic_result_error(topics[0]);
	*existed = err == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR || *existed)
		return REASON_OK;
	enum reason reason = client_reason(err);
	if (err == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR || err == RD_KAFKA_RESP_ERR_INVALID_CONFIG ||
	    err == RD_KAFKA_RESP_ERR_INVALID_PARTITIONS || err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
		reason = REASON_SETTING_INVALID;
	return fault_set(f, reason, "topic %s: %s", name, rd_kafka_topic_result_error_string(topics[0]));
}

// The controller answers before every broker knows: whoever comes next must find the topic. Running out of time is no failure.
static void await_topic(struct kafka_admin *admin, const char *topic, int timeout_ms)
{
	int64_t until = clock_mono_ns() + (int64_t)timeout_ms * 1000000;
	struct topic_state state = {0};
	struct fault f;
	while (read_layout(admin, topic, timeout_ms, &state, &f) == REASON_OK && !state.exists && clock_mono_ns() < until)
		clock_sleep_ms(50);
}

enum reason kafka_admin_create_topic(struct kafka_admin *admin, const struct topic_spec *spec, int timeout_ms, bool *ret_existed,
				     struct fault *f)
{
	struct admin_call call;
	rd_kafka_NewTopic_t *topic = NULL;
	bool existed = false;
	enum reason reason = new_topic(spec, &topic, f);
	if (reason != REASON_OK)
		return reason;
	reason = admin_begin(admin->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS, &call, f);
	if (reason == REASON_OK) {
		char text[128];
		(void)rd_kafka_AdminOptions_set_operation_timeout(call.options, timeout_ms, text,
								  sizeof(text)); // until it is known everywhere
		rd_kafka_CreateTopics(admin->rk, &topic, 1, call.options, call.queue);
		reason = admin_wait(&call, timeout_ms, "creation of a topic", f);
	}
	if (reason == REASON_OK)
		reason = created(&call, spec->name, &existed, f);
	admin_end(&call);
	rd_kafka_NewTopic_destroy(topic);
	if (reason != REASON_OK)
		return reason;
	if (!existed)
		await_topic(admin, spec->name, timeout_ms);
	*ret_existed = existed;
	return REASON_OK;
}

enum reason kafka_admin_committed(struct kafka_admin *admin, const char *group, const char *topic, int32_t partition,
				  int timeout_ms, int64_t *ret_offset, struct fault *f)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	(void)rd_kafka_topic_partition_list_add(list, topic, partition);
	enum reason reason = offsets_read(admin->rk, group, list, timeout_ms, f);
	rd_kafka_resp_err_t err = list->elems[0].err;
	int64_t offset = list->elems[0].offset < 0 ? -1 : list->elems[0].offset;
	rd_kafka_topic_partition_list_destroy(list);
	if (reason == REASON_OK && err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fault_set(f, client_reason(err), "offset of group %s for %s [%d]: %s", group, topic, (int)partition,
				 rd_kafka_err2str(err));
	if (reason == REASON_OK)
		*ret_offset = offset;
	return reason;
}

enum reason kafka_admin_forget(struct kafka_admin *admin, const char *group, const char *topic, int32_t partition, int timeout_ms,
			       struct fault *f)
{
	return offsets_delete(admin->rk, group, topic, partition, timeout_ms, f);
}
