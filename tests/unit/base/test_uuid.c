// SPDX-License-Identifier: Apache-2.0
// UUIDs: bits, order, text.
#include "enrolld/base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/clock.h"

static void v7_has_its_time_and_bits(void **state)
{
	(void)state;
	struct uuid u = uuid_v7_at(0x017f22e279b0); // RFC 9562 appendix A.6
	char text[UUID_TEXT_SIZE];
	assert_memory_equal(uuid_format(&u, text), "017f22e2-79b0-7", 15);
	assert_int_equal(uuid_version(&u), 7);
	assert_non_null(strchr("89ab", text[19]));
	assert_int_equal(uuid_v7_ms(&u), 0x017f22e279b0);

	int64_t before = clock_wall_ms();
	u = uuid_v7();
	assert_in_range(uuid_v7_ms(&u), before, clock_wall_ms());
}

static void v7_times_out_of_range_are_clamped(void **state)
{
	(void)state;
	struct uuid low = uuid_v7_at(-1), high = uuid_v7_at(INT64_MAX);
	assert_int_equal(uuid_v7_ms(&low), 0);
	assert_int_equal(uuid_v7_ms(&high), ((int64_t)1 << 48) - 1);
	assert_int_equal(uuid_version(&high), 7);
}

static void v7_sorts_by_time_and_does_not_repeat(void **state)
{
	(void)state;
	struct uuid made[1000];
	uint8_t seen_one[16] = {0}, seen_zero[16] = {0};
	for (size_t i = 0; i < ARRAY_LEN(made); i++) {
		made[i] = uuid_v7_at((int64_t)(i / 2)); // two of each time
		if (i >= 2)
			assert_true(memcmp(made[i - 2].bytes, made[i].bytes, 16) < 0);
		if (i % 2 == 1)
			assert_false(uuid_equal(&made[i - 1], &made[i]));
		for (size_t k = 0; k < 16; k++) {
			seen_one[k] |= made[i].bytes[k];
			seen_zero[k] |= (uint8_t)~made[i].bytes[k];
		}
	}
	// Each of the 74 random bits was seen in both states.
	static const uint8_t random_bits[16] = {[6] = 0x0f, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	for (size_t k = 6; k < 16; k++) {
		assert_int_equal(seen_one[k] & random_bits[k], random_bits[k]);
		assert_int_equal(seen_zero[k] & random_bits[k], random_bits[k]);
	}
}

static void given_bytes_are_kept_but_six_bits(void **state)
{
	(void)state;
	uint8_t ones[16], zeros[16] = {0};
	memset(ones, 0xff, sizeof(ones));
	char text[UUID_TEXT_SIZE];
	struct uuid u = uuid_v8_of(ones);
	assert_string_equal(uuid_format(&u, text), "ffffffff-ffff-8fff-bfff-ffffffffffff");
	u = uuid_v8_of(zeros);
	assert_string_equal(uuid_format(&u, text), "00000000-0000-8000-8000-000000000000");
	u = uuid_v5_of(ones);
	assert_string_equal(uuid_format(&u, text), "ffffffff-ffff-5fff-bfff-ffffffffffff");

	// RFC 9562 appendix A.4: SHA-1 of the DNS namespace and "www.example.com"
	static const uint8_t sha1[16] = {0x2e, 0xd6, 0x65, 0x7d, 0xe9, 0x27, 0x46, 0x8b,
					 0x55, 0xe1, 0x26, 0x65, 0xa8, 0xae, 0xa6, 0xa2};
	u = uuid_v5_of(sha1);
	assert_string_equal(uuid_format(&u, text), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void text_both_ways(void **state)
{
	(void)state;
	struct uuid u, back;
	char text[UUID_TEXT_SIZE];
	for (int i = 0; i < 100; i++) {
		u = uuid_v7();
		assert_true(uuid_parse(slice_of(uuid_format(&u, text)), &back));
		assert_true(uuid_equal(&u, &back));
	}
	assert_true(uuid_parse(SLICE_LIT("C232AB00-9414-11EC-B3C8-9F6BDECED846"), &u)); // upper case, version 1
	assert_string_equal(uuid_format(&u, text), "c232ab00-9414-11ec-b3c8-9f6bdeced846");
	assert_int_equal(uuid_version(&u), 1);
	assert_true(uuid_parse(SLICE_LIT("00000000-0000-0000-0000-000000000000"), &u));
	assert_true(uuid_is_nil(&u));
	u = uuid_v7();
	assert_false(uuid_is_nil(&u));
}

static void other_forms_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"c232ab00941411ecb3c89f6bdeced846",
		"c232ab00-9414-11ec-b3c8-9f6bdeced84",
		"c232ab00-9414-11ec-b3c8-9f6bdeced8466",
		"{232ab00-9414-11ec-b3c8-9f6bdeced84}",
		"c232ab00-9414-11ec-b3c8-9f6bdeced84g",
		"c232ab009-414-11ec-b3c8-9f6bdeced846",
		"c232ab00 9414 11ec b3c8 9f6bdeced846",
		"c232ab00-9414-11ec-b3c809f6bdeced846",
		"urn:uuid:c232ab00-9414-11ec-b3c8-9f6",
	};
	struct uuid u, before = uuid_v7();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		u = before;
		assert_false(uuid_parse(slice_of(bad[i]), &u));
		assert_true(uuid_equal(&u, &before));
	}
	assert_false(uuid_parse(SLICE_ABSENT, &u));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v7_has_its_time_and_bits),
		cmocka_unit_test(v7_times_out_of_range_are_clamped),
		cmocka_unit_test(v7_sorts_by_time_and_does_not_repeat),
		cmocka_unit_test(given_bytes_are_kept_but_six_bits),
		cmocka_unit_test(text_both_ways),
		cmocka_unit_test(other_forms_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
