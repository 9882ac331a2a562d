// SPDX-License-Identifier: Apache-2.0
// Failpoints: the list is understood or refused as a whole, and each act is done when asked for.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/failpoint.h"

#if defined(ENROLLD_FAILPOINTS) && ENROLLD_FAILPOINTS

static void refuses_what_it_does_not_understand(void **state)
{
	(void)state;
	static const char *const bad[] = {"nothing=die",
					  "look.done",
					  "look.done=",
					  "look.done=explode",
					  "look.done=stall",
					  "look.done=stall:5",
					  "look.done=die@",
					  "look.done=die@0",
					  "look.done=fail%101",
					  "look.done=diex",
					  "hash.done=die;look.done",
					  "hash.done=fail",
					  "rule.inbox=die",
					  "rule.claims=stall:1s"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct fault f;
		assert_int_equal(failpoint_setup(bad[i], &f), REASON_SETTING_INVALID);
		assert_non_null(strstr(f.detail, "ENROLLD_FAILPOINTS"));
	}
}

static void fails_at_the_nth_time_only(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(failpoint_setup("store.begun=fail@3", &f), REASON_OK);
	assert_false(FAILPOINT(store_begun));
	assert_false(FAILPOINT(store_begun));
	assert_true(FAILPOINT(store_begun));
	assert_false(FAILPOINT(store_begun));
	assert_false(FAILPOINT(sink_begun));
}

static void breaks_a_rule_every_time(void **state)
{
	(void)state;
	struct fault f;
	assert_false(FAILPOINT(rule_inbox));
	assert_int_equal(failpoint_setup("rule.inbox=fail", &f), REASON_OK);
	assert_true(FAILPOINT(rule_inbox));
	assert_true(FAILPOINT(rule_inbox));
	assert_false(FAILPOINT(rule_claims));
}

static void says_what_it_does(void **state)
{
	(void)state;
	struct fault f;
	int ends[2], saved = dup(STDERR_FILENO);
	char said[64] = "";
	assert_int_equal(failpoint_setup("store.committed=fail@2", &f), REASON_OK);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)FAILPOINT(store_committed);
	(void)FAILPOINT(store_committed);
	(void)FAILPOINT(store_committed);
	dup2(saved, STDERR_FILENO);
	close(ends[1]);
	assert_true(read(ends[0], said, sizeof(said) - 1) > 0);
	close(ends[0]);
	close(saved);
	assert_string_equal(said, "failpoint store.committed: fail\n");
}

static void stalls(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(failpoint_setup("sink.taken=stall:30ms;sink.begun=fail", &f), REASON_OK);
	int64_t begin = clock_mono_ns();
	assert_false(FAILPOINT(sink_taken));
	assert_true(clock_mono_ns() - begin >= 30 * 1000000);
	assert_true(FAILPOINT(sink_begun));
}

static void dies(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		struct fault f;
		(void)!failpoint_setup("courier.sent=die", &f);
		(void)FAILPOINT(courier_sent);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_it_does_not_understand),
		cmocka_unit_test(fails_at_the_nth_time_only),
		cmocka_unit_test(breaks_a_rule_every_time),
		cmocka_unit_test(says_what_it_does),
		cmocka_unit_test(stalls),
		cmocka_unit_test(dies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void a_build_without_them_refuses_the_setting(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(failpoint_setup(NULL, &f), REASON_OK);
	assert_int_equal(failpoint_setup("", &f), REASON_OK);
	assert_int_equal(failpoint_setup("look.done=die", &f), REASON_SETTING_INVALID);
	assert_int_equal(failpoint_setup("rule.inbox=fail", &f), REASON_SETTING_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_them_refuses_the_setting)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
