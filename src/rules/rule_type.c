// SPDX-License-Identifier: Apache-2.0
// type: the value as sent is of this JSON type.
#include "rules/rule.h"

static const char *const words[] = {"text", "integer", "number", "boolean", "list", "object"};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	size_t index;
	if (rule_word(params, scope, "the type", words, ARRAY_LEN(words), &index, f) != REASON_OK)
		return REASON_DIALECT_INVALID;
	*data = words[index];
	return REASON_OK;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const char *word = data;
	switch (input->field->value->type) {
	case NODE_TEXT: return strcmp(word, "text") == 0;
	case NODE_INT: return strcmp(word, "integer") == 0 || strcmp(word, "number") == 0;
	case NODE_REAL: return strcmp(word, "number") == 0;
	case NODE_BOOL: return strcmp(word, "boolean") == 0;
	case NODE_LIST: return strcmp(word, "list") == 0;
	case NODE_MAP: return strcmp(word, "object") == 0;
	case NODE_NULL: break;
	}
	return false;
}

const struct rule_kind rule_kind_type = {
	.name = "type",
	.code = "invalid_type",
	.text = "This field has the wrong type; it must be: {{value}}.",
	.compile = compile,
	.holds = holds,
};
