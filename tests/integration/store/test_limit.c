// SPDX-License-Identifier: Apache-2.0
// Limits on a real database: exactly as many pass as are allowed, whoever asks at once, and what is refused counts nothing.
#include "fixture.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enrolld/base/random.h"

#define HOUR 3600000

static struct fixture *fx;
static struct store *store;
static struct arena *arena;
static int64_t offset;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/limit");
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

static struct sample *request(const char *realm)
{
	offset++;
	return sample_create(arena, realm, arena_printf(arena, "r%lld", (long long)offset).ptr, offset);
}

static struct sample *limited(const char *realm, const char *subject, int64_t allowed)
{
	struct sample *s = request(realm);
	(void)sample_limit(s, "client", subject, allowed, HOUR);
	return s;
}

static void look_one(struct sample *s)
{
	struct look_item item = sample_look(s);
	assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f_));
}

static enum store_outcome store_accepted(struct sample *s)
{
	sample_accept(s);
	return store_one(store, s);
}

static void one_is_counted_and_told(void **state)
{
	(void)state;
	for (int i = 1; i <= 4; i++) {
		struct sample *s = limited("told", "a", 3);
		look_one(s);
		assert_int_equal(s->facts.limits[0].used, i - 1);
		assert_int_equal(s->facts.limits[0].reached, i == 4);
		assert_int_equal(store_accepted(s), i < 4 ? STORE_WON : STORE_LOST);
		const struct limit_state *limit = &s->facts.limits[0];
		assert_int_equal(limit->used, i < 4 ? i : 3);
		assert_int_equal(limit->reached, i == 4);
		assert_in_range(limit->resets_ms, s->facts.now_ms + HOUR - 5000, s->facts.now_ms + HOUR + 5000);
	}
	assert_string_equal(fixture_sql(fx, "SELECT concat_ws(' ', name, subject, used, spent IS NULL, expires_at > window_start + "
					    "interval '1 hour', expires_at < window_start + interval '70 min') "
					    "FROM enrolld.\"limit\" WHERE realm = 'told'"),
			    "client a 3 t t t");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm = 'told' AND outcome = 'refused'"), 1);
	struct sample *other = limited("told", "b", 3), *elsewhere = limited("told2", "a", 3);
	assert_int_equal(store_accepted(other), STORE_WON);
	assert_int_equal(store_accepted(elsewhere), STORE_WON);
	assert_int_equal(other->facts.limits[0].used, 1);
	assert_int_equal(elsewhere->facts.limits[0].used, 1);
}

// A refused one takes no claim and counts nothing; what had been refused before may come when the window has ended.
static void a_window_that_has_ended_begins_anew(void **state)
{
	(void)state;
	struct sample *first = limited("ends", "a", 1), *second = limited("ends", "a", 1), *third = limited("ends", "a", 1);
	sample_claim(second, CLAIM_EMAIL, "second@a.example");
	assert_int_equal(store_accepted(first), STORE_WON);
	assert_int_equal(store_accepted(second), STORE_LOST);
	assert_false(second->facts.taken[0]);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim WHERE realm = 'ends'"), 0);
	(void)fixture_sql(fx, "UPDATE enrolld.\"limit\" SET window_start = window_start - interval '1 hour' WHERE realm = 'ends'");
	sample_claim(third, CLAIM_EMAIL, "second@a.example");
	look_one(third);
	assert_false(third->facts.limits[0].reached);
	assert_int_equal(store_accepted(third), STORE_WON);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'ends'"), 1);
}

static void a_batch_counts_item_by_item(void **state)
{
	(void)state;
	struct store_item items[8];
	struct sample *s[8];
	for (size_t i = 0; i < 8; i++) {
		s[i] = limited("batch", i % 2 ? "odd" : "even", 3);
		sample_accept(s[i]);
		items[i] = sample_item(s[i]);
	}
	assert_ok(store_batch(store, items, 8, &f_));
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(items[i].outcome, i < 6 ? STORE_WON : STORE_LOST);
		assert_int_equal(s[i]->facts.limits[0].used, i < 6 ? i / 2 + 1 : 3);
	}
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(subject || used, ' ' ORDER BY subject) FROM enrolld.\"limit\" "
					    "WHERE realm = 'batch'"),
			    "even3 odd3");
}

