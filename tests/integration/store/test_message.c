// SPDX-License-Identifier: Apache-2.0
// The courier's moves of a message row: each legal one once, none of the others, and what a lease that is over means in each state.
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LEASE 60000

static struct fixture *fx;
static struct store *store, *other;
static struct arena *arena;
static int64_t offsets;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/courier");
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

static int open_empty(void **state)
{
	(void)state;
	arena = arena_create(4096);
	(void)fixture_sql(fx, "DELETE FROM enrolld.message");
	(void)fixture_sql(fx, "DELETE FROM enrolld.notice");
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static struct sample *queue_message(int64_t life_ms)
{
	int64_t n = offsets++;
	struct sample *s = sample_create(arena, "mail", arena_printf(arena, "r%lld", (long long)n).ptr, n);
	sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "m%lld@a.example", (long long)n).ptr);
	sample_accept(s);
	s->changes.messages[0].life_ms = life_ms;
	assert_int_equal(store_one(store, s), STORE_WON);
	return s;
}

static size_t claim(struct store *by, struct message_lease *out, size_t max)
{
	size_t count = 99;
	struct message_overdue overdue = {99, 99};
	assert_ok(store_message_claim(by, "email", LEASE, 0, max, arena, out, &count, &overdue, &f_));
	assert_int_equal(overdue.unknown, 0);
	return count;
}

// Of the last who claimed it.
static int64_t claim_of(const struct uuid *id)
{
	char text[UUID_TEXT_SIZE];
	return strtoll(fixture_sql(fx,
				   "SELECT coalesce((extract(epoch FROM claimed_at) * 1000000)::int8, 0) FROM enrolld.message "
				   "WHERE message_id = '%s'",
				   uuid_format(id, text)),
		       NULL, 10);
}

static bool transmit(struct store *by, const struct uuid *id)
{
	bool ours = false;
	assert_ok(store_message_transmitting(by, id, claim_of(id), LEASE, &ours, &f_));
	return ours;
}

static void settle(const struct uuid *id, enum message_state to, int64_t again_in_ms)
{
	struct message_settlement s = {to, again_in_ms, to == MESSAGE_UNKNOWN ? "" : "250",
				       to == MESSAGE_ACCEPTED ? "remote-1" : ""};
	assert_ok(store_message_settle(store, id, claim_of(id), &s, &f_));
}

// state, attempts, has payload, has a next time, code, remote id
static const char *row(void)
{
	return fixture_sql(fx,
			   "SELECT concat_ws(' ', state, attempts, sealed IS NOT NULL, due_at IS NOT NULL, coalesce(code, '-'), "
			   "coalesce(remote_id, '-')) FROM enrolld.message");
}

static const char *notices(void)
{
	return fixture_sql(fx,
			   "SELECT coalesce(string_agg(concat_ws(' ', kind, payload::json->>'state', payload::json->>'channel', "
			   "payload::json->>'attempts'), ', ' ORDER BY created_at), '') FROM enrolld.notice");
}

static void lease_is_over(void)
{
	(void)fixture_sql(fx, "UPDATE enrolld.message SET due_at = now() - interval '1 ms' WHERE due_at IS NOT NULL");
}

