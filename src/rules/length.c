// SPDX-License-Identifier: Apache-2.0
// Length in code points and graphemes, and white space at the ends.
#include <unictype.h>
#include <unigbrk.h>

#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

size_t rules_code_points(struct slice utf8)
{
	return utf8_length(utf8);
}

// UAX 29 by libunistring, which knows neither emoji joined by U+200D (GB11) nor flags, two letters each (GB12).
size_t rules_graphemes(struct slice utf8)
{
	size_t count = 0, flags = 0;
	uint32_t last = 0;
	for (bool first = true; utf8.len; first = false) {
		uint32_t c;
		size_t size = utf8_next(utf8, &c);
		flags = c >= 0x1f1e6 && c <= 0x1f1ff ? flags + 1 : 0;
		bool joined = last == 0x200d || (flags && flags % 2 == 0);
		count += first || (!joined && uc_is_grapheme_break(last, c));
		last = c;
		utf8 = (struct slice){utf8.ptr + size, utf8.len - size};
	}
	return count;
}

static bool is_space(struct slice at, size_t *size)
{
	uint32_t c;
	*size = utf8_next(at, &c);
	return c != UTF8_INVALID && (c < 0x80 ? c == ' ' || (c >= '\t' && c <= '\r') : uc_is_property_white_space(c));
}

struct slice rules_trim(struct slice utf8)
{
	size_t size;
	while (utf8.len && is_space(utf8, &size))
		utf8 = (struct slice){utf8.ptr + size, utf8.len - size};
	while (utf8.len) {
		size_t start = utf8.len - 1;
		while (start && (utf8.ptr[start] & 0xc0) == 0x80)
			start--;
		if (!is_space((struct slice){utf8.ptr + start, utf8.len - start}, &size) || start + size != utf8.len)
			break;
		utf8.len = start;
	}
	return utf8;
}
