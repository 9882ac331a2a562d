// SPDX-License-Identifier: Apache-2.0
// Readable records: lines to headers, escapes to bytes.
#include "enrolld/intake/recording.h"

#include "enrolld/base/hex.h"
#include "enrolld/model/settings.h"

struct recording {
	struct arena *arena;
	struct record *record;
	size_t line;
	bool ended; // by "value"
	bool escaped;
};

static enum reason wrong(const struct recording *r, struct fault *f, const char *what)
{
	return fault_set(f, REASON_FILE_UNREADABLE, "line %zu: %s", r->line, what);
}

// join: a backslash before a line break takes both away.
static bool unescape(const struct recording *r, struct slice text, bool join, struct slice *bytes)
{
	char *out = arena_alloc(r->arena, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte;
		if (text.ptr[i] != '\\') {
			out[len++] = text.ptr[i];
		} else if (i + 1 < text.len && text.ptr[i + 1] == '\\') {
			out[len++] = '\\';
			i++;
		} else if (join && i + 1 < text.len && text.ptr[i + 1] == '\n') {
			i++;
		} else if (i + 3 < text.len && text.ptr[i + 1] == 'x' && hex_decode((struct slice){text.ptr + i + 2, 2}, &byte)) {
			out[len++] = (char)byte;
			i += 3;
		} else {
			return false;
		}
	}
	*bytes = (struct slice){out, len};
	return true;
}

static enum reason take_bytes(const struct recording *r, struct slice text, struct slice *bytes, struct fault *f)
{
	if (slice_equal_text(text, "\\null"))
		*bytes = SLICE_ABSENT;
	else if (!unescape(r, text, false, bytes))
		return wrong(r, f, "a backslash that begins neither \\xHH, \\\\ nor \\null");
	return REASON_OK;
}

static enum reason take_header(const struct recording *r, struct slice text, struct fault *f)
{
	struct record *record = r->record;
	const char *equals = text.len ? memmem(text.ptr, text.len, " =", 2) : NULL;
	if (!equals || equals == text.ptr)
		return wrong(r, f, "no \"header NAME = VALUE\"");
	if (record->header_count == RECORDING_HEADERS_MAX)
		return wrong(r, f, "too many headers");
	struct slice name = {text.ptr, (size_t)(equals - text.ptr)};
	struct slice value = {equals + 2, text.len - name.len - 2};
	if (value.len && value.ptr[0] != ' ')
		return wrong(r, f, "no space behind \"=\"");
	if (value.len)
		value = (struct slice){value.ptr + 1, value.len - 1};
	struct header *header = &record->headers[record->header_count];
	enum reason reason = take_bytes(r, value, &header->value, f);
	if (reason == REASON_OK) {
		header->name = arena_copy(r->arena, name);
		record->header_count++;
	}
	return reason;
}

static enum reason take_number(const struct recording *r, struct slice text, int64_t max, int64_t *number, struct fault *f)
{
	int64_t n;
	if (!setting_parse_int(text, &n) || n < -1 || n > max)
		return wrong(r, f, "no number, or out of range");
	*number = n;
	return REASON_OK;
}

static enum reason take_line(struct recording *r, struct slice word, struct slice rest, struct fault *f)
{
	struct record *record = r->record;
	int64_t number = 0;
	enum reason reason = REASON_OK;
	if (slice_equal_text(word, "header"))
		return take_header(r, rest, f);
	if (slice_equal_text(word, "key"))
		return take_bytes(r, rest, &record->key, f);
	if (slice_equal_text(word, "topic")) {
		record->at.topic = arena_copy(r->arena, rest).ptr;
	} else if (slice_equal_text(word, "partition")) {
		reason = take_number(r, rest, INT32_MAX, &number, f);
		record->at.partition = (int32_t)number;
	} else if (slice_equal_text(word, "offset")) {
		reason = take_number(r, rest, INT64_MAX, &record->at.offset, f);
	} else if (slice_equal_text(word, "timestamp")) {
		reason = take_number(r, rest, INT64_MAX, &record->timestamp_ms, f);
	} else if (slice_equal_text(word, "value")) {
		r->escaped = slice_equal_text(rest, "escaped");
		r->ended = true;
		if (rest.len && !r->escaped)
			return wrong(r, f, "behind \"value\" stands nothing, or \"escaped\"");
	} else {
		return wrong(r, f, "begins with none of topic, partition, offset, timestamp, key, header, value");
	}
	return reason;
}

static struct slice next_line(struct slice *text)
{
	const char *end = memchr(text->ptr, '\n', text->len);
	struct slice line = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
	size_t taken = line.len + (end != NULL);
	*text = (struct slice){text->ptr + taken, text->len - taken};
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

enum reason recording_read(struct slice text, struct arena *arena, struct record *record, struct fault *f)
{
	struct record made = {.at.topic = "", .timestamp_ms = -1};
	struct recording r = {.arena = arena, .record = &made};
	made.headers = ARENA_ARRAY(arena, RECORDING_HEADERS_MAX, struct header);
	while (text.len && !r.ended) {
		struct slice line = next_line(&text);
		r.line++;
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		const char *space = memchr(line.ptr, ' ', line.len);
		struct slice word = {line.ptr, space ? (size_t)(space - line.ptr) : line.len};
		struct slice rest = space ? (struct slice){space + 1, line.len - word.len - 1}
					  : (struct slice){line.ptr + line.len, 0};
		enum reason reason = take_line(&r, word, rest, f);
		if (reason != REASON_OK)
			return reason;
	}
	if (r.ended) {
		r.line++;
		if (text.len && text.ptr[text.len - 1] == '\n')
			text.len--;
		if (!r.escaped)
			made.value = arena_copy(arena, text);
		else if (!unescape(&r, text, true, &made.value))
			return wrong(&r, f, "the value has a backslash that begins neither \\xHH nor \\\\");
		made.value_size = made.value.len;
	}
	*record = made;
	return REASON_OK;
}
