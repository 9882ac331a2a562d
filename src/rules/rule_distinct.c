// SPDX-License-Identifier: Apache-2.0
// distinct: the text has at least so many different characters.
#include "enrolld/base/utf8.h"
#include "rules/rule.h"

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t *least = ARENA_NEW(scope->arena, size_t);
	*data = least;
	return rule_number(params, scope, "distinct", 1, 64, least, f);
}

// Does the text have the character before the place?
static bool seen_before(struct slice text, const char *place, uint32_t wanted)
{
	for (struct slice rest = {text.ptr, (size_t)(place - text.ptr)}; rest.len;) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		if (c == wanted)
			return true;
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return false;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const size_t *least = data;
	size_t count = 0;
	for (struct slice rest = input->field->text; rest.len && count < *least;) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		count += !seen_before(input->field->text, rest.ptr, c);
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return count >= *least;
}

const struct rule_kind rule_kind_distinct = {
	.name = "distinct",
	.code = "too_simple",
	.text = "This needs at least {{value}} different characters.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
