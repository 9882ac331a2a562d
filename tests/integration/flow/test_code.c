// SPDX-License-Identifier: Apache-2.0
// Codes on a real database, decided by the real operations: accepted once, counted exactly, whoever tries at once.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "passing.h"

enum { THREADS = 8, ROUNDS = 4, SUBMISSIONS = 64 };

static struct passing *asking(const char *realm, const char *purpose)
{
	return passing_make(arena, realm, "/v1/codes",
			    arena_printf(arena, "{\"purpose\":\"%s\",\"phone\":\"+442071838750\"}", purpose).ptr);
}

static struct passing *trying(struct arena *where, const char *realm, const char *purpose, const char *code)
{
	return passing_make(
		where, realm, "/v1/codes/check",
		arena_printf(where, "{\"purpose\":\"%s\",\"phone\":\"+442071838750\",\"code\":\"%s\"}", purpose, code).ptr);
}

static const char *wrong_of(const char *code)
{
	char *wrong = arena_text(arena, code);
	wrong[0] = (char)(wrong[0] == '9' ? '0' : wrong[0] + 1);
	return wrong;
}

static const char *new_code(const char *realm, const char *purpose)
{
	struct passing *p = passing_run(store, asking(realm, purpose));
	assert_reason(p, REASON_OK);
	return passing_code(p, purpose);
}

static const char *state_of(const char *realm)
{
	return fixture_sql(
		fx,
		"SELECT string_agg(attempts || CASE WHEN consumed_at IS NULL THEN ' open' ELSE ' used' END, ', ' ORDER BY created_at) "
		"|| ' / ' || (SELECT failures FROM enrolld.address WHERE realm = '%s') FROM enrolld.challenge WHERE realm = '%s'",
		realm, realm);
}

static void a_code_opens_an_account_once(void **state)
{
	(void)state;
	const char *code = new_code("once", "sign_up");
	struct passing *p = passing_run(store, trying(arena, "once", "sign_up", code));
	assert_reason(p, REASON_OK);
	assert_true(p->receipt.created);
	assert_string_equal(state_of("once"), "1 used / 0");
	assert_string_equal(fixture_sql(fx, "SELECT a.state || c.kind || (c.verified_at IS NOT NULL) FROM enrolld.account AS a "
					    "JOIN enrolld.claim AS c USING (account_id) WHERE a.realm = 'once'"),
			    "activephonetrue");
	passing_release(p);
	p = passing_run(store, trying(arena, "once", "sign_up", code));
	assert_reason(p, REASON_CODE_USED);
	passing_release(p);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.message WHERE realm = 'once'"), 1);
}

static void a_redelivery_counts_nothing(void **state)
{
	(void)state;
	const char *code = new_code("redelivery", "sign_up");
	struct passing *p = passing_run(store, trying(arena, "redelivery", "sign_up", wrong_of(code)));
	assert_reason(p, REASON_CODE_WRONG);
	assert_int_equal(p->receipt.tries_left, 4);
	assert_string_equal(state_of("redelivery"), "1 open / 1");
	passing_look(store, p);
	assert_int_equal(p->facts.hit, HIT_REDELIVERY);
	p->facts = (struct facts){0}; // and if the look had come before the first delivery was stored
	struct store_item item = passing_item(p);
	assert_ok(store_begin(store, "enrolld.otp", &item, 1, &f_));
	assert_int_equal(item.outcome, STORE_HIT);
	passing_settle(p, &item);
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	assert_string_equal(state_of("redelivery"), "1 open / 1");
	passing_release(p);
}

