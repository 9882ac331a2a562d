// SPDX-License-Identifier: Apache-2.0
// enrolld progress forget: lets a partition that was made again start from its beginning.
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "app/command.h"
#include "app/parts.h"
#include "enrolld/kafka/admin.h"
#include "enrolld/store/store.h"

#define KAFKA_TIMEOUT_MS 15000

struct place {
	const char *topic;
	int32_t partition;
	const char *group, *passed_group;
};

// In this order, so that a failure in between never leaves the partition to be read with an old mark, whose records would be taken for passed:
// what offsets are left pause it, and of a topic that was made again only the mark is left.
static enum reason forget(const struct conf *conf, const struct place *at, struct fault *f)
{
	struct kafka_admin *admin = NULL;
	struct store *store = NULL;
	enum reason reason = kafka_admin_create(conf_get(conf, &kafka_settings), &admin, f);
	if (reason == REASON_OK)
		reason = store_open(conf_get(conf, &store_settings), "enrolld/progress", &store, f);
	if (reason == REASON_OK)
		reason = store_forget(store, at->group, at->topic, at->partition, f);
	if (reason == REASON_OK)
		reason = kafka_admin_forget(admin, at->passed_group, at->topic, at->partition, KAFKA_TIMEOUT_MS, f);
	if (reason == REASON_OK)
		reason = kafka_admin_forget(admin, at->group, at->topic, at->partition, KAFKA_TIMEOUT_MS, f);
	store_close(store);
	kafka_admin_destroy(admin);
	return reason;
}

static const struct topic_conf *find_topic(const struct topic_conf *topics, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(topics[i].name, name) == 0)
			return &topics[i];
	return NULL;
}

static int run(const struct conf *conf, const struct invocation *invocation, int32_t partition, struct arena *arena)
{
	const struct flow_conf *flow = conf_get(conf, &flow_settings);
	const char *name = invocation->argv[1];
	struct fault f;
	size_t count;
	const struct topic_conf *topics = parts_topics(conf, arena, &count);
	const struct topic_conf *topic = find_topic(topics, count, name);
	if (!topic)
		return command_misuse(invocation, "progress", "%s is no request topic of these settings", name);
	struct place at = {name, partition, parts_group(flow, topic->lane, arena), parts_passed_group(flow, topic->lane, arena)};
	if (forget(conf, &at, &f) != REASON_OK)
		return command_fail(&f);
	printf("%s partition %d: mark and offsets of %s are gone; its next owner starts at the beginning of the log\n", at.topic,
	       (int)at.partition, at.group);
	return EX_OK;
}

int command_progress(const struct invocation *invocation)
{
	int64_t partition = -1;
	if (invocation->argc != 3 || strcmp(invocation->argv[0], "forget") != 0)
		return command_misuse(invocation, "progress", "write: forget TOPIC PARTITION");
	if (!setting_parse_int(slice_of(invocation->argv[2]), &partition) || partition < 0 || partition > INT32_MAX)
		return command_misuse(invocation, "progress", "\"%s\" is no partition; they count from 0", invocation->argv[2]);
	struct conf *conf = NULL;
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	struct arena *arena = arena_create(4096);
	status = run(conf, invocation, (int32_t)partition, arena);
	arena_destroy(arena);
	conf_destroy(conf);
	return status;
}
