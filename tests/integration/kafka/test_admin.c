// SPDX-License-Identifier: Apache-2.0
// Questions to a coordinator that nobody waits for any more: they go with their handle, and the process stays.
#include "rig.h"

#include <stdatomic.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/thread.h"

#define ASKERS 4
#define SECONDS 3

static atomic_int asked, unanswered;

static void *ask(void *ctx)
{
	static const int waits_ms[] = {1, 2, 3, 4, 5, 6, 8, 10, 15, 30, 60};
	const struct kafka_conf *conf = ctx;
	int64_t end = clock_mono_ns() + SECONDS * INT64_C(1000000000);
	for (size_t n = 0; clock_mono_ns() < end; n++) {
		struct kafka_admin *admin;
		struct fault f;
		int64_t offset;
		if (kafka_admin_create(conf, &admin, &f) != REASON_OK)
			fail_msg("%s", f.detail);
		unanswered += kafka_admin_committed(admin, "enrolld-nobody", "enrolld-nothing", 0,
						    waits_ms[n % ARRAY_LEN(waits_ms)], &offset, &f) != REASON_OK;
		asked++;
		kafka_admin_destroy(admin);
	}
	return NULL;
}

static void test_nobody_waits(void **state)
{
	pthread_t askers[ASKERS];
	struct kafka_conf conf;
	(void)state;
	rig_conf(&conf);
	for (size_t i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_create(&askers[i], NULL, ask, &conf), 0);
	for (size_t i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_join(askers[i], NULL), 0);
	print_message("%d questions, %d without an answer\n", (int)asked, (int)unanswered);
	assert_true(unanswered > 0 && asked > unanswered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
