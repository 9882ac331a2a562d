// SPDX-License-Identifier: Apache-2.0
// Argon2id hashes, with and without kept memory, and the memory itself.
#include "enrolld/crypto/argon2.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/argon2_memory.h"
#include "enrolld/crypto/keys.h"

#define KIB ((size_t)1024)
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)

static const struct argon2_cost small = {.memory_kib = 8192, .passes = 1};
static const struct slice password = {"correct horse", 13};

// NULL only where the build has sanitizers.
static struct argon2_memory *memory_or_skip(struct argon2_cost cost)
{
	struct argon2_memory *m = argon2_memory_create(cost);
#if ARGON2_MEMORY_LENT
	assert_non_null(m);
#endif
	if (!m)
		skip();
	return m;
}

static bool fits(const char *text, struct slice candidate)
{
	struct fault f;
	bool it_fits = false;
	assert_int_equal(argon2_verify(NULL, text, candidate, &it_fits, &f), REASON_OK);
	return it_fits;
}

static void costs(void **state)
{
	(void)state;
	static const struct {
		struct argon2_cost cost;
		bool valid, strong;
	} cases[] = {
		{{8191, 1}, false, false},  {{8192, 1}, true, false},   {{8192, 0}, false, false},   {{8192, 32}, true, false},
		{{8192, 33}, false, false}, {{4194304, 1}, true, true}, {{4194305, 1}, false, true}, {{47103, 1}, true, false},
		{{47104, 1}, true, true},   {{19455, 2}, true, false},  {{19456, 2}, true, true},    {{19456, 1}, true, false},
		{{12287, 3}, true, false},  {{12288, 3}, true, true},   {{12288, 2}, true, false},   {{12288, 9}, true, true},
		{{65536, 2}, true, true},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(argon2_cost_valid(cases[i].cost), cases[i].valid);
		assert_int_equal(argon2_cost_strong(cases[i].cost), cases[i].strong);
	}
}

static void hashes_without_memory(void **state)
{
	(void)state;
	struct fault f;
	char one[ARGON2_TEXT_SIZE], two[ARGON2_TEXT_SIZE];
	assert_int_equal(argon2_hash(NULL, small, password, one, &f), REASON_OK);
	assert_int_equal(argon2_hash(NULL, small, password, two, &f), REASON_OK);
	assert_memory_equal(one, "$argon2id$v=19$m=8192,t=1,p=1$", 30);
	assert_string_not_equal(one, two); // each has its salt
	assert_true(fits(one, password));
	assert_true(fits(two, password));
	assert_false(fits(one, SLICE_LIT("correct horsf")));
	assert_false(fits(one, SLICE_LIT("correct horse ")));
	assert_false(fits(one, SLICE_LIT("correct horse\0")));
	assert_false(fits("$argon2id$v=19$m=8192,t=1,p=1$", password));
	assert_false(fits("", password));
}

static void hashes_any_bytes(void **state)
{
	(void)state;
	struct fault f;
	char text[ARGON2_TEXT_SIZE], all[1024];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	assert_int_equal(argon2_hash(NULL, small, (struct slice){all, sizeof(all)}, text, &f), REASON_OK);
	assert_true(fits(text, (struct slice){all, sizeof(all)}));
	assert_false(fits(text, (struct slice){all, sizeof(all) - 1}));
	assert_int_equal(argon2_hash(NULL, small, SLICE_LIT(""), text, &f), REASON_OK);
	assert_true(fits(text, SLICE_LIT("")));
	assert_true(fits(text, SLICE_ABSENT));
}

static void refuses_a_cost_out_of_range(void **state)
{
	(void)state;
	struct fault f;
	char text[ARGON2_TEXT_SIZE] = "as it was";
	assert_int_equal(argon2_hash(NULL, (struct argon2_cost){8191, 1}, password, text, &f), REASON_INTERNAL);
	assert_int_equal(argon2_hash(NULL, (struct argon2_cost){8192, 0}, password, text, &f), REASON_INTERNAL);
	assert_string_equal(text, "as it was");
	assert_null(argon2_memory_create((struct argon2_cost){8191, 1}));
}

