// SPDX-License-Identifier: Apache-2.0
// enrolld topics create: the topics that the settings name and the brokers do not have.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "app/command.h"
#include "app/parts.h"
#include "enrolld/kafka/admin.h"

#define BROKERS_TIMEOUT_MS 10000
#define TIMEOUT_MS 30000
#define PARTITIONS 12 // as many workers of a lane can share the work; Kafka can add partitions, not take them away
#define DAY_MS INT64_C(86400000)
#define REQUEST_RETENTION_MS (3 * DAY_MS) // they hold passwords: long enough for a weekend's outage, no longer
#define DEAD_RETENTION_MS (30 * DAY_MS)

static void add_config(struct topic_spec *spec, const char *name, const char *value)
{
	spec->configs[spec->config_count].name = name;
	spec->configs[spec->config_count++].value = value;
}

static struct topic_spec make_spec(const char *name, int partitions)
{
	struct topic_spec spec = {.name = name, .partitions = partitions, .replication = -1};
	add_config(&spec, "cleanup.policy", "delete");
	add_config(&spec, "message.timestamp.type", "LogAppendTime");
	return spec;
}

static void add_retention(struct topic_spec *spec, int64_t ms, struct arena *arena)
{
	add_config(spec, "retention.ms", arena_printf(arena, "%lld", (long long)ms).ptr);
	// Kafka deletes by segments, so a record may stay for the time of one on top.
	add_config(spec, "segment.ms", arena_printf(arena, "%lld", (long long)(ms / 12)).ptr);
}

static int create(struct kafka_admin *admin, const struct topic_spec *spec)
{
	bool existed = false;
	struct fault f;
	if (kafka_admin_create_topic(admin, spec, TIMEOUT_MS, &existed, &f) != REASON_OK)
		return command_fail(&f);
	if (existed)
		printf("%s: is there already, left as it is\n", spec->name);
	else
		printf("%s: created, partitions: %d\n", spec->name, spec->partitions);
	return EX_OK;
}

static int create_requests(struct kafka_admin *admin, const struct conf *conf, int partitions, struct arena *arena)
{
	const struct store_conf *store = conf_get(conf, &store_settings);
	int64_t retention = store->horizon_ms / 2 < REQUEST_RETENTION_MS ? store->horizon_ms / 2 : REQUEST_RETENTION_MS;
	size_t count;
	const struct topic_conf *topics = parts_topics(conf, arena, &count);
	int status = EX_OK;
	for (size_t i = 0; i < count && status == EX_OK; i++) {
		struct topic_spec spec = make_spec(topics[i].name, partitions);
		add_retention(&spec, retention, arena);
		status = create(admin, &spec);
	}
	return status;
}

static int create_outputs(struct kafka_admin *admin, const struct conf *conf, int partitions, struct arena *arena)
{
	const struct flow_conf *flow = conf_get(conf, &flow_settings);
	struct topic_spec results = make_spec(flow->result_topic, partitions);
	struct topic_spec events = make_spec(flow->event_topic, partitions);
	struct topic_spec dead = make_spec(flow->dead_topic, 1);
	add_config(&dead, "retention.ms", arena_printf(arena, "%lld", (long long)DEAD_RETENTION_MS).ptr);
	int status = create(admin, &results);
	if (status == EX_OK)
		status = create(admin, &events);
	return status == EX_OK ? create(admin, &dead) : status;
}

static int run(const struct conf *conf, int partitions)
{
	struct kafka_admin *admin = NULL;
	struct fault f;
	int brokers;
	enum reason reason = kafka_admin_create(conf_get(conf, &kafka_settings), &admin, &f);
	if (reason == REASON_OK)
		reason = kafka_admin_brokers(admin, BROKERS_TIMEOUT_MS, &brokers, &f);
	int status = reason == REASON_OK ? EX_OK : command_fail(&f);
	struct arena *arena = arena_create(4096);
	if (status == EX_OK)
		status = create_requests(admin, conf, partitions, arena);
	if (status == EX_OK)
		status = create_outputs(admin, conf, partitions, arena);
	arena_destroy(arena);
	kafka_admin_destroy(admin);
	return status;
}

int command_topics(const struct invocation *invocation)
{
	int64_t partitions = PARTITIONS;
	if (invocation->argc < 1 || invocation->argc > 2 || strcmp(invocation->argv[0], "create") != 0)
		return command_misuse(invocation, "topics", "write: create, or create PARTITIONS");
	if (invocation->argc == 2 &&
	    (!setting_parse_int(slice_of(invocation->argv[1]), &partitions) || partitions < 1 || partitions > 10000))
		return command_misuse(invocation, "topics", "\"%s\" is no number of partitions, 1 to 10000", invocation->argv[1]);
	struct conf *conf = NULL;
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	status = run(conf, (int)partitions);
	conf_destroy(conf);
	return status;
}
