// SPDX-License-Identifier: Apache-2.0
// What went wrong, where, and what the worker does about it.
//
// A function that can fail returns an enum reason (REASON_OK is 0) and fills a struct fault. Every reason is a row of
// reasons.def with its verdict, so the retry policy of the whole worker is one readable column.
#pragma once

#include <stddef.h>

#include "enrolld/base/attr.h"

enum verdict {
	VERDICT_DONE,   // nothing wrong
	VERDICT_REFUSE, // the request is at fault: answer it, never try again
	VERDICT_BURY,   // the record cannot be answered or kills its batch: dead letter, alone
	VERDICT_RETRY,  // the world is at fault: wait and try again, no attempt is spent
	VERDICT_HALT,   // our own settings or program are at fault: stop and say why
};

enum reason {
#define REASON(id, verdict, code, text) REASON_##id,
#include "enrolld/base/reasons.def"
#undef REASON
	REASON_COUNT
};

#define FAULT_DETAIL_SIZE 320

// Owned by the caller, usually on its stack. detail never holds payloads, addresses, secrets or SQL text.
struct fault {
	enum reason reason;
	char detail[FAULT_DETAIL_SIZE];
};

// Fills f (may be NULL) and returns reason, so that a failure is one line: return fault_set(f, REASON_X, "...", ...). A
// detail that is too long is cut at a whole character; the arguments may be f's own detail.
enum reason fault_set(struct fault *f, enum reason reason, const char *fmt, ...) ATTR_PRINTF(3, 4);
#ifdef __clang_analyzer__ // it cannot know that the reason returned is the reason given
#define fault_set(f, reason, ...) ((void)(fault_set)((f), (reason), __VA_ARGS__), (reason))
#endif

// Puts "context: " before the detail that is there; returns f->reason. f is not NULL.
enum reason fault_prefix(struct fault *f, const char *fmt, ...) ATTR_PRINTF(2, 3) ATTR_NONNULL;

enum verdict reason_verdict(enum reason reason) ATTR_MUST_USE;
const char *reason_code(enum reason reason) ATTR_MUST_USE; // stable word for results, metrics and logs
const char *reason_text(enum reason reason) ATTR_MUST_USE; // one sentence for people
const char *verdict_name(enum verdict verdict) ATTR_MUST_USE;
// REASON_COUNT if the code is unknown.
enum reason reason_find(const char *code) ATTR_MUST_USE;

// A bug of ours: prints file, line and text on stderr and aborts. Never for what the world can cause.
void panic_at(const char *file, int line, const char *fmt, ...) ATTR_PRINTF(3, 4) ATTR_NORETURN;
#define PANIC(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