static void a_message_is_claimed_sent_and_accepted(void **state)
{
	(void)state;
	struct sample *s = queue_message(600000);
	struct message_lease lease[4];
	assert_int_equal(claim(store, lease, 4), 1);
	const struct message_row *row_in = &s->changes.messages[0];
	const struct challenge_row *challenge = &s->changes.challenges[0];
	assert_true(uuid_equal(&lease[0].message_id, &row_in->message_id));
	assert_true(slice_equal_text(lease[0].realm, "mail"));
	assert_string_equal(lease[0].channel, "email");
	assert_true(slice_equal_text(lease[0].template_name, "verify_email"));
	assert_true(slice_equal(lease[0].sealed, row_in->sealed));
	assert_true(slice_equal_text(lease[0].purpose, "verify_email"));
	assert_memory_equal(lease[0].seed.nonce.bytes, challenge->seed.nonce.bytes, NONCE_SIZE);
	assert_int_equal(lease[0].seed.epoch, 1);
	assert_int_equal(lease[0].seed.serial, 0);
	assert_int_equal(lease[0].form.length, CODE_LENGTH_USUAL);
	assert_int_equal(lease[0].form.alphabet, CODE_DIGITS);
	assert_int_equal(lease[0].attempts, 0);
	assert_in_range(lease[0].expires_in_ms, 590000, 600000);
	assert_string_equal(row(), "claimed 0 t t - -");

	assert_int_equal(claim(other, lease + 1, 3), 0);
	assert_true(transmit(store, &lease[0].message_id));
	assert_string_equal(row(), "transmitting 1 t t - -");
	assert_false(transmit(other, &lease[0].message_id));
	assert_int_equal(claim(other, lease + 1, 3), 0);
	assert_string_equal(notices(), "");
	settle(&lease[0].message_id, MESSAGE_ACCEPTED, 0);
	assert_string_equal(row(), "accepted 1 f f 250 remote-1");
	assert_string_equal(notices(), "message.accepted accepted email 1");

	// The answer to a settlement may be lost: asked again, nothing changes and nobody is told twice.
	settle(&lease[0].message_id, MESSAGE_ACCEPTED, 0);
	settle(&lease[0].message_id, MESSAGE_REFUSED, 0);
	settle(&lease[0].message_id, MESSAGE_DEFERRED, 1000);
	assert_false(transmit(store, &lease[0].message_id));
	assert_string_equal(row(), "accepted 1 f f 250 remote-1");
	assert_string_equal(notices(), "message.accepted accepted email 1");
	lease_is_over();
	assert_int_equal(claim(store, lease, 4), 0);
}

static void a_deferred_message_waits_for_its_time(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_true(transmit(store, &lease.message_id));
	settle(&lease.message_id, MESSAGE_DEFERRED, 30000);
	assert_string_equal(row(), "deferred 1 t t 250 -");
	assert_string_equal(notices(), "");
	assert_int_equal(claim(store, &lease, 1), 0);
	assert_in_range(fixture_count(fx, "SELECT extract(epoch FROM due_at - now()) * 1000 FROM enrolld.message"), 25000, 30000);
	lease_is_over();
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_int_equal(lease.attempts, 1);
	settle(&lease.message_id, MESSAGE_DEFERRED, 700000); // the provider was not even reached
	assert_string_equal(row(), "deferred 1 t t 250 -");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.message WHERE due_at = expires_at"), 1);
}

static void a_claimed_message_may_be_refused_or_deferred_only(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	settle(&lease.message_id, MESSAGE_ACCEPTED, 0);
	settle(&lease.message_id, MESSAGE_UNKNOWN, 0);
	assert_string_equal(row(), "claimed 0 t t - -");
	settle(&lease.message_id, MESSAGE_REFUSED, 0);
	assert_string_equal(row(), "refused 0 f f 250 -");
	assert_string_equal(notices(), "message.refused refused email 0");
}

static void a_queued_message_makes_no_move_unclaimed(void **state)
{
	(void)state;
	struct sample *s = queue_message(600000);
	const struct uuid *id = &s->changes.messages[0].message_id;
	assert_false(transmit(store, id));
	settle(id, MESSAGE_ACCEPTED, 0);
	settle(id, MESSAGE_REFUSED, 0);
	assert_string_equal(row(), "queued 0 t t - -");
}

static void a_lease_that_ran_out_while_claimed_is_taken_again(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease, again;
	assert_int_equal(claim(store, &lease, 1), 1);
	lease_is_over();
	assert_false(transmit(store, &lease.message_id)); // the lease is lost, though nobody took it yet
	assert_int_equal(claim(other, &again, 1), 1);
	assert_true(uuid_equal(&again.message_id, &lease.message_id));
	// Both hold it now, as far as they know: one of them sends.
	assert_true(transmit(other, &lease.message_id));
	assert_false(transmit(store, &lease.message_id));
	assert_string_equal(row(), "transmitting 1 t t - -");
}

static void one_found_transmitting_is_unknown_and_corrected_by_a_late_answer(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_true(transmit(store, &lease.message_id));
	lease_is_over();
	size_t count;
	struct message_overdue overdue;
	struct message_lease none;
	assert_ok(store_message_claim(other, "sms", LEASE, 0, 1, arena, &none, &count, &overdue, &f_));
	assert_int_equal(overdue.unknown, 0); // another channel's
	assert_ok(store_message_claim(other, "email", LEASE, 0, 1, arena, &none, &count, &overdue, &f_));
	assert_int_equal(count, 0);
	assert_int_equal(overdue.unknown, 1);
	assert_int_equal(overdue.expired, 0);
	assert_string_equal(row(), "unknown 1 f f - -");
	assert_string_equal(notices(), "message.unknown unknown email 1");
	assert_int_equal(claim(other, &none, 1), 0);
	settle(&lease.message_id, MESSAGE_DEFERRED, 1000);
	assert_string_equal(row(), "unknown 1 f f - -");
	settle(&lease.message_id, MESSAGE_ACCEPTED, 0);
	assert_string_equal(row(), "accepted 1 f f 250 remote-1");
}

