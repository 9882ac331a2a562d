// SPDX-License-Identifier: Apache-2.0
// Text that doubles its memory up to the limit; memory left behind is wiped.
#include "enrolld/base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"

#define SIZE_FIRST 128

// Makes room for more bytes and the NUL. false past the limit.
static bool reserve(struct strbuf *b, size_t more)
{
	if (b->overflowed)
		return false;
	if (more > b->limit - b->len) {
		b->overflowed = true;
		return false;
	}
	if (b->limit >= SIZE_MAX / 2)
		PANIC("strbuf: limit %zu", b->limit);
	size_t want = b->len + more + 1;
	if (want <= b->size)
		return true;

	size_t size = b->size ? b->size : SIZE_FIRST;
	while (size < want)
		size *= 2;
	if (size > b->limit + 1)
		size = b->limit + 1;
	char *data = malloc(size);
	if (!data)
		PANIC("strbuf: out of memory (%zu bytes)", size);
	if (b->data) {
		memcpy(data, b->data, b->len);
		secret_wipe(b->data, b->len);
		free(b->data);
	}
	data[b->len] = '\0';
	b->data = data;
	b->size = size;
	return true;
}

void strbuf_add(struct strbuf *b, const void *bytes, size_t len)
{
	if (len == 0 || !reserve(b, len))
		return;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void strbuf_add_slice(struct strbuf *b, struct slice s)
{
	strbuf_add(b, s.ptr, s.len);
}

void strbuf_add_text(struct strbuf *b, const char *text)
{
	strbuf_add(b, text, strlen(text));
}

void strbuf_add_char(struct strbuf *b, char c)
{
	strbuf_add(b, &c, 1);
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	// Most texts fit behind what is there; the others are written again once there is room.
	size_t room = b->overflowed ? 0 : b->size - b->len;
	int len = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, args);
	va_end(args);
	if (len < 0)
		PANIC("strbuf: cannot format '%s'", fmt);
	if ((size_t)len < room) {
		b->len += (size_t)len;
	} else if (len > 0) {
		if (room > 0)
			secret_wipe(b->data + b->len, room);
		if (reserve(b, (size_t)len)) {
			(void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
			b->len += (size_t)len;
		}
	}
	va_end(again);
}

void strbuf_reset(struct strbuf *b)
{
	if (b->data)
		secret_wipe(b->data, b->len);
	b->len = 0;
	b->overflowed = false;
}

void strbuf_free(struct strbuf *b)
{
	if (b->data)
		secret_wipe(b->data, b->len);
	free(b->data);
	*b = STRBUF_INIT(b->limit);
}
