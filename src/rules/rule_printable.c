// SPDX-License-Identifier: Apache-2.0
// printable: no control characters, no line breaks, no marks that turn the direction of text, no noncharacters.
#include <unictype.h>

#include "enrolld/base/utf8.h"
#include "rules/rule.h"

static bool point_printable(uint32_t c)
{
	if (c < 0x80)
		return c >= 0x20 && c != 0x7f;
	return c != UTF8_INVALID && !uc_is_general_category(c, UC_CONTROL) && !uc_is_general_category(c, UC_LINE_SEPARATOR) &&
	       !uc_is_general_category(c, UC_PARAGRAPH_SEPARATOR) && !uc_is_property_bidi_control(c) &&
	       !uc_is_property_not_a_character(c);
}

static bool holds(const void *data, const struct rule_input *input)
{
	struct slice rest = input->field->text;
	(void)data;
	while (rest.len) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		if (!point_printable(c))
			return false;
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return true;
}

const struct rule_kind rule_kind_printable = {
	.name = "printable",
	.code = "invalid_characters",
	.text = "This holds characters that cannot be shown.",
	.holds = holds,
	.about = ABOUT_TEXT,
};
