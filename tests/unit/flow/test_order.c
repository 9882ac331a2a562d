// SPDX-License-Identifier: Apache-2.0
// Order keys: who may be looked at, who waits, who is released together.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "enrolld/crypto/keys.h"
#include "flow/order.h"

// A request with an id and up to two claims; NULL claims mean that it is refused already.
static struct work *make(const char *id, const char *email, const char *username)
{
	struct work *work = work_create(NULL);
	work->request.realm = slice_of("main");
	work->request.route = slice_of("native.sign_up");
	work->request.request_id = slice_of(id);
	work->read = true;
	work->refusal = email || username ? REASON_OK : REASON_INVALID;
	if (email)
		work->registration.claims[work->registration.claim_count++] = (struct claim){.kind = CLAIM_EMAIL,
											     .value = slice_of(email)};
	if (username)
		work->registration.claims[work->registration.claim_count++] = (struct claim){.kind = CLAIM_USERNAME,
											     .value = slice_of(username)};
	return work;
}

static struct work *with_stem(struct work *work, const char *stem)
{
	work->registration.derived[work->registration.derived_count++] = (struct derived_claim){
		.kind = CLAIM_SLUG, .stem = slice_of(stem), .max = 50};
	return work;
}

static size_t leave(struct order *order, struct work *work, struct work *out[static 8])
{
	size_t n = 0;
	for (struct work *w = order_leave(order, work); w; w = order_next(w))
		out[n++] = w;
	work_destroy(work);
	return n;
}

static void strangers_do_not_wait(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = make("1", "a@x", NULL), *b = make("2", "b@x", NULL), *out[8];
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_FIRST);
	assert_true(order_go_on(order, a, ORDER_NEED_ALL));
	assert_true(order_go_on(order, b, ORDER_NEED_ALL));
	assert_int_equal(leave(order, a, out), 0);
	assert_int_equal(leave(order, b, out), 0);
	order_destroy(order);
}

static void same_claim_waits_and_is_released_together(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *w[4], *out[8];
	char ids[4][12];
	for (int i = 0; i < 4; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%d", i);
		w[i] = make(ids[i], "same@x", NULL);
		assert_int_equal(order_enter(order, w[i]), i == 0 ? ORDER_FIRST : ORDER_MUST_WAIT);
	}
	assert_int_equal(order_waiting(order), 3);
	assert_true(order_go_on(order, w[0], ORDER_NEED_ALL));
	assert_int_equal(leave(order, w[0], out), 3);
	for (int i = 0; i < 3; i++)
		assert_ptr_equal(out[i], w[i + 1]);
	assert_int_equal(order_waiting(order), 0);
	// The claim is taken: each stores a refusal of its own, all in one go.
	for (int i = 1; i < 4; i++)
		assert_true(order_go_on(order, w[i], ORDER_NEED_ID));
	for (int i = 1; i < 4; i++)
		assert_int_equal(leave(order, w[i], out), 0);
	order_destroy(order);
}

static void of_those_released_only_the_first_may_change(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = make("1", "same@x", NULL), *b = make("2", "same@x", NULL), *c = make("3", "same@x", NULL), *out[8];
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_MUST_WAIT);
	assert_int_equal(order_enter(order, c), ORDER_MUST_WAIT);
	assert_true(order_go_on(order, a, ORDER_NEED_ALL));
	assert_int_equal(leave(order, a, out), 2); // a was dropped, say: the claim is still free
	assert_true(order_go_on(order, b, ORDER_NEED_ALL));
	assert_false(order_go_on(order, c, ORDER_NEED_ALL));
	assert_int_equal(order_waiting(order), 1);
	assert_int_equal(leave(order, b, out), 1);
	assert_ptr_equal(out[0], c);
	assert_true(order_go_on(order, c, ORDER_NEED_ID));
	assert_int_equal(leave(order, c, out), 0);
	order_destroy(order);
}

