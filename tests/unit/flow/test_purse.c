// SPDX-License-Identifier: Apache-2.0
// What is leased of budgets: taken all or none, never of a window that is over.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/crypto/keys.h"
#include "flow/purse.h"

#define SECOND INT64_C(1000000000)
#define NOW (100 * SECOND)

static struct purse *purse;
static struct grant grants[8];
static size_t lacking;

static struct sending_budget budget(const char *name)
{
	return (struct sending_budget){.realm = SLICE_LIT("main"), .name = slice_of(name), .allowed = 10, .window_ms = 3600000};
}

// true: it was news that it is used up.
static bool fill(const char *name, int64_t asked, int64_t given, int64_t start_ms, int64_t left_ms)
{
	const struct sending_budget b = budget(name);
	const struct budget_lease lease = {.realm = b.realm,
					   .name = b.name,
					   .allowed = b.allowed,
					   .window_ms = b.window_ms,
					   .asked = asked,
					   .given = given,
					   .start_ms = start_ms,
					   .left_ms = left_ms};
	return purse_fill(purse, &b, &lease, NOW);
}

static bool take(const char *name, int64_t now_ns)
{
	const struct sending_budget b = budget(name);
	return purse_take(purse, &b, 1, now_ns, grants, &lacking);
}

static int64_t left(const char *name, int64_t now_ns)
{
	const struct sending_budget b = budget(name);
	return purse_left(purse, &b, now_ns);
}

static int setup(void **state)
{
	(void)state;
	purse = purse_create();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	purse_destroy(purse);
	return 0;
}

static void what_is_leased_is_taken_once(void **state)
{
	(void)state;
	assert_false(take("a", NOW));
	assert_false(fill("a", 1, 2, 1000, 5000));
	assert_true(take("a", NOW));
	assert_true(take("a", NOW));
	assert_false(take("a", NOW));
	purse_give_back(purse, grants, 1);
	assert_true(take("a", NOW));
	assert_false(take("b", NOW));
}

static void all_budgets_or_none(void **state)
{
	(void)state;
	const struct sending_budget both[] = {budget("a"), budget("b")};
	assert_false(fill("a", 1, 2, 1000, 5000));
	assert_false(purse_take(purse, both, 2, NOW, grants, &lacking));
	assert_int_equal(lacking, 1);
	assert_int_equal(left("a", NOW), 2);
	assert_false(fill("b", 1, 1, 1000, 5000));
	assert_true(purse_take(purse, both, 2, NOW, grants, &lacking));
	assert_int_equal(left("a", NOW), 1);
	assert_int_equal(left("b", NOW), 0);
	assert_true(purse_take(purse, both, 0, NOW, grants, &lacking)); // no budget counts it
}

static void a_window_that_is_over_leaves_nothing(void **state)
{
	(void)state;
	assert_false(fill("a", 1, 5, 1000, 5000));
	assert_true(take("a", NOW + 5 * SECOND - 1));
	assert_false(take("a", NOW + 5 * SECOND));
	struct grant old = grants[0];
	assert_false(fill("a", 1, 1, 3601000, 5000)); // what was left of the old one is not added
	assert_int_equal(left("a", NOW), 1);
	purse_give_back(purse, &old, 1);
	assert_int_equal(left("a", NOW), 1);
	assert_false(fill("a", 1, 7, 1000, 5000)); // an answer that comes late
	assert_int_equal(left("a", NOW), 1);
}

static void what_is_used_up_is_news_once_a_window(void **state)
{
	(void)state;
	const struct sending_budget b = budget("a");
	struct sending_budget raised = b;
	raised.allowed = 11;
	assert_true(fill("a", 3, 1, 1000, 5000));
	assert_false(purse_is_dry(purse, &b, NOW)); // one is left
	assert_true(take("a", NOW));
	assert_true(purse_is_dry(purse, &b, NOW));
	assert_false(purse_is_dry(purse, &raised, NOW));
	assert_false(purse_is_dry(purse, &b, NOW + SECOND)); // the database is asked again
	assert_false(fill("a", 1, 0, 1000, 5000));
	assert_true(fill("a", 1, 0, 3601000, 5000));
}

static void what_lies_idle_is_taken_out(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	struct budget_return out[4];
	assert_false(fill("a", 1, 5, 1000, 5000));
	assert_true(take("a", NOW));
	assert_int_equal(purse_empty(purse, NOW - 1, NOW, arena, out, 4), 0);
	assert_int_equal(purse_empty(purse, NOW, NOW, arena, out, 4), 1);
	assert_true(slice_equal_text(out[0].name, "a") && slice_equal_text(out[0].realm, "main"));
	assert_int_equal(out[0].count, 4);
	assert_int_equal(out[0].start_ms, 1000);
	assert_false(take("a", NOW));
	assert_false(fill("a", 1, 5, 3601000, 5000));
	assert_int_equal(purse_empty(purse, NOW + 5 * SECOND, NOW + 5 * SECOND, arena, out, 4), 0); // that window is over
	arena_destroy(arena);
}

static void it_forgets_rather_than_grows(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	int64_t have = 0;
	for (int i = 0; i < 5000; i++)
		assert_false(fill(arena_printf(arena, "b%d", i).ptr, 1, 1, 1000, 5000));
	for (int i = 0; i < 5000; i++)
		have += left(arena_printf(arena, "b%d", i).ptr, NOW);
	assert_in_range(have, 900, 1024);
	arena_destroy(arena);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(what_is_leased_is_taken_once),         test(all_budgets_or_none),
		test(a_window_that_is_over_leaves_nothing), test(what_is_used_up_is_news_once_a_window),
		test(what_lies_idle_is_taken_out),          test(it_forgets_rather_than_grows),
	};
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
