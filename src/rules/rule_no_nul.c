// SPDX-License-Identifier: Apache-2.0
// no_nul: no NUL character, which JSON can say and a database cannot keep.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	struct slice text = input->field->text;
	(void)data;
	return text.len == 0 || !memchr(text.ptr, '\0', text.len);
}

const struct rule_kind rule_kind_no_nul = {
	.name = "no_nul",
	.code = "nul_character",
	.text = "Null characters are not allowed.",
	.holds = holds,
	.about = ABOUT_TEXT,
};