static void transmitting_renews_the_lease(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	(void)fixture_sql(fx, "UPDATE enrolld.message SET due_at = due_at - interval '50 s'");
	assert_true(transmit(store, &lease.message_id));
	assert_in_range(fixture_count(fx, "SELECT extract(epoch FROM due_at - now()) * 1000 FROM enrolld.message"), 55000, LEASE);
}

static void unknown_may_be_sent_once_more_if_the_courier_says_so(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_true(transmit(store, &lease.message_id));
	settle(&lease.message_id, MESSAGE_UNKNOWN, 20000);
	assert_string_equal(row(), "unknown 1 t t - -");
	assert_string_equal(notices(), "");
	assert_int_equal(claim(store, &lease, 1), 0);
	lease_is_over();
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_int_equal(lease.attempts, 1);
	assert_true(transmit(store, &lease.message_id));
	settle(&lease.message_id, MESSAGE_UNKNOWN, 0);
	assert_string_equal(row(), "unknown 2 f f - -");
	assert_string_equal(notices(), "message.unknown unknown email 2");
}

static struct message_overdue claim_overdue(int64_t resend_ms)
{
	size_t count = 99;
	struct message_overdue overdue = {99, 99};
	struct message_lease none;
	assert_ok(store_message_claim(other, "email", LEASE, resend_ms, 1, arena, &none, &count, &overdue, &f_));
	assert_int_equal(count, 0);
	return overdue;
}

static void one_found_transmitting_is_sent_once_more_if_the_courier_says_so(void **state)
{
	(void)state;
	static const int64_t longest[] = {20000, 900000}; // below and above half of what is left
	for (size_t i = 0; i < 2; i++) {
		(void)fixture_sql(fx, "DELETE FROM enrolld.message");
		(void)fixture_sql(fx, "DELETE FROM enrolld.notice");
		(void)queue_message(600000);
		struct message_lease lease;
		assert_int_equal(claim(store, &lease, 1), 1);
		assert_int_equal(lease.unknowns, 0);
		assert_true(transmit(store, &lease.message_id));
		lease_is_over();
		assert_int_equal(claim_overdue(longest[i]).unknown, 1);
		assert_string_equal(row(), "unknown 1 t t - -");
		assert_string_equal(notices(), "");
		int64_t wait = fixture_count(fx, "SELECT extract(epoch FROM due_at - now()) * 1000 FROM enrolld.message");
		assert_in_range(wait, i ? 290000 : 15000, i ? 300000 : 20000);
		assert_int_equal(claim_overdue(longest[i]).unknown, 0);
		lease_is_over();
		assert_int_equal(claim(store, &lease, 1), 1);
		assert_int_equal(lease.unknowns, 1);
		assert_true(transmit(store, &lease.message_id));
		lease_is_over();
		assert_int_equal(claim_overdue(longest[i]).unknown, 1);
		assert_string_equal(row(), "unknown 2 f f - -");
		assert_string_equal(notices(), "message.unknown unknown email 2");
	}
}

static void one_that_waits_to_be_sent_once_more_takes_a_late_answer(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_true(transmit(store, &lease.message_id));
	lease_is_over();
	assert_int_equal(claim_overdue(20000).unknown, 1);
	settle(&lease.message_id, MESSAGE_DEFERRED, 1000);
	assert_string_equal(row(), "unknown 1 t t - -");
	settle(&lease.message_id, MESSAGE_ACCEPTED, 0);
	assert_string_equal(row(), "accepted 1 f f 250 remote-1");
	assert_string_equal(notices(), "message.accepted accepted email 1");
}

static void one_that_was_unknown_never_ends_as_expired(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_true(transmit(store, &lease.message_id));
	settle(&lease.message_id, MESSAGE_UNKNOWN, 20000);
	lease_is_over();
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_int_equal(lease.unknowns, 1);
	settle(&lease.message_id, MESSAGE_DEFERRED, 20000);
	(void)fixture_sql(fx, "UPDATE enrolld.message SET expires_at = now(), due_at = now()");
	struct message_overdue overdue = claim_overdue(20000);
	assert_int_equal(overdue.unknown, 0); // counted when it happened
	assert_int_equal(overdue.expired, 0);
	assert_string_equal(row(), "unknown 1 f f 250 -");
	assert_string_equal(notices(), "message.unknown unknown email 1");
}

