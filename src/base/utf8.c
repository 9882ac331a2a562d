// SPDX-License-Identifier: Apache-2.0
// Decoding UTF-8 code point by code point.
#include "enrolld/base/utf8.h"

// What may follow a lead byte: how many bytes, and the range of the first of them (the others are 80..BF).
struct lead {
	size_t more;
	unsigned char low, high;
};

static struct lead lead_of(unsigned char byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return (struct lead){1, 0x80, 0xbf};
	if (byte == 0xe0)
		return (struct lead){2, 0xa0, 0xbf};
	if (byte == 0xed)
		return (struct lead){2, 0x80, 0x9f};
	if (byte >= 0xe1 && byte <= 0xef)
		return (struct lead){2, 0x80, 0xbf};
	if (byte == 0xf0)
		return (struct lead){3, 0x90, 0xbf};
	if (byte >= 0xf1 && byte <= 0xf3)
		return (struct lead){3, 0x80, 0xbf};
	if (byte == 0xf4)
		return (struct lead){3, 0x80, 0x8f};
	return (struct lead){0, 0, 0};
}

size_t utf8_next(struct slice text, uint32_t *code_point)
{
	unsigned char first = (unsigned char)text.ptr[0];
	if (first < 0x80) {
		*code_point = first;
		return 1;
	}
	*code_point = UTF8_INVALID;
	struct lead lead = lead_of(first);
	if (lead.more == 0)
		return 1;
	uint32_t value = first & (0x3fU >> lead.more);
	for (size_t i = 1; i <= lead.more; i++) {
		unsigned char low = i == 1 ? lead.low : 0x80;
		unsigned char high = i == 1 ? lead.high : 0xbf;
		if (i >= text.len || (unsigned char)text.ptr[i] < low || (unsigned char)text.ptr[i] > high)
			return i;
		value = value << 6 | ((unsigned char)text.ptr[i] & 0x3fU);
	}
	*code_point = value;
	return lead.more + 1;
}

bool utf8_valid(struct slice text)
{
	for (size_t at = 0; at < text.len;) {
		uint32_t code_point;
		at += utf8_next((struct slice){text.ptr + at, text.len - at}, &code_point);
		if (code_point == UTF8_INVALID)
			return false;
	}
	return true;
}

size_t utf8_length(struct slice text)
{
	size_t length = 0;
	for (size_t at = 0; at < text.len; length++) {
		uint32_t code_point;
		at += utf8_next((struct slice){text.ptr + at, text.len - at}, &code_point);
	}
	return length;
}

struct slice utf8_cut(struct slice text, size_t max)
{
	if (text.len <= max)
		return text;
	size_t len = 0;
	while (len < max) {
		uint32_t code_point;
		size_t step = utf8_next((struct slice){text.ptr + len, text.len - len}, &code_point);
		if (step > max - len)
			break;
		len += step;
	}
	return (struct slice){text.ptr, len};
}
