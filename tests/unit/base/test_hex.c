// SPDX-License-Identifier: Apache-2.0
// Hexadecimal and base64url, both ways and strictly.
#include "enrolld/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "enrolld/base/random.h"

static void hex_both_ways(void **state)
{
	(void)state;
	uint8_t all[256], back[256];
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)i;
	char text[HEX_TEXT_SIZE(sizeof(all))];
	hex_encode(all, sizeof(all), text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102030405060708090a0b0c0d0e0f10", 34);
	assert_memory_equal(text + 504, "fcfdfeff", 9);
	assert_true(hex_decode(slice_of(text), back));
	assert_memory_equal(all, back, sizeof(all));
	assert_true(hex_decode(SLICE_LIT("DEADbeef"), back));
	assert_memory_equal(back, "\xde\xad\xbe\xef", 4);
	hex_encode(all, 0, text);
	assert_string_equal(text, "");
	assert_true(hex_decode(SLICE_LIT(""), back));
}

static void hex_refuses_what_is_none(void **state)
{
	(void)state;
	static const char *const bad[] = {"a", "0g", "g0", " 0", "0x", "00 ", "0@", "`0", ":0", "/0", "G0", "0\xc3"};
	uint8_t out[8];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(hex_decode(slice_of(bad[i]), out));
	assert_false(hex_decode(SLICE_LIT("0\0"), out));
}

static void base64url_vectors(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes;
		const char *text;
	} cases[] = {
		// RFC 4648 section 10, without padding
		{{"", 0}, ""},           {{"f", 1}, "Zg"},          {{"fo", 2}, "Zm8"},          {{"foo", 3}, "Zm9v"},
		{{"foob", 4}, "Zm9vYg"}, {{"fooba", 5}, "Zm9vYmE"}, {{"foobar", 6}, "Zm9vYmFy"}, {{"\xfb\xff\xfe", 3}, "-__-"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[16];
		uint8_t back[16];
		size_t len = 99;
		assert_int_equal(base64url_encode(cases[i].bytes.ptr, cases[i].bytes.len, text), strlen(cases[i].text));
		assert_string_equal(text, cases[i].text);
		assert_int_equal(BASE64URL_TEXT_SIZE(cases[i].bytes.len), strlen(cases[i].text) + 1);
		assert_true(base64url_decode(slice_of(text), back, &len));
		assert_int_equal(len, cases[i].bytes.len);
		assert_memory_equal(back, cases[i].bytes.ptr, len);
	}
}

static void base64url_any_bytes(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 100; n++) {
		uint8_t bytes[100], back[BASE64URL_BYTES_SIZE(BASE64URL_TEXT_SIZE(100))];
		char text[BASE64URL_TEXT_SIZE(100)];
		size_t len;
		random_fill(bytes, n);
		size_t text_len = base64url_encode(bytes, n, text);
		assert_true(text_len < BASE64URL_TEXT_SIZE(n));
		assert_true(base64url_decode((struct slice){text, text_len}, back, &len));
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
	}
}

static void base64url_has_one_text_per_value(void **state)
{
	(void)state;
	static const char *const bad[] = {"A",   "AAAAA", "Zg==", "Zg=",  "Z",     "Zm9vY", "Zh",
					  "Zm9", "Zm8=",  "+/+/", "Zm 8", "Zm8\n", "Zm8.",  "Zm\xc3\xa9"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t out[16];
		size_t len = 99;
		assert_false(base64url_decode(slice_of(bad[i]), out, &len));
		assert_int_equal(len, 99);
	}
}

static void base64_vectors(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes;
		const char *text;
	} cases[] = {
		{{"", 0}, ""},
		{{"f", 1}, "Zg=="},
		{{"fo", 2}, "Zm8="},
		{{"foo", 3}, "Zm9v"},
		{{"foob", 4}, "Zm9vYg=="},
		{{"fooba", 5}, "Zm9vYmE="},
		{{"foobar", 6}, "Zm9vYmFy"},
		{{"\xfb\xff\xfe", 3}, "+//+"},
		{{"\0\0", 2}, "AAA="},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t out[BASE64_BYTES_SIZE(8)];
		size_t len = 99;
		assert_true(base64_decode(slice_of(cases[i].text), out, &len));
		assert_int_equal(len, cases[i].bytes.len);
		assert_memory_equal(out, cases[i].bytes.ptr, len);
	}
}

static void base64_has_one_text_per_value(void **state)
{
	(void)state;
	static const char *const bad[] = {"A",        "AA",   "AAA",      "AAAAA", "=",     "====",      "A===",
					  "Z===",     "Zg=A", "Zh==",     "Zm9=",  "-__-",  "Zm 8",      "Zm8\n",
					  "Zg==Zg==", "=Zg=", "Zm9v====", "Zm9v=", "\nZm9", "Zm\xc3\xa9"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t out[16];
		size_t len = 99;
		if (base64_decode(slice_of(bad[i]), out, &len))
			fail_msg("\"%s\" is taken", bad[i]);
		assert_int_equal(len, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_both_ways),
		cmocka_unit_test(hex_refuses_what_is_none),
		cmocka_unit_test(base64url_vectors),
		cmocka_unit_test(base64url_any_bytes),
		cmocka_unit_test(base64url_has_one_text_per_value),
		cmocka_unit_test(base64_vectors),
		cmocka_unit_test(base64_has_one_text_per_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
