// SPDX-License-Identifier: Apache-2.0
// enrolld check: request, output and reply topics, as the brokers have them.
#include <string.h>

#include "app/check.h"
#include "app/parts.h"
#include "enrolld/kafka/admin.h"

#define TIMEOUT_MS 10000
#define MARGIN_MS \
	INT64_C(3600000) // between the oldest record there can be and the horizon: Kafka deletes every 5 minutes, clocks differ
#define ENVELOPE_BYTES INT64_C(16384) // what an output may have around what the request gave

struct looking {
	struct checkup *c;
	struct kafka_admin *admin;
	const struct kafka_conf *kafka;
	int brokers;
	int64_t horizon_ms;
	int64_t output_bytes;
};

// kafka-configs.sh does it; so does any other tool that sets the topic's configuration.
static const char *configure(const struct looking *l, const char *topic, const char *config)
{
	return check_text(l->c,
			  "kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s",
			  l->kafka->bootstrap_servers, topic, config);
}

static const char *what_of(const struct looking *l, const char *topic)
{
	return check_text(l->c, "topic %s", topic);
}

// False if the topic is not there or cannot be looked at, which is then a finding.
static bool fetch(const struct looking *l, const char *topic, const char *missing_remedy, struct topic_state *state)
{
	struct fault f;
	enum reason reason = kafka_admin_topic(l->admin, topic, TIMEOUT_MS, state, &f);
	if (reason == REASON_OK && state->exists)
		return true;
	if (reason == REASON_OK)
		check_add(l->c, CHECK_FAIL, what_of(l, topic), missing_remedy, "does not exist");
	else if (reason == REASON_KAFKA_DENIED)
		check_add(l->c, CHECK_FAIL, what_of(l, topic),
			  "let the worker's principal Describe and DescribeConfigs the topic (kafka-acls.sh)", "%s", f.detail);
	else
		check_add(l->c, CHECK_FAIL, what_of(l, topic), "look at the brokers, then run it again", "%s", f.detail);
	return false;
}

static void check_replicas(const struct looking *l, const char *topic, const struct topic_state *state)
{
	if (state->min_insync > state->replication)
		check_add(l->c, CHECK_FAIL, what_of(l, topic),
			  configure(l, topic, check_text(l->c, "min.insync.replicas=%d", state->replication)),
			  "min.insync.replicas=%d with replication %d: nothing can be written", state->min_insync,
			  state->replication);
	if (l->brokers == 1)
		return; // said once, of the cluster
	if (state->replication < 2)
		check_add(l->c, CHECK_WARN, what_of(l, topic), "kafka-reassign-partitions.sh, to three replicas",
			  "replication 1: it is lost with one disk");
	else if (state->min_insync < 2)
		check_add(l->c, CHECK_WARN, what_of(l, topic), configure(l, topic, "min.insync.replicas=2"),
			  "min.insync.replicas=1: what one broker alone has counts as written");
}

static void check_retention(const struct looking *l, const char *topic, const struct topic_state *state)
{
	char kept[SETTING_NUMBER_SIZE], horizon[SETTING_NUMBER_SIZE];
	setting_format_duration(l->horizon_ms, horizon);
	if (state->retention_ms < 0) {
		check_add(
			l->c, CHECK_FAIL, what_of(l, topic), configure(l, topic, "retention.ms=259200000"),
			"keeps records for ever, answered requests are remembered for database.horizon %s; it also keeps passwords",
			horizon);
		return;
	}
	setting_format_duration(state->retention_ms, kept);
	const char *remedy = check_text(l->c, "%s; or a longer database.horizon",
					configure(l, topic, check_text(l->c, "retention.ms=%lld", (long long)(l->horizon_ms / 4))));
	if (state->retention_ms > l->horizon_ms)
		check_add(l->c, CHECK_FAIL, what_of(l, topic), remedy,
			  "retention.ms %s is longer than database.horizon %s: requests that waited longer end expired", kept,
			  horizon);
	else if (state->retention_ms > l->horizon_ms - MARGIN_MS - state->segment_ms)
		check_add(l->c, CHECK_WARN, what_of(l, topic), remedy,
			  "retention.ms %s and the time of one segment come close to database.horizon %s", kept, horizon);
}

