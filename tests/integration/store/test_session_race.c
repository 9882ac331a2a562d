// SPDX-License-Identifier: Apache-2.0
// Four connections sign the same few people in and out, refresh and verify them, on the same few devices, in batches of any mixture: nobody deadlocks.
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/random.h"

enum { THREADS = 4, BATCHES = 150, PEOPLE = 5, DEVICES = 8, ITEMS = 4, SESSIONS = 3 };

#define REALM "race"
#define LIFE_MS 86400000

static struct fixture *fx;
static atomic_int conflicts;
static atomic_llong numbers;

static const char *address_of(struct arena *arena, int person)
{
	return arena_printf(arena, "p%d@a.example", person).ptr;
}

static struct uuid id_of(struct arena *arena, const char *what, int person, int number)
{
	const struct slice name = arena_printf(arena, "%s %d %d", what, person, number);
	return derive_id(&name, 1);
}

static void hold_address(struct sample *s, int person, bool verifies)
{
	struct code_use *use = &s->registration.code;
	use->has_address = use->by_password = true;
	use->kind = CLAIM_EMAIL;
	use->value = slice_of(address_of(s->arena, person));
	use->subject = verifies ? SLICE_ABSENT : use->value;
	s->changes.code = (struct code_change){.holds = true,
					       .kind = CLAIM_EMAIL,
					       .value = use->value,
					       .subject = use->subject,
					       .verifies = verifies,
					       .account_id = id_of(s->arena, "person", person, 0),
					       .locale = SLICE_LIT("en")};
}

// number: below SESSIONS one of those that are used and ended, else another.
static void begin_session(struct sample *s, int person, int number, int device)
{
	struct changes *changes = &s->changes;
	changes->has_session = changes->has_device = true;
	changes->session = (struct session_row){.session_id = id_of(s->arena, "session", person, number),
						.account_id = id_of(s->arena, "person", person, 0),
						.seed = {.epoch = 1},
						.created_ms = clock_wall_ms(),
						.expires_ms = clock_wall_ms() + LIFE_MS};
	memcpy(changes->session.digest, changes->session.session_id.bytes, sizeof(changes->session.session_id.bytes));
	changes->device = (struct device_row){.device_id = id_of(s->arena, "device", device, 0),
					      .account_id = changes->session.account_id,
					      .registration = arena_printf(s->arena, "d%d", device)};
}

static void change_session(struct sample *s, int person, bool turns, enum session_scope ends)
{
	struct session_change *change = &s->changes.sessions;
	struct session_use *use = &s->registration.session;
	int device = (int)random_below(DEVICES);
	*change = (struct session_change){.holds = true,
					  .session_id = id_of(s->arena, "session", person, (int)random_below(SESSIONS)),
					  .account_id = id_of(s->arena, "person", person, 0),
					  .turns = turns,
					  .expires_ms = clock_wall_ms() + LIFE_MS,
					  .ends = ends,
					  .why = "race",
					  .device_id = id_of(s->arena, "device", device, 0),
					  .idles = true};
	if (random_below(2))
		change->registration = arena_printf(s->arena, "d%d", device);
	use->digest_count = 1;
	memcpy(use->digests[0], change->session_id.bytes, sizeof(change->session_id.bytes));
}

static struct sample *draw(struct arena *arena, int person, bool enters)
{
	int device = (int)random_below(DEVICES);
	long long n = atomic_fetch_add(&numbers, 1);
	struct sample *s = sample_create(arena, REALM, arena_printf(arena, "id-%lld", n).ptr, n);
	sample_refuse(s);
	switch (enters ? 0 : random_below(4)) {
	case 0:
		hold_address(s, person, false);
		begin_session(s, person, SESSIONS + (int)n, device);
		break;
	case 1:
		hold_address(s, person, true);
		begin_session(s, person, SESSIONS + (int)n, device);
		s->changes.sessions = (struct session_change){
			.ends = SESSION_ALL, .why = "race", .account_id = s->changes.session.account_id, .idles = true};
		break;
	case 2: change_session(s, person, true, SESSION_NONE); break;
	default: change_session(s, person, false, (enum session_scope)(SESSION_ONE + random_below(3))); break;
	}
	return s;
}

static void *write_batches(void *arg)
{
	struct store *store = arg;
	struct arena *arena = arena_create(65536);
	for (int batch = 0; batch < BATCHES; batch++) {
		struct store_item items[ITEMS];
		struct fault f;
		int first = (int)random_below(PEOPLE);
		bool enters = random_below(2) == 0; // all of them: their devices move without any that go out of use
		for (int i = 0; i < ITEMS; i++)     // nobody twice within a batch, as the order keys see to
			items[i] = sample_item(draw(arena, (first + i) % PEOPLE, enters));
		enum reason reason = store_begin(store, SAMPLE_GROUP, items, ITEMS, &f);
		if (reason == REASON_OK)
			reason = store_finish(store, SAMPLE_GROUP, NULL, 0, items, ITEMS, &f);
		if (reason != REASON_OK) {
			(void)fprintf(stderr, "%s: %s\n", reason_code(reason), f.detail);
			atomic_fetch_add(&conflicts, 1);
		}
		arena_reset(arena);
	}
	arena_destroy(arena);
	return NULL;
}

