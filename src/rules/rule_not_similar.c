// SPDX-License-Identifier: Apache-2.0
// not_similar: what the text adds to the names of its owner and of the service is long enough.
//
// From the text (a password) is taken away, whatever the case, each of: e-mail addresses whole and their local parts; phone numbers, digits
// only; user names; given, family and display name; the words of the local part, user name and display name; the words of the rule. Only words of
// 4 code points and more count, the longest first. The rule holds if at least "rest" code points remain.
#include <stdlib.h>

#include "enrolld/base/secret.h"
#include "rules/fold.h"
#include "rules/rule.h"

#define WORDS_MAX 48
#define WORD_POINTS_MIN 4
#define GONE '\x01' // no text that passed the parser's and the fold's hands is harmed if it has one itself: it only counts less

struct similar {
	size_t rest;
	const struct node *words; // NULL or a list of texts
};

struct words {
	struct fold folds[WORDS_MAX];
	size_t count;
};

static enum reason compile(const struct node *params, const struct rule_scope *scope, const void **data, struct fault *f)
{
	static const char *const known[] = {"rest", "words"};
	struct similar *similar = ARENA_NEW(scope->arena, struct similar);
	const struct node *rest = node_member(params, "rest");
	similar->rest = 8;
	similar->words = node_member(params, "words");
	enum reason reason = rule_members(params, scope, known, ARRAY_LEN(known), f);
	if (reason == REASON_OK && rest)
		reason = rule_number(rest, scope, "rest", 1, 256, &similar->rest, f);
	if (reason == REASON_OK && similar->words && (!node_is(similar->words, NODE_LIST) || node_count(similar->words) > 16))
		reason = rule_fault(scope, similar->words, f, "words is a list of at most 16 texts");
	for (size_t i = 0; reason == REASON_OK && i < node_count(similar->words); i++)
		if (!node_is(node_item(similar->words, i), NODE_TEXT))
			reason = rule_fault(scope, node_item(similar->words, i), f, "a word is a text");
	*data = similar;
	return reason;
}

static void add(struct words *words, struct slice text)
{
	if (words->count == WORDS_MAX || text.len < WORD_POINTS_MIN)
		return;
	struct fold *fold = &words->folds[words->count];
	fold_start(fold, text);
	if (fold->text.len && rules_code_points(fold->text) >= WORD_POINTS_MIN)
		words->count++;
	else
		fold_end(fold);
}

static bool word_byte(char c)
{
	return (c & 0x80) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The text, and its words if there are several.
static void add_with_parts(struct words *words, struct slice text)
{
	add(words, text);
	for (size_t i = 0; i < text.len;) {
		size_t start = i;
		while (i < text.len && word_byte(text.ptr[i]))
			i++;
		if (i - start != text.len)
			add(words, (struct slice){text.ptr + start, i - start});
		while (i < text.len && !word_byte(text.ptr[i]))
			i++;
	}
}

static void add_email(struct words *words, struct slice address)
{
	const char *at = address.len ? memrchr(address.ptr, '@', address.len) : NULL;
	add(words, address);
	if (at)
		add_with_parts(words, (struct slice){address.ptr, (size_t)(at - address.ptr)});
}

static void collect(struct words *words, const struct similar *similar, const struct registration *r)
{
	for (size_t i = 0; i < r->claim_count; i++) {
		const struct claim *claim = &r->claims[i];
		if (claim->kind == CLAIM_EMAIL) {
			add_email(words, claim->value);
			if (!slice_equal(claim->shown, claim->value))
				add_email(words, claim->shown);
		} else if (claim->kind == CLAIM_PHONE) {
			add(words, (struct slice){claim->value.ptr + 1, claim->value.len - 1});
		} else {
			add_with_parts(words, claim->value);
		}
	}
	add_with_parts(words, r->given_name);
	add_with_parts(words, r->family_name);
	add_with_parts(words, r->display_name);
	for (size_t i = 0; i < node_count(similar->words); i++)
		add(words, node_text(node_item(similar->words, i)));
}

static int longest_first(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;
	return (left->len < right->len) - (left->len > right->len);
}

// Overwrites each stretch that is one of the words, then counts what is left.
static size_t rest_of(char *text, size_t len, const struct words *words)
{
	struct slice sorted[WORDS_MAX] = {0};
	for (size_t i = 0; i < words->count; i++)
		sorted[i] = words->folds[i].text;
	qsort(sorted, words->count, sizeof(sorted[0]), longest_first);
	for (size_t i = 0; i < words->count; i++) {
		char *from = text;
		char *found;
		while ((found = memmem(from, len - (size_t)(from - text), sorted[i].ptr, sorted[i].len))) {
			memset(found, GONE, sorted[i].len);
			from = found + sorted[i].len;
		}
	}
	size_t rest = 0;
	for (size_t i = 0; i < len; i++)
		rest += text[i] != GONE && (text[i] & 0xc0) != 0x80;
	return rest;
}

static bool holds(const void *data, const struct rule_input *input)
{
	const struct similar *similar = data;
	struct words *words = ARENA_NEW(input->arena, struct words);
	struct fold fold;
	fold_start(&fold, input->field->text);
	collect(words, similar, input->registration);
	char *copy = arena_alloc(input->arena, fold.text.len);
	if (fold.text.len)
		memcpy(copy, fold.text.ptr, fold.text.len);
	// A text that is short in itself is another rule's matter.
	size_t whole = rules_code_points(fold.text);
	size_t rest = rest_of(copy, fold.text.len, words);
	secret_wipe(copy, fold.text.len);
	fold_end(&fold);
	for (size_t i = 0; i < words->count; i++)
		fold_end(&words->folds[i]);
	return rest == whole || rest >= similar->rest;
}

const struct rule_kind rule_kind_not_similar = {
	.name = "not_similar",
	.code = "similar_to_identity",
	.text = "This is too similar to your names or addresses, or to the name of this service.",
	.bare = true,
	.compile = compile,
	.holds = holds,
	.about = ABOUT_TEXT,
};