static void a_sign_up_is_verified_by_code(void **state)
{
	(void)state;
	struct passing *up = passing_sign_up("verify", "/v1/accounts",
					     "{\"phone\":\"+442071838750\",\"password\":\"green kettle on the third stair\"}");
	assert_string_equal(fixture_sql(fx, "SELECT state FROM enrolld.account WHERE realm = 'verify'"), "pending");
	struct passing *p = passing_run(store, trying(arena, "verify", "verify_phone", passing_code(up, "verify_phone")));
	assert_reason(p, REASON_OK);
	assert_true(p->receipt.verified);
	assert_true(uuid_equal(&p->receipt.account_id, &up->receipt.account_id));
	assert_string_equal(fixture_sql(fx, "SELECT a.state || (c.verified_at IS NOT NULL) FROM enrolld.account AS a "
					    "JOIN enrolld.claim AS c USING (account_id) WHERE a.realm = 'verify'"),
			    "activetrue");
	passing_release(p);
}

// The look of one comes before the commit of another.
static void what_the_look_saw_is_had_again_under_the_lock(void **state)
{
	(void)state;
	const char *code = new_code("stale", "sign_up");
	struct passing *late = trying(arena, "stale", "sign_up", code), *early = trying(arena, "stale", "sign_up", code);
	passing_look(store, late);
	assert_reason(late, REASON_OK);
	assert_reason(passing_run(other, early), REASON_OK);
	passing_store(store, late);
	assert_reason(late, REASON_CODE_USED);
	assert_int_equal(late->outcome, STORE_LOST);
	assert_string_equal(state_of("stale"), "1 used / 0");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'stale'"), 1);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm = 'stale' AND reason = 'code_used'"), 1);
	passing_release(late);
	passing_release(early);
}

static void who_lost_the_address_signs_in(void **state)
{
	(void)state;
	const char *code = new_code("lost", "sign_up");
	struct passing *p = trying(arena, "lost", "sign_up", code);
	passing_look(store, p);
	assert_true(p->changes.has_account);
	(void)fixture_sql(fx, "INSERT INTO enrolld.account (account_id, realm, state, number) "
			      "VALUES ('00000000-0000-8000-8000-000000000007', 'lost', 'pending', 7)");
	(void)fixture_sql(fx, "INSERT INTO enrolld.claim (realm, kind, value, account_id, shown) "
			      "VALUES ('lost', 'phone', '+442071838750', '00000000-0000-8000-8000-000000000007', 'x')");
	passing_store(store, p);
	assert_int_equal(p->outcome, STORE_LOST);
	assert_reason(p, REASON_OK);
	assert_false(p->receipt.created);
	assert_int_equal(p->receipt.account_number, 7);
	assert_string_equal(state_of("lost"), "1 used / 0");
	assert_string_equal(fixture_sql(fx, "SELECT state FROM enrolld.account WHERE realm = 'lost'"), "active");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'lost'"), 1);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.session WHERE realm = 'lost'"),
			 1); // the answer carries its tokens
	passing_release(p);
}

static void a_newer_code_sends_its_try_back_to_the_look(void **state)
{
	(void)state;
	const char *old = new_code("again", "sign_up");
	struct passing *wrong = passing_run(store, trying(arena, "again", "sign_up", wrong_of(old)));
	(void)fixture_sql(fx, "UPDATE enrolld.challenge SET sent_at = sent_at - interval '2 minutes' WHERE realm = 'again'");
	struct passing *next = asking("again", "sign_up");
	passing_look(store, next);
	assert_int_equal(next->changes.challenge_count, 1);
	struct code_seed seed = next->changes.challenges[0].seed;
	char code[CODE_TEXT_SIZE];
	code_derive(keys, SLICE_LIT("sign_up"), SLICE_LIT("again"), &seed, &(struct code_form){6, CODE_DIGITS}, code);
	struct passing *p = trying(arena, "again", "sign_up", code);
	passing_look(other, p);
	assert_reason(p, REASON_CODE_WRONG);
	passing_store(store, next);
	passing_store(other, p);
	assert_int_equal(p->outcome, STORE_AGAIN);
	assert_string_equal(state_of("again"), "1 open, 0 open / 1");
	(void)passing_run(other, p);
	assert_reason(p, REASON_OK);
	assert_string_equal(state_of("again"), "1 open, 1 used / 0");
	passing_release(wrong);
	wrong = passing_run(store, trying(arena, "again", "sign_up", old));
	assert_reason(wrong, REASON_CODE_USED);
	passing_release(wrong);
	passing_release(p);
}

