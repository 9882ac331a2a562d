// SPDX-License-Identifier: Apache-2.0
// Derived claims and integer ids on a real database: proposed by the look, taken by the store, withdrawn and proposed anew when lost.
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

static struct fixture *fx;
static struct store *store, *other;
static struct arena *arena;
static int64_t offset;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/derived");
	other = fixture_store(fx, "enrolld/test/other");
	arena = arena_create(4096);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	arena_destroy(arena);
	store_close(store);
	store_close(other);
	fixture_close(fx);
	return 0;
}

static struct sample *request(const char *realm, const char *stem, size_t max)
{
	offset++;
	struct sample *s = sample_create(arena, realm, arena_printf(arena, "r%lld", (long long)offset).ptr, offset);
	if (stem)
		sample_derive(s, stem, max);
	return s;
}

static const char *proposal_of(struct sample *s)
{
	struct look_item item = sample_look(s);
	assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f_));
	return s->facts.proposals[0].ptr;
}

static const char *take(const char *realm, const char *stem, size_t max)
{
	struct sample *s = request(realm, stem, max);
	(void)proposal_of(s);
	sample_accept(s);
	assert_int_equal(store_one(store, s), STORE_WON);
	return s->facts.proposals[0].ptr;
}

static void hold(const char *realm, const char *sql_values)
{
	(void)fixture_sql(
		fx,
		"BEGIN; WITH a AS (INSERT INTO enrolld.account (account_id, realm, state) VALUES (gen_random_uuid(), '%s', 'active') "
		"RETURNING account_id) INSERT INTO enrolld.claim (realm, kind, value, account_id, shown) "
		"SELECT '%s', 'slug', v, account_id, v FROM a, (%s) AS t(v); COMMIT",
		realm, realm, sql_values);
}

// As django-autoslug counts (1.9.9): the stem, then -2, -3; a name that looks like another's second takes its place.
static void the_first_free_value_is_taken(void **state)
{
	(void)state;
	assert_string_equal(take("first", "customer", 50), "customer");
	assert_string_equal(take("first", "customer", 50), "customer-2");
	assert_string_equal(take("first", "john-doe-2", 50), "john-doe-2");
	assert_string_equal(take("first", "john-doe", 50), "john-doe");
	assert_string_equal(take("first", "john-doe", 50), "john-doe-3");
	assert_string_equal(take("first", "john-doe-2", 50), "john-doe-2-2");
	for (int i = 1; i <= 11; i++)
		assert_string_equal(take("first", "zed-q", 50), i == 1 ? "zed-q" : arena_printf(arena, "zed-q-%d", i).ptr);
	assert_string_equal(take("second", "zed-q", 50), "zed-q"); // each realm has its own
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim c JOIN enrolld.account USING (account_id, realm) "
					   "WHERE realm = 'first' AND kind = 'slug' AND shown = value"),
			 17);
}

static void long_stems_are_cut(void **state)
{
	(void)state;
	char stem[64] = {0}, expected[64] = {0};
	memset(stem, 'x', 50);
	assert_string_equal(take("long", stem, 50), stem);
	for (int i = 2; i <= 12; i++) {
		int len = i < 10 ? 48 : 47;
		memset(expected, 'x', (size_t)len);
		(void)snprintf(expected + len, sizeof(expected) - (size_t)len, "-%d", i);
		assert_string_equal(take("long", stem, 50), expected);
	}
	// Code points, not bytes.
	const char *wide = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			   "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9";
	assert_string_equal(take("long", wide, 24), wide);
	const char *second = take("long", wide, 24);
	assert_int_equal(strlen(second), 2 * 22 + 2);
	assert_memory_equal(second, wide, 44);
	assert_string_equal(second + 44, "-2");
}

static void many_are_passed_in_a_few_steps(void **state)
{
	(void)state;
	hold("many", "SELECT 'full' UNION ALL SELECT 'full-' || n FROM generate_series(2, 60000) n WHERE n <> 700");
	assert_string_equal(take("many", "full", 50), "full-700"); // a gap among the first 1,024 is found
	assert_string_equal(take("many", "full", 50), "full-60001");
	assert_string_equal(take("many", "full", 50), "full-60002");
	for (int taken = 1; taken < 3000; taken = taken * 3 / 2 + 1) {
		const char *realm = arena_printf(arena, "many%d", taken).ptr;
		hold(realm,
		     arena_printf(arena, "SELECT CASE n WHEN 1 THEN 'x' ELSE 'x-' || n END FROM generate_series(1, %d) n", taken)
			     .ptr);
		assert_string_equal(proposal_of(request(realm, "x", 24)), arena_printf(arena, "x-%d", taken + 1).ptr);
	}
}

