// SPDX-License-Identifier: Apache-2.0
// The key file and the ring made from it.
#include "enrolld/crypto/keys.h"

#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/keys_file.h"
#include "enrolld/base/clock.h"
#include "enrolld/crypto/digest.h"

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-keys-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/keys", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	char other[160];
	static const char *const names[] = {"keys", ".keys.new", "link", "other"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(other, sizeof(other), "%s/%s", folder, names[i]);
		(void)unlink(other);
	}
	return rmdir(folder); // fails if something else was left behind
}

static struct keyring *load(void)
{
	struct fault f;
	struct keyring *ring = NULL;
	if (keyring_load(path, &ring, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	return ring;
}

static enum reason try_load(const char *words)
{
	struct fault f;
	struct keyring *ring = NULL;
	enum reason reason = keyring_load(path, &ring, &f);
	assert_null(ring);
	if (!strstr(f.detail, words))
		fail_msg("\"%s\" does not say \"%s\"", f.detail, words);
	return reason;
}

static void digest_of(const struct keyring *ring, uint16_t epoch, uint8_t out[static DIGEST_SIZE])
{
	const struct slice part = SLICE_LIT("x");
	digest_keyed(ring, epoch, "test", &part, 1, out);
}

static void creates_and_loads(void **state)
{
	(void)state;
	struct fault f;
	int64_t before = clock_wall_ms();
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);

	struct keyring *ring = load();
	struct key_info info[2];
	assert_int_equal(keyring_list(ring, info, 2), 1);
	assert_int_equal(info[0].epoch, 1);
	assert_true(info[0].active);
	assert_true(info[0].created_ms >= before && info[0].created_ms <= clock_wall_ms());
	assert_int_equal(keyring_active(ring), 1);
	assert_true(keyring_has(ring, 1));
	assert_false(keyring_has(ring, 0));
	assert_false(keyring_has(ring, 2));
	keyring_destroy(ring);
	keyring_destroy(NULL);
}

static void never_replaces_by_creating(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	struct keyring *ring = load();
	uint8_t before[DIGEST_SIZE], after[DIGEST_SIZE];
	digest_of(ring, 1, before);
	keyring_destroy(ring);
	assert_int_equal(keyring_create(path, &f), REASON_FILE_UNREADABLE);
	ring = load();
	digest_of(ring, 1, after);
	keyring_destroy(ring);
	assert_memory_equal(before, after, sizeof(before));
}

static void rotates_and_keeps_old_epochs(void **state)
{
	(void)state;
	struct fault f;
	uint16_t epoch = 0;
	uint8_t first[DIGEST_SIZE], again[DIGEST_SIZE], second[DIGEST_SIZE];
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	struct keyring *ring = load();
	digest_of(ring, 1, first);
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_OK);
	assert_int_equal(epoch, 2);
	assert_int_equal(keyring_active(ring), 1); // what is loaded stays
	keyring_destroy(ring);

	ring = load();
	struct key_info info[2];
	assert_int_equal(keyring_list(ring, info, 1), 2);
	assert_false(info[0].active);
	assert_int_equal(keyring_list(ring, info, 2), 2);
	assert_true(info[1].active);
	assert_int_equal(info[1].epoch, 2);
	assert_int_equal(keyring_active(ring), 2);
	digest_of(ring, 1, again);
	digest_of(ring, 2, second);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, second, sizeof(first));
	keyring_destroy(ring);
}

static void removes_old_epochs_alone(void **state)
{
	(void)state;
	struct fault f;
	uint16_t epoch;
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	assert_int_equal(keyring_remove(path, 1, &f), REASON_KEYS_INVALID); // the active one
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_OK);
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_OK);
	assert_int_equal(keyring_remove(path, 3, &f), REASON_KEYS_INVALID);
	assert_int_equal(keyring_remove(path, 4, &f), REASON_KEYS_INVALID);
	struct keyring *ring = load();
	uint8_t before[3][DIGEST_SIZE], after[DIGEST_SIZE];
	for (uint16_t i = 0; i < 3; i++)
		digest_of(ring, i + 1, before[i]);
	keyring_destroy(ring);
	assert_int_equal(keyring_remove(path, 2, &f), REASON_OK);
	assert_int_equal(keyring_remove(path, 2, &f), REASON_KEYS_INVALID);
	ring = load();
	assert_true(keyring_has(ring, 1) && !keyring_has(ring, 2) && keyring_has(ring, 3));
	digest_of(ring, 1, after);
	assert_memory_equal(before[0], after, sizeof(after));
	digest_of(ring, 3, after);
	assert_memory_equal(before[2], after, sizeof(after));
	keyring_destroy(ring);
}

static void refuses_a_file_open_to_others(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	static const mode_t bad[] = {0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(chmod(path, bad[i]), 0);
		assert_int_equal(try_load("open to others"), REASON_KEYS_INVALID);
	}
	static const mode_t good[] = {0600, 0400, 0700};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(chmod(path, good[i]), 0);
		keyring_destroy(load());
	}
}

#define NOBODY 65534

