// SPDX-License-Identifier: Apache-2.0
// Four connections sign the same few people in and out, refresh and verify them, on the same few devices, in batches of any mixture: nobody deadlocks.
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/random.h"

enum { THREADS = 4, BATCHES = 150, PEOPLE = 5, DEVICES = 4, ITEMS = 4, SESSIONS = 3 };

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
static void begin_session(struct sample *s, int person, int number)
{
	struct changes *changes = &s->changes;
	changes->has_session = changes->has_device = true;
	changes->session = (struct session_row){.session_id = id_of(s->arena, "session", person, number),
						.account_id = id_of(s->arena, "person", person, 0),
						.seed = {.epoch = 1},
						.created_ms = clock_wall_ms(),
						.expires_ms = clock_wall_ms() + LIFE_MS};
	memcpy(changes->session.digest, changes->session.session_id.bytes, sizeof(changes->session.session_id.bytes));
	int device = (int)random_below(DEVICES);
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

static struct sample *draw(struct arena *arena, int person)
{
	long long n = atomic_fetch_add(&numbers, 1);
	struct sample *s = sample_create(arena, REALM, arena_printf(arena, "id-%lld", n).ptr, n);
	sample_refuse(s);
	switch (random_below(4)) {
	case 0:
		hold_address(s, person, false);
		begin_session(s, person, SESSIONS + (int)n);
		break;
	case 1:
		hold_address(s, person, true);
		begin_session(s, person, SESSIONS + (int)n);
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
		for (int i = 0; i < ITEMS; i++) // nobody twice within a batch, as the order keys see to
			items[i] = sample_item(draw(arena, (first + i) % PEOPLE));
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
			begin_session(s, person, n);
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
	const struct CMUnitTest tests[] = {cmocka_unit_test(nobody_deadlocks)};
	return cmocka_run_group_tests(tests, setup, teardown);
}
