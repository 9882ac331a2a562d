// SPDX-License-Identifier: Apache-2.0
// The look and the store transaction on a real database: who wins, who hits, who loses, and what is in the tables then.
#include "fixture.h"

#include <string.h>

static struct fixture *fx;
static struct store *store, *other;

static bool prepared;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	fx->worker.prepared = prepared;
	store = fixture_store(fx, "enrolld/test/store");
	other = fixture_store(fx, "enrolld/test/other");
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	store_close(store);
	store_close(other);
	fixture_close(fx);
	return 0;
}

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

static void look_one(struct sample *s)
{
	struct look_item item = sample_look(s);
	assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f_));
}

static void a_win_writes_every_row(void **state)
{
	(void)state;
	struct sample *s = sample_create(arena, "win", "r1", 5);
	sample_claim(s, CLAIM_EMAIL, "zoe@a.example");
	sample_claim(s, CLAIM_USERNAME, "zo\xc3\xab,{\"\\}");
	sample_accept(s);
	look_one(s);
	assert_int_equal(s->facts.hit, HIT_NONE);
	assert_int_equal(s->facts.mark, 0);
	assert_true(s->facts.now_ms > 1700000000000);
	assert_false(s->facts.taken[0] || s->facts.taken[1]);

	assert_int_equal(store_one(store, s), STORE_WON);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'win' AND state = 'pending' "
					   "AND given_name = 'Zoë \"Q\\' AND birth_date = '1990-02-28' AND family_name IS NULL "
					   "AND attributes->'n'->1->'a' = 'null' AND password_hash LIKE '$argon2id$%%'"),
			 1);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim c JOIN enrolld.account a USING (account_id) "
					   "WHERE c.realm = 'win' AND (kind, value) IN (('email', 'zoe@a.example'), "
					   "('username', 'zoë,{\"\\}')) AND shown = value AND verified_at IS NULL"),
			 2);
	assert_int_equal(
		fixture_count(fx, "SELECT count(*) FROM enrolld.message m JOIN enrolld.challenge c USING (challenge_id) "
				  "JOIN enrolld.claim k ON k.kind = c.claim_kind AND k.value = c.claim_value AND k.realm = c.realm "
				  "WHERE m.realm = 'win' AND m.state = 'queued' AND m.due_at = m.created_at AND m.attempts = 0 "
				  "AND m.expires_at - m.created_at = interval '10 min' AND c.expires_at = m.expires_at "
				  "AND c.account_id = k.account_id AND length(c.token_digest) = 32"),
		1);
	assert_string_equal(
		fixture_sql(fx, "SELECT concat_ws(' ', state, outcome, reason, topic, partition, \"offset\", fingerprint_epoch, "
				"receipt::json->>'account_id' = account_id::text) FROM enrolld.inbox WHERE realm = 'win'"),
		"done accepted enroll.signup 0 5 1 t");

	look_one(s);
	assert_int_equal(s->facts.hit, HIT_REDELIVERY);
	assert_true(slice_equal(s->facts.row.result, s->changes.result));
	assert_true(slice_equal(s->facts.row.receipt, s->changes.receipt));
	assert_true(s->facts.taken[0] && s->facts.taken[1]);
	assert_memory_equal(s->facts.row.fingerprint.bytes, s->request.fingerprints[0].bytes, FINGERPRINT_SIZE);
	assert_false(s->facts.row.dead);
}

static void a_row_without_account_is_a_row(void **state)
{
	(void)state;
	struct sample *refused = sample_create(arena, "bare", "refused", 1);
	struct sample *dead = sample_create(arena, "bare", "dead", 2);
	sample_claim(refused, CLAIM_EMAIL, "x@a.example");
	struct receipt receipt = {.outcome = OUTCOME_DEAD, .reason = REASON_KILLS_WORKER, .operation = OPERATION_SIGN_UP};
	dead->changes = (struct changes){
		.receipt = receipt_write(&receipt, arena), .outcome = OUTCOME_DEAD, .why = REASON_KILLS_WORKER};
	struct store_item items[] = {sample_item(refused), sample_item(dead)};
	assert_ok(store_batch(store, items, 2, &f_));
	assert_int_equal(items[0].outcome, STORE_WON);
	assert_int_equal(items[1].outcome, STORE_WON);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim WHERE realm = 'bare'"), 0);
	assert_string_equal(
		fixture_sql(fx, "SELECT string_agg(concat_ws(' ', state, outcome, reason, result IS NULL, account_id), ', ' "
				"ORDER BY request_id) FROM enrolld.inbox WHERE realm = 'bare'"),
		"dead dead kills-worker t, done refused identity_taken f");
	look_one(dead);
	assert_int_equal(dead->facts.hit, HIT_REDELIVERY);
	assert_true(dead->facts.row.dead);
	assert_true(slice_is_absent(dead->facts.row.result));
}

