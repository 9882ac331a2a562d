// SPDX-License-Identifier: Apache-2.0
// Four connections store overlapping batches at once: nobody deadlocks, every claim has one account and every account all of its claims.
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "enrolld/base/random.h"

enum { THREADS = 4, ROUNDS = 100, BATCHES = 5, ITEMS = 12, IDS = 300, KEYS = 60 }; // 2,000 batches

static struct fixture *fx;
static pthread_barrier_t barrier;
static atomic_int won, hit, lost, conflicts;

// No request id and no claim twice within a batch, as the order keys see to.
static struct sample *draw(struct arena *arena, const char *realm, bool ids[static IDS], bool keys[static KEYS])
{
	uint64_t id, key[2];
	do {
		id = random_below(IDS);
	} while (ids[id]);
	ids[id] = true;
	struct sample *s = sample_create(arena, realm, arena_printf(arena, "id-%llu", (unsigned long long)id).ptr, (int64_t)id);
	for (int i = 0; i < 2; i++) {
		do {
			key[i] = random_below(KEYS);
		} while (keys[key[i]]);
		keys[key[i]] = true;
		// One space of keys for both kinds, in either order of kinds, so that locks cross as often as they can.
		sample_claim(s, random_below(2) ? CLAIM_EMAIL : CLAIM_USERNAME,
			     arena_printf(arena, "k%llu", (unsigned long long)key[i]).ptr);
	}
	sample_accept(s);
	return s;
}

static void count_outcomes(const struct store_item *items)
{
	for (int i = 0; i < ITEMS; i++)
		atomic_fetch_add(items[i].outcome == STORE_WON ? &won : items[i].outcome == STORE_HIT ? &hit : &lost, 1);
}

static void *write_batches(void *arg)
{
	struct store *store = arg;
	struct arena *arena = arena_create(65536);
	for (int round = 0; round < ROUNDS; round++) {
		char realm[32];
		(void)snprintf(realm, sizeof(realm), "round%d", round);
		(void)pthread_barrier_wait(&barrier);
		for (int batch = 0; batch < BATCHES; batch++) {
			bool ids[IDS] = {0}, keys[KEYS] = {0};
			struct store_item items[ITEMS];
			for (int i = 0; i < ITEMS; i++)
				items[i] = sample_item(draw(arena, realm, ids, keys));
			struct fault f;
			enum reason reason = store_batch(store, items, ITEMS, &f);
			if (reason == REASON_OK)
				count_outcomes(items);
			else {
				(void)fprintf(stderr, "%s: %s\n", reason_code(reason), f.detail);
				atomic_fetch_add(&conflicts, 1);
			}
			arena_reset(arena);
		}
	}
	arena_destroy(arena);
	return NULL;
}

static void overlapping_batches_neither_deadlock_nor_share(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	struct store *stores[THREADS];
	assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++) {
		stores[i] = fixture_store(fx, "enrolld/test/race");
		assert_int_equal(pthread_create(&threads[i], NULL, write_batches, stores[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		store_close(stores[i]);
	}
	(void)pthread_barrier_destroy(&barrier);
	print_message("won %d, hit %d, lost %d\n", won, hit, lost);

	assert_int_equal(conflicts, 0);
	assert_int_equal(won + hit + lost, THREADS * ROUNDS * BATCHES * ITEMS);
	assert_true(won > 500 && hit > 500 && lost > 500); // the races took place
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox"), won + lost);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE outcome = 'accepted'"), won);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.account"), won);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.claim"), 2 * won);
	assert_int_equal(
		fixture_count(fx,
			      "SELECT count(*) FROM (SELECT FROM enrolld.claim JOIN enrolld.account a USING (account_id, realm) "
			      "GROUP BY a.account_id HAVING count(*) = 2) AS whole"),
		won);
	// Of several requests for an identity one won, and what is claimed is by the account of that request.
	assert_int_equal(fixture_count(fx,
				       "SELECT count(*) FROM enrolld.inbox i JOIN enrolld.account a ON a.account_id = i.account_id "
				       "AND a.realm = i.realm WHERE i.receipt::json->>'account_id' = a.account_id::text"),
			 won);
	assert_int_equal(fixture_count(fx, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"), 0);
}

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	fixture_close(fx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(overlapping_batches_neither_deadlock_nor_share)};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
