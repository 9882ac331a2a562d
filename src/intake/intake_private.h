// SPDX-License-Identifier: Apache-2.0
// Parts of intake_read: each reads one matter from a record's headers.
#pragma once

#include "enrolld/intake/intake.h"

// shape.c: method, path, query, event type, content type, body. OK, RECORD_TOMBSTONE, RECORD_UNADDRESSED or EVENT_INVALID.
enum reason shape_read(enum shape shape, const struct record *record, struct arena *arena, struct request *request,
		       struct fault *f);

// identity.c: fingerprints and request id; REQUEST_ID_INVALID falls back on the coordinates.
enum reason identity_read(const struct intake *intake, const struct record *record, bool oversize, struct arena *arena,
			  struct request *request, struct fault *f);

// sender.c: who asks. Absent if the address is unknown or is none.
struct slice sender_address(const struct topic_conf *topic, const struct record *record, struct arena *arena);
enum reason sender_realm(const struct topic_conf *topic, const struct record *record, struct slice *realm, struct fault *f);

// trace.c: W3C trace context, absent unless well-formed.
struct slice trace_parent(const struct record *record);
struct slice trace_state(const struct record *record);

// reply.c
void reply_read(const struct record *record, struct reply_address *reply);

// One to max bytes from 0x20 to 0x7e.
bool text_printable(struct slice text, size_t max);