static void nothing_is_sent_past_its_life(void **state)
{
	(void)state;
	(void)queue_message(600000);
	struct message_lease lease;
	assert_int_equal(claim(store, &lease, 1), 1);
	(void)fixture_sql(fx, "UPDATE enrolld.message SET expires_at = now() - interval '1 ms'");
	assert_false(transmit(store, &lease.message_id));
	lease_is_over();
	assert_int_equal(claim_overdue(20000).expired, 1);
	assert_string_equal(row(), "expired 0 f f - -");
	assert_string_equal(notices(), "message.expired expired email 0");
	assert_false(transmit(store, &lease.message_id));
	settle(&lease.message_id, MESSAGE_ACCEPTED, 0);
	assert_string_equal(row(), "expired 0 f f - -");
}

static void add_newer(bool decoy)
{
	(void)fixture_sql(
		fx,
		"INSERT INTO enrolld.challenge (challenge_id, realm, purpose, channel, claim_kind, claim_value, nonce, key_epoch, created_at, "
		"expires_at, decoy) SELECT gen_random_uuid(), c.realm, c.purpose, c.channel, c.claim_kind, c.claim_value, c.nonce, c.key_epoch, "
		"clock_timestamp(), c.expires_at, %s FROM enrolld.challenge AS c JOIN enrolld.message AS m USING (challenge_id)",
		decoy ? "true" : "false");
}

static void supersede(void)
{
	add_newer(false);
}

// Somebody else signed up with the address: its owner's code goes out.
static void a_decoy_supersedes_nothing(void **state)
{
	(void)state;
	struct message_lease lease;
	struct sample *s = queue_message(60000);
	add_newer(true);
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_false(lease.superseded);
	assert_true(transmit(store, &s->changes.messages[0].message_id));
	settle(&lease.message_id, MESSAGE_ACCEPTED, 0);
}

static void what_a_newer_code_supersedes_is_not_sent(void **state)
{
	(void)state;
	struct message_lease lease;
	struct sample *s = queue_message(60000);
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_false(lease.superseded);
	supersede(); // after the claim: the gate is shut
	assert_false(transmit(store, &s->changes.messages[0].message_id));
	assert_string_equal(row(), "claimed 0 t t - -");
	(void)fixture_sql(fx, "UPDATE enrolld.message SET due_at = now() - interval '1 second'");
	assert_int_equal(claim(store, &lease, 1), 1); // the lease was over: the next claim sees it
	assert_true(lease.superseded);
	settle(&lease.message_id, MESSAGE_EXPIRED, 0);
	assert_string_equal(row(), "expired 0 f f 250 -");
	assert_string_equal(notices(), "message.expired expired email 0");
}

static void what_may_have_been_sent_is_unknown_when_it_is_superseded(void **state)
{
	(void)state;
	struct message_lease lease;
	(void)queue_message(60000);
	(void)fixture_sql(fx, "UPDATE enrolld.message SET unknowns = 1, state = 'unknown'");
	supersede();
	assert_int_equal(claim(store, &lease, 1), 1);
	assert_true(lease.superseded);
	settle(&lease.message_id, MESSAGE_EXPIRED, 0);
	assert_string_equal(row(), "unknown 0 f f 250 -");
}

static void the_oldest_go_first_and_max_is_kept(void **state)
{
	(void)state;
	struct sample *s[5];
	for (int i = 0; i < 5; i++)
		s[i] = queue_message(600000);
	int64_t count = 0;
	assert_ok(store_message_waiting(store, "email", &count, &f_));
	assert_int_equal(count, 5);
	assert_ok(store_message_waiting(store, "sms", &count, &f_));
	assert_int_equal(count, 0);
	struct message_lease lease[5];
	assert_int_equal(claim(store, lease, 3), 3);
	for (int i = 0; i < 3; i++)
		assert_true(uuid_equal(&lease[i].message_id, &s[i]->changes.messages[0].message_id));
	assert_int_equal(claim(other, lease, 3), 2);
	assert_true(uuid_equal(&lease[0].message_id, &s[3]->changes.messages[0].message_id));
}

