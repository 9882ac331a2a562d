// SPDX-License-Identifier: Apache-2.0
// Limits that are known to be used up: which requests are recalled before their hash.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "enrolld/base/clock.h"
#include "enrolld/crypto/keys.h"
#include "flow/spent.h"

static struct request request = {.realm = {"main", 4}};

static struct limit_use use_of(const char *subject)
{
	return (struct limit_use){.name = "client", .subject = slice_of(subject), .allowed = 2, .window_ms = 1000};
}

static void note(struct spent *spent, const char *subject, int64_t used, int64_t left_ms)
{
	struct limit_use use = use_of(subject);
	struct changes changes = {.limits = &use, .limit_count = 1};
	struct facts facts = {.now_ms = 5000, .limits = {{.used = used, .resets_ms = 5000 + left_ms}}};
	struct store_item item = {.request = &request, .changes = &changes, .facts = &facts};
	spent_note(spent, &item);
}

static bool holds(struct spent *spent, const char *subject, bool counts)
{
	struct limit_use use = use_of(subject);
	struct changes changes = {.limits = &use, .limit_count = 1, .counts = {counts}};
	return spent_holds(spent, &request, &changes);
}

static void what_is_used_up_is_known_until_it_resets(void **state)
{
	(void)state;
	struct spent *spent = spent_create();
	note(spent, "a", 1, 60000);
	assert_false(holds(spent, "a", true));
	note(spent, "a", 2, 60000);
	assert_true(holds(spent, "a", true));
	assert_false(holds(spent, "a", false)); // is not counted on it
	assert_false(holds(spent, "b", true));
	request.realm = SLICE_LIT("other");
	assert_false(holds(spent, "a", true));
	request.realm = SLICE_LIT("main");
	note(spent, "c", 5, 30);
	assert_true(holds(spent, "c", true));
	clock_sleep_ms(40);
	assert_false(holds(spent, "c", true));
	assert_true(holds(spent, "a", true));
	spent_destroy(spent);
}

static void it_forgets_rather_than_grows(void **state)
{
	(void)state;
	struct spent *spent = spent_create();
	char subject[24];
	size_t known = 0;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(subject, sizeof(subject), "s%d", i);
		note(spent, subject, 2, 60000);
		assert_true(holds(spent, subject, true));
	}
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(subject, sizeof(subject), "s%d", i);
		known += holds(spent, subject, true);
	}
	assert_in_range(known, 900, 1024);
	spent_destroy(spent);
	spent_destroy(NULL);
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
		cmocka_unit_test(what_is_used_up_is_known_until_it_resets),
		cmocka_unit_test(it_forgets_rather_than_grows),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