// Where a later stage refuses, the earlier ones have counted; within a stage it is all or none.
static void stages_count_one_after_the_other(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct sample *s = request("stages");
		sample_limit(s, "before", "x", 10, HOUR)->stage = LIMIT_BEFORE_BODY;
		sample_limit(s, "also", "x", 10, HOUR)->stage = LIMIT_AFTER_RULES;
		sample_limit(s, "after", "x", 1, HOUR)->stage = LIMIT_AFTER_RULES;
		assert_int_equal(store_accepted(s), i == 0 ? STORE_WON : STORE_LOST);
		assert_int_equal(s->facts.limits[0].used, i + 1);
		assert_false(s->facts.limits[0].reached);
		assert_int_equal(s->facts.limits[1].used, 1);
		assert_false(s->facts.limits[1].reached);
		assert_int_equal(s->facts.limits[2].reached, i > 0);
	}
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(name || used, ' ' ORDER BY name) FROM enrolld.\"limit\" "
					    "WHERE realm = 'stages'"),
			    "after1 also1 before3");
}

// One message too many is no reason to refuse: it is decided again, without it, and nothing is counted until then.
static void a_message_too_many_is_decided_again(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct sample *s = request("sends");
		sample_limit(s, "before", "x", 10, HOUR)->stage = LIMIT_BEFORE_BODY;
		sample_limit(s, "sends", "x", 1, HOUR)->stage = LIMIT_SENDS;
		assert_int_equal(store_accepted(s), i == 0 ? STORE_WON : STORE_AGAIN);
	}
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(name || used, ' ' ORDER BY name) FROM enrolld.\"limit\" "
					    "WHERE realm = 'sends'"),
			    "before1 sends1");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm = 'sends'"), 1);
}

static void what_does_not_count_is_not_counted(void **state)
{
	(void)state;
	struct sample *s = request("quiet");
	(void)sample_limit(s, "client", "a", 5, HOUR);
	sample_refuse(s);
	s->changes.counts[0] = false;
	assert_int_equal(store_one(store, s), STORE_WON);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.\"limit\" WHERE realm = 'quiet'"), 0);

	s = request("quiet"); // refused by its rules, say, but counted before the body
	(void)sample_limit(s, "client", "a", 1, HOUR);
	sample_refuse(s);
	assert_int_equal(store_one(store, s), STORE_WON);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'quiet'"), 1);
	assert_int_equal(s->facts.limits[0].used, 1);
}

static void a_repeat_counts_once(void **state)
{
	(void)state;
	struct sample *s = limited("repeat", "a", 5);
	assert_int_equal(store_accepted(s), STORE_WON);
	struct sample *again = sample_create(arena, "repeat", s->request.request_id.ptr, s->record.at.offset);
	(void)sample_limit(again, "client", "a", 5, HOUR);
	assert_int_equal(store_accepted(again), STORE_HIT);
	assert_int_equal(again->facts.hit, HIT_REDELIVERY);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'repeat'"), 1);
}

static void a_lost_claim_counts(void **state)
{
	(void)state;
	struct sample *holder = request("claims"), *loser = limited("claims", "a", 5);
	sample_claim(holder, CLAIM_EMAIL, "a@a.example");
	sample_claim(loser, CLAIM_EMAIL, "a@a.example");
	assert_int_equal(store_accepted(holder), STORE_WON);
	assert_int_equal(store_accepted(loser), STORE_LOST);
	assert_true(loser->facts.taken[0]);
	assert_false(loser->facts.limits[0].reached);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'claims'"), 1);
}

static void what_is_rolled_back_is_not_counted(void **state)
{
	(void)state;
	struct sample *s = limited("back", "a", 1);
	sample_accept(s);
	struct store_item item = sample_item(s);
	for (int i = 0; i < 3; i++) {
		assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
		assert_int_equal(item.outcome, STORE_WON);
		store_cancel(store);
	}
	assert_ok(store_batch(store, &item, 1, &f_));
	assert_int_equal(item.outcome, STORE_WON);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'back'"), 1);
}

static struct sample *sliding(const char *subject, int64_t allowed)
{
	struct sample *s = request("slide");
	sample_limit(s, "client", subject, allowed, HOUR)->kind = LIMIT_SLIDING;
	return s;
}

