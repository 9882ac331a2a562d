// SPDX-License-Identifier: Apache-2.0
// Topics a producer writes to: whether they exist, how many partitions they have, what they take. Private to kafka; one thread.
#pragma once

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

struct topic {
	char *name;
	size_t name_len;
	rd_kafka_topic_t *rkt; // NULL: does not exist, as far as known until then
	int32_t partitions;
	int64_t asked_ns;
	size_t limit;       // of one output, learned from refusals; 0: none known
	int64_t limited_ns; // when that was; after a while it is to be learned anew, since topics can be altered
	bool fixed;         // named at the start: never forgotten
	struct topic *next;
};

struct topics {
	struct topic *first; // most recently added first
	size_t count;        // of those that are not fixed
};

void topics_init(struct topics *t);
void topics_clear(struct topics *t);  // before the handle is destroyed; names and what is fixed go too
void topics_let_go(struct topics *t); // the handle is about to be destroyed: names and limits stay, to be asked for again
void topics_fix(struct topics *t, const char *name);

// The topic with its handle, asking the brokers (within timeout_ms) if it is not known or was missing some seconds ago. *topic is NULL if it
// does not exist. REASON_KAFKA_UNAVAILABLE if that cannot be told. Valid until the next topics_ call.
enum reason topics_get(struct topics *t, rd_kafka_t *rk, struct slice name, int timeout_ms, struct topic **topic,
		       struct fault *f) ATTR_MUST_USE;
// The same, but a topic that exists as far as known is not asked for again, however long ago that was.
enum reason topics_known(struct topics *t, rd_kafka_t *rk, struct slice name, int timeout_ms, struct topic **topic,
			 struct fault *f) ATTR_MUST_USE;
void topics_doubt(struct topics *t, const char *name);                                      // the next topics_get asks
void topics_refused(struct topics *t, const char *name, size_t size);                       // an output of that size, alone
size_t topics_limit(const struct topics *t, struct slice name, size_t limit) ATTR_MUST_USE; // limit, or less if less is known
