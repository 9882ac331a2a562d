// SPDX-License-Identifier: Apache-2.0
// A request: who asks, what, and where the answer goes. Made by intake from a record; all slices live in the work item's arena.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/slice.h"
#include "enrolld/crypto/digest.h"
#include "enrolld/model/record.h"

enum request_id_source {
	REQUEST_ID_HEADER,      // idempotency-key
	REQUEST_ID_EVENT,       // ce_source + ce_id
	REQUEST_ID_OUTBOX,      // id
	REQUEST_ID_BODY,        // a member the dialect names
	REQUEST_ID_COORDINATES, // derived: cluster id, topic, partition, offset, timestamp, fingerprint
};

// How a reply is addressed and correlated.
enum reply_style {
	REPLY_NONE,
	REPLY_ZILLA,                  // zilla:reply-to, zilla:correlation-id; status in ":status"
	REPLY_SPRING,                 // kafka_replyTopic, kafka_replyPartition, kafka_correlationId (bytes kept as they are)
	REPLY_CLOUDEVENTS,            // ce_replyto, ce_correlationid; binary mode
	REPLY_CLOUDEVENTS_STRUCTURED, // the same addresses, for who asked in structured mode and is answered so
};

struct reply_address {
	enum reply_style style;
	struct slice topic;
	int32_t partition;        // -1: the producer's partitioner decides
	struct slice correlation; // opaque bytes
};

#define FINGERPRINTS_MAX 4

struct fingerprint {
	uint16_t epoch;
	uint8_t bytes[FINGERPRINT_SIZE];
};

struct request {
	const struct record *record;
	// What is asked.
	struct slice method;       // upper case; absent for events
	struct slice path;         // without query; absent for events
	struct slice query;        // without "?"; absent if none
	struct slice event_type;   // CloudEvents type; absent for HTTP
	struct slice content_type; // media type in lower case without parameters; absent if none
	struct slice
		body; // record bytes, the data of an event, or what an envelope holds. Wiped once the registration is read from it
	// Those of the request: the record's; before them, so that the record's win, those that a gateway wrote into an envelope. For a
	// dialect's inputs only: realm, client's and reply's address never come from an envelope.
	const struct header *headers;
	size_t header_count;
	// Who asks.
	struct slice realm;
	struct slice client_address; // last trusted hop; absent if unknown
	struct slice route;          // name of the dialect's route, set by the dialect; "" before
	struct slice request_id;     // 1 to 256 printable bytes
	enum request_id_source id_source;
	struct fingerprint fingerprints
		[FINGERPRINTS_MAX]; // under each epoch of the key ring, the active one first, since rows remember theirs
	size_t fingerprint_count;
	int64_t asked_ms; // record timestamp after the rules for the future and -1
	struct reply_address reply;
	// Carried on.
	struct slice traceparent;
	struct slice tracestate;
};

// The last header of that name, case ignored; absent if there is none.
struct slice request_header_value(const struct request *request, const char *name) ATTR_MUST_USE;