static void hits_have_their_classes(void **state)
{
	(void)state;
	struct sample *first = sample_create(arena, "hits", "r", 10);
	sample_claim(first, CLAIM_EMAIL, "one@a.example");
	sample_accept(first);
	assert_int_equal(store_one(store, first), STORE_WON);

	struct sample *again = sample_create(arena, "hits", "r", 10);
	struct sample *repeat = sample_create(arena, "hits", "r", 11);
	struct sample *conflict = sample_create(arena, "hits", "r", 12);
	conflict->request.fingerprints[0].bytes[0] ^= 1;
	struct sample *elsewhere = sample_create(arena, "hits2", "r", 13);
	struct {
		struct sample *s;
		enum store_outcome outcome;
		enum hit hit;
	} cases[] = {{again, STORE_HIT, HIT_REDELIVERY},
		     {repeat, STORE_HIT, HIT_REPEAT},
		     {conflict, STORE_HIT, HIT_CONFLICT},
		     {elsewhere, STORE_WON, HIT_NONE}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sample *s = cases[i].s;
		sample_claim(s, CLAIM_EMAIL, i == 0 ? "one@a.example" : "two@a.example");
		sample_accept(s);
		look_one(s);
		assert_int_equal(s->facts.hit, cases[i].hit);
		memset(&s->facts, 0x5a, sizeof(s->facts));
		assert_int_equal(store_one(store, s), cases[i].outcome);
		if (cases[i].outcome != STORE_HIT)
			continue;
		assert_int_equal(s->facts.hit, cases[i].hit);
		assert_true(s->facts.found);
		assert_true(slice_equal(s->facts.row.result, first->changes.result));
		assert_int_equal(s->facts.row.offset, 10);
	}
	// A repeat takes no claim: two@a.example is still free in this realm.
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim WHERE realm = 'hits'"), 1);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'hits'"), 1);

	const struct mark mark = {SAMPLE_TOPIC, 0, 11};
	struct look_item items[] = {sample_look(again), sample_look(repeat)};
	assert_ok(store_look(store, "hits-group", &mark, 1, items, 2, &f_));
	assert_int_equal(again->facts.hit, HIT_REPLAY);
	assert_int_equal(again->facts.mark, 11);
	assert_int_equal(repeat->facts.hit, HIT_REPEAT);
}

static void a_loser_gives_back_what_it_won(void **state)
{
	(void)state;
	struct sample *holder = sample_create(arena, "lost", "holder", 1);
	sample_claim(holder, CLAIM_USERNAME, "ada");
	sample_accept(holder);
	assert_int_equal(store_one(store, holder), STORE_WON);

	struct sample *loser = sample_create(arena, "lost", "loser", 2);
	sample_claim(loser, CLAIM_EMAIL, "ada@a.example");
	sample_claim(loser, CLAIM_PHONE, "+431234567");
	sample_claim(loser, CLAIM_USERNAME, "ada");
	sample_accept(loser);
	struct sample *winner = sample_create(arena, "lost", "winner", 3);
	sample_claim(winner, CLAIM_EMAIL, "eve@a.example");
	sample_accept(winner);
	struct store_item items[] = {sample_item(loser), sample_item(winner)};
	assert_ok(store_begin(store, SAMPLE_GROUP, items, 2, &f_));
	assert_int_equal(items[0].outcome, STORE_LOST);
	assert_int_equal(items[1].outcome, STORE_WON);
	assert_false(loser->facts.taken[0] || loser->facts.taken[1]);
	assert_true(loser->facts.taken[2]);
	assert_int_equal(loser->facts.hit, HIT_NONE);
	sample_refuse(loser);
	assert_ok(store_finish(store, SAMPLE_GROUP, NULL, 0, items, 2, &f_));

	assert_string_equal(fixture_sql(fx, "SELECT string_agg(value, ' ' ORDER BY value) FROM enrolld.claim WHERE realm = 'lost'"),
			    "ada eve@a.example");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account WHERE realm = 'lost'"), 2);
	assert_string_equal(fixture_sql(fx, "SELECT concat_ws(' ', state, outcome, reason, account_id) FROM enrolld.inbox "
					    "WHERE realm = 'lost' AND request_id = 'loser'"),
			    "done refused identity_taken");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.message WHERE realm = 'lost'"), 1);
	look_one(loser);
	assert_int_equal(loser->facts.hit, HIT_REDELIVERY);
	assert_true(slice_equal(loser->facts.row.result, loser->changes.result));
	assert_true(slice_equal(loser->facts.row.receipt, loser->changes.receipt));

	struct sample *next = sample_create(arena, "lost", "next", 4);
	sample_claim(next, CLAIM_EMAIL, "ada@a.example");
	sample_accept(next);
	assert_int_equal(store_one(store, next), STORE_WON);
}

