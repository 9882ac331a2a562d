// SPDX-License-Identifier: Apache-2.0
// Random bytes and fair draws.
#include "enrolld/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "panic.h"

static void fill_writes_all_and_no_more(void **state)
{
	(void)state;
	unsigned char bytes[1002], seen[1002] = {0};
	for (int round = 0; round < 8; round++) { // a byte that stays 0 eight times: one chance in 2^54
		memset(bytes, 0, sizeof(bytes));
		random_fill(bytes + 1, 1000);
		assert_int_equal(bytes[0], 0);
		assert_int_equal(bytes[1001], 0);
		for (size_t i = 0; i < sizeof(bytes); i++)
			seen[i] |= bytes[i];
	}
	for (size_t i = 1; i <= 1000; i++)
		assert_int_not_equal(seen[i], 0);
	random_fill(NULL, 0);
}

static void below_stays_below_and_reaches_all(void **state)
{
	(void)state;
	unsigned counts[10] = {0};
	for (int i = 0; i < 10000; i++) {
		uint64_t value = random_below(10);
		assert_true(value < 10);
		counts[value]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		assert_in_range(counts[i], 700, 1300); // ten standard deviations
	assert_int_equal(random_below(1), 0);
	assert_true(random_below(UINT64_MAX) < UINT64_MAX);
}

static void no_value_is_favoured(void **state)
{
	(void)state;
	// A remainder of 2^64 by 3 * 2^62 would fall into the lowest third half of the time.
	unsigned lowest = 0;
	for (int i = 0; i < 3000; i++)
		lowest += random_below((uint64_t)3 << 62) < (uint64_t)1 << 62 ? 1 : 0;
	assert_in_range(lowest, 800, 1200);
}

static void draw_below_zero(void *ctx)
{
	*(uint64_t *)ctx = random_below(0);
}

static void below_zero_is_a_panic(void **state)
{
	(void)state;
	uint64_t value;
	assert_panics(draw_below_zero, &value, "below 0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fill_writes_all_and_no_more),
		cmocka_unit_test(below_stays_below_and_reaches_all),
		cmocka_unit_test(no_value_is_favoured),
		cmocka_unit_test(below_zero_is_a_panic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