// The library runs in the kept region, whatever the last hash left there, and what it makes does not depend on that.
static void hashes_in_kept_memory(void **state)
{
	(void)state;
	static const struct argon2_cost costs[] = {{8192, 1}, {8193, 2}, {8195, 3}, {9001, 1}};
	for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
		struct argon2_memory *m = memory_or_skip(costs[i]);
		assert_false(argon2_memory_used(m));
		struct fault f;
		char text[3][ARGON2_TEXT_SIZE];
		for (size_t j = 0; j < 3; j++) {
			assert_int_equal(argon2_hash(m, costs[i], password, text[j], &f), REASON_OK);
			assert_true(argon2_memory_used(m));
			if (j == 1)
				argon2_memory_wipe(m);
		}
		for (size_t j = 0; j < 3; j++) {
			assert_true(fits(text[j], password));
			bool it_fits = false;
			assert_int_equal(argon2_verify(m, text[j], password, &it_fits, &f), REASON_OK);
			assert_true(it_fits && argon2_memory_used(m));
			assert_int_equal(argon2_verify(m, text[j], SLICE_LIT("another"), &it_fits, &f), REASON_OK);
			assert_true(!it_fits && argon2_memory_used(m));
		}
		argon2_memory_destroy(m);
	}
}

// Memory of another size than the hash needs is left alone, and says so.
static void another_cost_goes_its_own_way(void **state)
{
	(void)state;
	struct argon2_memory *m = memory_or_skip(small);
	struct fault f;
	char text[ARGON2_TEXT_SIZE];
	assert_int_equal(argon2_hash(m, small, password, text, &f), REASON_OK);
	assert_true(argon2_memory_used(m));
	assert_int_equal(argon2_hash(m, (struct argon2_cost){10240, 1}, password, text, &f), REASON_OK);
	assert_false(argon2_memory_used(m));
	assert_true(fits(text, password));
	argon2_memory_destroy(m);
}

static void *map_elsewhere(void *size)
{
	return mmap(NULL, *(size_t *)size, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
}

// Only an anonymous private map of that very size, on the thread that lent it, is the region; and it is so once.
static void lends_to_the_right_map_alone(void **state)
{
	(void)state;
	struct argon2_memory *m = memory_or_skip(small);
	size_t size = small.memory_kib * KIB;
	bool starved = true;
	argon2_memory_lend(m);
	char *region = mmap(NULL, size, PROT_READ | PROT_WRITE, ANONYMOUS | MAP_POPULATE, -1, 0);
	assert_ptr_not_equal(region, MAP_FAILED);
	assert_true(argon2_memory_used(m));
	assert_int_equal((uintptr_t)region % (2048 * KIB), 0);
	char *second = mmap(NULL, size, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
	assert_ptr_not_equal(second, region);
	assert_int_equal(munmap(region, size), 0);
	assert_int_equal(munmap(second, size), 0);
	region[0] = 1; // giving it back unmapped nothing

	static const struct {
		size_t more;
		int prot, flags;
	} others[] = {
		{4096, PROT_READ | PROT_WRITE, ANONYMOUS},
		{(size_t)-4096, PROT_READ | PROT_WRITE, ANONYMOUS},
		{0, PROT_READ, ANONYMOUS},
		{0, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS},
	};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char *other = mmap(NULL, size + others[i].more, others[i].prot, others[i].flags, -1, 0);
		assert_ptr_not_equal(other, MAP_FAILED);
		assert_ptr_not_equal(other, region);
		assert_int_equal(munmap(other, size + others[i].more), 0);
	}
	pthread_t thread;
	void *elsewhere = NULL;
	assert_int_equal(pthread_create(&thread, NULL, map_elsewhere, &size), 0);
	assert_int_equal(pthread_join(thread, &elsewhere), 0);
	assert_ptr_not_equal(elsewhere, region);
	assert_int_equal(munmap(elsewhere, size), 0);
	argon2_memory_take_back(m, &starved);
	assert_false(starved);

	char *after = mmap(NULL, size, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
	assert_ptr_not_equal(after, region);
	assert_int_equal(munmap(after, size), 0);
	argon2_memory_destroy(m);
}

static size_t count_nonzero(const char *bytes, size_t len)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++)
		count += bytes[i] != 0;
	return count;
}

static void wipe_leaves_nothing(void **state)
{
	(void)state;
	struct argon2_memory *m = memory_or_skip(small);
	struct fault f;
	char text[ARGON2_TEXT_SIZE];
	bool starved;
	size_t size = small.memory_kib * KIB;
	assert_int_equal(argon2_hash(m, small, password, text, &f), REASON_OK);
	argon2_memory_lend(m);
	char *region = mmap(NULL, size, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
	assert_int_equal(munmap(region, size), 0);
	argon2_memory_take_back(m, &starved);
	assert_true(count_nonzero(region, size) > size / 2);
	argon2_memory_wipe(m);
	assert_int_equal(count_nonzero(region, size), 0);
	argon2_memory_wipe(NULL);
	argon2_memory_destroy(NULL);
	argon2_memory_destroy(m);
}

// Whether the line of the region's entry in smaps that begins so holds the word.
static bool smaps_has(const void *region, const char *line_start, const char *word)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	assert_non_null(smaps);
	char start[32], line[512];
	(void)snprintf(start, sizeof(start), "%lx-", (unsigned long)(uintptr_t)region);
	bool ours = false, has = false, done = false;
	while (!done && fgets(line, sizeof(line), smaps)) {
		ours = ours || strncmp(line, start, strlen(start)) == 0;
		if (ours && strncmp(line, line_start, strlen(line_start)) == 0) {
			has = strstr(line, word) != NULL;
			done = true;
		}
	}
	(void)fclose(smaps);
	assert_true(ours);
	return has;
}