// Whoever was stopped with a claim in hand and wakes when the message is another's must not touch it, whatever it thinks of it.
static void a_former_holder_moves_nothing(void **state)
{
	(void)state;
	struct message_lease was[1], is[1];
	bool ours = true;
	(void)queue_message(600000);
	assert_int_equal(claim(store, was, 1), 1);
	lease_is_over();
	assert_int_equal(claim(other, is, 1), 1);
	assert_ok(store_message_transmitting(store, &was->message_id, was->claim, LEASE, &ours, &f_));
	assert_false(ours);
	struct message_settlement back = {MESSAGE_DEFERRED, 1, "", ""}, sent = {MESSAGE_ACCEPTED, 0, "250", ""};
	assert_ok(store_message_settle(store, &was->message_id, was->claim, &back, &f_));
	assert_string_equal(row(), "claimed 0 t t - -");
	assert_ok(store_message_transmitting(other, &is->message_id, is->claim, LEASE, &ours, &f_));
	assert_true(ours);
	assert_ok(store_message_settle(store, &was->message_id, was->claim, &back, &f_));
	assert_string_equal(row(), "transmitting 1 t t - -");
	assert_ok(store_message_settle(other, &is->message_id, is->claim, &sent, &f_));
	assert_string_equal(row(), "accepted 1 f f 250 -");
}

enum { QUEUED = 400, CLAIMERS = 4 };
static atomic_int claimed_times, sent_times;

static void *claim_all(void *arg)
{
	struct store *by = arg;
	struct arena *own = arena_create(65536);
	struct message_lease lease[7];
	size_t count = 1;
	struct message_overdue overdue;
	struct fault f;
	while (store_message_claim(by, "email", LEASE, 0, 7, own, lease, &count, &overdue, &f) == REASON_OK && count > 0) {
		atomic_fetch_add(&claimed_times, (int)count);
		for (size_t i = 0; i < count; i++) {
			bool ours = false;
			if (store_message_transmitting(by, &lease[i].message_id, lease[i].claim, LEASE, &ours, &f) == REASON_OK &&
			    ours)
				atomic_fetch_add(&sent_times, 1);
		}
	}
	arena_destroy(own);
	return NULL;
}

static void many_couriers_take_each_message_once(void **state)
{
	(void)state;
	struct store_item items[QUEUED];
	for (int i = 0; i < QUEUED; i++) {
		struct sample *s = sample_create(arena, "many", arena_printf(arena, "r%d", i).ptr, i);
		sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "n%d@a.example", i).ptr);
		sample_accept(s);
		items[i] = sample_item(s);
	}
	assert_ok(store_batch(store, items, QUEUED, &f_));
	pthread_t threads[CLAIMERS];
	struct store *stores[CLAIMERS];
	for (int i = 0; i < CLAIMERS; i++) {
		stores[i] = fixture_store(fx, "enrolld/test/many");
		assert_int_equal(pthread_create(&threads[i], NULL, claim_all, stores[i]), 0);
	}
	for (int i = 0; i < CLAIMERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		store_close(stores[i]);
	}
	assert_int_equal(claimed_times, QUEUED);
	assert_int_equal(sent_times, QUEUED);
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.message WHERE state = 'transmitting' AND attempts = 1"),
			 QUEUED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_empty, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_is_claimed_sent_and_accepted),
		TEST(a_deferred_message_waits_for_its_time),
		TEST(a_claimed_message_may_be_refused_or_deferred_only),
		TEST(a_queued_message_makes_no_move_unclaimed),
		TEST(a_lease_that_ran_out_while_claimed_is_taken_again),
		TEST(one_found_transmitting_is_unknown_and_corrected_by_a_late_answer),
		TEST(transmitting_renews_the_lease),
		TEST(unknown_may_be_sent_once_more_if_the_courier_says_so),
		TEST(one_found_transmitting_is_sent_once_more_if_the_courier_says_so),
		TEST(one_that_waits_to_be_sent_once_more_takes_a_late_answer),
		TEST(one_that_was_unknown_never_ends_as_expired),
		TEST(nothing_is_sent_past_its_life),
		TEST(a_decoy_supersedes_nothing),
		TEST(what_a_newer_code_supersedes_is_not_sent),
		TEST(what_may_have_been_sent_is_unknown_when_it_is_superseded),
		TEST(the_oldest_go_first_and_max_is_kept),
		TEST(a_former_holder_moves_nothing),
		TEST(many_couriers_take_each_message_once),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
