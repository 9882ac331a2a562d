// SPDX-License-Identifier: Apache-2.0
// Passwords on a real database: what was compared is what is changed, entered or renewed, whatever happens between.
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "passing.h"

#define OLD "green kettle on the third stair"
#define NEW "amber fox under the bridge"
#define OLD_HASH "$argon2id$old"

// An account with two identities, active, its password hashed as OLD_HASH; the hash pool is played here.
static void customer(const char *realm)
{
	(void)passing_sign_up(realm, "/v1/accounts",
			      "{\"email\":\"ada@example.com\",\"username\":\"ada\",\"password\":\"" OLD "\"}");
	(void)fixture_sql(fx, "UPDATE enrolld.account SET state = 'active', password_hash = '" OLD_HASH "' WHERE realm = '%s'",
			  realm);
	(void)fixture_sql(fx, "UPDATE enrolld.claim SET verified_at = now() WHERE realm = '%s'", realm);
}

static const char *hash_of(const char *realm)
{
	return fixture_sql(fx, "SELECT password_hash || ' ' || password_serial FROM enrolld.account WHERE realm = '%s'", realm);
}

static void decide(struct passing *p, enum decision decision)
{
	struct operation_case c = passing_case(p);
	assert_int_equal(operation_decide(&op, &c, &p->receipt, &p->changes), decision);
}

// What the pool found stays.
static void look(struct passing *p)
{
	const struct password_facts password = p->facts.password;
	struct look_item item = {.request = &p->request, .registration = &p->registration, .arena = p->arena, .facts = &p->facts};
	assert_ok(store_look(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	p->facts.password = password;
}

// Looked at, and compared right with what was found; made: the hash that came of it.
static void hashed(struct passing *p, const char *made)
{
	look(p);
	decide(p, DECISION_HASH);
	const struct code_holder *holder = &p->facts.code.holder;
	p->facts.password = (struct password_facts){.state = PASSWORD_FITS,
						    .account_id = holder->account_id,
						    .serial = holder->password_serial,
						    .compared = holder->password_hash,
						    .made = slice_of(made)};
	decide(p, DECISION_STORE);
	assert_reason(p, REASON_OK);
	secret_release(p->registration.password);
	secret_release(p->registration.old_password);
	p->registration.password = p->registration.old_password = NULL;
}

static struct passing *changing(const char *realm, const char *identity, const char *made)
{
	struct passing *p = passing_make(
		arena, realm, "/v1/password",
		arena_printf(arena, "{%s,\"old_password\":\"" OLD "\",\"password\":\"" NEW "\"}", identity).ptr);
	hashed(p, made);
	return p;
}

static struct passing *entering(const char *realm, const char *made)
{
	struct passing *p = passing_make(arena, realm, "/ecommerce/v1/auth/signin",
					 "{\"email\":\"ada@example.com\",\"password\":\"secret123\"}");
	hashed(p, made);
	return p;
}

static void a_new_password_is_another(void **state)
{
	(void)state;
	customer("change");
	struct passing *p = changing("change", "\"email\":\"ada@example.com\"", "$new");
	passing_store(store, p);
	assert_reason(p, REASON_OK);
	assert_string_equal(hash_of("change"), "$new 1");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.message WHERE realm = 'change' AND challenge_id IS NULL"),
			 1);
}

struct late {
	struct passing *passing;
	_Atomic bool done;
};

static void *store_late(void *ctx)
{
	struct late *late = ctx;
	passing_store(other, late->passing);
	atomic_store(&late->done, true);
	return NULL;
}

// Both know the old password, by other identities; the one that comes second waits, and then does not know it any more.
static void of_two_that_know_the_old_one_one_changes_it(void **state)
{
	(void)state;
	customer("two");
	struct passing *first = changing("two", "\"email\":\"ada@example.com\"", "$first");
	struct late late = {.passing = changing("two", "\"username\":\"ada\"", "$second")};
	struct store_item item = passing_item(first);
	pthread_t thread;
	assert_ok(store_begin(store, "enrolld.otp", &item, 1, &f_));
	passing_settle(first, &item);
	assert_int_equal(pthread_create(&thread, NULL, store_late, &late), 0);
	clock_sleep_ms(200);
	assert_false(atomic_load(&late.done));
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_reason(first, REASON_OK);
	assert_reason(late.passing, REASON_PASSWORD_WRONG);
	assert_string_equal(hash_of("two"), "$first 1");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.message WHERE realm = 'two' AND challenge_id IS NULL"), 1);
}

static void the_second_of_an_account_in_a_batch_comes_again(void **state)
{
	(void)state;
	customer("batch");
	struct passing *p[2] = {changing("batch", "\"email\":\"ada@example.com\"", "$first"),
				changing("batch", "\"username\":\"ada\"", "$second")};
	struct store_item items[2] = {passing_item(p[0]), passing_item(p[1])};
	assert_ok(store_begin(store, "enrolld.otp", items, 2, &f_));
	for (int i = 0; i < 2; i++)
		passing_settle(p[i], &items[i]);
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, items, 2, &f_));
	assert_int_equal(items[0].outcome, STORE_WON);
	assert_int_equal(items[1].outcome, STORE_AGAIN);
	assert_string_equal(hash_of("batch"), "$first 1");
}

