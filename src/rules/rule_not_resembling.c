// SPDX-License-Identifier: Apache-2.0
// not_resembling: Django's UserAttributeSimilarityValidator (3.2.25): each of the fields, and each of its words, lower-case, has less than the ratio in
// common with the text. The ratio is difflib's quick_ratio(): twice the characters they share, in any order, over the characters of both.
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <unictype.h>

#include "enrolld/base/secret.h"
#include "enrolld/base/utf8.h"
#include "rules/rule.h"

#define TEXT_MAX 4096 // bytes; a longer text resembles nothing

struct resembling {
	const struct rule_fields *fields;
	double ratio;
};

// Sorted code points.
struct points {
	uint32_t *items;
	size_t count;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"fields", "ratio"};
	struct resembling *made = ARENA_NEW(scope->arena, struct resembling);
	const struct node *ratio = node_member(params, "ratio"), *list = node_member(params, "fields");
	const void *fields = NULL;
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	made->ratio = 0.7;
	if (reason == REASON_OK && !list)
		reason = rule_fault(scope, params, f,
				    "the parameter of not_resembling is {fields: [first_name, email], ratio: 0.7}");
	if (reason == REASON_OK && ratio) {
		made->ratio = node_is(ratio, NODE_REAL) ? ratio->real : node_is(ratio, NODE_INT) ? (double)ratio->integer : -1;
		if (made->ratio < 0.1 || made->ratio > 1)
			reason = rule_fault(scope, ratio, f, "ratio is a number from 0.1 to 1");
	}
	if (reason == REASON_OK)
		reason = rule_fields_of(list, scope, 1, &fields, f);
	made->fields = fields;
	*data = made;
	return reason;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

static struct slice lower(struct slice text, uint8_t **made)
{
	size_t len = 0;
	*made = text.len && text.len <= TEXT_MAX ? u8_tolower((const uint8_t *)text.ptr, text.len, NULL, NULL, NULL, &len) : NULL;
	return (struct slice){(const char *)*made, *made ? len : 0};
}

static void release(uint8_t *made, size_t len)
{
	if (made)
		secret_wipe(made, len);
	free(made);
}

static struct points sorted(struct slice text, struct arena *arena)
{
	struct points points = {ARENA_ARRAY(arena, text.len, uint32_t), 0};
	while (text.len) {
		size_t size = utf8_next(text, &points.items[points.count++]);
		text = (struct slice){text.ptr + size, text.len - size};
	}
	qsort(points.items, points.count, sizeof(*points.items), by_value);
	return points;
}

static size_t shared(const struct points *a, const struct points *b)
{
	size_t count = 0;
	for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
		if (a->items[i] == b->items[j]) {
			count++;
			i++;
			j++;
		} else if (a->items[i] < b->items[j]) {
			i++;
		} else {
			j++;
		}
	}
	return count;
}

// Django does not compare a long password with a short value.
static bool too_long(size_t password, double ratio, size_t value)
{
	return password >= 10 * value && (double)value < ratio / 2 * (double)password;
}

static bool resembles(const struct points *password, struct slice part, double ratio, struct arena *arena)
{
	struct points points = sorted(part, arena);
	if (too_long(password->count, ratio, points.count) || password->count + points.count == 0)
		return false;
	return 2.0 * (double)shared(password, &points) / (double)(password->count + points.count) >= ratio;
}

static bool is_word(uint32_t c)
{
	return c != UTF8_INVALID && (c == '_' || uc_is_general_category(c, UC_LETTER) || uc_is_general_category(c, UC_NUMBER));
}

// The value, and the parts between characters that are no word's.
static bool value_resembles(const struct points *password, struct slice value, double ratio, struct arena *arena)
{
	struct slice rest = value, part = {value.ptr, 0};
	while (rest.len) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		rest = (struct slice){rest.ptr + size, rest.len - size};
		if (is_word(c)) {
			part.len += size;
			continue;
		}
		if (part.len && resembles(password, part, ratio, arena))
			return true;
		part = (struct slice){rest.ptr, 0};
	}
	return (part.len && part.len != value.len && resembles(password, part, ratio, arena)) ||
	       resembles(password, value, ratio, arena);
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct resembling *rule = data;
	uint8_t *made, *value_made;
	struct slice text = lower(input->field->text, &made);
	struct points password = sorted(text, input->arena);
	bool holds = true;
	for (size_t i = 0; holds && i < rule->fields->count; i++) {
		const struct rule_field *field = &input->fields[rule->fields->indices[i]];
		struct slice value = lower(field->text, &value_made);
		if (value.len && value_resembles(&password, value, rule->ratio, input->arena)) {
			holds = false;
			if (input->notes)
				input->notes->like = field;
		}
		release(value_made, value.len);
	}
	secret_wipe(password.items, password.count * sizeof(*password.items));
	release(made, text.len);
	return holds;
}

const struct rule_kind rule_kind_not_resembling = {
	.name = "not_resembling",
	.code = "similar_to_identity",
	.text = "The password is too similar to the {{like}}.",
	.about = ABOUT_TEXT,
	.compile = compile,
	.holds = holds,
};
