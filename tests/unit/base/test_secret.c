// SPDX-License-Identifier: Apache-2.0
// Secrets: kept apart, guarded, left out of core files, wiped.
#include "enrolld/base/secret.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "enrolld/base/thread.h"
#include "panic.h"

// The sanitizers make mlock() do nothing. gcc names them by macros, clang by features.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_MLOCK false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_MLOCK false
#endif
#endif
#ifndef HAS_MLOCK
#define HAS_MLOCK true
#endif

static struct secret_pool *make_pool(size_t slots)
{
	struct secret_pool *pool = NULL;
	bool locked = false;
	struct fault f;
	assert_int_equal(secret_pool_create(slots, &pool, &locked, &f), REASON_OK);
	return pool;
}

static void bytes_are_copied_and_wiped(void **state)
{
	(void)state;
	struct secret_pool *pool = make_pool(2);
	char source[] = "correct horse battery staple";
	struct secret *secret = secret_create(pool, slice_of(source));
	assert_non_null(secret);
	secret_wipe(source, sizeof(source));
	assert_memory_equal(source, (char[sizeof(source)]){0}, sizeof(source));
	struct slice bytes = secret_bytes(secret);
	assert_true(slice_equal_text(bytes, "correct horse battery staple"));
	assert_int_equal(bytes.ptr[bytes.len], '\0');
	secret_release(secret);
	assert_memory_equal(bytes.ptr, (char[32]){0}, 28); // the slab is still there
	secret_release(NULL);
	secret_pool_destroy(pool);
	secret_pool_destroy(NULL);
}

static void a_short_secret_shows_nothing_of_a_longer_one(void **state)
{
	(void)state;
	struct secret_pool *pool = make_pool(1);
	char longest[SECRET_SIZE_MAX];
	memset(longest, 'x', sizeof(longest));
	struct secret *secret = secret_create(pool, (struct slice){longest, sizeof(longest)});
	assert_non_null(secret);
	assert_int_equal(secret_bytes(secret).ptr[SECRET_SIZE_MAX], '\0');
	secret_release(secret);
	secret = secret_create(pool, SLICE_LIT("s"));
	assert_non_null(secret);
	assert_memory_equal(secret_bytes(secret).ptr, "s\0\0\0\0\0\0\0", 8);
	secret_release(secret);
	secret = secret_create(pool, SLICE_ABSENT);
	assert_non_null(secret);
	assert_int_equal(secret_bytes(secret).len, 0);
	secret_release(secret);
	secret_pool_destroy(pool);
}

static void a_pool_has_an_end(void **state)
{
	(void)state;
	struct secret_pool *pool = make_pool(3);
	struct secret *held[3];
	for (size_t i = 0; i < ARRAY_LEN(held); i++) {
		char text[] = {(char)('a' + i)};
		held[i] = secret_create(pool, (struct slice){text, 1});
		assert_non_null(held[i]);
	}
	assert_null(secret_create(pool, SLICE_LIT("d")));
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		assert_int_equal(secret_bytes(held[i]).ptr[0], 'a' + i);
	secret_release(held[1]);
	held[1] = secret_create(pool, SLICE_LIT("e"));
	assert_non_null(held[1]);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		secret_release(held[i]);

	char large[SECRET_SIZE_MAX + 1] = {0};
	assert_null(secret_create(pool, (struct slice){large, sizeof(large)}));
	secret_pool_destroy(pool);
}

// The VmFlags line of /proc/self/smaps for the mapping that holds an address.
static bool mapping_has_flag(const void *address, const char *flag)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	assert_non_null(smaps);
	char line[512];
	bool inside = false, found = false, seen = false;
	while (fgets(line, sizeof(line), smaps)) {
		char *dash, *space; // a mapping begins with its two addresses, other lines with a word
		uintptr_t from = strtoull(line, &dash, 16);
		if (*dash == '-' && dash > line) {
			uintptr_t to = strtoull(dash + 1, &space, 16);
			assert_int_equal(*space, ' ');
			inside = (uintptr_t)address >= from && (uintptr_t)address < to;
		}
		if (inside && strncmp(line, "VmFlags:", 8) == 0) {
			seen = true;
			found = strstr(line, flag) != NULL;
		}
	}
	(void)fclose(smaps);
	assert_true(seen);
	return found;
}

