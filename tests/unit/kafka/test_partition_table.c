// SPDX-License-Identifier: Apache-2.0
// Epochs begin, end and are held, also while another thread asks for a rewind.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/thread.h"
#include "kafka/partition_table.h"

static struct passage passage(const struct partition *p)
{
	return (struct passage){p->topic, p->number, p->epoch, 1, 0};
}

static void test_epochs(void **state)
{
	struct partition_table t;
	(void)state;
	partition_table_init(&t);
	struct partition *b1 = partition_add(&t, "b", 1), *a0 = partition_add(&t, "a", 0), *b0 = partition_add(&t, "b", 0);
	assert_ptr_equal(partition_add(&t, "b", 1), b1);
	assert_int_equal(t.count, 3);
	assert_ptr_equal(t.items[0], a0);
	assert_ptr_equal(t.items[1], b0);
	assert_ptr_equal(partition_find(&t, "b", 0), b0);
	assert_null(partition_find(&t, "b", 2));
	assert_int_equal(partition_take(&t, a0, 0), 0); // waits for its offset
	assert_false(partition_current(&t, "a", 0, 0));

	partition_begin_epoch(&t, a0);
	partition_begin_epoch(&t, b0);
	uint64_t first = a0->epoch;
	assert_true(first != 0 && b0->epoch != first);
	assert_true(partition_current(&t, "a", 0, first));
	a0->position = 5;
	assert_int_equal(partition_take(&t, a0, 4), 0); // before the start
	assert_int_equal(partition_take(&t, a0, 5), first);
	assert_int_equal(partition_take(&t, a0, 5), 0); // a second time
	assert_int_equal(partition_take(&t, a0, 9), first);
	assert_int_equal(a0->position, 10);

	partition_end_epoch(&t, a0, PARTITION_WAITING);
	assert_false(partition_current(&t, "a", 0, first));
	assert_int_equal(partition_take(&t, a0, 10), 0);
	partition_begin_epoch(&t, a0);
	assert_true(a0->epoch > first); // never an old one again
	partition_remove(&t, b0);
	assert_null(partition_find(&t, "b", 0));
	assert_int_equal(t.count, 2);
	partition_table_clear(&t);
}

static void test_hold(void **state)
{
	struct partition_table t;
	(void)state;
	partition_table_init(&t);
	struct partition *p = partition_add(&t, "a", 0), *q = partition_add(&t, "a", 1);
	partition_begin_epoch(&t, p);
	partition_begin_epoch(&t, q);
	struct passage both[] = {passage(p), passage(q)};
	assert_true(partition_table_hold(&t, both, 2));
	assert_true(partition_table_held(&t));
	partition_end_epoch(&t, q, PARTITION_WAITING); // may end, but is not read before the release
	assert_false(partition_table_hold(&t, both, 2));
	assert_true(partition_table_hold(&t, both, 1));
	partition_table_release(&t);
	partition_table_release(&t);
	assert_false(partition_table_held(&t));
	both[0].epoch = 0;
	p->epoch = 0;
	assert_false(partition_table_hold(&t, both, 1)); // no epoch is never the current one
	partition_table_clear(&t);
}

static void test_rewind(void **state)
{
	struct partition_table t;
	(void)state;
	partition_table_init(&t);
	struct partition *p = partition_add(&t, "a", 0);
	partition_begin_epoch(&t, p);
	assert_false(partition_table_take_rewind(&t));
	partition_table_rewind(&t);
	assert_int_equal(p->epoch, 0);
	partition_begin_epoch(&t, p); // a start that had already read its offset must not outrun the rewind
	assert_int_equal(p->epoch, 0);
	partition_table_rewind(&t);
	assert_true(partition_table_take_rewind(&t)); // two requests are one
	assert_false(partition_table_take_rewind(&t));
	partition_begin_epoch(&t, p);
	assert_true(p->epoch != 0);
	partition_table_clear(&t);
}

struct play {
	struct partition_table table;
	atomic_bool stop, wrong;
	atomic_size_t holds, rewinds;
};

static void commit(void *ctx)
{
	struct play *play = ctx;
	uint64_t epoch = 0;
	while (!atomic_load(&play->stop)) {
		struct passage one = {"a", 0, ++epoch, 1, 0}; // guesses: one of them is current
		if (epoch > 100000)
			epoch = 0;
		if (!partition_table_hold(&play->table, &one, 1))
			continue;
		atomic_fetch_add(&play->holds, 1);
		if (!partition_table_held(&play->table))
			atomic_store(&play->wrong, true);
		partition_table_release(&play->table);
		epoch--;
		if (atomic_load(&play->holds) % 7 == 0) {
			partition_table_rewind(&play->table);
			atomic_fetch_add(&play->rewinds, 1);
			if (partition_current(&play->table, "a", 0, one.epoch))
				atomic_store(&play->wrong, true);
		}
	}
}

static void test_threads(void **state)
{
	struct play play = {0};
	pthread_t thread;
	struct fault f;
	(void)state;
	partition_table_init(&play.table);
	struct partition *p = partition_add(&play.table, "a", 0);
	partition_begin_epoch(&play.table, p);
	assert_int_equal(thread_start("commit", commit, &play, &thread, &f), REASON_OK);
	int64_t until = clock_mono_ns() + (int64_t)300000000;
	int64_t offset = 0;
	while (clock_mono_ns() < until) {
		(void)!partition_take(&play.table, p, offset++);
		if (partition_table_take_rewind(&play.table)) {
			partition_end_epoch(&play.table, p, PARTITION_WAITING);
			partition_begin_epoch(&play.table, p);
		}
	}
	atomic_store(&play.stop, true);
	thread_join(thread);
	assert_false(play.wrong);
	assert_true(play.holds > 0);
	partition_table_clear(&play.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_epochs),
		cmocka_unit_test(test_hold),
		cmocka_unit_test(test_rewind),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("partition table", tests, NULL, NULL);
}