static struct passing *store_sign_up(const char *realm, int number)
{
	return passing_sign_up(
		realm, "/ecommerce/v1/auth/signup",
		arena_printf(arena, "{\"mobile\":{\"code\":\"+91\",\"number\":\"99627940%02d\"},\"password\":\"secret123\"}",
			     number)
			.ptr);
}

static struct passing *trying_otp(const char *realm, const char *code)
{
	return passing_make(arena, realm, "/ecommerce/v1/auth/otp/verify",
			    arena_printf(arena, "{\"otp\":%ld,\"source\":\"mobile\"}", strtol(code, NULL, 10)).ptr);
}

// Who tries a code without naming an address means the one of the last sign-up, whose address is held.
static void whoever_signs_up_again_means_the_later_address(void **state)
{
	(void)state;
	struct passing *first = store_sign_up("caller", 1);
	struct passing *p = trying_otp("caller", passing_code(first, "verify_phone"));
	passing_look(store, p);
	assert_reason(p, REASON_OK);
	assert_true(slice_equal_text(p->changes.code.value, "+919962794001"));
	struct passing *second = store_sign_up("caller", 2);
	passing_store(store, p);
	assert_int_equal(p->outcome, STORE_AGAIN);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'caller' AND state = 'active'"), 0);
	(void)passing_run(store, p);
	assert_reason(p, REASON_CODE_WRONG);
	assert_true(slice_equal_text(p->changes.code.value, "+919962794002"));
	passing_release(p);
	p = passing_run(store, trying_otp("caller", passing_code(second, "verify_phone")));
	assert_reason(p, REASON_OK);
	assert_true(uuid_equal(&p->receipt.account_id, &second->receipt.account_id));
	assert_string_equal(
		fixture_sql(
			fx,
			"SELECT string_agg(attempts || '', ' ' ORDER BY created_at) FROM enrolld.challenge WHERE realm = 'caller'"),
		"0 2");
	passing_release(p);
}

static void the_second_of_an_address_in_a_batch_comes_again(void **state)
{
	(void)state;
	const char *code = new_code("batch", "sign_up");
	struct passing *p[2] = {trying(arena, "batch", "sign_up", code), trying(arena, "batch", "sign_up", code)};
	struct store_item items[2];
	for (int i = 0; i < 2; i++) {
		passing_look(store, p[i]);
		items[i] = passing_item(p[i]);
	}
	// Order keys keep such a pair apart unless one names the challenge and the other the address.
	p[1]->changes.has_account = false;
	p[1]->changes.claim_count = 0;
	assert_ok(store_begin(store, "enrolld.otp", items, 2, &f_));
	for (int i = 0; i < 2; i++)
		passing_settle(p[i], &items[i]);
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, items, 2, &f_));
	assert_int_equal(items[0].outcome, STORE_WON);
	assert_int_equal(items[1].outcome, STORE_AGAIN);
	assert_reason(passing_run(store, p[1]), REASON_CODE_USED);
	assert_string_equal(state_of("batch"), "1 used / 0");
	passing_release(p[0]);
	passing_release(p[1]);
}

// --- at once ----------------------------------------------------------------------------------------------------------------

struct race {
	const char *realm, *code;
	pthread_t thread;
	int accepted, wrong, refused, again;
};

