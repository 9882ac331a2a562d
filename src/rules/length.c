// SPDX-License-Identifier: Apache-2.0
// Length in code points, and white space at the ends.
#include <unictype.h>

#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

size_t rules_code_points(struct slice utf8)
{
	return utf8_length(utf8);
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