static enum reason load_as_nobody(void)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct fault f;
		struct keyring *ring;
		if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
			_exit(REASON_INTERNAL);
		_exit((int)keyring_load(path, &ring, &f));
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return (enum reason)WEXITSTATUS(status);
}

// A mounted secret is root's and readable through the group: good for a worker that is not root, and no further.
static void takes_roots_file_through_the_group(void **state)
{
	(void)state;
	struct fault f;
	if (geteuid() != 0)
		skip();
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	assert_int_equal(chmod(folder, 0711), 0);
	assert_int_equal(chown(path, 0, NOBODY), 0);
	static const struct {
		mode_t mode;
		enum reason reason;
	} cases[] = {{0640, REASON_OK}, {0440, REASON_OK}, {0660, REASON_KEYS_INVALID}, {0644, REASON_KEYS_INVALID}};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(chmod(path, cases[i].mode), 0);
		assert_int_equal(load_as_nobody(), cases[i].reason);
	}
	assert_int_equal(chown(path, 12345, NOBODY), 0);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load_as_nobody(), REASON_KEYS_INVALID); // somebody else's
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	struct fault f;
	uint16_t epoch;
	assert_int_equal(try_load("cannot open"), REASON_KEYS_INVALID);
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_KEYS_INVALID);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(try_load("not a file"), REASON_KEYS_INVALID); // and does not wait for a writer
	assert_int_equal(unlink(path), 0);
	assert_int_equal(keyring_create("/nowhere/at/all", &f), REASON_FILE_UNREADABLE);
	assert_int_equal(keyring_create("/tmp/", &f), REASON_FILE_UNREADABLE);
}

static size_t three_epochs(char text[static KEYS_TEXT_SIZE])
{
	struct fault f;
	struct key_table *table = key_table_create(&f);
	for (int i = 0; i < 3; i++)
		assert_int_equal(key_table_add(table, &f), REASON_OK);
	size_t len = keys_text_write(table, text);
	key_table_destroy(table);
	return len;
}

static enum reason parse(const char *text, size_t len)
{
	struct fault f;
	struct key_table *table = key_table_create(&f);
	enum reason reason = keys_text_parse((struct slice){text, len}, table, &f);
	key_table_destroy(table);
	return reason;
}

// Any single changed, lost or added byte is found.
static void finds_damage(void **state)
{
	(void)state;
	static char text[KEYS_TEXT_SIZE], damaged[KEYS_TEXT_SIZE];
	size_t len = three_epochs(text);
	assert_int_equal(parse(text, len), REASON_OK);
	for (size_t at = 0; at < len; at++) {
		assert_int_equal(parse(text, at), REASON_KEYS_INVALID); // cut off here
		memcpy(damaged, text, len);
		static const char flips[] = {1, 4, 32, '\x80'};
		for (size_t i = 0; i < sizeof(flips); i++) {
			damaged[at] = (char)(text[at] ^ flips[i]);
			assert_int_equal(parse(damaged, len), REASON_KEYS_INVALID);
		}
		memmove(damaged + at, text + at + 1, len - at - 1); // one byte lost
		bool same = memcmp(damaged, text, len - 1) == 0 && text[len - 1] == damaged[len - 2];
		assert_true(same || parse(damaged, len - 1) == REASON_KEYS_INVALID);
	}
	memcpy(damaged, text, len);
	damaged[len] = '\n';
	assert_int_equal(parse(damaged, len + 1), REASON_KEYS_INVALID);
	memset(damaged + len, 0, 16);
	assert_int_equal(parse(damaged, len + 16), REASON_KEYS_INVALID);
}

// Texts whose sum is right but whose lines are not as they must be.
static void refuses_wrong_lines(void **state)
{
	(void)state;
#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	static const struct {
		const char *lines;
		bool good;
	} cases[] = {
		{"enrolld-keys 1\n1 active 0 " KEY "\n", true},
		{"# one\n# two\nenrolld-keys 1\n7 retired 5 " KEY "\n9 active 6 " KEY "\n", true},
		{"enrolld-keys 1\n32767 active 9223372036854775807 " KEY "\n", true},
		{"enrolld-keys 2\n1 active 0 " KEY "\n", false},
		{"1 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n", false},
		{"enrolld-keys 1\n1 retired 0 " KEY "\n", false},
		{"enrolld-keys 1\n1 active 0 " KEY "\n2 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n1 active 0 " KEY "\n2 retired 0 " KEY "\n", false},
		{"enrolld-keys 1\n2 retired 0 " KEY "\n2 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n3 retired 0 " KEY "\n2 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n0 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n32768 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n99999999999999999999 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n-1 active 0 " KEY "\n", false},
		{"enrolld-keys 1\n1 active 9223372036854775808 " KEY "\n", false},
		{"enrolld-keys 1\n1 active  0 " KEY "\n", false},
		{"enrolld-keys 1\n1 active 0 " KEY " \n", false},
		{"enrolld-keys 1\n1 active 0 " KEY "A\n", false},
		{"enrolld-keys 1\n1 active 0 AAAA\n", false},
		{"enrolld-keys 1\n1 active 0\n", false},
		{"enrolld-keys 1\n1 active 0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\n", false}, // spare bits
		{"enrolld-keys 1\n1 active 0 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", false},
		{"enrolld-keys 1\n1 active 0 " KEY "\r\n", false},
		{"enrolld-keys 1\n\n1 active 0 " KEY "\n", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[1024];
		size_t len = strlen(cases[i].lines);
		memcpy(text, cases[i].lines, len);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "sum ");
		keys_text_sum((struct slice){text, len - 4}, text + len);
		len += KEYS_SUM_TEXT_SIZE - 1;
		text[len++] = '\n';
		if ((parse(text, len) == REASON_OK) != cases[i].good)
			fail_msg("%s", cases[i].lines);
	}
}

