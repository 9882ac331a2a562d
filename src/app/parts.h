// SPDX-License-Identifier: Apache-2.0
// What the worker and several commands read out of the settings alike: request topics, dialects, folders, how many secrets there may be.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/conf/conf.h"
#include "enrolld/courier/courier.h"
#include "enrolld/flow/flow.h"
#include "enrolld/intake/intake.h"

// Without a "topics" section: the two request topics of the design, with the native dialect. In conf or the arena.
const struct topic_conf *parts_topics(const struct conf *conf, struct arena *arena, size_t *count);
// Each dialect that a topic names, once, in the order of the settings.
const char *const *parts_dialects(const struct topic_conf *topics, size_t topic_count, struct arena *arena, size_t *count);
struct dialect_options parts_dialect_options(const struct conf *conf); // without keys
const char *parts_dialect_folder(const struct conf *conf, struct arena *arena);
// The courier's settings; its folders are beside the dialects unless the settings name others.
const struct courier_conf *parts_courier(const struct conf *conf, struct arena *arena);
// Secrets that may exist at once: two windows, and what the hash pool and a reader hold.
size_t parts_secrets(const struct flow_conf *flow);
// The consumer group of a lane, and the memberless one that holds its mark.
const char *parts_group(const struct flow_conf *flow, int lane, struct arena *arena);
const char *parts_passed_group(const struct flow_conf *flow, int lane, struct arena *arena);
