// SPDX-License-Identifier: Apache-2.0
// What a shape is made of: one const struct in a file of its own, and a row of shapes.def.
#pragma once

#include "enrolld/doc/node.h"
#include "enrolld/intake/intake.h"

// A record as a shape sees it.
struct content {
	const struct record *record; // for its headers
	struct slice value;          // absent also if it is over the topic's limit
	bool has_target;             // the topic says what is asked if the record does not
	struct arena *arena;         // of the request: what is unwrapped lives there
	struct arena *scratch;       // of the tree; wiped when the record has been read
	struct slice parsed;         // the text that root is the tree of, or that fault is about
	const struct node *root;
	struct fault fault;
};

// What a shape finds in it. All absent before.
struct asked {
	struct slice method, target; // HTTP: target is the path and query as written
	struct slice event_type;
	struct slice event_source, event_id;
	bool structured;           // answer with a structured event
	struct slice content_type; // as written, with its parameters
	struct slice body;
	struct slice traceparent, tracestate; // an envelope's own
	const struct header *headers;         // of the HTTP request, where an envelope holds them
	size_t header_count;
};

enum reply_bit { REPLY_BIT_ZILLA = 1, REPLY_BIT_SPRING = 2, REPLY_BIT_CLOUDEVENTS = 4, REPLY_BIT_ALL = 7 };

struct shape_kind {
	// For the manual: see struct shape_row.
	const char *asks, *body, *request_id, *configure;
	unsigned replies;  // enum reply_bit: whose headers ask for a reply unless the topic says otherwise
	bool outbox_id;    // the header id names the request
	bool needs_target; // no record says what it asks
	// The record's headers as they are meant; NULL: as they stand.
	void (*headers)(const struct record *record, struct arena *arena, struct header **headers);
	// Is the record one of these, beyond doubt? NULL: cannot be told.
	bool (*fits)(struct content *content);
	// OK, or a REFUSE reason; *asked then says what can be said.
	enum reason (*read)(struct content *content, struct asked *asked, struct fault *f);
};

#define SHAPE(id, name, setting, text) extern const struct shape_kind shape_##name;
#include "enrolld/intake/shapes.def"
#undef SHAPE

const struct shape_kind *shape_of(enum shape shape) ATTR_MUST_USE;
const char *shape_name(enum shape shape) ATTR_MUST_USE;

// --- content.c: what several shapes need ----------------------------------------------------------------------------------------

// HTTP as gateways write it into headers; the body is the value.
void content_raw(const struct content *content, struct asked *asked);
struct slice content_header(const struct content *content, const char *name) ATTR_MUST_USE;

// Parses a text, once as long as it is the same. A REFUSE reason of json_parse, RECORD_EMPTY for an absent one.
enum reason content_parse(struct content *content, struct slice text, const struct node **root, struct fault *f) ATTR_MUST_USE;
// The tree if the text is one JSON object, else NULL.
const struct node *content_object(struct content *content, struct slice text) ATTR_MUST_USE;
// The bytes in which the member of the object was written, as they stand in the text that was parsed last; absent if there is none.
struct slice content_written(const struct content *content, const char *name) ATTR_MUST_USE;
// A text of the tree in the request's arena.
struct slice content_text(const struct content *content, const struct node *text) ATTR_MUST_USE;
// The bytes of a base64 text (RFC 4648 section 4); false if it is none.
bool content_base64(const struct content *content, const struct node *text, struct slice *bytes) ATTR_MUST_USE;
void content_close(struct content *content);

// Confluent's wire format: a zero byte and the schema's number, 4 bytes, before the content. false if that is not there.
bool wire_strip(struct slice *value);
