// SPDX-License-Identifier: Apache-2.0
// Hexadecimal, base64url and base64.
#include "enrolld/base/hex.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_encode(const void *bytes, size_t len, char *out)
{
	const uint8_t *from = bytes;
	for (size_t i = 0; i < len; i++) {
		*out++ = hex_digits[from[i] >> 4];
		*out++ = hex_digits[from[i] & 0x0f];
	}
	*out = '\0';
}

// -1 for what is no digit.
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct slice text, uint8_t *out)
{
	if (text.len % 2 != 0)
		return false;
	for (size_t i = 0; i < text.len; i += 2) {
		int high = hex_value(text.ptr[i]);
		int low = hex_value(text.ptr[i + 1]);
		if (high < 0 || low < 0)
			return false;
		*out++ = (uint8_t)(high * 16 + low);
	}
	return true;
}

size_t base64url_encode(const void *bytes, size_t len, char *out)
{
	const uint8_t *from = bytes;
	char *to = out;
	uint32_t bits = 0; // only the low ones, held by count, are meant
	unsigned count = 0;
	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | from[i];
		count += 8;
		while (count >= 6) {
			count -= 6;
			*to++ = base64url_digits[bits >> count & 0x3f];
		}
	}
	if (count > 0)
		*to++ = base64url_digits[bits << (6 - count) & 0x3f];
	*to = '\0';
	return (size_t)(to - out);
}

// -1 for what is no digit of the alphabet whose last two are given.
static int base64_value(char c, const char last[static 2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	if (c == last[1])
		return 63;
	return -1;
}

static bool decode(struct slice text, const char last[static 2], uint8_t *out, size_t *len)
{
	if (text.len % 4 == 1)
		return false;
	uint8_t *to = out;
	uint32_t bits = 0;
	unsigned count = 0;
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.ptr[i], last);
		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		count += 6;
		if (count >= 8) {
			count -= 8;
			*to++ = (uint8_t)(bits >> count & 0xff);
		}
	}
	if ((bits & ((1U << count) - 1)) != 0)
		return false;
	*len = (size_t)(to - out);
	return true;
}

bool base64url_decode(struct slice text, uint8_t *out, size_t *len)
{
	return decode(text, "-_", out, len);
}

bool base64_decode(struct slice text, uint8_t *out, size_t *len)
{
	if (text.len % 4 != 0)
		return false;
	for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++)
		text.len--;
	return decode(text, "+/", out, len);
}
