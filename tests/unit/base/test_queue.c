// SPDX-License-Identifier: Apache-2.0
// Bounded hand-over between threads.
#include "enrolld/base/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/thread.h"
#include "panic.h"

// Items are numbers in a pointer's clothes; 0 is none of them.
static void *item(size_t n)
{
	return (void *)(uintptr_t)n; // NOLINT(performance-no-int-to-ptr)
}

static size_t number(const void *p)
{
	return (size_t)(uintptr_t)p;
}

static void items_come_out_in_order(void **state)
{
	(void)state;
	struct queue *q = queue_create(5);
	void *out[5];
	size_t in = 1, next = 1;
	for (int round = 0; round < 20; round++) { // the ring turns
		for (int i = 0; i < 3; i++)
			assert_true(queue_push(q, item(in++)));
		assert_int_equal(queue_length(q), 3);
		assert_int_equal(queue_take(q, out, 2, 0), 2);
		assert_int_equal(number(out[0]), next++);
		assert_int_equal(number(out[1]), next++);
		assert_true(queue_try_push(q, item(in++)));
		size_t n = queue_take(q, out, 5, -1);
		assert_int_equal(n, 2);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(number(out[i]), next++);
	}
	assert_int_equal(queue_length(q), 0);
	queue_destroy(q);
	queue_destroy(NULL);
}

static void a_full_queue_takes_no_more(void **state)
{
	(void)state;
	struct queue *q = queue_create(3);
	for (size_t i = 1; i <= 3; i++)
		assert_true(queue_try_push(q, item(i)));
	assert_false(queue_try_push(q, item(4)));
	assert_int_equal(queue_length(q), 3);
	void *out[10];
	assert_int_equal(queue_take(q, out, 0, -1), 0);
	assert_int_equal(queue_take(q, out, 10, 0), 3);
	assert_int_equal(number(out[2]), 3);
	queue_destroy(q);
}

static void several_go_in_together_or_not_at_all(void **state)
{
	(void)state;
	struct queue *q = queue_create(5);
	void *in[] = {item(1), item(2), item(3)}, *out[5];
	for (int round = 0; round < 7; round++) { // the ring turns
		assert_true(queue_try_push_all(q, in, 3));
		assert_false(queue_try_push_all(q, in, 3));
		assert_int_equal(queue_length(q), 3);
		assert_true(queue_try_push_all(q, in, 2));
		assert_int_equal(queue_take(q, out, 4, 0), 4);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(number(out[i]), i % 3 + 1);
		assert_int_equal(queue_take(q, out, 5, 0), 1);
		assert_int_equal(number(out[0]), 2);
	}
	queue_close(q);
	assert_false(queue_try_push_all(q, in, 1));
	queue_destroy(q);
}

static void timeouts_are_kept(void **state)
{
	(void)state;
	struct queue *q = queue_create(1);
	void *out[1];
	int64_t start = clock_mono_ns();
	assert_int_equal(queue_take(q, out, 1, 0), 0);
	assert_int_equal(queue_take(q, out, 1, 30), 0);
	int64_t waited = clock_mono_ns() - start;
	assert_in_range(waited, 30 * 1000000, 2000000000);
	assert_true(queue_push(q, item(1)));
	start = clock_mono_ns();
	assert_int_equal(queue_take(q, out, 1, 60000), 1);
	assert_true(clock_mono_ns() - start < 5000000000);
	queue_destroy(q);
}

static void close_lets_the_rest_out(void **state)
{
	(void)state;
	struct queue *q = queue_create(4);
	assert_true(queue_push(q, item(1)));
	assert_true(queue_push(q, item(2)));
	assert_false(queue_closed(q));
	queue_close(q);
	assert_true(queue_closed(q));
	assert_false(queue_push(q, item(3)));
	assert_false(queue_try_push(q, item(3)));
	void *out[1];
	assert_int_equal(queue_take(q, out, 1, -1), 1);
	assert_int_equal(queue_take(q, out, 1, -1), 1);
	assert_int_equal(number(out[0]), 2);
	assert_int_equal(queue_take(q, out, 1, -1), 0);
	queue_close(q);
	queue_destroy(q);
}

struct waiter {
	struct queue *q;
	atomic_bool started;
	bool pushed;
	size_t taken;
};

static void wait_to_push(void *ctx)
{
	struct waiter *w = ctx;
	atomic_store(&w->started, true);
	w->pushed = queue_push(w->q, item(99));
}

static void wait_to_take(void *ctx)
{
	struct waiter *w = ctx;
	void *out[1];
	atomic_store(&w->started, true);
	w->taken = queue_take(w->q, out, 1, -1);
}

// Long enough for the thread to be asleep in the queue; if it is not yet, the checks hold all the same.
static pthread_t start_waiter(struct waiter *w, void (*fn)(void *ctx))
{
	pthread_t thread;
	assert_int_equal(thread_start("waiter", fn, w, &thread, NULL), REASON_OK);
	while (!atomic_load(&w->started))
		clock_sleep_ms(1);
	clock_sleep_ms(20);
	return thread;
}

static void who_waits_for_room_gets_it(void **state)
{
	(void)state;
	struct waiter w = {.q = queue_create(1)};
	assert_true(queue_push(w.q, item(1)));
	pthread_t thread = start_waiter(&w, wait_to_push);
	assert_int_equal(queue_length(w.q), 1);
	void *out[1];
	assert_int_equal(queue_take(w.q, out, 1, -1), 1);
	assert_int_equal(number(out[0]), 1);
	assert_int_equal(queue_take(w.q, out, 1, -1), 1);
	assert_int_equal(number(out[0]), 99);
	thread_join(thread);
	assert_true(w.pushed);
	queue_destroy(w.q);
}