static void claims_of_an_account_with_the_same_id_are_taken_too(void **state)
{
	(void)state;
	struct sample *first = sample_create(arena, "sameid", "first", 1);
	sample_claim(first, CLAIM_USERNAME, "bob");
	sample_accept(first);
	assert_int_equal(store_one(store, first), STORE_WON);
	struct sample *second = sample_create(arena, "sameid", "second", 2);
	sample_claim(second, CLAIM_USERNAME, "bob");
	sample_accept(second);
	second->changes.account.account_id = first->changes.account.account_id;
	assert_int_equal(store_one(store, second), STORE_LOST);
}

// A request that proves an address of the account.
static struct sample *prove(struct sample *opened, int64_t offset, enum claim_kind kind, const char *value, bool ousts)
{
	struct sample *s = sample_create(arena, "oust", arena_printf(arena, "id-%lld", (long long)offset).ptr, offset);
	struct code_use *use = &s->registration.code;
	sample_refuse(s);
	use->has_address = use->by_password = true;
	use->kind = kind;
	use->value = slice_of(value);
	s->changes.code = (struct code_change){.holds = true,
					       .kind = kind,
					       .value = use->value,
					       .verifies = true,
					       .ousts = ousts,
					       .account_id = opened->changes.account.account_id};
	return s;
}

// Whoever opened the account tries a code of his own address in the very batch in which another proves his: the first of the two counts.
static void nobody_comes_in_beside_who_ousts_him(void **state)
{
	(void)state;
	for (int64_t first = 0; first < 2; first++) {
		const char *mail = arena_printf(arena, "ada%d@a.example", (int)first).ptr;
		const char *phone = arena_printf(arena, "+43123456%d", (int)first).ptr;
		struct sample *opened = sample_create(arena, "oust", arena_printf(arena, "opened-%d", (int)first).ptr,
						      100 + 10 * first);
		sample_claim(opened, CLAIM_EMAIL, mail);
		sample_claim(opened, CLAIM_PHONE, phone);
		sample_claim(opened, CLAIM_USERNAME, mail);
		sample_accept(opened);
		opened->changes.account.account_id.bytes[15] ^= (uint8_t)(first + 1);
		opened->changes.account.state = "pending";
		assert_int_equal(store_one(store, opened), STORE_WON);
		struct sample *both[2];
		both[first] = prove(opened, 101 + 10 * first + first, CLAIM_EMAIL, mail, true);
		both[1 - first] = prove(opened, 102 + 10 * first - first, CLAIM_PHONE, phone, false);
		struct store_item items[] = {sample_item(both[0]), sample_item(both[1])};
		assert_ok(store_begin(store, SAMPLE_GROUP, items, 2, &f_));
		assert_int_equal(items[0].outcome, STORE_WON);
		assert_int_equal(items[1].outcome, STORE_AGAIN);
		assert_ok(store_finish(store, SAMPLE_GROUP, NULL, 0, items, 2, &f_));
		const char *held = fixture_sql(
			fx,
			"SELECT string_agg(concat_ws(' ', c.kind, c.verified_at IS NOT NULL), ', ' ORDER BY c.kind) "
			"FROM enrolld.claim AS c JOIN enrolld.claim AS m USING (account_id) WHERE m.value = '%s' "
			"AND m.kind = 'username'",
			mail);
		assert_string_equal(held, first == 0 ? "email t, username f" : "email f, phone t, username f");
	}
}