static void a_sliding_window_is_kept_as_a_log(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_accepted(sliding("a", 3)), STORE_WON);
	assert_int_equal(store_accepted(sliding("a", 3)), STORE_LOST);
	assert_int_equal(fixture_count(fx, "SELECT sum(n) FROM enrolld.\"limit\", unnest(spent) WITH ORDINALITY AS s(n, i) "
					   "WHERE realm = 'slide' AND i %% 2 = 0"),
			 3);
	// The oldest leaves: one more fits, and only one.
	(void)fixture_sql(fx, "UPDATE enrolld.\"limit\" SET spent[1] = spent[1] - 3600000 WHERE realm = 'slide'");
	struct sample *fits = sliding("a", 3);
	look_one(fits);
	assert_int_equal(fits->facts.limits[0].used, 2);
	assert_int_equal(store_accepted(fits), STORE_WON);
	assert_int_equal(store_accepted(sliding("a", 3)), STORE_LOST);
	assert_int_equal(fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'slide'"), 3);
	// All leave.
	(void)fixture_sql(fx,
			  "UPDATE enrolld.\"limit\" SET spent = (SELECT array_agg(CASE WHEN i %% 2 = 1 THEN n - 3600001 ELSE n END "
			  "ORDER BY i) FROM unnest(spent) WITH ORDINALITY AS s(n, i)) WHERE realm = 'slide'");
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_accepted(sliding("a", 3)), STORE_WON);
}

static void a_long_log_comes_back(void **state)
{
	(void)state;
	(void)fixture_sql(fx, "INSERT INTO enrolld.\"limit\" (realm, name, subject, used, spent, expires_at) "
			      "SELECT 'slide', 'client', 'long', 1000, array_agg(x ORDER BY i, x DESC), now() + interval '1 hour' "
			      "FROM generate_series(1, 1000) AS i, "
			      "LATERAL (VALUES ((extract(epoch FROM now()) * 1000)::int8 - 1000 + i), (1::int8)) AS v(x)");
	struct sample *s = sliding("long", 1001);
	look_one(s);
	assert_int_equal(s->facts.limits[0].used, 1000);
	assert_int_equal(store_accepted(s), STORE_WON);
	assert_int_equal(store_accepted(sliding("long", 1001)), STORE_LOST);
	assert_int_equal(fixture_count(fx, "SELECT array_length(spent, 1) FROM enrolld.\"limit\" WHERE subject = 'long'"), 2002);
}

static void what_has_ended_is_swept(void **state)
{
	(void)state;
	size_t deleted;
	assert_int_equal(store_accepted(limited("sweep", "over", 5)), STORE_WON);
	assert_int_equal(store_accepted(limited("sweep", "held", 5)), STORE_WON);
	assert_int_equal(store_accepted(limited("sweep", "runs", 5)), STORE_WON);
	(void)fixture_sql(
		fx, "UPDATE enrolld.\"limit\" SET window_start = now() - interval '1 day', expires_at = now() - interval '1 s' "
		    "WHERE realm = 'sweep' AND subject IN ('over', 'held')");
	struct sample *s = limited("sweep", "held", 5);
	sample_accept(s);
	struct store_item item = sample_item(s);
	struct store *sweeper = fixture_store(fx, "enrolld/test/sweep");
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_)); // has it in hand
	assert_ok(store_sweep(sweeper, 1000, &deleted, &f_));
	assert_int_equal(deleted, 1);
	assert_ok(store_finish(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f_));
	assert_ok(store_sweep(sweeper, 1000, &deleted, &f_));
	assert_int_equal(deleted, 0);
	assert_string_equal(fixture_sql(fx, "SELECT string_agg(subject || used, ' ' ORDER BY subject) FROM enrolld.\"limit\" "
					    "WHERE realm = 'sweep'"),
			    "held1 runs1");
	store_close(sweeper);
}

// In a process of its own: 500 requests in batches, on one key; returns how many passed.
static void ask_in_a_process(const char *who, enum limit_kind kind, int out)
{
	struct store *own = fixture_store(fx, "enrolld/test/process");
	int passed = 0;
	for (int batch = 0; batch < 25; batch++) {
		struct store_item items[20];
		for (int i = 0; i < 20; i++) {
			const char *id = arena_printf(arena, "%s-%d-%d", who, batch, i).ptr;
			struct sample *s = sample_create(arena, kind == LIMIT_FIXED ? "two" : "two-sliding", id, 0);
			sample_limit(s, "key", "shop", 100, HOUR)->kind = kind;
			sample_accept(s);
			items[i] = sample_item(s);
		}
		assert_ok(store_batch(own, items, 20, &f_));
		for (int i = 0; i < 20; i++)
			passed += items[i].outcome == STORE_WON;
	}
	store_close(own);
	if (write(out, &passed, sizeof(passed)) != sizeof(passed))
		_exit(1);
	_exit(0);
}

