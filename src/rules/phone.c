// SPDX-License-Identifier: Apache-2.0
// Telephone numbers in international form: ITU-T E.164 (15 digits at most), written as E.123 and people do.
#include "enrolld/rules/rules.h"

#define DIGITS_MIN 8
#define DIGITS_MAX 15
#define WRITTEN_MAX 64

bool rules_phone(struct slice text, struct arena *arena, struct slice *key)
{
	char digits[DIGITS_MAX + 2] = "+";
	size_t count = 0;
	if (text.len < 1 + DIGITS_MIN || text.len > WRITTEN_MAX || text.ptr[0] != '+')
		return false;
	for (size_t i = 1; i < text.len; i++) {
		char c = text.ptr[i];
		if (c >= '0' && c <= '9') {
			if (count == DIGITS_MAX)
				return false;
			digits[++count] = c;
		} else if (c == '\0' || !strchr(" -./()", c) || count == 0 || (i + 1 == text.len && c != ')')) {
			return false;
		}
	}
	if (count < DIGITS_MIN || digits[1] == '0')
		return false;
	*key = arena_copy(arena, (struct slice){digits, count + 1});
	return true;
}