static void a_full_file_is_read_back(void **state)
{
	(void)state;
	static char text[KEYS_TEXT_SIZE];
	struct fault f;
	struct key_table *table = key_table_create(&f), *back = key_table_create(&f);
	for (int i = 0; i < KEYS_MAX; i++) {
		assert_int_equal(key_table_add(table, &f), REASON_OK);
		table->keys[i].epoch = (uint16_t)(EPOCH_MAX - KEYS_MAX + i);
		table->keys[i].created_ms = INT64_MAX;
	}
	assert_int_equal(key_table_add(table, &f), REASON_KEYS_INVALID);
	size_t len = keys_text_write(table, text);
	assert_int_equal(keys_text_parse((struct slice){text, len}, back, &f), REASON_OK);
	assert_int_equal(back->count, KEYS_MAX);
	assert_memory_equal(back->keys, table->keys, sizeof(table->keys));
	table->count = 1;
	table->keys[0].epoch = EPOCH_MAX;
	assert_int_equal(key_table_add(table, &f), REASON_KEYS_INVALID);
	key_table_destroy(table);
	key_table_destroy(back);
}

static void replaces_in_place(void **state)
{
	(void)state;
	struct fault f;
	uint16_t epoch;
	char link[160], other[160], draft[160];
	(void)snprintf(link, sizeof(link), "%s/link", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	(void)snprintf(draft, sizeof(draft), "%s/.keys.new", folder);
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(symlink("keys", link), 0);

	// A draft that a crash left, even as a link to elsewhere, is neither used nor followed.
	assert_int_equal(symlink("other", draft), 0);
	assert_int_equal(keyring_rotate(link, &epoch, &f), REASON_OK);
	assert_int_equal(access(other, F_OK), -1);
	assert_int_equal(access(draft, F_OK), -1);
	struct stat st;
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0400);
	struct keyring *ring = load();
	assert_int_equal(keyring_active(ring), 2);
	keyring_destroy(ring);

	// A damaged file is left as it is.
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 200), 0);
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_KEYS_INVALID);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 200);
}

#define PROCESSES 4
#define ROTATIONS 5

// Rotations of several processes at once: none is lost.
static void one_process_at_a_time(void **state)
{
	(void)state;
	struct fault f;
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	pid_t children[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			uint16_t epoch;
			for (int j = 0; j < ROTATIONS; j++)
				if (keyring_rotate(path, &epoch, &f) != REASON_OK)
					_exit(1);
			_exit(0);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	struct keyring *ring = load();
	struct key_info info[KEYS_MAX];
	assert_int_equal(keyring_list(ring, info, KEYS_MAX), 1 + PROCESSES * ROTATIONS);
	assert_int_equal(keyring_active(ring), 1 + PROCESSES * ROTATIONS);
	keyring_destroy(ring);
}

static void *unlock_later(void *fd)
{
	clock_sleep_ms(150);
	(void)flock(*(int *)fd, LOCK_UN);
	return NULL;
}

static void waits_for_the_lock(void **state)
{
	(void)state;
	struct fault f;
	uint16_t epoch;
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	int fd = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	pthread_t thread;
	int64_t start_ns = clock_mono_ns();
	assert_int_equal(pthread_create(&thread, NULL, unlock_later, &fd), 0);
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_OK);
	assert_true(clock_mono_ns() - start_ns >= 150 * INT64_C(1000000));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(close(fd), 0);
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	return crypto_setup(&f) == REASON_OK && crypto_setup(&f) == REASON_OK ? 0 : -1;
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(creates_and_loads),
		IN_FOLDER(never_replaces_by_creating),
		IN_FOLDER(rotates_and_keeps_old_epochs),
		IN_FOLDER(removes_old_epochs_alone),
		IN_FOLDER(refuses_a_file_open_to_others),
		IN_FOLDER(takes_roots_file_through_the_group),
		IN_FOLDER(refuses_what_is_no_file),
		cmocka_unit_test(finds_damage),
		cmocka_unit_test(refuses_wrong_lines),
		cmocka_unit_test(a_full_file_is_read_back),
		IN_FOLDER(replaces_in_place),
		IN_FOLDER(one_process_at_a_time),
		IN_FOLDER(waits_for_the_lock),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