static void of_a_thousand_from_two_processes_a_hundred_pass(void **state)
{
	(void)state;
	static const enum limit_kind kinds[] = {LIMIT_FIXED, LIMIT_SLIDING};
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		int passed[2], ends[2][2], sum = 0;
		pid_t pids[2];
		for (int i = 0; i < 2; i++) {
			assert_int_equal(pipe(ends[i]), 0);
			pids[i] = fork();
			assert_true(pids[i] >= 0);
			if (pids[i] == 0)
				ask_in_a_process(i ? "b" : "a", kinds[k], ends[i][1]);
		}
		for (int i = 0; i < 2; i++) {
			int status;
			assert_int_equal(read(ends[i][0], &passed[i], sizeof(int)), sizeof(int));
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
			(void)close(ends[i][0]);
			(void)close(ends[i][1]);
			sum += passed[i];
		}
		print_message("%s: %d + %d passed\n", k ? "sliding" : "fixed", passed[0], passed[1]);
		assert_int_equal(sum, 100);
	}
	assert_int_equal(fixture_count(fx, "SELECT sum(used) FROM enrolld.\"limit\" WHERE realm LIKE 'two%%'"), 200);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm LIKE 'two%%' AND outcome = 'accepted'"),
			 200);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm LIKE 'two%%'"), 2000);
}

// Several threads, keys that come and go, limits that cross as often as they can: no deadlock, and the sums are right.
enum { THREADS = 4, BATCHES = 150, ITEMS = 10 };
static int passed_by_key[THREADS][8];

static void *race(void *arg)
{
	int who = *(int *)arg;
	struct store *own = fixture_store(fx, "enrolld/test/race");
	struct arena *mine = arena_create(65536);
	for (int batch = 0; batch < BATCHES; batch++) {
		struct store_item items[ITEMS];
		uint64_t keys[ITEMS][2];
		for (int i = 0; i < ITEMS; i++) {
			struct sample *s = sample_create(mine, "race", arena_printf(mine, "%d-%d-%d", who, batch, i).ptr, i);
			for (int k = 0; k < 2; k++) {
				keys[i][k] = random_below(4) + (k ? 4 : 0);
				(void)sample_limit(s, k ? "b" : "a", arena_printf(mine, "k%d", (int)keys[i][k]).ptr, 1000000, HOUR);
			}
			sample_claim(s, CLAIM_EMAIL, arena_printf(mine, "%d-%d-%d@a.example", who, batch, i).ptr);
			sample_accept(s);
			items[i] = sample_item(s);
		}
		struct fault f = {0};
		if (store_batch(own, items, ITEMS, &f) != REASON_OK) {
			print_message("%s: %s\n", reason_code(f.reason), f.detail);
			passed_by_key[who][0] = -1000000;
		}
		for (int i = 0; i < ITEMS; i++)
			for (int k = 0; k < 2 && items[i].outcome == STORE_WON; k++)
				passed_by_key[who][keys[i][k]]++;
		arena_reset(mine);
	}
	arena_destroy(mine);
	store_close(own);
	return NULL;
}

static void sums_are_right_and_nobody_deadlocks(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	int who[THREADS];
	for (int i = 0; i < THREADS; i++) {
		who[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, race, &who[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int key = 0; key < 8; key++) {
		int sum = 0;
		for (int i = 0; i < THREADS; i++)
			sum += passed_by_key[i][key];
		assert_int_equal(
			fixture_count(fx, "SELECT used FROM enrolld.\"limit\" WHERE realm = 'race' AND subject = 'k%d'", key), sum);
	}
	assert_int_equal(fixture_count(fx, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_counted_and_told),
		cmocka_unit_test(a_window_that_has_ended_begins_anew),
		cmocka_unit_test(a_batch_counts_item_by_item),
		cmocka_unit_test(stages_count_one_after_the_other),
		cmocka_unit_test(a_message_too_many_is_decided_again),
		cmocka_unit_test(what_does_not_count_is_not_counted),
		cmocka_unit_test(a_repeat_counts_once),
		cmocka_unit_test(a_lost_claim_counts),
		cmocka_unit_test(what_is_rolled_back_is_not_counted),
		cmocka_unit_test(a_sliding_window_is_kept_as_a_log),
		cmocka_unit_test(a_long_log_comes_back),
		cmocka_unit_test(what_has_ended_is_swept),
		cmocka_unit_test(of_a_thousand_from_two_processes_a_hundred_pass),
		cmocka_unit_test(sums_are_right_and_nobody_deadlocks),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
