// SPDX-License-Identifier: Apache-2.0
// E-mail addresses as RFC 5321 (section 4.1.2, dot-string) and RFC 5322 allow them without quoting; domains by RFC 5890 and UTS 46.
#include <idn2.h>
#include <unictype.h>

#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

#define ADDRESS_MAX 254
#define LOCAL_MAX 64
#define DOMAIN_MAX 253
#define LABEL_MAX 63

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_atext(char c)
{
	return is_letter(c) || is_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool local_valid(struct slice local)
{
	if (local.len == 0 || local.len > LOCAL_MAX)
		return false;
	for (size_t i = 0; i < local.len; i++) {
		bool dot = local.ptr[i] == '.';
		if (dot && (i == 0 || i + 1 == local.len || local.ptr[i - 1] == '.'))
			return false;
		if (!dot && !is_atext(local.ptr[i]))
			return false;
	}
	return true;
}

// Letters, digits and inner hyphens; two labels at least; the last is no number, so that no IP address passes.
static bool domain_valid(struct slice domain)
{
	size_t labels = 0, start = 0;
	bool all_digits = true;
	if (domain.len == 0 || domain.len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i <= domain.len; i++) {
		if (i < domain.len && domain.ptr[i] != '.') {
			char c = domain.ptr[i];
			if (!is_letter(c) && !is_digit(c) && c != '-')
				return false;
			if (!is_digit(c))
				all_digits = false;
			continue;
		}
		size_t len = i - start;
		if (len == 0 || len > LABEL_MAX || domain.ptr[start] == '-' || domain.ptr[i - 1] == '-')
			return false;
		labels++;
		if (i == domain.len)
			return labels >= 2 && !all_digits;
		start = i + 1;
		all_digits = true;
	}
	return false;
}

// A label that claims to be an A-label must be one.
static bool has_ace_label(struct slice domain)
{
	for (size_t i = 0; i + 4 <= domain.len; i++)
		if ((i == 0 || domain.ptr[i - 1] == '.') && (domain.ptr[i] | 32) == 'x' && (domain.ptr[i + 1] | 32) == 'n' &&
		    domain.ptr[i + 2] == '-' && domain.ptr[i + 3] == '-')
			return true;
	return false;
}

// What libidn2 would silently drop or map away is refused before it sees it.
static bool worth_converting(struct slice domain, bool *ascii)
{
	*ascii = true;
	while (domain.len) {
		uint32_t c;
		size_t size = utf8_next(domain, &c);
		if (c == UTF8_INVALID || (c < 0x80 && !is_letter((char)c) && !is_digit((char)c) && c != '-' && c != '.'))
			return false;
		if (c >= 0x80) {
			*ascii = false;
			if (uc_is_property_default_ignorable_code_point(c))
				return false;
		}
		domain = (struct slice){domain.ptr + size, domain.len - size};
	}
	return true;
}

static struct slice lower(struct slice text, struct arena *arena)
{
	char *copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		copy[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + 32 : text.ptr[i]);
	return (struct slice){copy, text.len};
}

static bool domain_key(struct slice domain, struct arena *arena, struct slice *key)
{
	bool ascii;
	if (domain.len > ADDRESS_MAX || !worth_converting(domain, &ascii))
		return false;
	if (ascii && !has_ace_label(domain)) {
		*key = lower(domain, arena);
		return domain_valid(*key);
	}
	struct slice text = arena_copy(arena, domain);
	uint8_t *made = NULL;
	// Never IDN2_USE_STD3_ASCII_RULES: with it the library deletes bad characters and reports success.
	if (idn2_lookup_u8((const uint8_t *)text.ptr, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	*key = lower(slice_of((const char *)made), arena);
	idn2_free(made);
	return domain_valid(*key);
}

bool rules_email(struct slice text, struct arena *arena, struct slice *key)
{
	const char *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
	// The written form may be longer than its key: four bytes a character, dots of three.
	if (!at || text.len > (size_t)4 * ADDRESS_MAX)
		return false;
	struct slice local = {text.ptr, (size_t)(at - text.ptr)};
	struct slice domain = {at + 1, text.len - local.len - 1};
	struct slice domain_text;
	if (!local_valid(local) || !domain_key(domain, arena, &domain_text) || local.len + 1 + domain_text.len > ADDRESS_MAX)
		return false;
	struct slice local_text = lower(local, arena);
	char *joined = arena_alloc(arena, local.len + domain_text.len + 2);
	memcpy(joined, local_text.ptr, local.len);
	joined[local.len] = '@';
	memcpy(joined + local.len + 1, domain_text.ptr, domain_text.len);
	*key = (struct slice){joined, local.len + 1 + domain_text.len};
	return true;
}
