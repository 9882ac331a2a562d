// SPDX-License-Identifier: Apache-2.0
// Structured log lines, one JSON object (or one line of text) on stderr each. Events are rows of events.def with their level and
// documentation; fields carry ids, codes, counts and durations, never payloads, addresses or secrets. Thread-safe.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_JSON, LOG_FORMAT_TEXT };

enum log_event {
#define EVENT(id, level, name, text) EVENT_##id,
#include "enrolld/base/events.def"
#undef EVENT
	EVENT_COUNT
};

struct log_field {
	const char *name; // NULL ends a list
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL, LOG_FIELD_DOUBLE } kind;
	union {
		struct slice text;
		int64_t integer;
		bool boolean;
		double number;
	} value;
};

static inline struct log_field log_text(const char *name, const char *text)
{
	return (struct log_field){name, LOG_FIELD_TEXT, {.text = slice_of(text)}};
}
static inline struct log_field log_slice(const char *name, struct slice text)
{
	return (struct log_field){name, LOG_FIELD_TEXT, {.text = text}};
}
static inline struct log_field log_int(const char *name, int64_t n)
{
	return (struct log_field){name, LOG_FIELD_INT, {.integer = n}};
}
static inline struct log_field log_bool(const char *name, bool b)
{
	return (struct log_field){name, LOG_FIELD_BOOL, {.boolean = b}};
}
static inline struct log_field log_double(const char *name, double d)
{
	return (struct log_field){name, LOG_FIELD_DOUBLE, {.number = d}};
}

// LOG(worker_started, log_text("version", v), log_int("threads", n)); fields optional. Control characters, bidi marks and invalid
// UTF-8 in values are escaped; a value is cut at 256 bytes. A line has at most 4 KiB: fields that do not fit are left out and the
// line ends with "cut":true. A line that stderr does not take is lost and counted. errno is kept.
#define LOG_END ((struct log_field){0})
#define LOG(...) LOG_FIELDS(__VA_ARGS__, LOG_END)
#define LOG_FIELDS(event, ...) log_emit(EVENT_##event, (const struct log_field[]){__VA_ARGS__})
void log_emit(enum log_event event, const struct log_field *fields); // up to LOG_END
// LOG_FAULT(store_paused, &fault, fields...): adds reason, verdict and detail of the fault behind the fields.
#define LOG_FAULT(...) LOG_FAULT_FIELDS(__VA_ARGS__, LOG_END)
#define LOG_FAULT_FIELDS(event, f, ...) log_emit_fault(EVENT_##event, (f), (const struct log_field[]){__VA_ARGS__})
void log_emit_fault(enum log_event event, const struct fault *f, const struct log_field *fields);

// Before that: info, JSON. May be called again at any time (reload).
void log_configure(enum log_level level, enum log_format format);
bool log_enabled(enum log_level level) ATTR_MUST_USE;

// The documented list, for "enrolld settings --events" and the manual.
struct log_event_row {
	enum log_level level;
	const char *name;
	const char *text;
};
const struct log_event_row *log_event_row(enum log_event event) ATTR_MUST_USE;
const char *log_level_name(enum log_level level) ATTR_MUST_USE;
