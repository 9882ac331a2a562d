// SPDX-License-Identifier: Apache-2.0
// Windows against the plainest possible log of requests.
#include "store/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR 3600000

static struct arena *arena;

static int open_arena(void **state)
{
	(void)state;
	arena = arena_create(4096);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static struct limit_use use_of(enum limit_kind kind, int64_t allowed, int64_t window_ms)
{
	return (struct limit_use){.name = "x", .allowed = allowed, .window_ms = window_ms, .kind = kind};
}

static bool ask(struct window *w, const struct limit_use *use, int64_t now_ms)
{
	window_advance(w, use, now_ms, arena);
	if (window_full(w, use))
		return false;
	window_spend(w, use, now_ms, arena);
	return true;
}

static void a_fixed_window_begins_with_its_first_request(void **state)
{
	(void)state;
	struct limit_use use = use_of(LIMIT_FIXED, 2, HOUR);
	struct window w = {0};
	int64_t t = 1700000001234;
	assert_int_equal(window_state(&w, &use, t).resets_ms, t);
	assert_true(ask(&w, &use, t));
	assert_int_equal(window_state(&w, &use, t).used, 1);
	assert_int_equal(window_state(&w, &use, t).resets_ms, t + HOUR);
	assert_true(ask(&w, &use, t + HOUR - 2));
	assert_false(ask(&w, &use, t + HOUR - 1));
	assert_int_equal(window_state(&w, &use, t + HOUR - 1).resets_ms, t + HOUR);
	assert_int_equal(window_state(&w, &use, t + HOUR - 1).used, 2);
	assert_true(ask(&w, &use, t + HOUR)); // a new one
	assert_int_equal(window_state(&w, &use, t + HOUR).resets_ms, t + 2 * HOUR);
	assert_int_equal(w.used, 1);
	assert_in_range(window_expiry(&w, &use), t + 2 * HOUR, t + 2 * HOUR + HOUR / 8 + 1);
}

static void a_sliding_window_frees_a_place_when_the_oldest_leaves(void **state)
{
	(void)state;
	struct limit_use use = use_of(LIMIT_SLIDING, 3, HOUR);
	struct window w = {0};
	int64_t t = 1700000001234;
	assert_true(ask(&w, &use, t));
	assert_true(ask(&w, &use, t + 1000));
	assert_true(ask(&w, &use, t + 1000));
	assert_false(ask(&w, &use, t + HOUR - 1));
	assert_int_equal(window_state(&w, &use, t + HOUR - 1).resets_ms, t + HOUR);
	assert_true(ask(&w, &use, t + HOUR));
	assert_false(ask(&w, &use, t + HOUR + 999));
	assert_int_equal(window_state(&w, &use, t + HOUR + 999).resets_ms, t + HOUR + 1000);
	window_advance(&w, &use, t + HOUR + 1000, arena);
	assert_int_equal(w.used, 1);
	assert_int_equal(w.start_ms, t + HOUR);
	assert_in_range(window_expiry(&w, &use), t + 2 * HOUR, t + 2 * HOUR + HOUR / 8 + 1);
	window_advance(&w, &use, t + 9 * HOUR, arena);
	assert_int_equal(w.used, 0);
	assert_int_equal(w.log_count, 0);
}

static int throw_dice(unsigned *dice)
{
	*dice = *dice * 1103515245u + 12345u;
	return (int)(*dice >> 16 & 0x7fff);
}

// Requests at random times: what passes is what a list of all that passed says.
static void a_sliding_window_is_exact(void **state)
{
	(void)state;
	unsigned dice = 7;
	for (int round = 0; round < 50; round++) {
		struct limit_use use = use_of(LIMIT_SLIDING, 1 + throw_dice(&dice) % 20, 1000 + throw_dice(&dice) % 5000);
		struct window w = {0};
		int64_t passed[2000], count = 0, t = 1700000000000 + throw_dice(&dice);
		for (int i = 0; i < 2000; i++) {
			t += throw_dice(&dice) % 300 == 0 ? 20000 : throw_dice(&dice) % 200;
			int64_t in_window = 0;
			for (int64_t k = count - 1; k >= 0 && passed[k] > t - use.window_ms; k--)
				in_window++;
			bool fits = ask(&w, &use, t);
			assert_int_equal(fits, in_window < use.allowed);
			assert_int_equal(w.used, in_window + fits);
			if (fits)
				passed[count++] = t;
			else
				assert_int_equal(window_state(&w, &use, t).resets_ms, passed[count - use.allowed] + use.window_ms);
			assert_true(w.log_count <= (size_t)use.allowed);
		}
	}
}

// A big limit never lets more than allowed into any stretch, keeps a bounded log, and is late by a slot at most.
static void a_big_sliding_window_is_bounded_and_never_too_generous(void **state)
{
	(void)state;
	struct limit_use use = use_of(LIMIT_SLIDING, 5000, 100000);
	int64_t slot = 100000 / WINDOW_LOG + 1, t = 1700000000000;
	struct window w = {0};
	int64_t *passed = calloc(60000, sizeof(*passed));
	int64_t count = 0, late = 0;
	unsigned dice = 3;
	for (int i = 0; i < 60000; i++) {
		t += throw_dice(&dice) % 12; // some 18,000 in a window: always at the limit
		if (ask(&w, &use, t)) {
			if (count >= use.allowed)
				assert_true(t - passed[count - use.allowed] >= use.window_ms);
			passed[count++] = t;
		} else if (count >= use.allowed && t - passed[count - use.allowed] >= use.window_ms) {
			assert_true(t - passed[count - use.allowed] < use.window_ms + slot);
			late++;
		}
		assert_true(w.log_count <= WINDOW_LOG + 2);
	}
	assert_true(count > 15000);
	assert_true(late > 0);
	free(passed);
}

static void other_settings_take_over_what_is_spent(void **state)
{
	(void)state;
	int64_t t = 1700000000000;
	struct limit_use fixed = use_of(LIMIT_FIXED, 3, HOUR), sliding = use_of(LIMIT_SLIDING, 3, HOUR);
	struct window w = {0};
	assert_true(ask(&w, &fixed, t) && ask(&w, &fixed, t + 5) && ask(&w, &fixed, t + 6));
	assert_false(ask(&w, &sliding, t + 7));
	assert_int_equal(window_state(&w, &sliding, t + 7).resets_ms, t + HOUR);
	assert_false(ask(&w, &fixed, t + 8));
	assert_int_equal(w.log_count, 0);
	assert_true(ask(&w, &sliding, t + HOUR));
	assert_int_equal(w.used, 1);

	struct limit_use less = use_of(LIMIT_SLIDING, 2, HOUR); // lowered from 4
	w = (struct window){0};
	struct limit_use four = use_of(LIMIT_SLIDING, 4, HOUR);
	for (int i = 0; i < 4; i++)
		assert_true(ask(&w, &four, t + 10 * i));
	assert_false(ask(&w, &less, t + 50));
	assert_int_equal(window_state(&w, &less, t + 50).resets_ms, t + 20 + HOUR); // until one is left
	assert_int_equal(window_state(&w, &less, t + 50).used, 4);
}

// Several at one moment are one entry; a clock that steps back breaks nothing.
static void the_log_stays_in_order(void **state)
{
	(void)state;
	struct limit_use use = use_of(LIMIT_SLIDING, 100, HOUR);
	struct window w = {0};
	int64_t t = 1700000000000;
	for (int i = 0; i < 50; i++)
		assert_true(ask(&w, &use, t));
	assert_int_equal(w.log_count, 1);
	assert_true(ask(&w, &use, t - 60000));
	assert_int_equal(w.log_count, 1);
	assert_int_equal(w.used, 51);
	assert_int_equal(w.log[0].count, 51);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixed_window_begins_with_its_first_request),
		cmocka_unit_test(a_sliding_window_frees_a_place_when_the_oldest_leaves),
		cmocka_unit_test(a_sliding_window_is_exact),
		cmocka_unit_test(a_big_sliding_window_is_bounded_and_never_too_generous),
		cmocka_unit_test(other_settings_take_over_what_is_spent),
		cmocka_unit_test(the_log_stays_in_order),
	};
	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
