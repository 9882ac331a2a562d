// SPDX-License-Identifier: Apache-2.0
// Language tags: BCP 47 (RFC 5646, section 2.1), well-formed, in the case of section 2.1.1.
#include "enrolld/rules/rules.h"

#define TAG_MAX 35 // section 4.4.1: what an implementation must take
#define SUBTAG_MAX 8

static bool all(struct slice s, bool letters, bool digits)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = (char)(s.ptr[i] | 32);
		bool letter = c >= 'a' && c <= 'z', digit = s.ptr[i] >= '0' && s.ptr[i] <= '9';
		if (!((letter && letters) || (digit && digits)))
			return false;
	}
	return true;
}

static struct slice next_subtag(struct slice *rest)
{
	const char *dash = rest->len ? memchr(rest->ptr, '-', rest->len) : NULL;
	struct slice subtag = {rest->ptr, dash ? (size_t)(dash - rest->ptr) : rest->len};
	*rest = dash ? (struct slice){dash + 1, rest->len - subtag.len - 1} : SLICE_ABSENT;
	return subtag;
}

enum part { LANGUAGE, EXTLANG, SCRIPT, REGION, VARIANT, EXTENSION, EXTENSION_BODY, PRIVATE, PRIVATE_BODY, NOTHING };

// The part a subtag is, given the one before: the grammar goes one way only.
static enum part part_of(struct slice s, enum part before, unsigned extlangs)
{
	if (before == PRIVATE || before == PRIVATE_BODY)
		return PRIVATE_BODY;
	if (s.len == 1)
		return (s.ptr[0] | 32) == 'x' ? PRIVATE : before == EXTENSION ? NOTHING : EXTENSION;
	if (before == EXTENSION || before == EXTENSION_BODY)
		return EXTENSION_BODY;
	if (before <= EXTLANG && s.len == 3 && all(s, true, false) && extlangs < 3)
		return EXTLANG;
	if (before < SCRIPT && s.len == 4 && all(s, true, false))
		return SCRIPT;
	if (before < REGION && ((s.len == 2 && all(s, true, false)) || (s.len == 3 && all(s, false, true))))
		return REGION;
	if (s.len >= 5 || (s.len == 4 && s.ptr[0] >= '0' && s.ptr[0] <= '9'))
		return VARIANT;
	return NOTHING;
}

static void write(char *out, struct slice s, enum part part)
{
	for (size_t i = 0; i < s.len; i++) {
		bool letter = all((struct slice){s.ptr + i, 1}, true, false);
		bool up = part == REGION || (part == SCRIPT && i == 0);
		out[i] = (char)(!letter ? s.ptr[i] : up ? s.ptr[i] & ~32 : s.ptr[i] | 32);
	}
}

bool rules_locale(struct slice text, struct arena *arena, struct slice *normal)
{
	char out[TAG_MAX + 1];
	if (text.len < 2 || text.len > TAG_MAX)
		return false;
	struct slice rest = text;
	enum part part = LANGUAGE;
	unsigned extlangs = 0;
	for (bool first = true; !slice_is_absent(rest); first = false) {
		struct slice s = next_subtag(&rest);
		size_t at = (size_t)(s.ptr - text.ptr);
		if (s.len == 0 || s.len > SUBTAG_MAX || !all(s, true, true))
			return false;
		if (first && (s.len < 2 || s.len == 4 || !all(s, true, false)))
			return false;
		if (!first)
			part = part_of(s, part, extlangs);
		if (part == NOTHING || (part == EXTLANG && ++extlangs > 3))
			return false;
		write(out + at, s, part);
		if (!slice_is_absent(rest))
			out[at + s.len] = '-';
	}
	if (part == EXTENSION || part == PRIVATE)
		return false;
	*normal = arena_copy(arena, (struct slice){out, text.len});
	return true;
}