static void make_people(struct store *store)
{
	struct arena *arena = arena_create(65536);
	for (int person = 0; person < PEOPLE; person++) {
		struct sample *s = sample_create(arena, REALM, address_of(arena, person), atomic_fetch_add(&numbers, 1));
		sample_claim(s, CLAIM_EMAIL, address_of(arena, person));
		sample_accept(s);
		s->changes.account.account_id = id_of(arena, "person", person, 0);
		assert_int_equal(store_one(store, s), STORE_WON);
		for (int n = 0; n < SESSIONS; n++) {
			s = sample_create(arena, REALM, arena_printf(arena, "s%d-%d", person, n).ptr,
					  atomic_fetch_add(&numbers, 1));
			sample_refuse(s);
			begin_session(s, person, n, (person * SESSIONS + n) % DEVICES); // each is there before the race
			assert_int_equal(store_one(store, s), STORE_WON);
		}
	}
	arena_destroy(arena);
}

static void nobody_deadlocks(void **state)
{
	(void)state;
	pthread_t threads[THREADS];
	struct store *stores[THREADS];
	for (int i = 0; i < THREADS; i++)
		stores[i] = fixture_store(fx, "enrolld/test/race");
	make_people(stores[0]);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_batches, stores[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		store_close(stores[i]);
	}
	assert_int_equal(atomic_load(&conflicts), 0);
	assert_true(fixture_count(fx, "SELECT count(*) FROM enrolld.session WHERE revoked_at IS NOT NULL") > 0);
	assert_true(fixture_count(fx, "SELECT count(*) FROM enrolld.session") > PEOPLE * SESSIONS + THREADS * BATCHES);
}

struct batch {
	struct store *store;
	struct store_item items[ITEMS];
	size_t count;
	enum reason reason;
};

static void *write_batch(void *arg)
{
	struct batch *batch = arg;
	struct fault f;
	batch->reason = store_begin(batch->store, SAMPLE_GROUP, batch->items, batch->count, &f);
	if (batch->reason == REASON_OK)
		batch->reason = store_finish(batch->store, SAMPLE_GROUP, NULL, 0, batch->items, batch->count, &f);
	if (batch->reason != REASON_OK)
		(void)fprintf(stderr, "%s: %s\n", reason_code(batch->reason), f.detail);
	return NULL;
}

struct holder {
	struct fixture fixture; // of its own, but for the database
	int device;
};

// Holds a device until two wait, for it or for each other.
static void *hold_device(void *arg)
{
	struct holder *holder = arg;
	(void)fixture_sql(&holder->fixture,
			  "DO $$ BEGIN PERFORM 1 FROM enrolld.device WHERE registration = 'd%d' FOR UPDATE; "
			  "FOR n IN 1..1000 LOOP PERFORM pg_sleep(0.002); "
			  "EXIT WHEN (SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted) = 2; END LOOP; END $$",
			  holder->device);
	return NULL;
}

static void wait_until(const char *condition)
{
	for (int i = 0; i < 1000; i++) {
		if (fixture_count(fx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND %s",
				  condition) > 0)
			return;
		clock_sleep_ms(2);
	}
	fail_msg("nobody is where %s", condition);
}

// The first puts all devices out of use, the second takes some over, while a third has one of them: whoever does not hold them in one order has
// some that the other wants.
static void one_order(struct batch batches[static 2], struct arena *arenas[static 3], int held)
{
	struct sample *s = draw(arenas[0], 0, true);
	s->changes.has_device = false;
	s->changes.sessions = (struct session_change){
		.ends = SESSION_ALL, .why = "race", .account_id = s->changes.session.account_id, .idles = true};
	batches[0].items[0] = sample_item(s);
	batches[0].count = 1;
	const int wanted[ITEMS] = {0, held, held / 2, DEVICES - 1};
	for (int i = 0; i < ITEMS; i++) {
		s = draw(arenas[1], 1 + i, true);
		begin_session(s, 1 + i, SESSIONS + (int)atomic_fetch_add(&numbers, 1), wanted[i]);
		batches[1].items[i] = sample_item(s);
	}
	batches[1].count = ITEMS;
	for (int i = 0; i < DEVICES; i++) // in an order of their own
		(void)fixture_sql(fx,
				  "UPDATE enrolld.device SET account_id = a.account_id, active = true FROM enrolld.claim AS a "
				  "WHERE a.value = 'p0@a.example' AND registration = 'd%d'",
				  (5 * i + held) % DEVICES);
	struct holder holder = {.fixture = *fx, .device = held};
	holder.fixture.arena = arenas[2];
	pthread_t holding, threads[2];
	assert_int_equal(pthread_create(&holding, NULL, hold_device, &holder), 0);
	wait_until("wait_event = 'PgSleep'");
	assert_int_equal(pthread_create(&threads[0], NULL, write_batch, &batches[0]), 0);
	wait_until("wait_event_type = 'Lock'");
	assert_int_equal(pthread_create(&threads[1], NULL, write_batch, &batches[1]), 0);
	assert_int_equal(pthread_join(holding, NULL), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(batches[i].reason, REASON_OK);
	}
}

static void devices_are_held_in_one_order(void **state)
{
	(void)state;
	struct batch batches[2] = {0};
	struct arena *arenas[3]; // one a thread
	for (int i = 0; i < 3; i++)
		arenas[i] = arena_create(65536);
	for (int i = 0; i < 2; i++)
		batches[i].store = fixture_store(fx, "enrolld/test/order");
	for (int held = 1; held < DEVICES; held++)
		one_order(batches, arenas, held);
	for (int i = 0; i < 2; i++)
		store_close(batches[i].store);
	for (int i = 0; i < 3; i++)
		arena_destroy(arenas[i]);
}

static int setup(void **state)
{
	(void)state;
	fx = fixture_open(false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(fx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_deadlocks), cmocka_unit_test(devices_are_held_in_one_order)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
