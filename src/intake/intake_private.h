// SPDX-License-Identifier: Apache-2.0
// Parts of intake_read: each reads one matter of a record.
#pragma once

#include "enrolld/intake/intake.h"

struct asked;

// shape.c: method, path, query, event type, content type, body, headers; what the record itself says of them stays in *asked.
// OK, RECORD_TOMBSTONE, RECORD_UNADDRESSED or a REFUSE reason of the shape. oversize: the value is not looked at.
enum reason shape_read(const struct topic_conf *topic, const struct record *record, bool oversize, struct arena *arena,
		       struct request *request, struct asked *asked, struct fault *f);

#define TARGET_MAX 1024
struct target {
	struct slice method, path; // HTTP, the path with its query
	struct slice event_type;
};
// "POST /v1/accounts", or an event type. false: neither.
bool target_parse(struct slice text, struct target *target);

// identity.c: fingerprints and request id; REQUEST_ID_INVALID falls back on the coordinates. outbox: the header id may name the request.
enum reason identity_read(const struct intake *intake, const struct record *record, const struct asked *asked, bool outbox,
			  bool oversize, struct arena *arena, struct request *request, struct fault *f);

// sender.c: who asks. Absent if the address is unknown or is none.
struct slice sender_address(const struct topic_conf *topic, const struct record *record, struct arena *arena);
enum reason sender_realm(const struct topic_conf *topic, const struct record *record, struct slice *realm, struct fault *f);

// trace.c: W3C trace context, absent unless well-formed.
struct slice trace_parent(struct slice text);
struct slice trace_state(struct slice text);

// reply.c: from the record's headers; of an event that names no correlation its id serves.
void reply_read(const struct topic_conf *topic, const struct record *record, const struct asked *asked,
		struct reply_address *reply);

// One to max bytes from 0x20 to 0x7e.
bool text_printable(struct slice text, size_t max);
