// SPDX-License-Identifier: Apache-2.0
// Record bytes of any gateway's shape to a request: who, what, where the reply goes. Pure but for the arena; thread-safe.
#pragma once

#include <stdbool.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/model/answer.h"
#include "enrolld/model/output.h"
#include "enrolld/model/request.h"
#include "enrolld/model/settings.h"

enum shape { SHAPE_RAW, SHAPE_CLOUDEVENTS };

// Settings of one request topic ("topics.*.…"). The realm, the client's and the reply's address come only from headers named here.
struct topic_conf {
	const char *key;            // name of the section
	const char *name;           // Kafka topic
	int lane;                   // 0 sign-up, 1 OTP (choice)
	int shape;                  // enum shape; a record with :method and :path is raw whatever this says
	struct setting_list dialects; // tried in this order
	const char *realm;          // fixed realm; "" if realm_header is set
	const char *realm_header;
	struct setting_list realm_allow; // exact names or patterns with one or more "*"
	const char *address_header; // e.g. x-forwarded-for; "" : the client is unknown
	int64_t trusted_hops;       // proxies that append to it in front of us; the entry of the last trusted hop is the client
	bool reply_headers;         // take reply addresses from zilla:*, kafka_reply* headers
	struct setting_list reply_topics; // allow-list; exact names or patterns
	int64_t record_limit;       // bytes of value (64 KiB)
};
extern const struct setting_table topic_settings;

struct intake {
	const struct keyring *keys;
	const char *cluster_id;
};

// Always fills request as far as it can: addressed tells whether it can be answered by a result (it says what is asked and has or gets a request id).
// OK, or a REFUSE reason (too_large, realm_refused, ...) or a BURY reason (tombstone, unaddressed).
// youngest_ms: youngest record time seen in the partition, for records without one; updated.
enum reason intake_read(const struct intake *intake, const struct topic_conf *topic, const struct record *record, int64_t *youngest_ms,
			struct arena *arena, struct request *request, bool *addressed, struct fault *f) ATTR_MUST_USE;

// The reply record as the gateway that asked waits for it. false: there is no reply address, or it is unusable (*reason says which).
bool intake_reply(const struct topic_conf *topic, const struct request *request, const struct answer *answer, struct arena *arena, struct output *output,
		  const char **reason) ATTR_MUST_USE;

// The dead letter of a record: Kafka Connect's and Spring's header families, coordinates, reason; never the value or the key's content.
void intake_dead_letter(const struct record *record, const char *group, enum reason reason, const char *stage, const char *dead_topic,
			struct arena *arena, struct output *output);
