// SPDX-License-Identifier: Apache-2.0
// Budgets and holds on a real database, by guards in processes of their own: exactly as much is sent as is allowed.
#include "integration/store/fixture.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/crypto/keys.h"
#include "flow/guard.h"

#define BATCH 20

static struct fixture *fx;
static struct store *store;
static struct sending *sending;
static struct sending_conf all;
static struct realm_conf realms[1];

static struct setting_map map_of(const char *name, const char *value)
{
	struct setting_pair *pair = ARENA_NEW(fx->arena, struct setting_pair);
	*pair = (struct setting_pair){name, value};
	return (struct setting_map){pair, 1};
}

static int open_all(void **state)
{
	(void)state;
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		return -1;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/guard");
	settings_defaults(&sending_settings, fx->arena, &all);
	realms[0].name = "shop";
	settings_defaults(&realm_settings, fx->arena, &realms[0]);
	sending = sending_create(&all, realms, 1);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	sending_destroy(sending);
	store_close(store);
	fixture_close(fx);
	return 0;
}

static void in_force(void)
{
	sending_replace(sending, &all, realms, 1);
}

// A work that is to send a text.
static struct work *work_to(const char *realm, const char *number)
{
	struct work *work = work_create(NULL);
	work->request.realm = slice_of(realm);
	work->changes.recipients[0] = (struct recipient){CLAIM_PHONE, slice_of(number)};
	work->changes.recipient_count = work->changes.message_count = 1;
	return work;
}

// Of so many of a batch, how many are admitted; they are sent, and the works end.
static int admitted_of(struct guard *guard, struct store *own, const char *realm, const char *number, int count)
{
	struct work *works[BATCH];
	int admitted = 0;
	for (int i = 0; i < count; i++)
		works[i] = work_to(realm, number);
	assert_ok(guard_admit(guard, own, works, (size_t)count, &f_));
	for (int i = 0; i < count; i++) {
		admitted += works[i]->admitted;
		assert_true(works[i]->admitted || works[i]->withheld[CLAIM_PHONE] != REASON_OK);
		if (works[i]->admitted)
			guard_settle(guard, works[i], true);
		work_destroy(works[i]);
	}
	return admitted;
}

static void ask_in_a_process(const char *realm, int out)
{
	struct store *own = fixture_store(fx, "enrolld/test/process");
	struct guard *guard = guard_create(sending);
	int sent = 0;
	for (int batch = 0; batch < 100; batch++)
		sent += admitted_of(guard, own, realm, "+442071838750", 1 + batch % 5);
	guard_destroy(guard); // nothing is returned, as if it had been killed
	store_close(own);
	if (write(out, &sent, sizeof(sent)) != sizeof(sent))
		_exit(1);
	_exit(0);
}

static int sent_by_processes(int processes)
{
	int ends[8][2], sum = 0;
	pid_t pids[8];
	for (int i = 0; i < processes; i++) {
		assert_int_equal(pipe(ends[i]), 0);
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			ask_in_a_process("shop", ends[i][1]);
	}
	for (int i = 0; i < processes; i++) {
		int sent, status;
		assert_int_equal(read(ends[i][0], &sent, sizeof(sent)), sizeof(sent));
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
		(void)close(ends[i][0]);
		(void)close(ends[i][1]);
		print_message("process %d sent %d\n", i, sent);
		sum += sent;
	}
	return sum;
}

// Each asks 300 times, so that none stops while it still has some of its slice.
static void of_what_processes_ask_exactly_the_budget_is_sent(void **state)
{
	(void)state;
	static const char *const budgets[] = {"100/31d", "1/31d", "500/31d"};
	static const int sums[] = {100, 1, 500};
	for (size_t i = 0; i < ARRAY_LEN(budgets); i++) {
		(void)fixture_sql(fx, "TRUNCATE enrolld.budget");
		realms[0].budgets = map_of("+44", budgets[i]);
		all.budgets = map_of("+", "1000/30d");
		in_force();
		assert_int_equal(sent_by_processes(i == 2 ? 4 : 2), sums[i]);
		assert_string_equal(
			fixture_sql(
				fx,
				"SELECT string_agg(realm || ' ' || name || ' ' || used, ', ' ORDER BY realm) FROM enrolld.budget "
				"WHERE realm <> ''"),
			arena_printf(fx->arena, "shop +44/31d %d", sums[i]).ptr);
		assert_true(fixture_count(fx, "SELECT used FROM enrolld.budget WHERE realm = ''") >= sums[i]);
	}
}

// A slice that is leased is not asked for again.
static void a_wide_budget_is_touched_once_a_slice(void **state)
{
	(void)state;
	(void)fixture_sql(fx, "TRUNCATE enrolld.budget");
	realms[0].budgets = map_of("+44", "1000000/31d");
	all.budgets = (struct setting_map){0};
	in_force();
	struct guard *guard = guard_create(sending);
	for (int i = 0; i < 50; i++)
		assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 20), 20);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.budget"), 1024);
	assert_int_equal(admitted_of(guard, store, "other", "+442071838750", 20), 20); // no budget of its
	guard_tend(guard, store, true);                                                // what is left goes back
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.budget"), 1000);
	guard_destroy(guard);
}