static void same_request_id_never_stores_twice_at_once(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = make("1", NULL, NULL), *b = make("1", NULL, NULL), *c = make("1", NULL, NULL), *out[8];
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_MUST_WAIT);
	assert_int_equal(order_enter(order, c), ORDER_MUST_WAIT);
	assert_true(order_go_on(order, a, ORDER_NEED_ID));
	assert_int_equal(leave(order, a, out), 2);
	// Had a been dropped unstored, b stores and c must look again afterwards.
	assert_true(order_go_on(order, b, ORDER_NEED_ID));
	assert_false(order_go_on(order, c, ORDER_NEED_ID));
	assert_int_equal(leave(order, b, out), 1);
	assert_true(order_go_on(order, c, ORDER_NEED_NOTHING));
	assert_int_equal(leave(order, c, out), 0);
	order_destroy(order);
}

static void a_waiter_waits_for_all_its_keys(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = make("1", "a@x", NULL), *b = make("2", NULL, "bob"), *c = make("3", "a@x", "bob"), *out[8];
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_FIRST);
	assert_int_equal(order_enter(order, c), ORDER_MUST_WAIT);
	assert_true(order_go_on(order, a, ORDER_NEED_ALL));
	assert_true(order_go_on(order, b, ORDER_NEED_ALL));
	assert_int_equal(leave(order, a, out), 0);
	assert_int_equal(leave(order, b, out), 1);
	assert_ptr_equal(out[0], c);
	assert_int_equal(leave(order, c, out), 0);
	order_destroy(order);
}

static void a_key_holds_its_share_only(void **state)
{
	(void)state;
	struct order *order = order_create(2);
	struct work *a = make("1", "a@x", NULL), *b = make("2", "a@x", NULL), *c = make("3", "a@x", NULL), *out[8];
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_MUST_WAIT);
	assert_int_equal(order_enter(order, c), ORDER_KEY_FULL);
	work_destroy(c); // nothing of it is held
	assert_int_equal(leave(order, a, out), 1);
	assert_int_equal(leave(order, b, out), 0);
	order_destroy(order);
}

// Who shares a stem must see which value the one before took; who only shares the identity is answered together with it.
static void waiters_of_a_stem_are_released_one_by_one(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *w[4], *out[8];
	static const char *const ids[] = {"1", "2", "3", "4"}, *const emails[] = {"a@x", "b@x", "c@x", "a@x"};
	for (int i = 0; i < 4; i++) {
		w[i] = with_stem(make(ids[i], emails[i], NULL), "ada");
		assert_int_equal(order_enter(order, w[i]), i == 0 ? ORDER_FIRST : ORDER_MUST_WAIT);
	}
	for (int i = 0; i < 4; i++) {
		assert_true(order_go_on(order, w[i], ORDER_NEED_ALL));
		assert_true(
			order_go_on(order, w[i], ORDER_NEED_ALL)); // its value was lost: it is looked at again, and keeps its place
		assert_int_equal(leave(order, w[i], out), i < 3 ? 1 : 0);
		if (i < 3)
			assert_ptr_equal(out[0], w[i + 1]);
	}
	assert_int_equal(order_waiting(order), 0);
	order_destroy(order);
}

static void stems_and_values_are_keys_of_their_own(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = with_stem(make("1", "a@x", NULL), "b"), *b = with_stem(make("2", "b@x", "b"), "a"), *out[8];
	struct work *refused = with_stem(make("3", NULL, NULL), "a");
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_FIRST);
	assert_int_equal(order_enter(order, refused), ORDER_FIRST);
	assert_int_equal(leave(order, a, out) + leave(order, b, out) + leave(order, refused, out), 0);
	order_destroy(order);
}

// Told of taken identities although its rules are not met: then it waits for whoever may take them.
static void an_invalid_request_waits_only_if_it_is_told(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = make("1", "a@x", NULL), *b = make("2", "a@x", NULL), *c = make("3", "a@x", NULL), *out[8];
	b->refusal = c->refusal = REASON_INVALID;
	c->registration.unique_anyway = true;
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_FIRST);
	assert_int_equal(order_enter(order, c), ORDER_MUST_WAIT);
	assert_int_equal(leave(order, b, out), 0);
	assert_int_equal(leave(order, a, out), 1);
	assert_int_equal(leave(order, c, out), 0);
	order_destroy(order);
}

