// SPDX-License-Identifier: Apache-2.0
// classes: the text has characters of so many of these classes. Letters by Unicode's categories; special: what the rule lists, else all that is neither
// letter, mark, digit nor white space.
#include <unictype.h>

#include "enrolld/base/utf8.h"
#include "rules/rule.h"

static const char *const words[] = {"lower", "upper", "letter", "digit", "special"};
enum { LOWER, UPPER, LETTER, DIGIT, SPECIAL };

struct classes {
	unsigned of;
	size_t least;
	struct slice special; // absent: see above
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"of", "least", "special"};
	struct classes *made = ARENA_NEW(scope->arena, struct classes);
	const struct node *of = node_member(params, "of"), *least = node_member(params, "least"),
			  *special = node_member(params, "special");
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	if (reason == REASON_OK && (!node_is(of, NODE_LIST) || node_count(of) == 0 || (special && !node_is(special, NODE_TEXT))))
		reason = rule_fault(
			scope, params, f,
			"the parameter of classes is {of: [lower, upper, digit], least: 2, special: \"!@#\"}, of which only \"of\" must be there");
	for (size_t i = 0; i < node_count(of) && reason == REASON_OK; i++) {
		size_t index = 0;
		reason = rule_word(node_item(of, i), scope, "the class", words, ARRAY_LEN(words), &index, f);
		made->of |= 1u << index;
	}
	made->least = node_count(of);
	if (reason == REASON_OK && least)
		reason = rule_number(least, scope, "least", 1, (int64_t)node_count(of), &made->least, f);
	made->special = node_text(special);
	*data = made;
	return reason;
}

static unsigned classes_of(struct slice at, uint32_t c, struct slice special)
{
	unsigned found = 0;
	if (!slice_is_absent(special) && memmem(special.ptr, special.len, at.ptr, at.len))
		found |= 1u << SPECIAL;
	if (uc_is_general_category(c, UC_LOWERCASE_LETTER))
		found |= 1u << LOWER;
	if (uc_is_general_category(c, UC_UPPERCASE_LETTER))
		found |= 1u << UPPER;
	if (uc_is_general_category(c, UC_LETTER))
		found |= 1u << LETTER;
	else if (uc_is_general_category(c, UC_DECIMAL_DIGIT_NUMBER))
		found |= 1u << DIGIT;
	else if (slice_is_absent(special) && !uc_is_property_white_space(c) && !uc_is_general_category(c, UC_MARK))
		found |= 1u << SPECIAL;
	return found;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct classes *classes = data;
	struct slice rest = input->field->text;
	unsigned found = 0;
	while (rest.len) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		if (c != UTF8_INVALID)
			found |= classes_of((struct slice){rest.ptr, size}, c, classes->special);
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return (size_t)__builtin_popcount(found & classes->of) >= classes->least;
}

const struct rule_kind rule_kind_classes = {
	.name = "classes",
	.code = "too_simple",
	.text = "This needs more kinds of characters.",
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