static void check_request(const struct looking *l, const struct topic_conf *topic)
{
	char kept[SETTING_NUMBER_SIZE], segment[SETTING_NUMBER_SIZE];
	struct topic_state state;
	size_t before = l->c->count;
	if (!fetch(l, topic->name, "enrolld topics create", &state))
		return;
	if (state.cleanup_compact || !state.cleanup_delete)
		check_add(l->c, CHECK_FAIL, what_of(l, topic->name), configure(l, topic->name, "cleanup.policy=delete"),
			  "cleanup.policy is compact: requests with the same key are lost unread");
	else
		check_retention(l, topic->name, &state);
	if (!state.log_append_time)
		check_add(l->c, CHECK_WARN, what_of(l, topic->name),
			  configure(l, topic->name, "message.timestamp.type=LogAppendTime"),
			  "message.timestamp.type is CreateTime: a gateway's wrong clock decides how old a request is");
	if (state.partitions == 1)
		check_add(l->c, CHECK_WARN, what_of(l, topic->name),
			  check_text(l->c, "kafka-topics.sh --bootstrap-server %s --alter --topic %s --partitions 12",
				     l->kafka->bootstrap_servers, topic->name),
			  "one partition: one worker at a time can read it");
	check_replicas(l, topic->name, &state);
	if (l->c->count == before)
		check_add(l->c, CHECK_OK, what_of(l, topic->name), "", "partitions: %d, kept for %s in segments of %s",
			  state.partitions, setting_format_duration(state.retention_ms, kept),
			  setting_format_duration(state.segment_ms, segment));
}

static void check_output(const struct looking *l, const char *topic, const char *missing_remedy)
{
	struct topic_state state;
	size_t before = l->c->count;
	if (!fetch(l, topic, missing_remedy, &state))
		return;
	if (state.max_message_bytes < l->output_bytes)
		check_add(l->c, CHECK_WARN, what_of(l, topic),
			  configure(l, topic, check_text(l->c, "max.message.bytes=%lld", (long long)l->output_bytes)),
			  "max.message.bytes %lld: what belongs to the largest requests may not fit, and they are dead-lettered",
			  (long long)state.max_message_bytes);
	check_replicas(l, topic, &state);
	if (l->c->count == before)
		check_add(l->c, CHECK_OK, what_of(l, topic), "", "partitions: %d, records of up to %lld KiB", state.partitions,
			  (long long)(state.max_message_bytes / 1024));
}

static void check_replies(const struct looking *l, const struct topic_conf *topic)
{
	const char *setting = check_text(l->c, "topics.%s.reply_topics", topic->key);
	if (!intake_takes_replies(topic))
		return;
	if (topic->reply_topics.count == 0)
		check_add(l->c, CHECK_WARN, setting,
			  check_text(l->c, "%s: [enroll.replies]; or topics.%s.reply_headers: false", setting, topic->key),
			  "empty: no request of %s gets the reply it asks for", topic->name);
	for (size_t i = 0; i < topic->reply_topics.count; i++) {
		const char *name = topic->reply_topics.items[i];
		if (!strchr(name, '*'))
			check_output(l, name, check_text(l->c, "create it as its gateway wants it; or take it out of %s", setting));
	}
}

void check_topics(struct checkup *c, const struct conf *conf, struct kafka_admin *admin, int brokers)
{
	const struct flow_conf *flow = conf_get(conf, &flow_settings);
	const struct store_conf *store = conf_get(conf, &store_settings);
	struct looking l = {c, admin, conf_get(conf, &kafka_settings), brokers, store->horizon_ms, 0};
	size_t count;
	const struct topic_conf *topics = parts_topics(conf, c->arena, &count);
	c->subject = "topics";
	for (size_t i = 0; i < count; i++) {
		check_request(&l, &topics[i]);
		if (topics[i].record_limit + ENVELOPE_BYTES > l.output_bytes)
			l.output_bytes = topics[i].record_limit + ENVELOPE_BYTES;
	}
	check_output(&l, flow->result_topic, "enrolld topics create");
	check_output(&l, flow->event_topic, "enrolld topics create");
	check_output(&l, flow->dead_topic, "enrolld topics create");
	for (size_t i = 0; i < count; i++)
		check_replies(&l, &topics[i]);
}