static void the_slab_is_locked_and_not_dumped(void **state)
{
	(void)state;
	struct secret_pool *pool;
	bool locked;
	struct fault f;
	assert_int_equal(secret_pool_create(4, &pool, &locked, &f), REASON_OK);
	struct secret *secret = secret_create(pool, SLICE_LIT("s"));
	assert_true(mapping_has_flag(secret, " dd"));
	if (HAS_MLOCK)
		assert_int_equal(locked, mapping_has_flag(secret, " lo"));
	secret_release(secret);
	secret_pool_destroy(pool);
}

static void without_the_right_to_lock_it_works_and_says_so(void **state)
{
	(void)state;
	if (!HAS_MLOCK)
		skip();
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit none = {0, 0};
		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (getuid() == 0 && setuid(65534) != 0))
			_exit(2);
		struct secret_pool *pool;
		bool locked = true;
		if (secret_pool_create(4, &pool, &locked, NULL) != REASON_OK || locked)
			_exit(3);
		struct secret *secret = secret_create(pool, SLICE_LIT("s"));
		if (!secret || !slice_equal_text(secret_bytes(secret), "s"))
			_exit(4);
		secret_release(secret);
		secret_pool_destroy(pool);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static bool write_kills(char *address)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(STDERR_FILENO); // a sanitizer would report
		const struct sigaction die = {.sa_handler = SIG_DFL};
		(void)sigaction(SIGSEGV, &die, NULL);
		*(volatile char *)address = 1;
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	return status != 0;
}

static void guard_pages_stand_on_both_sides(void **state)
{
	(void)state;
	struct secret_pool *pool = make_pool(1);
	struct secret *secret = secret_create(pool, SLICE_LIT("s"));
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *start = (char *)secret - (uintptr_t)secret % page;
	assert_false(write_kills(start + page - 1));
	assert_true(write_kills(start - 1));
	assert_true(write_kills(start + page));
	secret_release(secret);
	secret_pool_destroy(pool);
}

static void destroy_pool(void *ctx)
{
	secret_pool_destroy(ctx);
}

static void release(void *ctx)
{
	secret_release(ctx);
}

static void misuse_is_a_panic(void **state)
{
	(void)state;
	struct secret_pool *pool = make_pool(1);
	struct secret *secret = secret_create(pool, SLICE_LIT("s"));
	assert_panics(destroy_pool, pool, "1 secrets are still held");
	secret_release(secret);
	assert_panics(release, secret, "twice");
	secret_pool_destroy(pool);
}

static void an_impossible_pool_is_a_fault(void **state)
{
	(void)state;
	struct secret_pool *pool = NULL;
	bool locked = false;
	struct fault f;
	assert_int_equal(secret_pool_create(SIZE_MAX / 8, &pool, &locked, &f), REASON_NO_MEMORY);
	assert_int_equal(secret_pool_create((size_t)1 << 50, &pool, &locked, &f), REASON_NO_MEMORY);
	assert_null(pool);
}

struct holder {
	struct secret_pool *pool;
	char mark;
	unsigned mixed; // secrets that held another thread's bytes
};

static void hold_and_release(void *ctx)
{
	struct holder *holder = ctx;
	char text[64];
	memset(text, holder->mark, sizeof(text));
	for (int i = 0; i < 5000; i++) {
		struct secret *secret = secret_create(holder->pool, (struct slice){text, sizeof(text)});
		if (!secret)
			continue; // the others hold all
		if (!slice_equal(secret_bytes(secret), (struct slice){text, sizeof(text)}))
			holder->mixed++;
		secret_release(secret);
	}
}

static void threads_do_not_share_a_slot(void **state)
{
	(void)state;
	struct holder holders[4];
	pthread_t threads[4];
	struct secret_pool *pool = make_pool(3);
	for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
		holders[i] = (struct holder){pool, (char)('a' + i), 0};
		assert_int_equal(thread_start("holder", hold_and_release, &holders[i], &threads[i], NULL), REASON_OK);
	}
	for (size_t i = 0; i < ARRAY_LEN(holders); i++) {
		thread_join(threads[i]);
		assert_int_equal(holders[i].mixed, 0);
	}
	secret_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_copied_and_wiped),
		cmocka_unit_test(a_short_secret_shows_nothing_of_a_longer_one),
		cmocka_unit_test(a_pool_has_an_end),
		cmocka_unit_test(the_slab_is_locked_and_not_dumped),
		cmocka_unit_test(without_the_right_to_lock_it_works_and_says_so),
		cmocka_unit_test(guard_pages_stand_on_both_sides),
		cmocka_unit_test(misuse_is_a_panic),
		cmocka_unit_test(an_impossible_pool_is_a_fault),
		cmocka_unit_test(threads_do_not_share_a_slot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
