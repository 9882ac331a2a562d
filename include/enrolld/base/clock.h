// SPDX-License-Identifier: Apache-2.0
// Time: wall clock for what others read, monotonic clock for durations. Both thread-safe.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"

int64_t clock_wall_ms(void) ATTR_MUST_USE; // ms since 1970-01-01 UTC
int64_t clock_mono_ns(void) ATTR_MUST_USE; // ns since an arbitrary start
void clock_sleep_ms(int64_t ms);           // signals do not shorten it; 0 and less: not at all

#define CLOCK_TEXT_SIZE 32
// RFC 3339 with milliseconds and Z, e.g. 2026-11-24T22:52:11.123Z; years 0001 to 9999, other times are clamped. Returns out.
const char *clock_format_ms(int64_t wall_ms, char out[static CLOCK_TEXT_SIZE]);

// Waits between tries: exponential from min to max with full jitter of one half.
struct backoff {
	int64_t min_ms, max_ms;
	unsigned tries;
};
#define BACKOFF_INIT(min, max) ((struct backoff){(min), (max), 0})
int64_t backoff_next_ms(struct backoff *b) ATTR_MUST_USE; // counts a try; from half of the next step to all of it
void backoff_reset(struct backoff *b);