static void several_are_looked_at_together(void **state)
{
	(void)state;
	hold("together", "SELECT CASE n WHEN 1 THEN 'a' ELSE 'a-' || n END FROM generate_series(1, 20) n");
	struct sample *s[4] = {request("together", "a", 50), request("together", "b", 50), request("together", "a", 50),
			       request("together", "c", 50)};
	sample_derive(s[1], "second", 50);
	sample_claim(s[3], CLAIM_EMAIL, "c@a.example");
	struct look_item items[4];
	for (int i = 0; i < 4; i++)
		items[i] = sample_look(s[i]);
	items[3].limits_only = true;
	assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, items, 4, &f_));
	assert_string_equal(s[0]->facts.proposals[0].ptr, "a-21");
	assert_string_equal(s[1]->facts.proposals[0].ptr, "b");
	assert_string_equal(s[1]->facts.proposals[1].ptr, "second");
	assert_string_equal(s[2]->facts.proposals[0].ptr, "a-21");
	assert_true(slice_is_absent(s[3]->facts.proposals[0]));
}

static int64_t rows(const char *realm, const char *table)
{
	return fixture_count(fx, "SELECT count(*) FROM enrolld.\"%s\" WHERE realm = '%s'", table, realm);
}

// Somebody took the value between look and store: nothing of the request is left, and it is not refused.
static void a_lost_value_is_proposed_anew(void **state)
{
	(void)state;
	struct sample *s = request("lost", "ada", 50);
	sample_claim(s, CLAIM_EMAIL, "ada@a.example");
	(void)sample_limit(s, "client", "a", 5, 60000);
	assert_string_equal(proposal_of(s), "ada");
	sample_accept(s);
	(void)take("lost", "ada", 50);

	struct sample *fellow = request("lost", "eve", 50);
	(void)proposal_of(fellow);
	sample_accept(fellow);
	struct store_item items[] = {sample_item(s), sample_item(fellow)};
	assert_ok(store_batch(store, items, 2, &f_));
	assert_int_equal(items[0].outcome, STORE_AGAIN);
	assert_int_equal(items[1].outcome, STORE_WON);
	assert_int_equal(rows("lost", "inbox"), 2);
	assert_int_equal(rows("lost", "account"), 2);
	assert_int_equal(rows("lost", "claim"), 2);
	assert_int_equal(rows("lost", "message"), 0);
	assert_int_equal(fixture_count(fx, "SELECT coalesce(sum(used), 0) FROM enrolld.\"limit\" WHERE realm = 'lost'"), 0);

	assert_string_equal(proposal_of(s), "ada-2");
	assert_int_equal(s->facts.hit, HIT_NONE);
	sample_accept(s);
	assert_int_equal(store_one(store, s), STORE_WON);
	assert_int_equal(rows("lost", "inbox"), 3);
	assert_int_equal(rows("lost", "message"), 1);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'lost'"), 1);
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(value, ' ' ORDER BY value) FROM enrolld.claim WHERE realm = 'lost'"),
			    "ada ada-2 ada@a.example eve");
}

static void of_two_alike_in_one_batch_one_comes_again(void **state)
{
	(void)state;
	struct sample *a = request("alike", "x", 50), *b = request("alike", "x", 50);
	(void)proposal_of(a);
	(void)proposal_of(b);
	sample_accept(a);
	sample_accept(b);
	struct store_item items[] = {sample_item(a), sample_item(b)};
	assert_ok(store_batch(store, items, 2, &f_));
	assert_int_equal(items[0].outcome + items[1].outcome, STORE_WON + STORE_AGAIN);
	assert_int_equal(rows("alike", "inbox"), 1);
	assert_int_equal(rows("alike", "account"), 1);
}

// A claim that is another's, or a limit that is reached, is an answer; the value of the derived one does not matter then.
static void a_refusal_comes_before_another_try(void **state)
{
	(void)state;
	(void)take("order", "x", 50);
	struct sample *holder = request("order", NULL, 0);
	sample_claim(holder, CLAIM_EMAIL, "x@a.example");
	(void)sample_limit(holder, "client", "full", 1, 60000);
	sample_accept(holder);
	assert_int_equal(store_one(store, holder), STORE_WON);

	struct sample *taken = request("order", "x", 50), *full = request("order", "x", 50);
	sample_claim(taken, CLAIM_EMAIL, "x@a.example");
	(void)sample_limit(full, "client", "full", 1, 60000);
	taken->facts.proposals[0] = full->facts.proposals[0] = SLICE_LIT("x");
	sample_accept(taken);
	sample_accept(full);
	struct store_item items[] = {sample_item(taken), sample_item(full)};
	assert_ok(store_batch(store, items, 2, &f_));
	assert_int_equal(items[0].outcome, STORE_LOST);
	assert_true(taken->facts.taken[0]);
	assert_int_equal(items[1].outcome, STORE_LOST);
	assert_true(full->facts.limits[0].reached);
	assert_int_equal(rows("order", "claim"), 2);
	assert_int_equal(rows("order", "inbox"), 4);
}

