// SPDX-License-Identifier: Apache-2.0
// librdkafka handles with the settings of this worker, and its errors as reasons. Private to kafka.
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#include "enrolld/base/fault.h"
#include "enrolld/kafka/conf.h"

enum client_role { CLIENT_CONSUMER, CLIENT_PRODUCER, CLIENT_PLAIN };

// Properties in this order, the later ones win: safe defaults of the role, kafka.properties, the role's own map, what the
// settings and the guarantees fix. Callbacks, group and transactional.id are the caller's to add by client_set.
enum reason client_conf(const struct kafka_conf *conf, enum client_role role, rd_kafka_conf_t **rdconf,
			struct fault *f) ATTR_MUST_USE;
enum reason client_set(rd_kafka_conf_t *rdconf, const char *property, const char *value, struct fault *f) ATTR_MUST_USE;
enum reason client_set_number(rd_kafka_conf_t *rdconf, const char *property, int64_t value, struct fault *f) ATTR_MUST_USE;
// Takes rdconf over, also on failure.
enum reason client_create(rd_kafka_type_t type, rd_kafka_conf_t *rdconf, rd_kafka_t **rk, struct fault *f) ATTR_MUST_USE;

// A handle for an administrator's requests. It is a consumer that joins no group: librdkafka's offset requests crash on a handle without one.
enum reason client_open_plain(const struct kafka_conf *conf, const char *group, rd_kafka_t **rk, struct fault *f) ATTR_MUST_USE;
// Runs fn(ctx) on a thread of its own, for calls of librdkafka that know no deadline. true: it has ended. false: it had not by then, and
// ctx is no longer the caller's; the thread gives it to release should fn ever end.
bool client_run(void (*fn)(void *ctx), void *ctx, void (*release)(void *ctx), int timeout_ms);
// Destroys without leaving the group or flushing. false: it did not come to an end within the deadline and was abandoned.
bool client_destroy(rd_kafka_t *rk, int deadline_ms);

#define FENCES_MAX 3 // within FENCE_WINDOW_MS: a twin, no accident
#define FENCE_WINDOW_MS 60000
struct fences {
	int64_t ns[FENCES_MAX];
};
// Notes one; true if that was the third within a minute.
bool client_fenced_often(struct fences *fences);

// Does librdkafka know the property, and take the value? row: the setting, for the fault. Values are never in a fault.
enum reason client_property_check(const char *row, const char *property, const char *value, struct fault *f) ATTR_MUST_USE;

// KAFKA_UNAVAILABLE for what passes by itself; KAFKA_DENIED, KAFKA_FENCED, KAFKA_FATAL.
enum reason client_reason(rd_kafka_resp_err_t err) ATTR_MUST_USE;
// Destroys error; the fault is "what: its text".
enum reason client_fault(struct fault *f, rd_kafka_error_t *error, const char *what);
