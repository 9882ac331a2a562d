// SPDX-License-Identifier: Apache-2.0
// unique: the claim that the field maps to is free. Only the look and the store can tell; the row names the code and the words.
#include "rules/rule.h"

static bool holds(const void *data, const struct rule_input *input)
{
	(void)data;
	(void)input;
	return true;
}

const struct rule_kind rule_kind_unique = {
	.name = "unique",
	.code = "taken",
	.text = "This is already in use.",
	.holds = holds,
};
