// SPDX-License-Identifier: Apache-2.0
// Order per partition, dropping, waking, and many threads at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/queue.h"
#include "enrolld/base/random.h"
#include "enrolld/base/thread.h"
#include "enrolld/kafka/ledger.h"

struct item {
	struct ledger_entry entry;
	atomic_int freed; // how often somebody became its owner at the end
};

static struct item *item_at(struct item *item, const char *topic, int32_t partition, int64_t offset)
{
	memset(&item->entry, 0, sizeof(item->entry));
	item->entry.item = item;
	item->entry.at = (struct coordinates){topic, partition, offset};
	atomic_store(&item->freed, 0);
	return item;
}

static void free_item(void *item, void *ctx)
{
	struct item *i = item;
	(void)ctx;
	atomic_fetch_add(&i->freed, 1);
}

static void test_order(void **state)
{
	struct item items[5];
	void *taken[8];
	(void)state;
	struct ledger *l = ledger_create();
	assert_int_equal(ledger_oldest_ns(l), 0);
	for (int i = 0; i < 4; i++)
		ledger_add(l, &item_at(&items[i], "a", 0, 10 + i)->entry);
	ledger_add(l, &item_at(&items[4], "a", 1, 3)->entry);
	assert_int_equal(ledger_length(l), 5);
	assert_true(ledger_oldest_ns(l) > 0);
	assert_int_equal(ledger_take(l, taken, 8, 0), 0);

	assert_true(ledger_done(l, &items[1].entry)); // overtakes: has to wait
	assert_true(ledger_done(l, &items[2].entry));
	assert_int_equal(ledger_take(l, taken, 8, 0), 0);
	assert_true(ledger_done(l, &items[4].entry)); // another partition does not wait
	assert_int_equal(ledger_take(l, taken, 8, 0), 1);
	assert_ptr_equal(taken[0], &items[4]);
	assert_true(ledger_done(l, &items[0].entry));
	assert_int_equal(ledger_take(l, taken, 2, 0), 2); // cut at max
	assert_ptr_equal(taken[0], &items[0]);
	assert_ptr_equal(taken[1], &items[1]);
	assert_int_equal(ledger_take(l, taken, 8, 0), 1);
	assert_ptr_equal(taken[0], &items[2]);
	assert_false(items[2].entry.listed);
	assert_true(ledger_alive(l, &items[3].entry));
	assert_true(ledger_done(l, &items[3].entry));
	assert_int_equal(ledger_take(l, taken, 8, -1), 1);
	assert_int_equal(ledger_length(l), 0);
	ledger_destroy(l);
}

static void test_grouped(void **state)
{
	struct item items[6];
	void *taken[6];
	(void)state;
	struct ledger *l = ledger_create();
	for (int i = 0; i < 6; i++)
		ledger_add(l, &item_at(&items[i], i % 2 ? "b" : "a", 0, i)->entry);
	for (int i = 5; i >= 0; i--)
		assert_true(ledger_done(l, &items[i].entry));
	assert_int_equal(ledger_take(l, taken, 6, 0), 6);
	for (int i = 1; i < 6; i++) {
		const struct item *before = taken[i - 1], *here = taken[i];
		if (strcmp(before->entry.at.topic, here->entry.at.topic) == 0)
			assert_true(before->entry.at.offset < here->entry.at.offset);
		else
			assert_int_equal(i, 3);
	}
	ledger_destroy(l);
}

static void test_drop(void **state)
{
	struct item items[4];
	void *taken[4];
	(void)state;
	struct ledger *l = ledger_create();
	ledger_drop(l, "a", 0, free_item, NULL); // unknown: nothing to do
	for (int i = 0; i < 3; i++)
		ledger_add(l, &item_at(&items[i], "a", 0, i)->entry);
	ledger_add(l, &item_at(&items[3], "a", 1, 0)->entry);
	assert_true(ledger_done(l, &items[0].entry)); // could be taken
	assert_true(ledger_done(l, &items[2].entry)); // waits for 1
	ledger_drop(l, "a", 0, free_item, NULL);
	assert_int_equal(items[0].freed, 1);
	assert_int_equal(items[1].freed, 0); // somebody still works on it
	assert_int_equal(items[2].freed, 1);
	assert_false(ledger_alive(l, &items[1].entry));
	assert_false(ledger_done(l, &items[1].entry));
	assert_int_equal(ledger_take(l, taken, 4, 0), 0);
	assert_int_equal(ledger_length(l), 1);

	ledger_add(l, &item_at(&items[0], "a", 0, 0)->entry); // read again: from an earlier offset
	assert_true(ledger_done(l, &items[0].entry));
	assert_true(ledger_done(l, &items[3].entry));
	assert_int_equal(ledger_take(l, taken, 4, 0), 2);
	ledger_add(l, &item_at(&items[1], "a", 0, 1)->entry);
	ledger_drop(l, "a", 0, free_item, NULL);
	assert_int_equal(ledger_length(l), 0);
	ledger_destroy(l);
}

