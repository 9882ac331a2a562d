// SPDX-License-Identifier: Apache-2.0
// phone: the text is a phone number in international form (see phone.c).
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	struct slice key;
	return rules_phone(input->field->text, input->arena, &key);
}

const struct rule_kind rule_kind_phone = {
	.name = "phone",
	.code = "invalid_phone",
	.text = "This is not a valid phone number in international form, such as +49 30 123456.",
	.holds = holds,
	.text_only = true,
};