static struct passing *signing_in(const char *realm, const char *made)
{
	struct passing *p = passing_make(arena, realm, "/v1/sessions", "{\"username\":\"ada\",\"password\":\"" OLD "\"}");
	hashed(p, made);
	return p;
}

// By other identities, which no order of requests keeps apart: nothing that the old password began or renewed is there when the new one is.
static void of_a_batch_no_old_password_survives(void **state)
{
	(void)state;
	for (int n = 0; n < 4; n++) {
		const char *realm = arena_printf(arena, "batch-%d", n).ptr, *renewed = n & 1 ? "$renewed" : NULL;
		customer(realm);
		struct passing *change = changing(realm, "\"email\":\"ada@example.com\"", "$new"),
			       *enter = signing_in(realm, renewed);
		struct passing *first = n & 2 ? enter : change, *second = n & 2 ? change : enter;
		struct store_item items[2] = {passing_item(first), passing_item(second)};
		assert_ok(store_begin(store, "enrolld.otp", items, 2, &f_));
		passing_settle(first, &items[0]);
		passing_settle(second, &items[1]);
		assert_ok(store_finish(store, "enrolld.otp", NULL, 0, items, 2, &f_));
		assert_int_equal(items[0].outcome, STORE_WON);
		assert_int_equal(items[1].outcome, STORE_AGAIN);
		look(second);
		decide(second, DECISION_STORE);
		passing_store(store, second);
		assert_reason(change, REASON_OK);
		assert_reason(enter, n & 2 ? REASON_OK : REASON_PASSWORD_WRONG);
		assert_string_equal(hash_of(realm), "$new 1");
		assert_int_equal(
			fixture_count(fx, "SELECT count(*) FROM enrolld.session WHERE realm = '%s' AND revoked_at IS NULL", realm),
			0);
	}
}

static void an_identity_that_moved_changes_nothing(void **state)
{
	(void)state;
	customer("moved");
	struct passing *p = changing("moved", "\"email\":\"ada@example.com\"", "$new");
	(void)fixture_sql(fx, "INSERT INTO enrolld.account (account_id, realm, state, password_hash) "
			      "VALUES ('00000000-0000-8000-8000-000000000009', 'moved', 'active', '" OLD_HASH "')");
	(void)fixture_sql(fx, "UPDATE enrolld.claim SET account_id = '00000000-0000-8000-8000-000000000009' "
			      "WHERE realm = 'moved' AND kind = 'email'");
	passing_store(store, p);
	assert_int_equal(p->outcome, STORE_AGAIN);
	look(p);
	decide(p, DECISION_STORE);
	assert_reason(p, REASON_PASSWORD_WRONG); // what was compared is another's
	assert_int_equal(
		fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'moved' AND password_hash = '" OLD_HASH "'"),
		2);
}