// Another process waits for a request id that is then withdrawn: it finds nobody, and stores.
static void a_withdrawn_request_may_be_stored_by_another(void **state)
{
	(void)state;
	(void)take("twice", "x", 50);
	struct sample *s = request("twice", "x", 50);
	s->facts.proposals[0] = SLICE_LIT("x");
	sample_accept(s);
	assert_int_equal(store_one(store, s), STORE_AGAIN);
	s->facts.proposals[0] = SLICE_LIT("x-2");
	sample_accept(s);
	assert_int_equal(store_one(other, s), STORE_WON);
}

static struct sample *numbered(const char *realm, const char *counter)
{
	struct sample *s = request(realm, NULL, 0);
	s->registration.wants_number = true;
	s->registration.counter = counter;
	sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "%lld@a.example", (long long)offset).ptr);
	sample_accept(s);
	return s;
}

static void numbers_count_from_one_in_each_realm(void **state)
{
	(void)state;
	struct sample *lost = numbered("numbers", "account");
	lost->registration.claims[0].value = SLICE_LIT("taken@a.example");
	sample_accept(lost);
	struct sample *holder = request("numbers", NULL, 0);
	sample_claim(holder, CLAIM_EMAIL, "taken@a.example");
	sample_accept(holder);
	assert_int_equal(store_one(store, holder), STORE_WON);

	struct sample *s[] = {numbered("numbers", "account"), lost, numbered("numbers", "account"),
			      numbered("elsewhere", "account"), numbered("numbers", "account")};
	struct store_item items[5];
	for (int i = 0; i < 5; i++)
		items[i] = sample_item(s[i]);
	assert_ok(store_batch(store, items, 5, &f_));
	assert_int_equal(s[0]->changes.account.number, 1);
	assert_int_equal(items[1].outcome, STORE_LOST);
	assert_int_equal(s[2]->changes.account.number, 2);
	assert_int_equal(s[3]->changes.account.number, 1);
	assert_int_equal(s[4]->changes.account.number, 3);
	assert_string_equal(fixture_sql(fx,
					"SELECT string_agg(coalesce(number::text, '-'), ' ' ORDER BY number) FROM enrolld.account "
					"WHERE realm = 'numbers'"),
			    "1 2 3 -");

	struct sample *later = numbered("numbers", "account");
	struct store_item item = sample_item(later);
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	assert_ok(store_number(store, &item, 1, &f_));
	assert_int_equal(later->changes.account.number, 4);
	store_cancel(store);
	assert_int_equal(store_one(store, later), STORE_WON);
	assert_int_equal(later->changes.account.number, 4); // no gap
}

// What was completed after store_begin is what the inbox row holds.
static void a_completed_receipt_is_stored(void **state)
{
	(void)state;
	struct sample *s = numbered("complete", "account");
	struct store_item item = sample_item(s);
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	assert_ok(store_number(store, &item, 1, &f_));
	struct receipt receipt;
	assert_ok(receipt_read(s->changes.receipt, arena, &receipt, &f_));
	receipt.account_number = s->changes.account.number;
	s->changes.receipt = receipt_write(&receipt, arena);
	item.completed = true;
	assert_ok(store_finish(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f_));
	assert_string_equal(fixture_sql(fx,
					"SELECT concat_ws(' ', state, outcome, receipt::json->>'number', account_id IS NOT NULL) "
					"FROM enrolld.inbox WHERE realm = 'complete'"),
			    "done accepted 1 t");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_free_value_is_taken),
		cmocka_unit_test(long_stems_are_cut),
		cmocka_unit_test(many_are_passed_in_a_few_steps),
		cmocka_unit_test(several_are_looked_at_together),
		cmocka_unit_test(a_lost_value_is_proposed_anew),
		cmocka_unit_test(of_two_alike_in_one_batch_one_comes_again),
		cmocka_unit_test(a_refusal_comes_before_another_try),
		cmocka_unit_test(a_withdrawn_request_may_be_stored_by_another),
		cmocka_unit_test(numbers_count_from_one_in_each_realm),
		cmocka_unit_test(a_completed_receipt_is_stored),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
