// SPDX-License-Identifier: Apache-2.0
// The reason table expanded from reasons.def, and faults that carry its rows.
#include "enrolld/base/fault.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	enum verdict verdict;
	const char *code;
	const char *text;
} reason_rows[] = {
#define REASON(id, verdict, code, text) [REASON_##id] = {VERDICT_##verdict, code, text},
#include "enrolld/base/reasons.def"
#undef REASON
};

static const char *const verdict_names[] = {
	[VERDICT_DONE] = "done",   [VERDICT_REFUSE] = "refuse", [VERDICT_BURY] = "bury",
	[VERDICT_RETRY] = "retry", [VERDICT_HALT] = "halt",
};

// A text that was cut may end in half a character; that half goes.
static void drop_partial_character(char *text)
{
	size_t len = strlen(text);
	size_t start = len;
	while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0)
		return;
	unsigned char lead = (unsigned char)text[start - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
	if (want > 1 && len - (start - 1) < want)
		text[start - 1] = '\0';
}

// Formats beside the fault first, since an argument may be the fault's own detail.
static void format_detail(char *out, size_t size, const char *fmt, va_list args) ATTR_PRINTF(3, 0);

static void format_detail(char *out, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(out, size, fmt, args);
	if (len < 0)
		out[0] = '\0';
	else if ((size_t)len >= size)
		drop_partial_character(out);
}

enum reason(fault_set)(struct fault *f, enum reason reason, const char *fmt, ...)
{
	if (!f)
		return reason;
	char detail[FAULT_DETAIL_SIZE];
	va_list args;
	va_start(args, fmt);
	format_detail(detail, sizeof(detail), fmt, args);
	va_end(args);

	f->reason = reason;
	memcpy(f->detail, detail, strlen(detail) + 1);
	return reason;
}

static void append_detail(struct fault *f, const char *text)
{
	size_t len = strlen(f->detail);
	size_t room = sizeof(f->detail) - 1 - len;
	size_t more = strlen(text);
	bool cut = more > room;
	if (cut)
		more = room;
	memcpy(f->detail + len, text, more);
	f->detail[len + more] = '\0';
	if (cut)
		drop_partial_character(f->detail);
}

enum reason fault_prefix(struct fault *f, const char *fmt, ...)
{
	char context[FAULT_DETAIL_SIZE];
	va_list args;
	va_start(args, fmt);
	format_detail(context, sizeof(context), fmt, args);
	va_end(args);

	char before[FAULT_DETAIL_SIZE];
	memcpy(before, f->detail, sizeof(before));
	f->detail[0] = '\0';
	append_detail(f, context);
	append_detail(f, before[0] ? ": " : "");
	append_detail(f, before);
	return f->reason;
}

static enum reason known_reason(enum reason reason)
{
	return (size_t)reason < ARRAY_LEN(reason_rows) ? reason : REASON_INTERNAL;
}

enum verdict reason_verdict(enum reason reason)
{
	return reason_rows[known_reason(reason)].verdict;
}

const char *reason_code(enum reason reason)
{
	return reason_rows[known_reason(reason)].code;
}

const char *reason_text(enum reason reason)
{
	return reason_rows[known_reason(reason)].text;
}

const char *verdict_name(enum verdict verdict)
{
	return (size_t)verdict < ARRAY_LEN(verdict_names) ? verdict_names[verdict] : "unknown";
}

enum reason reason_find(const char *code)
{
	for (size_t i = 0; code && i < ARRAY_LEN(reason_rows); i++) {
		if (strcmp(reason_rows[i].code, code) == 0)
			return (enum reason)i;
	}
	return REASON_COUNT;
}

void panic_at(const char *file, int line, const char *fmt, ...)
{
	char text[512];
	va_list args;
	va_start(args, fmt);
	format_detail(text, sizeof(text), fmt, args);
	va_end(args);

	// One write, so that the lines of two threads do not mix.
	char out[1024];
	int len = snprintf(out, sizeof(out), "enrolld: panic at %s:%d: %s\n", file, line, text);
	if (len > 0)
		(void)!write(STDERR_FILENO, out, (size_t)len < sizeof(out) ? (size_t)len : sizeof(out) - 1);
	abort();
}
