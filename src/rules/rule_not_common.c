// SPDX-License-Identifier: Apache-2.0
// not_common: the text is not in a list of known passwords, as a whole and whatever its case (NIST SP 800-63B-4, section 3.1.1.2).
#include <stdlib.h>
#include <unicase.h>

#include "enrolld/base/secret.h"
#include "rules/fold.h"
#include "rules/rule.h"

struct common {
	const struct word_list *list;
	bool lower; // only what is in the list when it is in lower case, not after NFKC
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"list", "match"};
	static const char *const words[] = {"folded", "lower"};
	struct fault inner;
	struct common *common = ARENA_NEW(scope->arena, struct common);
	const struct node *name = node_is(params, NODE_MAP) ? node_member(params, "list") : params;
	const struct node *match = node_member(params, "match");
	size_t index = 0;
	enum reason reason = node_is(params, NODE_MAP) ? rule_members(params, scope, known, ARRAY_LEN(known), f) : REASON_OK;
	if (reason == REASON_OK && match)
		reason = rule_word(match, scope, "match", words, ARRAY_LEN(words), &index, f);
	if (reason != REASON_OK)
		return reason;
	if (node_text(name).len == 0 || !scope->word_list)
		return rule_fault(scope, params, f,
				  "the parameter of not_common is a list below schemas/wordlists, like common-passwords");
	if (scope->word_list(scope->context, name->text, &common->list, &inner) != REASON_OK)
		return rule_fault(scope, params, f, "word list: %.200s", inner.detail);
	common->lower = index == 1;
	*data = common;
	return REASON_OK;
}

// Does lower case alone make of it what folding does?
static bool folds_to_lower(struct slice text)
{
	struct fold fold;
	size_t len = 0;
	fold_start(&fold, text);
	uint8_t *lower = text.len ? u8_tolower((const uint8_t *)text.ptr, text.len, NULL, NULL, NULL, &len) : NULL;
	bool same = lower && slice_equal((struct slice){(const char *)lower, len}, fold.text);
	if (lower)
		secret_wipe(lower, len);
	free(lower);
	fold_end(&fold);
	return same;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct common *common = data;
	struct slice text = input->field->text;
	return !word_list_has(common->list, text) || (common->lower && !folds_to_lower(text));
}

const struct rule_kind rule_kind_not_common = {
	.name = "not_common",
	.code = "too_common",
	.text = "This is one of the best-known passwords.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
