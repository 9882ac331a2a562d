// SPDX-License-Identifier: Apache-2.0
// pattern: the text matches a regular expression (PCRE2; \d, \w and \s are ASCII unless unicode is said, $ is the very end), within limits.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "rules/rule.h"

#define PATTERN_MAX 2048
#define MATCH_LIMIT 100000 // steps: a pattern that needs more is at fault, and the text does not match
#define DEPTH_LIMIT 10000
#define HEAP_LIMIT_KIB 1024

struct pattern {
	pcre2_code *code;
	pcre2_match_context *context;
};

static void *take(PCRE2_SIZE size, void *arena)
{
	return arena_alloc(arena, size);
}

static void leave(void *bytes, void *arena)
{
	(void)bytes; // goes with the arena
	(void)arena;
}

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"value", "unicode"};
	const struct node *value = node_is(params, NODE_MAP) ? node_member(params, "value") : params;
	const struct node *unicode = node_member(params, "unicode");
	struct slice text = node_text(value);
	int error;
	PCRE2_SIZE at;
	if (node_is(params, NODE_MAP) && rule_members(params, scope, known, ARRAY_LEN(known), f) != REASON_OK)
		return REASON_DIALECT_INVALID;
	if (unicode && !node_is(unicode, NODE_BOOL))
		return rule_fault(scope, unicode, f, "unicode is true or false");
	if (slice_is_absent(text) || text.len > PATTERN_MAX)
		return rule_fault(scope, params, f,
				  "the parameter of pattern is a regular expression of at most %d bytes, in quotes", PATTERN_MAX);
	struct pattern *pattern = ARENA_NEW(scope->arena, struct pattern);
	pcre2_general_context *general = pcre2_general_context_create(take, leave, scope->arena);
	pcre2_compile_context *compiling = pcre2_compile_context_create(general);
	pcre2_set_parens_nest_limit(compiling, 50);
	pattern->code = pcre2_compile((PCRE2_SPTR)text.ptr, text.len,
				      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
					      (unicode && unicode->boolean ? PCRE2_UCP : PCRE2_NEVER_UCP),
				      &error, &at, compiling);
	if (!pattern->code) {
		PCRE2_UCHAR message[128] = "";
		(void)pcre2_get_error_message(error, message, sizeof(message));
		return rule_fault(scope, params, f, "the pattern is wrong at character %zu: %s", (size_t)at + 1,
				  (const char *)message);
	}
	pattern->context = pcre2_match_context_create(general);
	(void)pcre2_set_match_limit(pattern->context, MATCH_LIMIT);
	(void)pcre2_set_depth_limit(pattern->context, DEPTH_LIMIT);
	(void)pcre2_set_heap_limit(pattern->context, HEAP_LIMIT_KIB);
	*data = pattern;
	return REASON_OK;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct pattern *pattern = data;
	struct slice text = input->field->text;
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	if (!match)
		PANIC("out of memory");
	int found = pcre2_match(pattern->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, match, pattern->context);
	pcre2_match_data_free(match);
	return found >= 0; // 0: matched, with more groups than room
}

const struct rule_kind rule_kind_pattern = {
	.name = "pattern",
	.code = "invalid_format",
	.text = "This does not have the expected form.",
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
