// SPDX-License-Identifier: Apache-2.0
// What was spent of a limit, and whether one more fits: arithmetic alone, no I/O. Times are milliseconds of database time.
//
// Fixed: a window begins with the first request after the one before has ended. Sliding: a log of the requests that passed, so that no
// stretch of the window's length ever holds more than are allowed. The log of a limit of more than WINDOW_LOG is kept in that many
// slots of time, each counted from its end: such a limit may free a place late by a slot, never early.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/arena.h"
#include "enrolld/model/facts.h"

#define WINDOW_LOG 1024

struct spending {
	int64_t at_ms, count;
};

struct window {
	int64_t start_ms; // of what is spent
	int64_t used;
	struct spending *log; // sliding: oldest first
	size_t log_count, log_room;
};

// Leaves out what is over; to be called before the others, with a time that never goes back.
void window_advance(struct window *w, const struct limit_use *use, int64_t now_ms, struct arena *arena);
bool window_full(const struct window *w, const struct limit_use *use) ATTR_MUST_USE;
void window_spend(struct window *w, const struct limit_use *use, int64_t now_ms, struct arena *arena);
// reached is left false.
struct limit_state window_state(const struct window *w, const struct limit_use *use, int64_t now_ms) ATTR_MUST_USE;
// A request counts as of the end of its slot; a row's end is a multiple of the step.
int64_t window_slot(const struct limit_use *use) ATTR_MUST_USE;
int64_t window_step(const struct limit_use *use) ATTR_MUST_USE;
// When a row of this window may be deleted, a while after it has ended, so that most requests leave it as it is.
int64_t window_expiry(const struct window *w, const struct limit_use *use) ATTR_MUST_USE;
