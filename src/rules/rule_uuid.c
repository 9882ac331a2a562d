// SPDX-License-Identifier: Apache-2.0
// uuid: a UUID in its usual form (RFC 9562, section 4), whatever the case.
#include "enrolld/base/hex.h"
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	struct slice text = input->field->text;
	for (size_t i = 0; i < text.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text.ptr[i] != '-' : !hex_is_digit(text.ptr[i]))
			return false;
	}
	return text.len == 36;
}

const struct rule_kind rule_kind_uuid = {
	.name = "uuid",
	.code = "invalid_id",
	.text = "This is not a valid id.",
	.about = ABOUT_TEXT,
	.holds = holds,
};
