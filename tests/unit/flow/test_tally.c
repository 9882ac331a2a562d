// SPDX-License-Identifier: Apache-2.0
// Texts and the codes of them that come back: when they are told, and what is on hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/crypto/keys.h"
#include "flow/tally.h"

#define SECOND INT64_C(1000000000)
#define REALM SLICE_LIT("main")

static const struct sending_watch watch = {
	.prefix = {"+44207", 6}, .percent = 20, .sends = 50, .window_ms = 3600000, .grace_ms = 60000, .time_ms = 7000};
static struct arena *arena;
static struct tally *tally;
static struct prefix_count out[8];

static int setup(void **state)
{
	(void)state;
	arena = arena_create(1024);
	tally = tally_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tally_destroy(tally);
	arena_destroy(arena);
	return 0;
}

static size_t due(int64_t now_ns)
{
	return tally_due(tally, now_ns, arena, out, 8);
}

static void a_text_counts_when_its_grace_is_over(void **state)
{
	(void)state;
	tally_sent(tally, REALM, &watch, 1);
	tally_sent(tally, REALM, &watch, 2);
	assert_int_equal(due(59 * SECOND), 0);
	assert_int_equal(due(60 * SECOND + 2), 1);
	assert_int_equal(out[0].sends, 2);
	assert_int_equal(out[0].verified, 0);
	assert_int_equal(out[0].least, 50);
	assert_int_equal(out[0].time_ms, 7000);
	assert_int_equal(due(61 * SECOND), 1); // until it was told
	tally_told(tally, out, 1);
	assert_int_equal(due(61 * SECOND), 0);
}

static void a_code_that_comes_back_counts_at_once(void **state)
{
	(void)state;
	tally_sent(tally, REALM, &watch, 1);
	tally_verified(tally, REALM, &watch);
	assert_int_equal(due(2), 1);
	assert_int_equal(out[0].sends, 0);
	assert_int_equal(out[0].verified, 1);
	tally_verified(tally, REALM, &watch); // while the database is told
	tally_told(tally, out, 1);
	assert_int_equal(due(2), 1);
	assert_int_equal(out[0].verified, 1);
}

static void many_texts_over_a_long_time_are_all_counted(void **state)
{
	(void)state;
	int64_t sum = 0, at = 0;
	for (int i = 0; i < 1000; i++, at += SECOND) {
		tally_sent(tally, REALM, &watch, at);
		for (size_t n = due(at), k = 0; k < n; k++)
			sum += out[k].sends;
		tally_told(tally, out, due(at));
		assert_true(sum <= i); // never before
	}
	assert_in_range(sum, 900, 960);
	assert_int_equal(due(at + 60 * SECOND), 1);
	assert_int_equal(sum + out[0].sends, 1000);
}

static void realms_and_prefixes_are_counted_apart(void **state)
{
	(void)state;
	struct sending_watch other = watch;
	other.prefix = SLICE_LIT("+1202");
	other.grace_ms = 0;
	tally_sent(tally, REALM, &other, 1);
	tally_sent(tally, SLICE_LIT("shop"), &other, 1);
	assert_int_equal(due(1), 2);
	for (int i = 0; i < 2 * TALLY_PLACES; i++) {
		other.prefix = arena_printf(arena, "+%d", 1000000 + i);
		tally_sent(tally, REALM, &other, 1);
	}
	struct prefix_count *all = ARENA_ARRAY(arena, 2 * TALLY_PLACES, struct prefix_count);
	assert_in_range(tally_due(tally, 1, arena, all, 2 * (size_t)TALLY_PLACES), TALLY_PLACES / 2, TALLY_PLACES);
}

static void holds_end_by_themselves_or_when_they_are_lifted(void **state)
{
	(void)state;
	const struct prefix_hold holds[] = {{.realm = REALM, .prefix = SLICE_LIT("+44207"), .left_ms = 5000},
					    {.realm = SLICE_LIT("alpha"), .prefix = SLICE_LIT("+1202"), .left_ms = 9000}};
	tally_hold(tally, holds, 2, SECOND);
	assert_true(tally_held(tally, REALM, SLICE_LIT("+44207"), 2 * SECOND));
	assert_true(tally_held(tally, SLICE_LIT("alpha"), SLICE_LIT("+1202"), 2 * SECOND));
	assert_false(tally_held(tally, REALM, SLICE_LIT("+1202"), 2 * SECOND));
	assert_false(tally_held(tally, REALM, SLICE_LIT("+44207"), 6 * SECOND));
	tally_hold(tally, holds + 1, 1, SECOND);
	assert_false(tally_held(tally, REALM, SLICE_LIT("+44207"), 2 * SECOND));
	tally_hold(tally, NULL, 0, SECOND);
	assert_false(tally_held(tally, SLICE_LIT("alpha"), SLICE_LIT("+1202"), 2 * SECOND));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_text_counts_when_its_grace_is_over),
		test(a_code_that_comes_back_counts_at_once),
		test(many_texts_over_a_long_time_are_all_counted),
		test(realms_and_prefixes_are_counted_apart),
		test(holds_end_by_themselves_or_when_they_are_lifted),
	};
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
