// SPDX-License-Identifier: Apache-2.0
// Fixed and sliding windows.
#include "store/window.h"

#include <string.h>

#define EXPIRY_STEPS 8 // of a window

int64_t window_slot(const struct limit_use *use)
{
	return use->allowed <= WINDOW_LOG ? 1 : use->window_ms / WINDOW_LOG + 1;
}

static void append(struct window *w, struct spending spending, struct arena *arena)
{
	if (!w->log || w->log_count == w->log_room) {
		w->log_room = w->log_room ? 2 * w->log_room : 8;
		struct spending *log = ARENA_ARRAY(arena, w->log_room, struct spending);
		if (w->log)
			memcpy(log, w->log, w->log_count * sizeof(*log));
		w->log = log;
	}
	w->log[w->log_count++] = spending;
}

void window_advance(struct window *w, const struct limit_use *use, int64_t now_ms, struct arena *arena)
{
	if (use->kind == LIMIT_FIXED) {
		if (now_ms - w->start_ms >= use->window_ms)
			*w = (struct window){0};
		w->log_count = 0; // of a limit that was a sliding one
		return;
	}
	if (w->log_count == 0 && w->used > 0) // of a limit that was a fixed one
		append(w, (struct spending){w->start_ms, w->used}, arena);
	size_t over = 0;
	while (over < w->log_count && now_ms - w->log[over].at_ms >= use->window_ms)
		w->used -= w->log[over++].count;
	if (over > 0) {
		w->log += over;
		w->log_count -= over;
		w->log_room -= over;
	}
	w->start_ms = w->log_count > 0 ? w->log[0].at_ms : 0;
}

bool window_full(const struct window *w, const struct limit_use *use)
{
	return w->used >= use->allowed;
}

void window_spend(struct window *w, const struct limit_use *use, int64_t now_ms, struct arena *arena)
{
	if (w->used++ == 0)
		w->start_ms = now_ms;
	if (use->kind == LIMIT_FIXED)
		return;
	int64_t slot = window_slot(use);
	int64_t at_ms = (now_ms + slot - 1) / slot * slot;
	struct spending *last = w->log_count > 0 ? &w->log[w->log_count - 1] : NULL;
	if (last && at_ms <= last->at_ms)
		last->count++;
	else
		append(w, (struct spending){at_ms, 1}, arena);
	w->start_ms = w->log[0].at_ms;
}

struct limit_state window_state(const struct window *w, const struct limit_use *use, int64_t now_ms)
{
	struct limit_state state = {.used = w->used, .resets_ms = now_ms};
	if (use->kind == LIMIT_FIXED) {
		if (w->used > 0)
			state.resets_ms = w->start_ms + use->window_ms;
		return state;
	}
	int64_t left = w->used;
	for (size_t i = 0; i < w->log_count; i++) {
		left -= w->log[i].count;
		state.resets_ms = w->log[i].at_ms + use->window_ms;
		if (left < use->allowed)
			break;
	}
	return state;
}

int64_t window_step(const struct limit_use *use)
{
	return use->window_ms / EXPIRY_STEPS + 1;
}

int64_t window_expiry(const struct window *w, const struct limit_use *use)
{
	int64_t last_ms = w->log_count > 0 ? w->log[w->log_count - 1].at_ms : w->start_ms;
	int64_t step = window_step(use);
	return ((last_ms + use->window_ms) / step + 1) * step;
}