static void a_hash_is_renewed_and_the_password_stays(void **state)
{
	(void)state;
	customer("renew");
	struct passing *p = entering("renew", "$today"), *beside = entering("renew", "$today too");
	passing_store(store, p);
	assert_reason(p, REASON_OK);
	assert_string_equal(hash_of("renew"), "$today 0");
	passing_store(store, beside); // compared the hash of before: it is the same password
	assert_reason(beside, REASON_OK);
	assert_string_equal(hash_of("renew"), "$today 0");
}

// Whoever sets another one meanwhile waits for the account.
static void a_renewal_is_waited_for(void **state)
{
	(void)state;
	customer("way");
	struct passing *p = entering("way", "$today");
	struct store_item item = passing_item(p);
	assert_ok(store_begin(store, "enrolld.otp", &item, 1, &f_));
	passing_settle(p, &item);
	assert_int_equal(
		fixture_count(
			fx, "SELECT count(*) FROM (SELECT 1 FROM enrolld.account WHERE realm = 'way' FOR UPDATE SKIP LOCKED) AS a"),
		0);
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	assert_string_equal(hash_of("way"), "$today 0");
}

static void whoever_compared_the_one_before_is_not_let_in(void **state)
{
	(void)state;
	customer("late");
	struct passing *p = entering("late", NULL), *change = changing("late", "\"username\":\"ada\"", "$new");
	passing_store(store, change);
	passing_store(store, p);
	assert_reason(p, REASON_PASSWORD_WRONG);
	assert_string_equal(
		fixture_sql(fx, "SELECT kind || ' ' || failures FROM enrolld.address WHERE realm = 'late' AND failures > 0"),
		"password:email 1");
}

static void a_code_ends_the_guesses_of_others(void **state)
{
	(void)state;
	customer("ease");
	struct passing *asked = passing_run(
		store, passing_make(arena, "ease", "/v1/codes", "{\"purpose\":\"reset\",\"email\":\"ada@example.com\"}"));
	assert_reason(asked, REASON_OK);
	struct passing *guess = passing_make(arena, "ease", "/v1/password",
					     "{\"email\":\"ada@example.com\",\"old_password\":\"guess\",\"password\":\"" NEW "\"}");
	hashed(guess, "$x");
	guess->facts.password.state = PASSWORD_MISFITS;
	decide(guess, DECISION_STORE);
	passing_store(store, guess);
	(void)fixture_sql(fx, "UPDATE enrolld.address SET failures = 50, locked_until = now() + interval '1 hour' "
			      "WHERE realm = 'ease' AND kind = 'password:email'");
	struct passing *p = passing_make(arena, "ease", "/v1/password",
					 arena_printf(arena,
						      "{\"email\":\"ada@example.com\",\"code\":\"%s\",\"password\":\"" NEW "\"}",
						      passing_code(asked, "reset"))
						 .ptr);
	hashed(p, "$new");
	passing_store(store, p);
	assert_reason(p, REASON_OK);
	passing_release(p);
	assert_string_equal(hash_of("ease"), "$new 1");
	assert_string_equal(fixture_sql(fx, "SELECT failures || coalesce(locked_until::text, ' free') FROM enrolld.address "
					    "WHERE realm = 'ease' AND kind = 'password:email'"),
			    "0 free");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_password_is_another),
		cmocka_unit_test(of_two_that_know_the_old_one_one_changes_it),
		cmocka_unit_test(the_second_of_an_account_in_a_batch_comes_again),
		cmocka_unit_test(of_a_batch_no_old_password_survives),
		cmocka_unit_test(an_identity_that_moved_changes_nothing),
		cmocka_unit_test(a_hash_is_renewed_and_the_password_stays),
		cmocka_unit_test(a_renewal_is_waited_for),
		cmocka_unit_test(whoever_compared_the_one_before_is_not_let_in),
		cmocka_unit_test(a_code_ends_the_guesses_of_others),
	};
	return cmocka_run_group_tests(tests, passing_open, passing_close);
}