// Who may be reminded of his code at a sign-in holds his address besides the identity of the password: nobody makes another code meanwhile.
static void a_reminder_holds_the_address_too(void **state)
{
	(void)state;
	static const char *const sql =
		"SELECT count(*) FROM (SELECT 1 FROM enrolld.address WHERE realm = 'remind' FOR UPDATE SKIP LOCKED) AS free";
	struct sample *s = sample_create(arena, "remind", "first", 1);
	struct code_use *use = &s->registration.code;
	sample_refuse(s);
	use->has_address = use->by_password = true;
	use->kind = CLAIM_EMAIL;
	use->value = SLICE_LIT("ada@a.example");
	use->subject = SLICE_LIT("digest");
	s->changes.code = (struct code_change){
		.holds = true, .reminds = true, .kind = use->kind, .value = use->value, .subject = use->subject};
	assert_int_equal(store_one(store, s), STORE_WON);
	assert_int_equal(fixture_count(fx, "%s", sql), 2);
	s->request.request_id = SLICE_LIT("second");
	struct store_item item = sample_item(s);
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	assert_int_equal(fixture_count(fx, "%s", sql), 0);
	store_cancel(store);
}

static void marks_are_raised_and_never_lowered(void **state)
{
	(void)state;
	static const char *const sql = "SELECT string_agg(concat_ws('/', topic, partition, mark), ' ' ORDER BY topic, partition) "
				       "FROM enrolld.progress WHERE \"group\" = 'marks'";
	const struct mark up[] = {{"b", 1, 7}, {"a", 2, 9}, {"a", 0, 3}, {"a", 0, 4}};
	assert_ok(store_raise(store, "marks", up, 4, &f_));
	assert_string_equal(fixture_sql(fx, "%s", sql), "a/0/4 a/2/9 b/1/7");
	const struct mark mixed[] = {{"a", 2, 8}, {"b", 1, 8}};
	assert_ok(store_raise(other, "marks", mixed, 2, &f_));
	assert_string_equal(fixture_sql(fx, "%s", sql), "a/0/4 a/2/9 b/1/8");

	struct sample *s = sample_create(arena, "marks", "r", 1);
	struct store_item item = sample_item(s);
	const struct mark with_batch[] = {{"a", 0, 1}, {"b", 1, 9}};
	assert_ok(store_begin(store, "marks", &item, 1, &f_));
	assert_ok(store_finish(store, "marks", with_batch, 2, &item, 1, &f_));
	assert_string_equal(fixture_sql(fx, "%s", sql), "a/0/4 a/2/9 b/1/9");

	assert_ok(store_forget(store, "marks", "a", 2, &f_));
	assert_string_equal(fixture_sql(fx, "%s", sql), "a/0/4 b/1/9");
	assert_ok(store_forget(store, "marks", "a", 2, &f_));
	assert_ok(store_raise(store, "marks", NULL, 0, &f_));
	assert_ok(store_look(store, "marks", with_batch, 2, NULL, 0, &f_));
}

static void the_mark_of_each_items_partition_is_its_own(void **state)
{
	(void)state;
	const struct mark up[] = {{"p", 0, 5}, {"p", 1, 6}, {"q", 0, 7}};
	struct sample *s[4];
	struct look_item looks[4];
	struct store_item items[4];
	for (int i = 0; i < 4; i++) {
		s[i] = sample_create(arena, "place", i == 0 ? "0" : i == 1 ? "1" : i == 2 ? "2" : "3", 5);
		s[i]->record.at = (struct coordinates){i < 2 ? "p" : "q", i == 1 || i == 3, 5};
		looks[i] = sample_look(s[i]);
	}
	assert_ok(store_look(store, "place", up, 3, looks, 4, &f_));
	assert_int_equal(s[0]->facts.mark, 5);
	assert_int_equal(s[1]->facts.mark, 6);
	assert_int_equal(s[2]->facts.mark, 7);
	assert_int_equal(s[3]->facts.mark, 0);
	for (int i = 0; i < 4; i++)
		items[i] = sample_item(s[i]);
	assert_ok(store_batch(store, items, 4, &f_));
	assert_ok(store_begin(store, "place", items, 4, &f_));
	store_cancel(store);
	static const enum hit hits[] = {HIT_REDELIVERY, HIT_REPLAY, HIT_REPLAY, HIT_REDELIVERY};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(items[i].outcome, STORE_HIT);
		assert_int_equal(s[i]->facts.hit, hits[i]);
	}
}

static void a_cancelled_transaction_leaves_nothing(void **state)
{
	(void)state;
	struct sample *s = sample_create(arena, "cancel", "r", 1);
	sample_claim(s, CLAIM_EMAIL, "c@a.example");
	sample_accept(s);
	struct store_item item = sample_item(s);
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	store_cancel(store);
	store_cancel(store);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm = 'cancel'"), 0);
	assert_int_equal(store_one(other, s), STORE_WON);
}

