// SPDX-License-Identifier: Apache-2.0
// Waits between the tries of one message.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/schedule.h"

static const struct courier_conf conf = {.retry_min_ms = 60000, .retry_max_ms = 1800000, .resend_unknown_mail = true};

#define DAY INT64_C(86400000)

static void retries(void **state)
{
	(void)state;
	static const int64_t minutes[] = {1, 2, 4, 8, 16, 30, 30, 30};
	for (int attempts = 0; attempts < 8; attempts++) {
		int64_t least = DAY, most = 0;
		for (int i = 0; i < 300; i++) {
			int64_t ms = schedule_retry_ms(&conf, attempts, 0, DAY);
			least = ms < least ? ms : least;
			most = ms > most ? ms : most;
		}
		int64_t middle = minutes[attempts] * 60000;
		assert_in_range(least, middle * 3 / 4, middle * 9 / 10); // a quarter less or more, and really spread
		assert_in_range(most, middle * 11 / 10, middle * 5 / 4);
	}
	assert_in_range(schedule_retry_ms(&conf, 1000000, 0, DAY), 1350000, 2250000);
}

static void what_the_other_side_asks_for(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_in_range(schedule_retry_ms(&conf, 0, 300000, DAY), 300000, 337500);
		assert_in_range(schedule_retry_ms(&conf, 0, 1000, DAY), 45000, 75000);
	}
}

static void never_past_the_life(void **state)
{
	(void)state;
	assert_int_equal(schedule_retry_ms(&conf, 5, 0, 1000), 1000);
	assert_int_equal(schedule_retry_ms(&conf, 0, 600000, 5000), 5000);
	assert_int_equal(schedule_retry_ms(&conf, 0, 0, 0), 1);
	assert_int_equal(schedule_retry_ms(&conf, 0, 0, -5), 1);
}

static void unknown_mails(void **state)
{
	(void)state;
	assert_int_equal(schedule_resend_ms(&conf, 0, 600000), 300000);
	assert_int_equal(schedule_resend_ms(&conf, 0, DAY), 1800000);
	assert_int_equal(schedule_resend_ms(&conf, 1, 600000), 0);
	assert_int_equal(schedule_resend_ms(&conf, 0, 1), 0);
	struct courier_conf never = conf;
	never.resend_unknown_mail = false;
	assert_int_equal(schedule_resend_ms(&never, 0, 600000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries),
		cmocka_unit_test(what_the_other_side_asks_for),
		cmocka_unit_test(never_past_the_life),
		cmocka_unit_test(unknown_mails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