static void region_is_huge_and_not_dumped(void **state)
{
	(void)state;
	struct argon2_memory *m = memory_or_skip((struct argon2_cost){9001, 1});
	assert_int_equal(argon2_memory_huge(m), 0); // not touched yet
	assert_int_equal(argon2_memory_huge(NULL), 0);
	assert_false(argon2_memory_used(NULL));
	bool starved;
	argon2_memory_lend(m);
	void *region = mmap(NULL, 9000 * KIB, PROT_READ | PROT_WRITE, ANONYMOUS, -1, 0);
	assert_int_equal(munmap(region, 9000 * KIB), 0);
	argon2_memory_take_back(m, &starved);
	assert_true(smaps_has(region, "VmFlags:", " dd"));
	memset(region, 1, 9000 * KIB);
	// How many huge pages the kernel has to give is its business; never more than the region holds.
	assert_true(argon2_memory_huge(m) <= 10 * 1024 * KIB);
	assert_int_equal(argon2_memory_huge(m) % (2048 * KIB), 0);
	if (argon2_memory_huge(m) > 0)
		assert_true(smaps_has(region, "VmFlags:", " hg"));
	argon2_memory_destroy(m);
}

// Lack of memory is no wrong password.
static void no_memory_is_told(void **state)
{
	(void)state;
#if !ARGON2_MEMORY_LENT
	skip(); // nobody sees the refusal
#endif
	struct fault f;
	char text[ARGON2_TEXT_SIZE], kept[ARGON2_TEXT_SIZE] = "as it was";
	assert_int_equal(argon2_hash(NULL, small, password, text, &f), REASON_OK);
	struct rlimit before, tight;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	tight = before;
	tight.rlim_cur = 4096; // less than is in use: no map succeeds
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	bool it_fits = true;
	enum reason hashed = argon2_hash(NULL, small, password, kept, &f);
	enum reason verified = argon2_verify(NULL, text, password, &it_fits, &f);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(hashed, REASON_HASH_MEMORY);
	assert_int_equal(verified, REASON_HASH_MEMORY);
	assert_true(it_fits);
	assert_string_equal(kept, "as it was");
	assert_int_equal(argon2_hash(NULL, small, password, kept, &f), REASON_OK);
}

// RFC 9106 with lanes, made by argon2-cffi (the reference code): the library fills one lane after the other.
static void verifies_what_others_made(void **state)
{
	(void)state;
	static const char made[] = "Gr\xc3\xbc\xc3\x9f"
				   "e, correct horse \xe9\xa6\xac";
	static const char *const texts[] = {
		"$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$OOF/1mbSHWdqh00PQrC5RoMevwkGU78aIbVIJA+4us4",
		"$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQxMjM0NTY3OA$+2IbW3Jd+uacIymTB/Xkud0p3dKLQvwF4FqxbanbTZo",
		"$argon2id$v=19$m=102400,t=2,p=8$c29tZXNhbHQxMjM0NTY3OA$iVnkmS7JA1td7HaT4RxrV/TCv6BkM7r33nHnVvMWOdE",
		"$argon2i$v=19$m=19456,t=3,p=1$c29tZXNhbHQxMjM0NTY3OA$qzAllaoyG65CA6nTrJzeQECA9KIj5q9odCixCF+nPYk",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_true(fits(texts[i], slice_of(made)));
		assert_false(fits(texts[i], password));
	}
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
		cmocka_unit_test(costs),
		cmocka_unit_test(hashes_without_memory),
		cmocka_unit_test(hashes_any_bytes),
		cmocka_unit_test(refuses_a_cost_out_of_range),
		cmocka_unit_test(hashes_in_kept_memory),
		cmocka_unit_test(another_cost_goes_its_own_way),
		cmocka_unit_test(lends_to_the_right_map_alone),
		cmocka_unit_test(wipe_leaves_nothing),
		cmocka_unit_test(region_is_huge_and_not_dumped),
		cmocka_unit_test(no_memory_is_told),
		cmocka_unit_test(verifies_what_others_made),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
