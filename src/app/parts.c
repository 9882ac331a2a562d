// SPDX-License-Identifier: Apache-2.0
// What the worker and several commands read out of the settings alike.
#include "app/parts.h"

#include <string.h>

#include "enrolld/conf/process.h"

#define SECRETS_SPARE 64

static const struct topic_conf *default_topics(struct arena *arena)
{
	static const char *const names[LANE_COUNT] = {"enroll.signup", "enroll.otp"};
	struct topic_conf *topics = ARENA_ARRAY(arena, LANE_COUNT, struct topic_conf);
	for (int i = 0; i < LANE_COUNT; i++) {
		settings_defaults(&topic_settings, arena, &topics[i]);
		topics[i].key = lane_kind_name((enum lane_kind)i);
		topics[i].name = names[i];
		topics[i].lane = i;
	}
	return topics;
}

const struct topic_conf *parts_topics(const struct conf *conf, struct arena *arena, size_t *count)
{
	const struct topic_conf *topics = conf_get_named(conf, &topic_settings, count);
	if (*count)
		return topics;
	*count = LANE_COUNT;
	return default_topics(arena);
}

static bool is_listed(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

const char *const *parts_dialects(const struct topic_conf *topics, size_t topic_count, struct arena *arena, size_t *ret_count)
{
	size_t count = 0, most = 0;
	for (size_t i = 0; i < topic_count; i++)
		most += topics[i].dialects.count;
	const char **names = ARENA_ARRAY(arena, most + 1, const char *);
	for (size_t i = 0; i < topic_count; i++) {
		const struct setting_list *list = &topics[i].dialects;
		for (size_t k = 0; k < list->count; k++)
			if (!is_listed(names, count, list->items[k]))
				names[count++] = list->items[k];
	}
	*ret_count = count;
	return names;
}

static const char *data_folder(const struct conf *conf, const char *name, struct arena *arena)
{
	const struct process_conf *process = conf_get(conf, &process_settings);
	return arena_printf(arena, "%s/%s", process->data_dir, name).ptr;
}

struct dialect_options parts_dialect_options(const struct conf *conf)
{
	struct dialect_options options = {0};
	options.confs = conf_get_named(conf, &dialect_settings, &options.conf_count);
	return options;
}

const char *parts_dialect_folder(const struct conf *conf, struct arena *arena)
{
	return data_folder(conf, "dialects", arena);
}

const struct courier_conf *parts_courier(const struct conf *conf, struct arena *arena)
{
	struct courier_conf *courier = ARENA_NEW(arena, struct courier_conf);
	*courier = *(const struct courier_conf *)conf_get(conf, &courier_settings);
	if (!courier->messages_dir)
		courier->messages_dir = data_folder(conf, "messages", arena);
	if (!courier->providers_dir)
		courier->providers_dir = data_folder(conf, "providers", arena);
	return courier;
}

size_t parts_secrets(const struct flow_conf *flow)
{
	return 2 * (size_t)flow->window_records + SECRETS_SPARE;
}

const char *parts_group(const struct flow_conf *flow, int lane, struct arena *arena)
{
	return arena_printf(arena, "%s-%s", flow->group, lane_kind_name((enum lane_kind)lane)).ptr;
}

const char *parts_passed_group(const struct flow_conf *flow, int lane, struct arena *arena)
{
	return arena_printf(arena, "%s-%s.passed", flow->group, lane_kind_name((enum lane_kind)lane)).ptr;
}
