// SPDX-License-Identifier: Apache-2.0
// not_numeric: not digits only, of whatever script (Django's NumericPasswordValidator).
#include "rules/rule.h"

#include <unictype.h>

#include "enrolld/base/utf8.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	struct slice rest = input->field->text;
	if (rest.len == 0)
		return true;
	while (rest.len) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		if (c == UTF8_INVALID || uc_digit_value(c) < 0)
			return true;
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return false;
}

const struct rule_kind rule_kind_not_numeric = {
	.name = "not_numeric",
	.code = "only_digits",
	.text = "This consists of digits only.",
	.about = ABOUT_TEXT,
	.holds = holds,
};