static void test_close(void **state)
{
	struct item items[3];
	void *taken[4];
	(void)state;
	struct ledger *l = ledger_create();
	ledger_add(l, &item_at(&items[0], "a", 0, 0)->entry);
	ledger_add(l, &item_at(&items[1], "a", 1, 0)->entry);
	assert_true(ledger_done(l, &items[0].entry));
	ledger_close(l, free_item, NULL);
	assert_int_equal(items[0].freed, 1);
	assert_int_equal(items[1].freed, 0);
	assert_false(ledger_done(l, &items[1].entry));
	ledger_add(l, &item_at(&items[2], "a", 0, 1)->entry);
	assert_false(ledger_alive(l, &items[2].entry));
	assert_false(ledger_done(l, &items[2].entry));
	assert_int_equal(ledger_take(l, taken, 4, -1), 0);
	assert_int_equal(ledger_length(l), 0);
	ledger_destroy(l);
}

struct late {
	struct ledger *ledger;
	struct item *items;
};

static void finish_late(void *ctx)
{
	struct late *late = ctx;
	clock_sleep_ms(30);
	ledger_wake(late->ledger); // there is nothing to take
	clock_sleep_ms(30);
	for (int i = 0; i < 3; i++) {
		assert_true(ledger_done(late->ledger, &late->items[i].entry));
		clock_sleep_ms(10);
	}
	ledger_wake(late->ledger);
}

static void test_wait(void **state)
{
	struct item items[3];
	void *taken[4];
	pthread_t thread;
	struct fault f;
	(void)state;
	struct ledger *l = ledger_create();
	int64_t begin = clock_mono_ns();
	assert_int_equal(ledger_take(l, taken, 1, 50), 0);
	assert_true(clock_mono_ns() - begin >= 49 * 1000000);
	for (int i = 0; i < 3; i++)
		ledger_add(l, &item_at(&items[i], "a", 0, i)->entry);
	struct late late = {l, items};
	assert_int_equal(thread_start("finish", finish_late, &late, &thread, &f), REASON_OK);
	assert_int_equal(ledger_take(l, taken, 4, -1), 3); // all that became done together
	thread_join(thread);
	ledger_destroy(l);
}

// --- a reader, two workers that finish in any order, a taker; partitions are dropped now and then ---

#define PARTITIONS 3
#define RECORDS 20000

struct play {
	struct ledger *ledger;
	struct queue *work;
	struct item *items;
	atomic_size_t ended;
	int64_t last[PARTITIONS]; // the taker's
	atomic_bool out_of_order, reader_done;
};

static void work(void *ctx)
{
	struct play *play = ctx;
	void *batch[16];
	size_t n;
	while ((n = queue_take(play->work, batch, 16, -1)) > 0) {
		for (size_t i = n; i > 0; i--) { // backwards, so that effects overtake
			struct item *item = batch[i - 1];
			if (!ledger_alive(play->ledger, &item->entry) || !ledger_done(play->ledger, &item->entry)) {
				free_item(item, NULL);
				atomic_fetch_add(&play->ended, 1);
			}
		}
		ledger_wake(play->ledger);
	}
}

static void take(void *ctx)
{
	struct play *play = ctx;
	void *taken[64];
	while (!atomic_load(&play->reader_done) || ledger_length(play->ledger) > 0) {
		size_t n = ledger_take(play->ledger, taken, 64, 5);
		for (size_t i = 0; i < n; i++) {
			struct item *item = taken[i];
			int32_t p = item->entry.at.partition;
			if (item->entry.at.offset <= play->last[p])
				atomic_store(&play->out_of_order, true);
			play->last[p] = item->entry.at.offset;
			free_item(item, NULL);
			atomic_fetch_add(&play->ended, 1);
		}
	}
}

static void end_dropped(void *item, void *ctx)
{
	struct play *play = ctx;
	free_item(item, NULL);
	atomic_fetch_add(&play->ended, 1);
}

static void test_threads(void **state)
{
	struct play play = {.last = {-1, -1, -1}};
	pthread_t threads[3];
	struct fault f;
	(void)state;
	play.ledger = ledger_create();
	play.work = queue_create(256);
	play.items = calloc(RECORDS, sizeof(*play.items));
	assert_non_null(play.items);
	assert_int_equal(thread_start("work", work, &play, &threads[0], &f), REASON_OK);
	assert_int_equal(thread_start("work", work, &play, &threads[1], &f), REASON_OK);
	assert_int_equal(thread_start("take", take, &play, &threads[2], &f), REASON_OK);
	for (int i = 0; i < RECORDS; i++) {
		struct item *item = item_at(&play.items[i], "t", (int32_t)random_below(PARTITIONS), i);
		ledger_add(play.ledger, &item->entry);
		assert_true(queue_push(play.work, item));
		if (random_below(500) == 0)
			ledger_drop(play.ledger, "t", (int32_t)random_below(PARTITIONS), end_dropped, &play);
	}
	queue_close(play.work);
	thread_join(threads[0]);
	thread_join(threads[1]);
	atomic_store(&play.reader_done, true);
	thread_join(threads[2]);
	assert_false(play.out_of_order);
	assert_int_equal(play.ended, RECORDS);
	for (int i = 0; i < RECORDS; i++)
		assert_int_equal(play.items[i].freed, 1); // one owner at the end, never none or two
	queue_destroy(play.work);
	ledger_destroy(play.ledger);
	free(play.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order), cmocka_unit_test(test_grouped), cmocka_unit_test(test_drop),
		cmocka_unit_test(test_close), cmocka_unit_test(test_wait),    cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
