// SPDX-License-Identifier: Apache-2.0
// Steps from text to text, for fields and for answers.
#include <stdlib.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "enrolld/base/secret.h"
#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

// Adds what the library made and wipes it, since it may have been a password; the text itself if it made nothing.
static void keep(uint8_t *made, size_t len, struct slice text, struct strbuf *out)
{
	if (!made) {
		strbuf_add_slice(out, text);
		return;
	}
	strbuf_add(out, made, len);
	secret_wipe(made, len);
	free(made);
}

static void trim(struct slice text, struct strbuf *out)
{
	strbuf_add_slice(out, rules_trim(text));
}

static void add_point(struct strbuf *out, uint32_t c)
{
	uint8_t bytes[4];
	int len = u8_uctomb(bytes, c, sizeof(bytes));
	if (len > 0)
		strbuf_add(out, bytes, (size_t)len);
}

// Every code point by its simple mapping, those that begin a word (or only the first one) by theirs.
static void map_points(struct slice text, struct strbuf *out, ucs4_t (*first)(ucs4_t), ucs4_t (*rest)(ucs4_t), bool words)
{
	bool begins = true;
	while (text.len) {
		uint32_t c;
		size_t size = utf8_next(text, &c);
		ucs4_t (*map)(ucs4_t) = begins ? first : rest;
		if (c == UTF8_INVALID || !map)
			strbuf_add(out, text.ptr, size);
		else
			add_point(out, map(c));
		begins = words && c != UTF8_INVALID && uc_is_property_white_space(c);
		text = (struct slice){text.ptr + size, text.len - size};
	}
}

static void lower(struct slice text, struct strbuf *out)
{
	map_points(text, out, uc_tolower, uc_tolower, false);
}

static void upper(struct slice text, struct strbuf *out)
{
	map_points(text, out, uc_toupper, uc_toupper, false);
}

static void ucfirst(struct slice text, struct strbuf *out)
{
	map_points(text, out, uc_toupper, NULL, false);
}

static void ucwords(struct slice text, struct strbuf *out)
{
	map_points(text, out, uc_toupper, NULL, true);
}

static void digits(struct slice text, struct strbuf *out)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
			strbuf_add_char(out, text.ptr[i]);
}

static void collapse(struct slice text, struct strbuf *out)
{
	bool space = false;
	while (text.len) {
		uint32_t c;
		size_t size = utf8_next(text, &c);
		bool is_space = c != UTF8_INVALID && uc_is_property_white_space(c);
		if (!is_space)
			strbuf_add(out, text.ptr, size);
		else if (!space)
			strbuf_add_char(out, ' ');
		space = is_space;
		text = (struct slice){text.ptr + size, text.len - size};
	}
}

static void normalise(struct slice text, uninorm_t form, struct strbuf *out)
{
	size_t len = 0;
	uint8_t *made = text.len && utf8_valid(text) ? u8_normalize(form, (const uint8_t *)text.ptr, text.len, NULL, &len) : NULL;
	keep(made, len, text, out);
}

static void nfc(struct slice text, struct strbuf *out)
{
	normalise(text, UNINORM_NFC, out);
}

static void nfkc(struct slice text, struct strbuf *out)
{
	normalise(text, UNINORM_NFKC, out);
}

static void domain_lower(struct slice text, struct strbuf *out)
{
	const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
	size_t local = at ? (size_t)(at - text.ptr) + 1 : text.len;
	strbuf_add(out, text.ptr, local);
	lower((struct slice){text.ptr + local, text.len - local}, out);
}

const struct rules_step rules_steps[] = {
	{"trim", trim},     {"lower", lower},       {"upper", upper}, {"ucfirst", ucfirst}, {"ucwords", ucwords},
	{"digits", digits}, {"collapse", collapse}, {"nfc", nfc},     {"nfkc", nfkc},       {"domain_lower", domain_lower},
	{NULL, NULL},
};

static bool slug_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool slug_space(char c)
{
	return c == '-' || c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static struct slice slug_strip(struct slice text)
{
	while (text.len && (text.ptr[0] == '-' || text.ptr[0] == '_'))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len && (text.ptr[text.len - 1] == '-' || text.ptr[text.len - 1] == '_'))
		text.len--;
	return text;
}

struct slice rules_slug(struct slice text, struct slice empty, size_t max, struct arena *arena)
{
	size_t len = 0, used = 0;
	uint8_t *made = text.len && utf8_valid(text) ? u8_normalize(UNINORM_NFKD, (const uint8_t *)text.ptr, text.len, NULL, &len)
						     : NULL;
	char *slug = arena_alloc(arena, len + 1);
	bool dash = false;
	for (size_t i = 0; i < len; i++) {
		char c = (char)made[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c + 32);
		if (slug_space(c)) {
			if (!dash)
				slug[used++] = '-';
			dash = true;
		} else if (slug_char(c)) {
			slug[used++] = c;
			dash = false;
		} // what is left out does not end a run: the original drops it before it joins runs
	}
	free(made);
	struct slice stem = slug_strip((struct slice){slug, used});
	if (stem.len == 0)
		stem = empty;
	if (stem.len > max)
		stem = slug_strip((struct slice){stem.ptr, max});
	return arena_copy(arena, stem);
}
