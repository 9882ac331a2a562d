// SPDX-License-Identifier: Apache-2.0
// Runs and their ends, records in hand, and the sweep.
#include "fixture.h"

static struct fixture *fx;
static struct store *store;
static struct arena *arena;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/run");
	arena = arena_create(4096);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	arena_destroy(arena);
	store_close(store);
	fixture_close(fx);
	return 0;
}

static bool unclean_start(const char *instance, const char *lane)
{
	bool unclean = false;
	assert_ok(store_run_begin(store, instance, lane, &unclean, &f_));
	return unclean;
}

static void a_run_without_an_end_is_unclean(void **state)
{
	(void)state;
	assert_false(unclean_start("w1", "signup"));
	assert_ok(store_run_end(store, "w1", "signup", &f_));
	assert_false(unclean_start("w1", "signup"));
	assert_true(unclean_start("w1", "signup"));
	assert_false(unclean_start("w1", "otp"));
	assert_false(unclean_start("w2", "signup"));
	assert_ok(store_run_end(store, "w1", "signup", &f_));
	assert_true(unclean_start("w1", "otp"));
	assert_false(unclean_start("w1", "signup"));
}

static void other_runs_without_an_end_are_known(void **state)
{
	(void)state;
	struct slice found[2];
	size_t count = 9;
	assert_ok(store_run_others(store, "a", "codes", 2, arena, found, &count, &f_));
	assert_int_equal(count, 0);
	(void)unclean_start("a", "codes");
	(void)unclean_start("b", "codes");
	(void)unclean_start("c", "codes");
	(void)unclean_start("d", "codes");
	(void)unclean_start("x", "mails");
	assert_ok(store_run_end(store, "c", "codes", &f_));
	assert_ok(store_run_others(store, "a", "codes", 2, arena, found, &count, &f_));
	assert_int_equal(count, 2);
	assert_string_equal(found[0].ptr, "d");
	assert_string_equal(found[1].ptr, "b");
	assert_ok(store_run_others(store, "a", "codes", 1, arena, found, &count, &f_));
	assert_int_equal(count, 1);
	assert_string_equal(found[0].ptr, "d");
}

static int before(const struct coordinates *at)
{
	int times = -1;
	assert_ok(store_hand_on(store, "g", at, &times, &f_));
	return times;
}

static void a_record_in_hand_is_counted_until_it_is_done(void **state)
{
	(void)state;
	const struct coordinates at = {"enroll.signup", 3, 12345678901}, next = {"enroll.signup", 3, 12345678902};
	assert_int_equal(before(&at), 0);
	assert_int_equal(before(&at), 1);
	assert_int_equal(before(&next), 0);
	assert_int_equal(before(&at), 2);
	assert_ok(store_hand_off(store, "g", &at, &f_));
	assert_ok(store_hand_off(store, "g", &at, &f_));
	assert_int_equal(before(&at), 0);
	assert_int_equal(before(&next), 1);
}

static size_t sweep(size_t limit)
{
	size_t deleted = 99;
	assert_ok(store_sweep(store, limit, &deleted, &f_));
	return deleted;
}

static void what_is_older_than_the_horizon_is_swept_in_small_batches(void **state)
{
	(void)state;
	enum { COUNT = 40 };
	struct store_item items[COUNT];
	for (int i = 0; i < COUNT; i++) {
		struct sample *s = sample_create(arena, "sweep", arena_printf(arena, "r%d", i).ptr, i);
		sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "s%d@a.example", i).ptr);
		sample_accept(s);
		items[i] = sample_item(s);
	}
	assert_ok(store_batch(store, items, COUNT, &f_));
	assert_int_equal(sweep(100), 0);
	(void)fixture_sql(fx, "UPDATE enrolld.inbox SET stored_at = now() - interval '30 days 59 min'");
	(void)fixture_sql(fx, "UPDATE enrolld.message SET expires_at = now() - interval '1 s'");
	size_t count;
	struct message_overdue overdue;
	struct message_lease lease;
	assert_ok(store_message_claim(store, "email", 1000, 0, 1, arena, &lease, &count, &overdue, &f_));
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.notice"), COUNT);
	assert_int_equal(sweep(100), 0); // within the margin that clocks may differ by

	(void)fixture_sql(fx, "UPDATE enrolld.inbox SET stored_at = now() - interval '31 days' WHERE \"offset\" >= 10");
	(void)fixture_sql(fx, "UPDATE enrolld.message SET settled_at = now() - interval '31 days'");
	(void)fixture_sql(fx, "UPDATE enrolld.challenge SET expires_at = now() - interval '31 days'");
	(void)fixture_sql(fx, "UPDATE enrolld.notice SET created_at = now() - interval '31 days'");
	(void)fixture_sql(
		fx,
		"INSERT INTO enrolld.notice (realm, kind, payload, created_at) VALUES ('r', 'waits', '{}', now() - interval '1 year')");
	(void)fixture_sql(fx, "UPDATE enrolld.notice SET published_at = now() - interval '31 days' WHERE kind <> 'waits'");
	assert_int_equal(sweep(7), 7);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox"), COUNT - 7);
	assert_int_equal(sweep(30), 30);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox"), 10);
	assert_int_equal(sweep(1000), 30 - 7 + 3 * COUNT - 30);
	assert_int_equal(sweep(1000), 0);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox"), 10);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account"), COUNT);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim"), COUNT);
	assert_int_equal(fixture_count(fx,
				       "SELECT (SELECT count(*) FROM enrolld.message) + (SELECT count(*) FROM enrolld.challenge) "
				       "+ (SELECT count(*) FROM enrolld.notice WHERE kind <> 'waits')"),
			 0);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.notice"), 1); // one that waits is kept, however old
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_without_an_end_is_unclean),
		cmocka_unit_test(other_runs_without_an_end_are_known),
		cmocka_unit_test(a_record_in_hand_is_counted_until_it_is_done),
		cmocka_unit_test(what_is_older_than_the_horizon_is_swept_in_small_batches),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
