// SPDX-License-Identifier: Apache-2.0
// Sealed payloads: opened by the same key in the same place, and by nothing else.
#include "enrolld/crypto/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct keyring *ring;
static struct arena *arena;
static const struct slice place = {"message 7", 9};

static enum reason try_open(struct slice context, struct slice sealed)
{
	struct fault f;
	struct slice plain = SLICE_LIT("as it was");
	enum reason reason = seal_open(ring, context, sealed, arena, &plain, &f);
	if (reason != REASON_OK)
		assert_true(slice_equal_text(plain, "as it was"));
	return reason;
}

static void opens_what_it_closed(void **state)
{
	(void)state;
	static char large[100000];
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)i;
	const struct slice plains[] = {SLICE_LIT("code 123456"), SLICE_LIT(""), SLICE_ABSENT, {large, sizeof(large)}};
	for (size_t i = 0; i < ARRAY_LEN(plains); i++) {
		struct slice sealed = seal_close(ring, place, plains[i], arena), plain = SLICE_ABSENT;
		struct fault f;
		assert_int_equal(sealed.len, 1 + 2 + 24 + plains[i].len + 16);
		assert_memory_equal(sealed.ptr, "\x01\x00\x01", 3);
		assert_int_equal(seal_open(ring, place, sealed, arena, &plain, &f), REASON_OK);
		assert_false(slice_is_absent(plain));
		assert_true(slice_equal(plain, plains[i]));
	}
}

static void never_seals_alike(void **state)
{
	(void)state;
	struct slice one = seal_close(ring, place, SLICE_LIT("same"), arena),
		     two = seal_close(ring, place, SLICE_LIT("same"), arena);
	assert_false(slice_equal(one, two));
	assert_null(memmem(one.ptr, one.len, "same", 4));
}

// Made by PyCryptodome: version 1, epoch 1, nonce 0x40 to 0x57, context "message 7", plain text "code 123456".
static void opens_what_another_made(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {0x01, 0x00, 0x01, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a,
					0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x5e,
					0x56, 0x84, 0x51, 0xfd, 0xb4, 0x74, 0xe0, 0x91, 0xa6, 0x7e, 0x1b, 0x3b, 0x0f, 0x20,
					0x36, 0x57, 0x0a, 0x0c, 0x74, 0x5a, 0x1a, 0x21, 0x1d, 0x09, 0xb1, 0x5b};
	struct slice plain = SLICE_ABSENT;
	struct fault f;
	assert_int_equal(seal_open(ring, place, (struct slice){(const char *)bytes, sizeof(bytes)}, arena, &plain, &f), REASON_OK);
	assert_true(slice_equal_text(plain, "code 123456"));
}

static void refuses_the_changed(void **state)
{
	(void)state;
	struct slice sealed = seal_close(ring, place, SLICE_LIT("code 123456"), arena);
	for (size_t len = 0; len < sealed.len; len++)
		assert_int_equal(try_open(place, (struct slice){sealed.ptr, len}), REASON_KEYS_INVALID);
	for (size_t at = 0; at < sealed.len; at++) {
		char *changed = arena_alloc(arena, sealed.len + 1);
		memcpy(changed, sealed.ptr, sealed.len);
		changed[at] ^= 1;
		assert_int_equal(try_open(place, (struct slice){changed, sealed.len}), REASON_KEYS_INVALID);
		changed[at] ^= 1;
		assert_int_equal(try_open(place, (struct slice){changed, sealed.len + 1}), REASON_KEYS_INVALID);
	}
	assert_int_equal(try_open(SLICE_LIT("message 8"), sealed), REASON_KEYS_INVALID);
	assert_int_equal(try_open(SLICE_LIT("message 77"), sealed), REASON_KEYS_INVALID);
	assert_int_equal(try_open(SLICE_ABSENT, sealed), REASON_KEYS_INVALID);
	assert_int_equal(try_open(place, SLICE_ABSENT), REASON_KEYS_INVALID);
	assert_int_equal(try_open(place, sealed), REASON_OK);
}

// What was sealed before a rotation opens after it, until its epoch is removed.
static void outlives_a_rotation(void **state)
{
	(void)state;
	char folder[] = "/tmp/test-seal-XXXXXX", path[64];
	struct fault f;
	uint16_t epoch;
	struct keyring *before = NULL, *after = NULL, *removed = NULL;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/keys", folder);
	assert_int_equal(keyring_create(path, &f), REASON_OK);
	assert_int_equal(keyring_load(path, &before, &f), REASON_OK);
	assert_int_equal(keyring_rotate(path, &epoch, &f), REASON_OK);
	assert_int_equal(keyring_load(path, &after, &f), REASON_OK);
	assert_int_equal(keyring_remove(path, 1, &f), REASON_OK);
	assert_int_equal(keyring_load(path, &removed, &f), REASON_OK);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);

	struct slice old = seal_close(before, place, SLICE_LIT("old"), arena),
		     new = seal_close(after, place, SLICE_LIT("new"), arena);
	struct slice plain = SLICE_ABSENT;
	assert_int_equal(new.ptr[2], 2);
	assert_int_equal(seal_open(after, place, old, arena, &plain, &f), REASON_OK);
	assert_true(slice_equal_text(plain, "old"));
	assert_int_equal(seal_open(before, place, new, arena, &plain, &f), REASON_KEYS_INVALID);
	assert_int_equal(seal_open(removed, place, old, arena, &plain, &f), REASON_KEYS_INVALID);
	assert_non_null(strstr(f.detail, "epoch 1"));
	assert_int_equal(seal_open(removed, place, new, arena, &plain, &f), REASON_OK);
	keyring_destroy(before);
	keyring_destroy(after);
	keyring_destroy(removed);
}

static int setup(void **state)
{
	(void)state;
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		return -1;
	ring = keyring_for_tests();
	arena = arena_create(4096);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_destroy(arena);
	keyring_destroy(ring);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_what_it_closed),    cmocka_unit_test(never_seals_alike),
		cmocka_unit_test(opens_what_another_made), cmocka_unit_test(refuses_the_changed),
		cmocka_unit_test(outlives_a_rotation),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