static void a_dropped_waiter_leaves_no_trace(void **state)
{
	(void)state;
	struct order *order = order_create(10);
	struct work *a = make("1", "a@x", NULL), *b = make("2", "a@x", NULL), *c = make("3", "a@x", NULL), *out[8];
	assert_int_equal(order_enter(order, a), ORDER_FIRST);
	assert_int_equal(order_enter(order, b), ORDER_MUST_WAIT);
	assert_int_equal(order_enter(order, c), ORDER_MUST_WAIT);
	assert_int_equal(leave(order, b, out), 0); // a still stands before c
	assert_int_equal(leave(order, a, out), 1);
	assert_ptr_equal(out[0], c);
	assert_int_equal(leave(order, c, out), 0);
	assert_int_equal(order_waiting(order), 0);
	order_destroy(order);
}

// Random arrivals over few keys, stepped by a little scheduler: nobody is forgotten, and no two that change share a key.
static void everybody_ends(void **state)
{
	(void)state;
	enum { COUNT = 3000, LIVE = 64 };
	static const char *const values[] = {"a", "b", "c", "d", "e"};
	struct order *order = order_create(LIVE);
	struct work *ready[LIVE * 2], *changing[LIVE];
	size_t ready_count = 0, changing_count = 0, live = 0, ended = 0;
	unsigned seed = 7;
	static char ids[COUNT][8];
	for (size_t next = 0; ended < COUNT;) {
		seed = seed * 1103515245u + 12345u;
		unsigned dice = seed >> 16;
		if (next < COUNT && live < LIVE && dice % 2 == 0) {
			snprintf(ids[next], sizeof(ids[next]), "%u", (unsigned)(next - next % 3));
			struct work *work = make(ids[next], values[dice / 2 % 5], dice % 7 ? NULL : values[dice / 16 % 5]);
			if (dice % 5 == 0)
				(void)with_stem(work, values[dice / 8 % 5]);
			enum order_entry entry = order_enter(order, work);
			assert_int_not_equal(entry, ORDER_KEY_FULL);
			if (entry == ORDER_FIRST)
				ready[ready_count++] = work;
			next++;
			live++;
		} else if (ready_count && dice % 3) {
			struct work *work = ready[0];
			for (size_t i = 1; i < ready_count; i++)
				ready[i - 1] = ready[i];
			ready_count--;
			if (!order_go_on(order, work, ORDER_NEED_ALL))
				continue;
			for (size_t i = 0; i < changing_count; i++)
				for (size_t k = 0; k < work->order.count; k++)
					for (size_t m = 0; m < changing[i]->order.count; m++)
						assert_int_not_equal(work->order.tickets[k].key, changing[i]->order.tickets[m].key);
			changing[changing_count++] = work;
		} else if (changing_count) {
			size_t pick = dice % changing_count;
			struct work *work = changing[pick];
			changing[pick] = changing[--changing_count];
			for (struct work *w = order_leave(order, work); w; w = order_next(w))
				ready[ready_count++] = w;
			work_destroy(work);
			live--;
			ended++;
		}
		assert_true(live == 0 || ready_count + changing_count > 0); // else nobody could ever go on
	}
	order_destroy(order);
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	return crypto_setup(&f) == REASON_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_do_not_wait),
		cmocka_unit_test(same_claim_waits_and_is_released_together),
		cmocka_unit_test(of_those_released_only_the_first_may_change),
		cmocka_unit_test(same_request_id_never_stores_twice_at_once),
		cmocka_unit_test(a_waiter_waits_for_all_its_keys),
		cmocka_unit_test(a_key_holds_its_share_only),
		cmocka_unit_test(waiters_of_a_stem_are_released_one_by_one),
		cmocka_unit_test(stems_and_values_are_keys_of_their_own),
		cmocka_unit_test(an_invalid_request_waits_only_if_it_is_told),
		cmocka_unit_test(a_dropped_waiter_leaves_no_trace),
		cmocka_unit_test(everybody_ends),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
