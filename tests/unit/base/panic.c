// SPDX-License-Identifier: Apache-2.0
// A child that is expected to abort.
#include "panic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

void assert_panics(void (*fn)(void *ctx), void *ctx, const char *words)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit no_core = {0, 0};
		(void)setrlimit(RLIMIT_CORE, &no_core);
		const struct sigaction die = {.sa_handler = SIG_DFL}; // cmocka catches it
		(void)sigaction(SIGABRT, &die, NULL);
		(void)dup2(ends[1], STDERR_FILENO);
		fn(ctx);
		_exit(0);
	}
	(void)close(ends[1]);
	char text[2048];
	size_t len = 0;
	ssize_t n;
	while (len < sizeof(text) - 1 && (n = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	(void)close(ends[0]);

	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(text, "panic at "));
	assert_non_null(strstr(text, words));
}
