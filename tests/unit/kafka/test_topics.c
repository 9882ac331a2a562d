// SPDX-License-Identifier: Apache-2.0
// What refusals teach: how much a topic takes, for a while, and how large batches may be.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kafka/producer.h"
#include "kafka/topics.h"

#define S ((int64_t)1000000000)

static size_t limit_of(const struct topics *t, const char *name)
{
	return topics_limit(t, slice_of(name), 1000);
}

static void test_limits(void **state)
{
	struct topics t;
	(void)state;
	topics_init(&t);
	topics_fix(&t, "results");
	assert_int_equal(limit_of(&t, "results"), 1000);
	topics_refused(&t, "others", 500);
	topics_refused(&t, "results", 2000);
	assert_int_equal(limit_of(&t, "results"), 1000);
	topics_refused(&t, "results", 500);
	topics_refused(&t, "results", 700); // sent before the smaller one was refused
	assert_int_equal(limit_of(&t, "results"), 499);
	topics_let_go(&t); // a new producer knows it still
	assert_int_equal(limit_of(&t, "results"), 499);
	topics_clear(&t);
}

static void test_limits_end(void **state)
{
	struct topics t;
	(void)state;
	topics_init(&t);
	topics_fix(&t, "results");
	topics_refused(&t, "results", 500);
	t.first->limited_ns -= 50 * S;
	assert_int_equal(limit_of(&t, "results"), 499);
	t.first->limited_ns -= 11 * S; // it may have been raised meanwhile
	assert_int_equal(limit_of(&t, "results"), 1000);
	topics_refused(&t, "results", 700);
	assert_int_equal(limit_of(&t, "results"), 699);
	topics_clear(&t);
}

static void test_batches(void **state)
{
	struct sink sink = {.batch_bytes = 100000, .too_large = true};
	(void)state;
	producer_adapt(&sink);
	assert_true(sink.single);
	sink.too_large = true; // one of them is too large: that is no reason for smaller batches
	producer_adapt(&sink);
	assert_false(sink.single || sink.too_large);
	assert_int_equal(sink.batch_bytes, 100000);
	sink.too_large = true;
	producer_adapt(&sink);
	producer_adapt(&sink); // all of them went through
	assert_false(sink.single);
	assert_int_equal(sink.batch_bytes, 50000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_limits_end),
		cmocka_unit_test(test_batches),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