static void who_waits_for_an_item_gets_it(void **state)
{
	(void)state;
	struct waiter w = {.q = queue_create(1)};
	pthread_t thread = start_waiter(&w, wait_to_take);
	assert_true(queue_push(w.q, item(1)));
	thread_join(thread);
	assert_int_equal(w.taken, 1);
	queue_destroy(w.q);
}

static void close_wakes_all_who_wait(void **state)
{
	(void)state;
	struct queue *full = queue_create(1), *empty = queue_create(1);
	assert_true(queue_push(full, item(1)));
	struct waiter pushers[2] = {{.q = full}, {.q = full}}, takers[2] = {{.q = empty}, {.q = empty}};
	pthread_t threads[4];
	for (size_t i = 0; i < 2; i++) {
		threads[i] = start_waiter(&pushers[i], wait_to_push);
		threads[2 + i] = start_waiter(&takers[i], wait_to_take);
		takers[i].taken = 99;
	}
	queue_close(full);
	queue_close(empty);
	for (size_t i = 0; i < 4; i++)
		thread_join(threads[i]);
	for (size_t i = 0; i < 2; i++) {
		assert_false(pushers[i].pushed);
		assert_int_equal(takers[i].taken, 0);
	}
	void *out[1];
	assert_int_equal(queue_take(full, out, 1, -1), 1);
	queue_destroy(full);
	queue_destroy(empty);
}

#define PUSHERS 4
#define TAKERS 3
#define EACH 20000

struct flood {
	struct queue *q;
	size_t max; // of one take
	atomic_size_t next_pusher;
	atomic_uchar seen[PUSHERS * EACH]; // times each item came out
	atomic_size_t disorder;            // items of one pusher that a taker saw in the wrong order
};

static void flood_push(void *ctx)
{
	struct flood *flood = ctx;
	size_t me = atomic_fetch_add(&flood->next_pusher, 1);
	for (size_t i = 0; i < EACH; i++) {
		void *p = item(me * EACH + i + 1);
		if (i % 3 == 0 && queue_try_push(flood->q, p))
			continue;
		if (!queue_push(flood->q, p))
			return;
	}
}

static void flood_take(void *ctx)
{
	struct flood *flood = ctx;
	size_t last[PUSHERS] = {0};
	void *out[64];
	size_t n;
	while ((n = queue_take(flood->q, out, flood->max, last[0] % 2 ? -1 : 1000)) > 0 || !queue_closed(flood->q)) {
		for (size_t i = 0; i < n; i++) {
			size_t index = number(out[i]) - 1;
			atomic_fetch_add(&flood->seen[index], 1);
			if (last[index / EACH] > index)
				atomic_fetch_add(&flood->disorder, 1);
			last[index / EACH] = index;
		}
	}
}

static void run_flood(size_t capacity, size_t max)
{
	struct flood *flood = calloc(1, sizeof(*flood));
	assert_non_null(flood);
	flood->q = queue_create(capacity);
	flood->max = max;
	pthread_t pushers[PUSHERS], takers[TAKERS];
	for (size_t i = 0; i < TAKERS; i++)
		assert_int_equal(thread_start("taker", flood_take, flood, &takers[i], NULL), REASON_OK);
	for (size_t i = 0; i < PUSHERS; i++)
		assert_int_equal(thread_start("pusher", flood_push, flood, &pushers[i], NULL), REASON_OK);
	for (size_t i = 0; i < PUSHERS; i++)
		thread_join(pushers[i]);
	queue_close(flood->q);
	for (size_t i = 0; i < TAKERS; i++)
		thread_join(takers[i]);
	for (size_t i = 0; i < (size_t)PUSHERS * EACH; i++)
		assert_int_equal(flood->seen[i], 1);
	assert_int_equal(flood->disorder, 0);
	queue_destroy(flood->q);
	free(flood);
}

static void each_item_goes_to_one_taker(void **state)
{
	(void)state;
	run_flood(1, 1);
	run_flood(7, 3);
	run_flood(64, 64);
}

static void destroy(void *ctx)
{
	queue_destroy(ctx);
}

static void create_empty(void *ctx)
{
	queue_destroy(queue_create(*(const size_t *)ctx));
}

static void misuse_is_a_panic(void **state)
{
	(void)state;
	struct queue *q = queue_create(1);
	assert_true(queue_push(q, item(1)));
	assert_panics(destroy, q, "destroyed with 1 items");
	void *out[1];
	assert_int_equal(queue_take(q, out, 1, 0), 1);
	queue_destroy(q);
	size_t none = 0, endless = SIZE_MAX / 2;
	assert_panics(create_empty, &none, "capacity 0");
	assert_panics(create_empty, &endless, "capacity");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_come_out_in_order),
		cmocka_unit_test(a_full_queue_takes_no_more),
		cmocka_unit_test(several_go_in_together_or_not_at_all),
		cmocka_unit_test(timeouts_are_kept),
		cmocka_unit_test(close_lets_the_rest_out),
		cmocka_unit_test(who_waits_for_room_gets_it),
		cmocka_unit_test(who_waits_for_an_item_gets_it),
		cmocka_unit_test(close_wakes_all_who_wait),
		cmocka_unit_test(each_item_goes_to_one_taker),
		cmocka_unit_test(misuse_is_a_panic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
