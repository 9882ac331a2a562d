// SPDX-License-Identifier: Apache-2.0
// One line of JSON or text per event, built on the stack and written with one write(2).
#include "enrolld/base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/metric.h"
#include "enrolld/base/number.h"
#include "enrolld/base/utf8.h"

#define LINE_SIZE 4096 // with the newline: no more than PIPE_BUF, so that lines of several threads do not mix in a pipe
#define VALUE_SIZE 256 // bytes of one value before escaping

static const struct log_event_row event_rows[] = {
#define EVENT(id, level, name, text) [EVENT_##id] = {LOG_LEVEL_##level, name, text},
#include "enrolld/base/events.def"
#undef EVENT
};

static const char *const level_names[] = {
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_ERROR] = "error",
};

static _Atomic(enum log_level) min_level = LOG_LEVEL_INFO;
static _Atomic(enum log_format) line_format = LOG_FORMAT_JSON;

struct line {
	enum log_format format;
	size_t len;
	bool full; // a piece of the current field did not fit
	bool cut;  // a field was left out
	char bytes[LINE_SIZE];
};

// What the end of a line needs, kept free for it: the mark of a cut line, the brace and the newline.
static const char cut_json[] = ",\"cut\":true";
static const char cut_text[] = " cut=true";
#define LINE_END_SIZE (sizeof(cut_json) + 2)

static void put(struct line *line, const char *bytes, size_t len)
{
	if (line->full || len > LINE_SIZE - LINE_END_SIZE - line->len) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->len, bytes, len);
	line->len += len;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

// Controls would break lines and terminals; marks of direction would make a line read other than it is (UAX #9).
static bool must_escape(uint32_t code_point)
{
	return code_point < 0x20 || (code_point >= 0x7f && code_point <= 0x9f) || code_point == 0x061c || code_point == 0x200e ||
	       code_point == 0x200f || code_point == 0x2028 || code_point == 0x2029 ||
	       (code_point >= 0x202a && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
}

static void put_escaped(struct line *line, struct slice text)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t code_point;
		size_t len = utf8_next((struct slice){text.ptr + at, text.len - at}, &code_point);
		char escape[8];
		if (code_point == UTF8_INVALID)
			put_text(line, "\\ufffd");
		else if (code_point == '"' || code_point == '\\')
			put(line, (const char[]){'\\', (char)code_point}, 2);
		else if (code_point == '\n')
			put_text(line, "\\n");
		else if (code_point == '\t')
			put_text(line, "\\t");
		else if (must_escape(code_point)) {
			(void)snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(code_point & 0xffff));
			put_text(line, escape);
		} else
			put(line, text.ptr + at, len);
		at += len;
	}
}

static void put_quoted(struct line *line, struct slice text)
{
	put_text(line, "\"");
	put_escaped(line, text);
	put_text(line, "\"");
}

// In a text line a value stands bare where nobody can misread it.
static bool may_stand_bare(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		if (c <= ' ' || c == '"' || c == '\\' || c == '=' || c >= 0x7f)
			return false;
	}
	return text.len > 0;
}

static void put_value(struct line *line, struct slice text)
{
	if (line->format == LOG_FORMAT_TEXT && may_stand_bare(text))
		put(line, text.ptr, text.len);
	else
		put_quoted(line, text);
}

static void put_number(struct line *line, double number)
{
	char text[NUMBER_TEXT_SIZE];
	put_text(line, isfinite(number) ? number_format(number, text) : "null");
}

static void put_name(struct line *line, const char *name)
{
	if (line->format == LOG_FORMAT_TEXT) {
		put_text(line, " ");
		put_text(line, name);
		put_text(line, "=");
	} else {
		put_text(line, ",\"");
		put_text(line, name);
		put_text(line, "\":");
	}
}