static void bad_data_is_told_apart_and_the_handle_goes_on(void **state)
{
	(void)state;
	struct fault f;
	struct sample *bad = sample_create(arena, "data", "bad", 1);
	sample_claim(bad, CLAIM_EMAIL, "d@a.example");
	sample_accept(bad);
	bad->changes.account.birth_date = SLICE_LIT("2001-02-30");
	struct sample *good = sample_create(arena, "data", "good", 2);
	struct store_item items[] = {sample_item(good), sample_item(bad)};
	assert_int_equal(store_batch(store, items, 2, &f), REASON_STORE_DATA);
	assert_non_null(strstr(f.detail, "account_insert: SQLSTATE 22008"));
	assert_null(strstr(f.detail, "2001"));

	bad->changes.account.birth_date = SLICE_LIT("1990-01-01");
	bad->changes.account.given_name = (struct slice){"a\0b", 3};
	assert_int_equal(store_batch(store, items, 2, &f), REASON_STORE_DATA);
	assert_string_equal(f.detail, "account_insert: a value that PostgreSQL cannot store");
	bad->changes.account.given_name = SLICE_LIT("\xff\xfe");
	assert_int_equal(store_batch(store, items, 2, &f), REASON_STORE_DATA);
	assert_non_null(strstr(f.detail, "SQLSTATE 22021"));

	bad->changes.account.given_name = SLICE_ABSENT;
	good->changes.receipt = SLICE_LIT("\xff");
	assert_int_equal(store_batch(store, items, 2, &f), REASON_STORE_DATA);
	assert_non_null(strstr(f.detail, "inbox_insert: SQLSTATE 22021"));

	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm = 'data'"), 0);
	sample_refuse(good);
	assert_ok(store_batch(store, items, 2, &f_));
	assert_int_equal(items[1].outcome, STORE_WON);

	struct sample *twin = sample_create(arena, "data", "twin", 3);
	sample_accept(twin);
	twin->changes.account.account_id = bad->changes.account.account_id;
	struct store_item item = sample_item(twin);
	assert_int_equal(store_batch(store, &item, 1, &f), REASON_STORE_DATA);
	assert_string_equal(f.detail, "account_insert: SQLSTATE 23505, constraint account_pkey, table account");
}

static void a_big_batch_is_two_round_trips(void **state)
{
	(void)state;
	enum { COUNT = 1000 };
	struct store_item *items = ARENA_ARRAY(arena, COUNT, struct store_item);
	struct look_item *looks = ARENA_ARRAY(arena, COUNT, struct look_item);
	for (int i = 0; i < COUNT; i++) {
		struct sample *s = sample_create(arena, "big", arena_printf(arena, "r%d", i).ptr, i);
		sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "big%d@a.example", i).ptr);
		sample_accept(s);
		s->changes.result = arena_printf(arena, "{\"pad\":\"%01000d\"}", i);
		items[i] = sample_item(s);
		looks[i] = sample_look(s);
	}
	assert_ok(store_batch(store, items, COUNT, &f_));
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(items[i].outcome, STORE_WON);
	assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, looks, COUNT, &f_));
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(looks[i].facts->hit, HIT_REDELIVERY);
		assert_true(slice_equal(looks[i].facts->row.result, items[i].changes->result));
	}
	assert_int_equal(fixture_count(fx, "SELECT count(DISTINCT tableoid) FROM enrolld.inbox WHERE realm = 'big'"), 16);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_win_writes_every_row),
		TEST(a_row_without_account_is_a_row),
		TEST(hits_have_their_classes),
		TEST(a_loser_gives_back_what_it_won),
		TEST(claims_of_an_account_with_the_same_id_are_taken_too),
		TEST(nobody_comes_in_beside_who_ousts_him),
		TEST(a_reminder_holds_the_address_too),
		TEST(marks_are_raised_and_never_lowered),
		TEST(the_mark_of_each_items_partition_is_its_own),
		TEST(a_cancelled_transaction_leaves_nothing),
		TEST(bad_data_is_told_apart_and_the_handle_goes_on),
		TEST(a_big_batch_is_two_round_trips),
	};
	// Without prepared statements nothing is kept on the link, as behind a pooler.
	int failed = cmocka_run_group_tests_name("not prepared", tests, open_all, close_all);
	prepared = true;
	return failed + cmocka_run_group_tests_name("prepared", tests, open_all, close_all);
}