static void what_is_not_sent_is_given_back(void **state)
{
	(void)state;
	(void)fixture_sql(fx, "TRUNCATE enrolld.budget");
	realms[0].budgets = map_of("+44", "2/31d");
	in_force();
	struct guard *guard = guard_create(sending);
	for (int i = 0; i < 5; i++) {
		struct work *work = work_to("shop", "+442071838750");
		assert_ok(guard_admit(guard, store, &work, 1, &f_));
		assert_true(work->admitted);
		work->changes.message_count = 0; // another had sent it a moment ago
		guard_settle(guard, work, true);
		work_destroy(work);
	}
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 4), 2);
	struct work *work = work_to("shop", "+442071838750");
	assert_true(guard_foresees(guard, work)); // without asking
	assert_int_equal(work->withheld[CLAIM_PHONE], REASON_BUDGET_EXHAUSTED);
	work_destroy(work);
	(void)fixture_sql(fx, "UPDATE enrolld.budget SET used = 0"); // by an operator
	clock_sleep_ms(1100);
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 1), 1);
	guard_destroy(guard);
}

static void a_new_window_begins_anew(void **state)
{
	(void)state;
	(void)fixture_sql(fx, "TRUNCATE enrolld.budget");
	realms[0].budgets = map_of("+44", "3/2s");
	in_force();
	struct guard *guard = guard_create(sending);
	(void)fixture_sql(fx, "SELECT pg_sleep(2 - extract(epoch FROM clock_timestamp())::numeric %% 2 + 0.01)"); // a window begins
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 5), 3);
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 5), 0);
	(void)fixture_sql(fx, "SELECT pg_sleep(2 - extract(epoch FROM clock_timestamp())::numeric %% 2 + 0.01)");
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 5), 3);
	guard_destroy(guard);
}

static void comes_back(struct guard *guard, const char *number)
{
	struct work *work = work_create(NULL);
	work->request.realm = SLICE_LIT("shop");
	work->changes.code = (struct code_change){.kind = CLAIM_PHONE, .value = slice_of(number), .consumes = true};
	guard_settle(guard, work, true);
	work_destroy(work);
}

static bool is_held(struct guard *guard, const char *number)
{
	struct work *work = work_to("shop", number);
	bool held = guard_foresees(guard, work) && work->withheld[CLAIM_PHONE] == REASON_PREFIX_HELD;
	work_destroy(work);
	return held;
}

static void a_prefix_whose_codes_do_not_come_back_is_held(void **state)
{
	(void)state;
	realms[0].budgets = (struct setting_map){0};
	realms[0].hold_percent = 50;
	realms[0].hold_sends = 20;
	realms[0].hold_grace_ms = 0;
	in_force();
	struct guard *guard = guard_create(sending), *other = guard_create(sending);
	for (int i = 0; i < 10; i++) { // half of those come back
		assert_int_equal(admitted_of(guard, store, "shop", "+12025550100", 2), 2);
		comes_back(other, "+12025550100");
	}
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838750", 19), 19);
	guard_tend(other, store, true); // codes are tried in another process
	guard_tend(guard, store, true);
	assert_false(is_held(guard, "+442071838750")); // too few to judge
	assert_false(is_held(guard, "+12025550100"));
	assert_int_equal(admitted_of(other, store, "shop", "+442071838751", 1), 1);
	guard_tend(other, store, true);
	assert_true(is_held(other, "+442071838750"));
	assert_false(is_held(other, "+12025550100"));
	assert_false(is_held(other, "+443071838750")); // another prefix of the country
	guard_tend(guard, store, true);
	assert_true(is_held(guard, "+442071838752"));
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838752", 3), 0);
	assert_int_equal(admitted_of(guard, store, "other", "+442071838752", 3), 3);

	(void)fixture_sql(fx, "UPDATE enrolld.prefix SET held_until = now() WHERE realm = 'shop' AND prefix = '+44207'");
	guard_tend(guard, store, true);
	assert_false(is_held(guard, "+442071838752"));
	assert_int_equal(admitted_of(guard, store, "shop", "+442071838752", 3), 3);
	guard_tend(guard, store, true); // what it was for is forgotten
	assert_false(is_held(guard, "+442071838752"));
	assert_string_equal(
		fixture_sql(
			fx,
			"SELECT concat_ws(' ', sends, verified, held_until IS NULL) FROM enrolld.prefix WHERE prefix = '+44207'"),
		"3 0 t");
	guard_destroy(other);
	guard_destroy(guard);
}

static void what_is_over_is_swept(void **state)
{
	(void)state;
	size_t deleted;
	(void)fixture_sql(fx, "UPDATE enrolld.prefix SET expires_at = now() - interval '1 s' WHERE prefix = '+44207'");
	(void)fixture_sql(fx, "UPDATE enrolld.budget SET expires_at = now() - interval '1 s'");
	assert_ok(store_sweep(store, 1000, &deleted, &f_));
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.budget"), 0);
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(prefix, ' ') FROM enrolld.prefix"), "+1202");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_what_processes_ask_exactly_the_budget_is_sent),
		cmocka_unit_test(a_wide_budget_is_touched_once_a_slice),
		cmocka_unit_test(what_is_not_sent_is_given_back),
		cmocka_unit_test(a_new_window_begins_anew),
		cmocka_unit_test(a_prefix_whose_codes_do_not_come_back_is_held),
		cmocka_unit_test(what_is_over_is_swept),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