// A field that does not fit is left out whole, so that the line stays well-formed.
static void put_field(struct line *line, const struct log_field *field, size_t value_size)
{
	size_t start = line->len;
	char integer[24];
	put_name(line, field->name);
	switch (field->kind) {
	case LOG_FIELD_TEXT:
		if (slice_is_absent(field->value.text))
			put_text(line, "null");
		else
			put_value(line, utf8_cut(field->value.text, value_size));
		break;
	case LOG_FIELD_INT:
		(void)snprintf(integer, sizeof(integer), "%" PRId64, field->value.integer);
		put_text(line, integer);
		break;
	case LOG_FIELD_BOOL: put_text(line, field->value.boolean ? "true" : "false"); break;
	case LOG_FIELD_DOUBLE: put_number(line, field->value.number); break;
	}
	if (line->full) {
		line->len = start;
		line->cut = true;
		line->full = false;
	}
}

static void put_start(struct line *line, const struct log_event_row *row)
{
	bool json = line->format == LOG_FORMAT_JSON;
	char time[CLOCK_TEXT_SIZE];
	put_text(line, json ? "{\"time\":\"" : "");
	put_text(line, clock_format_ms(clock_wall_ms(), time));
	put_text(line, json ? "\",\"level\":\"" : " ");
	put_text(line, log_level_name(row->level));
	put_text(line, json ? "\",\"event\":\"" : " ");
	put_text(line, row->name);
	put_text(line, json ? "\"" : "");
}

static void put_end(struct line *line)
{
	bool json = line->format == LOG_FORMAT_JSON;
	char end[LINE_END_SIZE + 1];
	int len = snprintf(end, sizeof(end), "%s%s\n", !line->cut ? "" : json ? cut_json : cut_text, json ? "}" : "");
	memcpy(line->bytes + line->len, end, (size_t)len);
	line->len += (size_t)len;
}

// A line that stderr does not take, because it is closed or full without waiting, is counted and lost.
static void write_line(const struct line *line)
{
	for (size_t at = 0; at < line->len;) {
		ssize_t n = write(STDERR_FILENO, line->bytes + at, line->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			metric_add(METRIC_log_lines_lost, METRIC_NO_LABELS, 1);
			return;
		}
		at += (size_t)n;
	}
}

static void emit(enum log_event event, const struct fault *f, const struct log_field *fields)
{
	const struct log_event_row *row = log_event_row(event);
	if (!log_enabled(row->level))
		return;
	int error = errno; // a log line must not disturb its caller
	struct line line;
	line.format = atomic_load_explicit(&line_format, memory_order_relaxed);
	line.len = 0;
	line.full = line.cut = false;
	put_start(&line, row);
	for (; fields->name; fields++)
		put_field(&line, fields, VALUE_SIZE);
	if (f) {
		const struct log_field reason = log_text("reason", reason_code(f->reason));
		const struct log_field verdict = log_text("verdict", verdict_name(reason_verdict(f->reason)));
		const struct log_field detail = log_text("detail", f->detail);
		put_field(&line, &reason, VALUE_SIZE);
		put_field(&line, &verdict, VALUE_SIZE);
		put_field(&line, &detail, FAULT_DETAIL_SIZE);
	}
	put_end(&line);
	write_line(&line);
	errno = error;
}

void log_emit(enum log_event event, const struct log_field *fields)
{
	emit(event, NULL, fields);
}

void log_emit_fault(enum log_event event, const struct fault *f, const struct log_field *fields)
{
	emit(event, f, fields);
}

void log_configure(enum log_level level, enum log_format format)
{
	atomic_store_explicit(&min_level, level, memory_order_relaxed);
	atomic_store_explicit(&line_format, format, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return level >= atomic_load_explicit(&min_level, memory_order_relaxed);
}

const struct log_event_row *log_event_row(enum log_event event)
{
	if ((size_t)event >= ARRAY_LEN(event_rows))
		PANIC("log: there is no event %u", (unsigned)event);
	return &event_rows[event];
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < ARRAY_LEN(level_names) ? level_names[level] : "unknown";
}
