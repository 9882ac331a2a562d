// SPDX-License-Identifier: Apache-2.0
// Record bytes of any gateway's shape to a request: who, what, where the reply goes. Thread-safe, but for what the caller lends.
#pragma once

#include <stdbool.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/crypto/keys.h"
#include "enrolld/model/answer.h"
#include "enrolld/model/output.h"
#include "enrolld/model/request.h"
#include "enrolld/model/settings.h"

enum shape {
#define SHAPE(id, name, setting, text) SHAPE_##id,
#include "enrolld/intake/shapes.def"
#undef SHAPE
	SHAPE_COUNT
};

// Settings of one request topic ("topics.*.…"). The realm, the client's and the reply's address come only from headers named here.
struct topic_conf {
	const char *key;    // name of the section
	const char *name;   // Kafka topic
	int lane;           // 0 sign-up, 1 OTP
	int shape;          // enum shape; a record with :method and :path is raw whatever this says
	const char *target; // "POST /v1/accounts" or an event type, for records that do not say what they ask; "": they are buried
	const char *target_header;       // that says it the same way; "": none
	struct setting_list dialects;    // tried in this order
	const char *realm;               // fixed realm; not used if realm_header is set
	const char *realm_header;        // "" : the fixed realm holds
	struct setting_list realm_allow; // exact names or patterns with one or more "*"
	const char *address_header;      // e.g. x-forwarded-for; "" : the client is unknown
	int64_t trusted_hops; // proxies that append to it in front of us; the entry of the last trusted hop is the client
	bool reply_headers;   // take reply addresses from headers
	struct setting_list
		reply_styles; // "zilla", "spring", "cloudevents": which headers; none: those that the shape's gateway writes
	struct setting_list reply_topics; // allow-list; exact names or patterns
	int64_t record_limit;             // bytes of value (64 KiB)
};
extern const struct setting_table topic_settings;

// "*" in the pattern stands for any run of bytes, also an empty one.
bool intake_pattern_fits(const char *pattern, struct slice text) ATTR_MUST_USE;

struct intake {
	const struct keyring *keys;
	const char *cluster_id;
};

#define REPLY_PARTITION_INVALID (-2) // request.reply.partition: the header is there but is no partition

// Always fills the request as far as it can, also when it fails; addressed tells whether it can be answered by a result, since it says what is asked.
// OK, or the first of:
//   BURY    RECORD_TOMBSTONE no value and no :method, :path, ce_type; RECORD_UNADDRESSED neither record nor topic say what is asked
//   REFUSE  EVENT_INVALID, ENVELOPE_INVALID or a reason of JSON: not of the topic's shape; REALM_REFUSED (the realm is then ""),
//           REQUEST_ID_INVALID (the id is then the coordinates'), RECORD_TOO_LARGE
// Request id: idempotency-key; CloudEvents source, a space and id (or a UUID derived from both where that is no printable text of 256 bytes);
// the outbox's id; else a UUID derived from cluster id, coordinates, timestamp and fingerprint. That fingerprint is the one of the ring's oldest
// epoch, so that a rotation of keys does not rename a record that is read again, and is over the record as it stands in Kafka.
// Realm, client's and reply's address are read from the record's own headers alone, whatever an envelope or event carries.
// youngest_ms: youngest record time seen in the partition, -1 before the first; a record without a time gets it. Updated.
enum reason intake_read(const struct intake *intake, const struct topic_conf *topic, const struct record *record,
			int64_t *youngest_ms, struct arena *arena, struct request *request, bool *addressed,
			struct fault *f) ATTR_MUST_USE;

// The reply record as the gateway that asked waits for it; its key is the request record's. Pure: a redelivery gives the same bytes.
//   Zilla         zilla:correlation-id, :status, the answer's headers
//   Spring        kafka_correlationId (same bytes) to kafka_replyPartition, http_status, the answer's headers, traceparent; names and types
//                 of those in spring_json_header_types if the request had one
//   CloudEvents   ce_* with type enrolld.reply.v1, correlationid (else the event's id) and httpstatus; the answer's headers, traceparent.
//                 Structured if the request was: the same attributes and the body in one JSON object
// false: no reply. *reason is NULL if none was asked for, else "topic_not_allowed", "bad_partition" or "bad_correlation".
bool intake_reply(const struct topic_conf *topic, const struct request *request, const struct answer *answer, struct arena *arena,
		  struct output *output, const char **reason) ATTR_MUST_USE;

// Whether records of this topic can ask for a reply at all: its settings and shape name a style.
bool intake_takes_replies(const struct topic_conf *topic) ATTR_MUST_USE;

// The dead letter of a record: Kafka Connect's and Spring's header families, coordinates, reason; never the value or the key's content.
// stage: "intake", "store", ...
void intake_dead_letter(const struct record *record, const char *group, enum reason reason, const char *stage,
			const char *dead_topic, struct arena *arena, struct output *output);

// A shape for people; all sentences are constant.
struct shape_row {
	const char *name;       // as in topics.*.shape
	const char *text;       // what it is
	const char *asks;       // where a record says what it asks
	const char *body;       // where the body is
	const char *request_id; // where the request id is taken from
	const char *replies;    // reply_styles if the topic names none; "" for none
	const char *configure;  // what its gateway must be told
};
// false past the last one.
bool shape_row(size_t index, struct shape_row *row) ATTR_MUST_USE;
