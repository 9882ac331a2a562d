// SPDX-License-Identifier: Apache-2.0
// Finished hashes gather while many wait for theirs; nobody waits for what will never come.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "enrolld/base/random.h"
#include "enrolld/base/thread.h"
#include "flow/tray.h"

#define ROOM 4096

static char things[ROOM];

static size_t taken_together(struct queue *q)
{
	void *out[ROOM];
	return queue_take(q, out, ROOM, 0);
}

static void expect(struct tray *tray, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tray_expect(tray);
}

// Puts things until some are handed on; how many those are.
static size_t put_until_handed_on(struct tray *tray, struct queue *q)
{
	size_t puts = 0;
	while (queue_length(q) == 0) {
		tray_put(tray, &things[puts]);
		puts++;
	}
	size_t taken = taken_together(q);
	assert_int_equal(taken, puts); // all of them, and at once
	return taken;
}

static void with_few_behind_it_nothing_waits(void **state)
{
	(void)state;
	struct queue *q = queue_create(ROOM);
	struct tray *tray = tray_create(q);
	for (size_t behind = 0; behind <= 8; behind++) {
		expect(tray, behind + 1);
		assert_int_equal(put_until_handed_on(tray, q), 1);
		for (size_t i = 0; i < behind; i++)
			assert_int_equal(put_until_handed_on(tray, q), 1);
		assert_int_equal(tray_expected(tray), 0);
	}
	tray_destroy(tray);
	queue_destroy(q);
	tray_destroy(NULL);
}

static void an_eighth_of_those_behind_is_waited_for(void **state)
{
	(void)state;
	static const struct {
		size_t expected, together;
	} cases[] = {{9, 1}, {10, 2}, {18, 2}, {19, 3}, {27, 3}, {36, 4}, {144, 16}, {145, TRAY_MAX}, {2000, TRAY_MAX}};
	struct queue *q = queue_create(ROOM);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tray *tray = tray_create(q);
		expect(tray, cases[i].expected);
		assert_int_equal(put_until_handed_on(tray, q), cases[i].together);
		while (tray_expected(tray) > 0) // the last ones of a backlog: ever fewer, and none is left over
			assert_in_range(put_until_handed_on(tray, q), 1, tray_expected(tray) / 8 + 1);
		tray_destroy(tray);
	}
	queue_destroy(q);
}

static void the_bound_holds_while_more_come(void **state)
{
	(void)state;
	struct queue *q = queue_create(ROOM);
	struct tray *tray = tray_create(q);
	expect(tray, 1000);
	for (int i = 0; i < 100; i++) {
		expect(tray, TRAY_MAX); // a window that is filled again as it empties
		assert_int_equal(put_until_handed_on(tray, q), TRAY_MAX);
	}
	while (tray_expected(tray) > 0)
		(void)put_until_handed_on(tray, q);
	tray_destroy(tray);
	queue_destroy(q);
}

static void what_will_not_come_is_not_waited_for(void **state)
{
	(void)state;
	struct queue *q = queue_create(ROOM);
	struct tray *tray = tray_create(q);
	expect(tray, 40);
	tray_put(tray, &things[0]);
	tray_put(tray, &things[1]);
	for (size_t left = 38; left > 17; left--) {
		assert_int_equal(queue_length(q), 0);
		tray_miss(tray);
	}
	assert_int_equal(taken_together(q), 0); // 17 are more than eight for each
	tray_miss(tray);
	assert_int_equal(taken_together(q), 2);
	for (size_t left = 16; left > 0; left--)
		tray_miss(tray);
	assert_int_equal(queue_length(q), 0);
	tray_destroy(tray);
	queue_destroy(q);
}

// --- a stage before it, two hashers, one of which loses some; a stage behind it ---

#define ITEMS 40000

struct play {
	struct tray *tray;
	struct queue *before, *behind;
	atomic_size_t missed;
	size_t taken;
};

static void hash(void *ctx)
{
	struct play *play = ctx;
	void *item;
	while (queue_take(play->before, &item, 1, -1) > 0) {
		if (random_below(10) == 0) {
			atomic_fetch_add(&play->missed, 1);
			tray_miss(play->tray);
		} else {
			tray_put(play->tray, item);
		}
	}
}

static void take(void *ctx)
{
	struct play *play = ctx;
	void *out[TRAY_MAX];
	size_t n;
	while ((n = queue_take(play->behind, out, TRAY_MAX, -1)) > 0)
		play->taken += n;
}

static void many_threads_leave_nothing_behind(void **state)
{
	(void)state;
	struct play play = {.before = queue_create(200), .behind = queue_create(ITEMS)};
	pthread_t threads[3];
	struct fault f;
	play.tray = tray_create(play.behind);
	assert_int_equal(thread_start("hash", hash, &play, &threads[0], &f), 0);
	assert_int_equal(thread_start("hash", hash, &play, &threads[1], &f), 0);
	assert_int_equal(thread_start("take", take, &play, &threads[2], &f), 0);
	for (int i = 0; i < ITEMS; i++) {
		tray_expect(play.tray);
		assert_true(queue_push(play.before, &things[i % ROOM]));
	}
	queue_close(play.before);
	thread_join(threads[0]);
	thread_join(threads[1]);
	assert_int_equal(tray_expected(play.tray), 0);
	tray_destroy(play.tray);
	queue_close(play.behind);
	thread_join(threads[2]);
	assert_int_equal(play.taken + play.missed, ITEMS);
	queue_destroy(play.before);
	queue_destroy(play.behind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_few_behind_it_nothing_waits),  cmocka_unit_test(an_eighth_of_those_behind_is_waited_for),
		cmocka_unit_test(the_bound_holds_while_more_come),   cmocka_unit_test(what_will_not_come_is_not_waited_for),
		cmocka_unit_test(many_threads_leave_nothing_behind),
	};
	return cmocka_run_group_tests_name("tray", tests, NULL, NULL);
}
