// SPDX-License-Identifier: Apache-2.0
// Growing text with a limit set at birth. Past the limit nothing more is added and strbuf_overflowed() stays true until reset:
// check once at the end. What is added must not lie in the buffer itself. Not thread-safe; out of memory ends the process. Content
// is wiped when freed or moved, since answers may hold tokens.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"

struct strbuf {
	char *data; // NUL-terminated beyond len once anything was added, else NULL
	size_t len;
	size_t size;
	size_t limit;
	bool overflowed;
};

#define STRBUF_INIT(max) ((struct strbuf){.limit = (max)})

void strbuf_add(struct strbuf *b, const void *bytes, size_t len);
void strbuf_add_slice(struct strbuf *b, struct slice s);
void strbuf_add_text(struct strbuf *b, const char *text);
void strbuf_add_char(struct strbuf *b, char c);
void strbuf_printf(struct strbuf *b, const char *fmt, ...) ATTR_PRINTF(2, 3);
void strbuf_reset(struct strbuf *b); // empty again, memory kept and wiped
void strbuf_free(struct strbuf *b);  // wiped; as after STRBUF_INIT

static inline bool strbuf_overflowed(const struct strbuf *b)
{
	return b->overflowed;
}

static inline struct slice strbuf_slice(const struct strbuf *b)
{
	return (struct slice){b->data ? b->data : "", b->len};
}
