// SPDX-License-Identifier: Apache-2.0
// Topics as the brokers have them, for "enrolld check" and "enrolld topics create".
#pragma once

#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/kafka/conf.h"

struct topic_spec {
	const char *name;
	int partitions;
	int replication; // -1: the broker's default
	struct {
		const char *name, *value;
	} configs[8];
	size_t config_count;
};

struct topic_state {
	bool exists;
	int partitions;
	int replication;      // smallest of its partitions
	int64_t retention_ms; // -1: for ever
	int64_t segment_ms;
	bool cleanup_delete, cleanup_compact;
	bool log_append_time;
	int min_insync;
	int64_t max_message_bytes;
};

// One thread at a time. Every call waits for the brokers at most timeout_ms, with little over: KAFKA_UNAVAILABLE. KAFKA_DENIED if an ACL forbids it.
struct kafka_admin;
enum reason kafka_admin_create(const struct kafka_conf *conf, struct kafka_admin **admin, struct fault *f) ATTR_MUST_USE;
void kafka_admin_destroy(struct kafka_admin *admin);
enum reason kafka_admin_brokers(struct kafka_admin *admin, int timeout_ms, int *brokers, struct fault *f) ATTR_MUST_USE;
// state->exists is false if there is no such topic; the rest is then 0.
enum reason kafka_admin_topic(struct kafka_admin *admin, const char *topic, int timeout_ms, struct topic_state *state,
			      struct fault *f) ATTR_MUST_USE;
// *existed is true if it was there already (nothing is changed then). Fails with SETTING_INVALID if the brokers do not accept the spec.
enum reason kafka_admin_create_topic(struct kafka_admin *admin, const struct topic_spec *spec, int timeout_ms, bool *existed,
				     struct fault *f) ATTR_MUST_USE;
// Committed offset of a group (no members needed); -1 if none. Read stable: KAFKA_UNAVAILABLE while a transaction on it is undecided.
enum reason kafka_admin_committed(struct kafka_admin *admin, const char *group, const char *topic, int32_t partition,
				  int timeout_ms, int64_t *offset, struct fault *f) ATTR_MUST_USE;
// Deletes the committed offset of one partition of a group; fine if there is none. KAFKA_DENIED while members of the group read the topic.
enum reason kafka_admin_forget(struct kafka_admin *admin, const char *group, const char *topic, int32_t partition, int timeout_ms,
			       struct fault *f) ATTR_MUST_USE;

// Adds one line for each library this module is built on: its name and the version that is loaded.
void kafka_libraries(struct strbuf *out);
