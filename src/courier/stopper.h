// SPDX-License-Identifier: Apache-2.0
// The stop that all threads of the courier look at: first nothing new begins, at the deadline what still runs is given up.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/clock.h"

struct stopper {
	atomic_bool asked;
	atomic_int_least64_t deadline_ns; // monotonic; set before asked
};

static inline bool stopper_asked(struct stopper *s)
{
	return atomic_load_explicit(&s->asked, memory_order_acquire);
}

static inline bool stopper_overdue(struct stopper *s)
{
	return stopper_asked(s) && clock_mono_ns() > atomic_load_explicit(&s->deadline_ns, memory_order_relaxed);
}

static inline void stopper_ask(struct stopper *s, int64_t deadline_ms)
{
	atomic_store_explicit(&s->deadline_ns, clock_mono_ns() + deadline_ms * 1000000, memory_order_relaxed);
	atomic_store_explicit(&s->asked, true, memory_order_release);
}