static void *submit(void *ctx)
{
	struct race *race = ctx;
	struct arena *own = arena_create(65536);
	struct store *with = fixture_store(fx, "enrolld/test/code-race");
	for (int i = 0; i < SUBMISSIONS / THREADS; i++) {
		struct passing *p = trying(own, race->realm, "sign_up", race->code);
		do {
			(void)passing_run(with, p);
			race->again += p->outcome == STORE_AGAIN;
		} while (p->outcome == STORE_AGAIN);
		race->accepted += p->receipt.reason == REASON_OK;
		race->wrong += p->receipt.reason == REASON_CODE_WRONG;
		race->refused += p->receipt.reason == REASON_CODE_USED || p->receipt.reason == REASON_CODE_EXHAUSTED;
		passing_release(p);
	}
	store_close(with);
	arena_destroy(own);
	return NULL;
}

static struct race run(const char *realm, const char *code)
{
	struct race races[THREADS], sum = {0};
	for (int i = 0; i < THREADS; i++) {
		races[i] = (struct race){.realm = realm, .code = code};
		assert_int_equal(pthread_create(&races[i].thread, NULL, submit, &races[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(races[i].thread, NULL), 0);
		sum.accepted += races[i].accepted;
		sum.wrong += races[i].wrong;
		sum.refused += races[i].refused;
	}
	assert_int_equal(sum.accepted + sum.wrong + sum.refused, SUBMISSIONS);
	return sum;
}

static void of_many_right_ones_exactly_one_is_accepted(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const char *realm = arena_printf(arena, "right%d", round).ptr;
		struct race sum = run(realm, new_code(realm, "sign_up"));
		assert_int_equal(sum.accepted, 1);
		assert_int_equal(sum.refused, SUBMISSIONS - 1);
		assert_string_equal(state_of(realm), "1 used / 0");
		assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = '%s'", realm), 1);
	}
}

static void of_many_wrong_ones_exactly_the_limit_is_compared(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const char *realm = arena_printf(arena, "wrong%d", round).ptr;
		struct race sum = run(realm, wrong_of(new_code(realm, "sign_up")));
		assert_int_equal(sum.accepted, 0);
		assert_int_equal(sum.wrong, 5);
		assert_string_equal(state_of(realm), "5 open / 5");
	}
}

// --- kept -------------------------------------------------------------------------------------------------------------------

static void the_database_holds_no_code(void **state)
{
	(void)state;
	const char *code = new_code("dump", "sign_up");
	static const char *const tables[] = {"inbox", "challenge", "address", "message", "limit"};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		assert_int_equal(
			fixture_count(fx,
				      "SELECT count(*) FROM enrolld.\"%s\" AS t WHERE t.realm = 'dump' AND t::text LIKE '%%%s%%'",
				      tables[i], code),
			0);
}

static void idle_addresses_are_swept(void **state)
{
	(void)state;
	size_t deleted;
	(void)fixture_sql(
		fx,
		"INSERT INTO enrolld.address (realm, kind, value, failures, expires_at) VALUES "
		"('sweep', 'phone', 'a', 0, now() - interval '1 second'), ('sweep', 'phone', 'b', 3, now() + interval '1 hour')");
	assert_ok(store_sweep(store, 1000, &deleted, &f_));
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(value, ',') FROM enrolld.address WHERE realm = 'sweep'"), "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_code_opens_an_account_once),
		cmocka_unit_test(a_redelivery_counts_nothing),
		cmocka_unit_test(a_sign_up_is_verified_by_code),
		cmocka_unit_test(what_the_look_saw_is_had_again_under_the_lock),
		cmocka_unit_test(who_lost_the_address_signs_in),
		cmocka_unit_test(a_newer_code_sends_its_try_back_to_the_look),
		cmocka_unit_test(whoever_signs_up_again_means_the_later_address),
		cmocka_unit_test(the_second_of_an_address_in_a_batch_comes_again),
		cmocka_unit_test(of_many_right_ones_exactly_one_is_accepted),
		cmocka_unit_test(of_many_wrong_ones_exactly_the_limit_is_compared),
		cmocka_unit_test(the_database_holds_no_code),
		cmocka_unit_test(idle_addresses_are_swept),
	};
	return cmocka_run_group_tests(tests, passing_open, passing_close);
}
