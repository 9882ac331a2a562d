// SPDX-License-Identifier: Apache-2.0
// A channel is paused while none of its threads works.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/parts.h"

static void test_paused(void **state)
{
	struct parts p = {.threads = {[CHANNEL_MAIL] = 2, [CHANNEL_TEXT] = 1}};
	struct fault closed, mute;
	bool a = false, b = false, text = false;
	(void)state;
	parts_init_wakes(&p);
	(void)fault_set(&closed, REASON_DELIVERY_UNREACHABLE, "closed");
	(void)fault_set(&mute, REASON_STORE_UNAVAILABLE, "mute");
	for (int i = 0; i < 3; i++) // the same one each time
		parts_failed(&p, CHANNEL_MAIL, &a, &closed);
	assert_true(a);
	assert_int_equal(parts_paused(&p, CHANNEL_MAIL), REASON_OK);
	parts_failed(&p, CHANNEL_MAIL, &b, &closed);
	parts_failed(&p, CHANNEL_MAIL, &a, &mute);
	assert_int_equal(parts_paused(&p, CHANNEL_MAIL), REASON_STORE_UNAVAILABLE);
	assert_int_equal(parts_paused(&p, CHANNEL_TEXT), REASON_OK);
	for (int i = 0; i < 2; i++)
		parts_worked(&p, CHANNEL_MAIL, &b);
	assert_false(b);
	parts_failed(&p, CHANNEL_MAIL, &a, &closed);
	assert_int_equal(parts_paused(&p, CHANNEL_MAIL), REASON_OK);
	parts_worked(&p, CHANNEL_MAIL, &a);
	parts_failed(&p, CHANNEL_MAIL, &b, &closed);
	assert_int_equal(parts_paused(&p, CHANNEL_MAIL), REASON_OK);
	parts_failed(&p, CHANNEL_TEXT, &text, &closed);
	assert_int_equal(parts_paused(&p, CHANNEL_TEXT), REASON_DELIVERY_UNREACHABLE);
	parts_destroy_wakes(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
