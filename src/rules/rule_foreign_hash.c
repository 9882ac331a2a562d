// SPDX-License-Identifier: Apache-2.0
// foreign_hash: known, strong, affordable: what a password hash made elsewhere must be (see crypto/foreign.h).
#include "enrolld/crypto/foreign.h"
#include "rules/rule.h"

static const char *const words[] = {"known", "strong", "affordable"};
static const enum foreign_verdict against[] = {FOREIGN_UNKNOWN, FOREIGN_TOO_WEAK, FOREIGN_TOO_COSTLY};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t index;
	if (rule_word(params, scope, "the parameter of foreign_hash", words, ARRAY_LEN(words), &index, f) != REASON_OK)
		return REASON_DIALECT_INVALID;
	*data = &against[index];
	return REASON_OK;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const enum foreign_verdict *verdict = data;
	return foreign_check(input->field->text) != *verdict;
}

const struct rule_kind rule_kind_foreign_hash = {
	.name = "foreign_hash",
	.code = "invalid_hash",
	.text = "This password hash is not accepted: {{value}} is what it must be.",
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
