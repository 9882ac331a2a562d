// SPDX-License-Identifier: Apache-2.0
// Memory of one request: zeroed, aligned, wiped at the end.
#include "enrolld/base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "panic.h"

static bool all_zero(const void *bytes, size_t len)
{
	const unsigned char *b = bytes;
	for (size_t i = 0; i < len; i++) {
		if (b[i] != 0)
			return false;
	}
	return true;
}

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	unsigned char *pieces[200];
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		pieces[i] = arena_alloc(arena, i);
		assert_true(all_zero(pieces[i], i));
		assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
		memset(pieces[i], (int)(i + 1) & 0xff, i);
		assert_string_equal(arena_text(arena, "x"), "x"); // leaves an odd place behind
	}
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		for (size_t k = 0; k < i; k++)
			assert_int_equal(pieces[i][k], (i + 1) & 0xff);
	}
	arena_destroy(arena);
}

static void copies_end_with_nul(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	char source[] = {'a', 'b', 'c'};
	struct slice copy = arena_copy(arena, (struct slice){source, 3});
	source[0] = 'z';
	assert_string_equal(copy.ptr, "abc");
	assert_int_equal(copy.len, 3);
	assert_string_equal(arena_text(arena, "text"), "text");
	assert_true(slice_is_absent(arena_copy(arena, SLICE_ABSENT)));
	struct slice empty = arena_copy(arena, SLICE_LIT(""));
	assert_false(slice_is_absent(empty));
	assert_int_equal(empty.len, 0);
	assert_int_equal(empty.ptr[0], '\0');
	struct slice binary = arena_copy(arena, SLICE_LIT("a\0b"));
	assert_memory_equal(binary.ptr, "a\0b", 4);
	arena_destroy(arena);
}

static void printf_is_as_long_as_it_needs(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	struct slice s = arena_printf(arena, "%s/%d", "realm", 7);
	assert_true(slice_equal_text(s, "realm/7"));
	assert_int_equal(s.ptr[s.len], '\0');
	s = arena_printf(arena, "%05000d", 0);
	assert_int_equal(s.len, 5000);
	assert_int_equal(strlen(s.ptr), 5000);
	s = arena_printf(arena, "%s", "");
	assert_int_equal(s.len, 0);
	assert_false(slice_is_absent(s));
	arena_destroy(arena);
}

static void large_pieces_leave_the_block_in_use(void **state)
{
	(void)state;
	struct arena *arena = arena_create(4096);
	char *before = arena_alloc(arena, 16);
	char *large = arena_alloc(arena, 100000);
	char *after = arena_alloc(arena, 16);
	assert_ptr_equal(after, before + 16);
	assert_true(all_zero(large, 100000));
	memset(large, 1, 100000);
	assert_int_equal(arena_held(arena), 4096 + 100000);
	assert_int_equal(arena_used(arena), 100032);
	arena_destroy(arena);
}

static void reset_wipes_and_keeps_the_first_block(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	char *first = arena_alloc(arena, 512);
	memset(first, 's', 512);
	char *secret = arena_text(arena, "correct horse");
	for (int i = 0; i < 100; i++)
		memset(arena_alloc(arena, 200), 's', 200);
	assert_true(arena_held(arena) > 20000);
	assert_int_equal(arena_used(arena), 512 + 14 + 100 * 200);

	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	assert_int_equal(arena_held(arena), 1024);
	char *again = arena_alloc(arena, 1024); // the first block is still there
	assert_ptr_equal(again, first);
	assert_ptr_equal(again + 512, secret);
	assert_true(all_zero(again, 1024));
	arena_destroy(arena);
	arena_destroy(NULL);
}

static void arrays_are_zeroed(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	uint64_t *numbers = ARENA_ARRAY(arena, 100, uint64_t);
	assert_true(all_zero(numbers, 100 * sizeof(*numbers)));
	struct pair {
		void *a;
		int b;
	} *pair = ARENA_NEW(arena, struct pair);
	assert_null(pair->a);
	assert_int_equal(pair->b, 0);
	arena_destroy(arena);
}

static void overflow_the_size(void *ctx)
{
	volatile size_t half = SIZE_MAX / 2;
	void *never = arena_alloc_array(ctx, half, 3);
	(void)never;
}

static void take_a_block_of(void *ctx)
{
	struct arena *arena = arena_create(*(const size_t *)ctx);
	arena_destroy(arena);
}

static void what_cannot_be_is_a_panic(void **state)
{
	(void)state;
	struct arena *arena = arena_create(1024);
	assert_panics(overflow_the_size, arena, "elements");
	arena_destroy(arena);
	size_t small = 1023, large = ((size_t)1 << 20) + 1;
	assert_panics(take_a_block_of, &small, "block size");
	assert_panics(take_a_block_of, &large, "block size");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(copies_end_with_nul),
		cmocka_unit_test(printf_is_as_long_as_it_needs),
		cmocka_unit_test(large_pieces_leave_the_block_in_use),
		cmocka_unit_test(reset_wipes_and_keeps_the_first_block),
		cmocka_unit_test(arrays_are_zeroed),
		cmocka_unit_test(what_cannot_be_is_a_panic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
