// SPDX-License-Identifier: Apache-2.0
// JSON text (RFC 8259) to a tree, strictly and within limits, and values back to text.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/doc/node.h"

#define JSON_DEPTH_MAX 64

struct json_limits {
	size_t bytes; // of the whole text
	size_t depth; // of nested objects and lists, at most JSON_DEPTH_MAX
	size_t nodes; // values in all
	bool nul;     // texts may hold NULs (keys never may)
};
#define JSON_LIMITS_DEFAULT ((struct json_limits){65536, 32, 10000, false})

// Call once before any thread parses: installs an allocator that wipes what it frees, as bodies hold passwords.
void json_setup(void);

// Any type of value may stand at the top. Fails with, limits first:
//   RECORD_TOO_LARGE   more bytes or values than the limits allow
//   RECORD_EMPTY       no bytes at all
//   JSON_TOO_DEEP
//   TEXT_NUL           a NUL byte, or \u0000 in a key or, unless they may hold one, a text
//   TEXT_INVALID_UTF8  bad, overlong or surrogate bytes; an unpaired \ud800 to \udfff
//   JSON_DUPLICATE_KEY, JSON_NUMBER_RANGE (integers beyond int64, reals beyond double; one too small becomes 0.0), JSON_MALFORMED
// The detail gives the position as a byte offset, never content.
enum reason json_parse(struct slice text, struct json_limits limits, struct arena *arena, const struct node **root,
		       struct fault *f) ATTR_MUST_USE;

// The same, but of an object's key that comes twice the last value counts.
enum reason json_parse_loose(struct slice text, struct json_limits limits, struct arena *arena, const struct node **root,
			     struct fault *f) ATTR_MUST_USE;

// Writer: compact, keys in the order given, UTF-8 as it is, escapes only where RFC 8259 needs them; bytes that are not UTF-8 become
// U+FFFD, so that its output always parses. Commas are its business. A misuse (value without key in an object) is a panic.
struct json_writer {
	struct strbuf *out;
	unsigned depth;
	bool need_comma[JSON_DEPTH_MAX + 1];
	bool in_map[JSON_DEPTH_MAX + 1];
	bool have_key;
};
void json_begin(struct json_writer *w, struct strbuf *out);
void json_open_map(struct json_writer *w);
void json_close_map(struct json_writer *w);
void json_open_list(struct json_writer *w);
void json_close_list(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_slice(struct json_writer *w, struct slice key);
void json_text(struct json_writer *w, struct slice text); // absent becomes null
void json_int(struct json_writer *w, int64_t n);
void json_double(struct json_writer *w, double d); // the shortest that reads back equal; a panic if NaN or infinite
void json_bool(struct json_writer *w, bool b);
void json_nil(struct json_writer *w);                           // null
void json_node(struct json_writer *w, const struct node *node); // a whole tree; NULL becomes null
void json_raw(struct json_writer *w, struct slice json);        // trusted, already serialised
// key and value in one; the key is left out if the text is absent.
void json_member_text(struct json_writer *w, const char *key, struct slice text);
void json_member_int(struct json_writer *w, const char *key, int64_t n);
