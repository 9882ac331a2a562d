// SPDX-License-Identifier: Apache-2.0
// E-mail syntax as libraries decide it, so that a frontend's addresses stay what they were:
//   Django        EmailValidator of 3.2.25 to 5.x (core/validators.py)
//   Laravel       the rule "email" without options: RFCValidation of egulias/email-validator 3 and 4
//   validator.js  isEmail of 13.x with its defaults, as class-validator calls it
//   HTML          input type=email (HTML Living Standard, 4.10.5.1.5)
#include <idn2.h>

#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

#define LAST_AT(text) ((text).len ? memrchr((text).ptr, '@', (text).len) : NULL)

static bool is_alnum(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_atext(uint32_t c)
{
	return is_alnum(c) || (c > ' ' && c < 0x7f && strchr("!#$%&'*+-/=?^_`{|}~", (int)c));
}

static struct slice from(struct slice text, size_t start)
{
	return (struct slice){text.ptr + start, text.len - start};
}

// The label at the front, and what follows its dot; false past the last one.
static bool next_label(struct slice *rest, struct slice *label, bool *more)
{
	if (!*more)
		return false;
	const char *dot = rest->len ? memchr(rest->ptr, '.', rest->len) : NULL;
	*label = (struct slice){rest->ptr, dot ? (size_t)(dot - rest->ptr) : rest->len};
	*more = dot != NULL;
	*rest = dot ? from(*rest, label->len + 1) : (struct slice){rest->ptr + rest->len, 0};
	return true;
}

// Letters and digits, inner hyphens, 1 to 63 bytes.
static bool is_ldh(struct slice label)
{
	if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_alnum((unsigned char)label.ptr[i]) && label.ptr[i] != '-')
			return false;
	return true;
}

// Dot-separated runs of what passes; extra decides about code points above ASCII.
static bool is_dot_atom(struct slice text, bool (*extra)(uint32_t c))
{
	bool fresh = true; // at the beginning of a run
	while (text.len) {
		uint32_t c;
		size_t size = utf8_next(text, &c);
		if (c == '.' ? fresh : c < 0x80 ? !is_atext(c) : (!extra || c == UTF8_INVALID || !extra(c)))
			return false;
		fresh = c == '.';
		text = from(text, size);
	}
	return !fresh;
}

static bool in_quotes(struct slice text)
{
	return text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
}

// Dots between octets of 0 to 255 without leading zeros.
static bool is_ipv4(struct slice text)
{
	struct slice rest = text, part;
	bool more = true;
	size_t parts = 0;
	while (next_label(&rest, &part, &more)) {
		int value = 0;
		if (part.len == 0 || part.len > 3 || (part.len > 1 && part.ptr[0] == '0'))
			return false;
		for (size_t i = 0; i < part.len; i++) {
			if (part.ptr[i] < '0' || part.ptr[i] > '9')
				return false;
			value = value * 10 + (part.ptr[i] - '0');
		}
		if (value > 255)
			return false;
		parts++;
	}
	return parts == 4;
}

// RFC 4291, section 2.2: eight groups, one run of zeros as "::", an IPv4 address as the last two.
static bool is_ipv6(struct slice text)
{
	size_t groups = 0;
	bool gap = false;
	if (text.len < 2 || (text.ptr[0] == ':' && text.ptr[1] != ':'))
		return false;
	for (size_t i = 0; i < text.len;) {
		if (text.ptr[i] == ':') {
			bool twice = i + 1 < text.len && text.ptr[i + 1] == ':';
			if (twice && (gap || (i + 2 < text.len && text.ptr[i + 2] == ':')))
				return false;
			gap = gap || twice;
			i += twice ? 2 : 1;
			if (i == text.len)
				return twice && groups < 8;
			continue;
		}
		size_t start = i;
		while (i < text.len && text.ptr[i] != ':')
			i++;
		struct slice group = {text.ptr + start, i - start};
		if (memchr(group.ptr, '.', group.len))
			return i == text.len && is_ipv4(group) && (gap ? groups + 2 < 8 : groups + 2 == 8);
		if (group.len > 4)
			return false;
		for (size_t j = 0; j < group.len; j++)
			if (!strchr("0123456789abcdefABCDEF", group.ptr[j]))
				return false;
		groups++;
	}
	return gap ? groups < 8 : groups == 8;
}

static bool is_address_literal(struct slice domain)
{
	if (domain.len < 3 || domain.ptr[0] != '[' || domain.ptr[domain.len - 1] != ']')
		return false;
	struct slice address = {domain.ptr + 1, domain.len - 2};
	return is_ipv4(address) || is_ipv6(address);
}

// Django: quoted texts hold anything but white space, quotes and backslashes, which must be escaped.
static bool django_quoted(struct slice local)
{
	if (!in_quotes(local))
		return false;
	for (size_t i = 1; i + 1 < local.len; i++) {
		unsigned char c = (unsigned char)local.ptr[i];
		if (c == '\\') {
			c = ++i + 1 < local.len ? (unsigned char)local.ptr[i] : 0;
			if (c == 0 || c == '\n' || c == '\r' || c > 0x7f)
				return false;
		} else if (c == 0 || c == '\t' || c == '\n' || c == '\r' || c == ' ' || c == '"' || c > 0x7f) {
			return false;
		}
	}
	return true;
}

static bool django_domain(struct slice domain)
{
	struct slice rest = domain, label;
	bool more = true;
	size_t labels = 0;
	while (next_label(&rest, &label, &more)) {
		labels++;
		if (more && !is_ldh(label))
			return false;
	}
	// The last one may begin with a hyphen, though not end with one.
	if (labels < 2 || label.len < 2 || label.len > 63 || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++)
		if (!is_alnum((unsigned char)label.ptr[i]) && label.ptr[i] != '-')
			return false;
	return true;
}

// What Python's re.IGNORECASE takes for one of A to Z besides.
static bool django_letter(uint32_t c)
{
	return c == 0x130 || c == 0x131 || c == 0x17f || c == 0x212a;
}

static bool django(struct slice text, struct arena *arena)
{
	const char *at = LAST_AT(text);
	if (!at || utf8_length(text) > 320)
		return false;
	struct slice local = {text.ptr, (size_t)(at - text.ptr)}, domain = from(text, local.len + 1);
	if (!is_dot_atom(local, django_letter) && !django_quoted(local))
		return false;
	if (slice_equal_text(domain, "localhost") || django_domain(domain) || is_address_literal(domain))
		return true;
	uint8_t *made = NULL;
	if (domain.len == 0 ||
	    idn2_lookup_u8((const uint8_t *)arena_copy(arena, domain).ptr, &made, IDN2_NFC_INPUT | IDN2_TRANSITIONAL) != IDN2_OK)
		return false;
	struct slice ascii = slice_of((const char *)made);
	bool valid = django_domain(ascii) || is_address_literal(ascii);
	idn2_free(made);
	return valid;
}

static bool any_above_ascii(uint32_t c)
{
	return c >= 0xa0;
}

static bool laravel_quoted(struct slice local)
{
	if (!in_quotes(local) || local.len < 3)
		return false;
	for (size_t i = 1; i + 1 < local.len; i++) {
		unsigned char c = (unsigned char)local.ptr[i];
		if (c == '\\' && ++i + 1 == local.len)
			return false;
		if (c == '"' || c < 0x20 || c == 0x7f)
			return false;
	}
	return true;
}

static bool laravel_domain(struct slice domain)
{
	struct slice rest = domain, label;
	bool more = true;
	if (domain.len >= 2 && domain.ptr[0] == '[')
		return domain.ptr[domain.len - 1] == ']';
	while (next_label(&rest, &label, &more)) {
		if (label.len == 0 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return false;
		for (struct slice left = label; left.len;) {
			uint32_t c;
			size_t size = utf8_next(left, &c);
			if (c == UTF8_INVALID || (c < 0x80 ? !is_alnum(c) && c != '-' && c != '_' : c < 0xa0))
				return false;
			left = from(left, size);
		}
	}
	return true;
}

static bool laravel(struct slice text)
{
	const char *at = LAST_AT(text);
	if (!at || text.len > 1024)
		return false;
	struct slice local = {text.ptr, (size_t)(at - text.ptr)};
	return (is_dot_atom(local, any_above_ascii) || laravel_quoted(local)) && laravel_domain(from(text, local.len + 1));
}

// The ranges that validator.js takes for letters above ASCII.
static bool js_letter(uint32_t c)
{
	return (c >= 0xa1 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfdcf) || (c >= 0xfdf0 && c <= 0xffef);
}

// It looks at the first quote only; whatever is last is dropped unseen.
static bool js_quoted(struct slice local)
{
	size_t last = local.len;
	while (last > 1 && ((unsigned char)local.ptr[--last] & 0xc0) == 0x80)
		;
	struct slice left = {local.ptr + 1, last > 1 ? last - 1 : 0};
	while (left.len) {
		uint32_t c;
		size_t size = utf8_next(left, &c);
		bool escape = c == '\\';
		if (escape) {
			left = from(left, size);
			if (left.len == 0)
				return false;
			size = utf8_next(left, &c);
		}
		if (c == UTF8_INVALID || c == 0 || (c >= 0x80 && c != 0xa0 && !js_letter(c)) || (!escape && c == '"') ||
		    (escape && c == '\n'))
			return false;
		left = from(left, size);
	}
	return true;
}

static bool js_tld(struct slice label)
{
	size_t points = 0;
	bool punycode = label.len > 2 && (label.ptr[0] | 32) == 'x' && (label.ptr[1] | 32) == 'n';
	for (struct slice left = label; left.len; points++) {
		uint32_t c;
		size_t size = utf8_next(left, &c);
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c != UTF8_INVALID && c != 0xa9 && js_letter(c));
		if (!letter && !(punycode && (is_alnum(c) || c == '-')))
			return false;
		left = from(left, size);
	}
	return points >= 2;
}

static bool js_domain(struct slice domain)
{
	struct slice rest = domain, label = SLICE_LIT("");
	bool more = true;
	size_t labels = 0;
	while (next_label(&rest, &label, &more)) {
		labels++;
		if (label.len == 0 || utf8_length(label) > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
			return false;
		for (struct slice left = label; left.len;) {
			uint32_t c;
			size_t size = utf8_next(left, &c);
			if (c == UTF8_INVALID || c > 0xffff || (c < 0x80 ? !is_alnum(c) && c != '-' : c < 0xa1) ||
			    (c >= 0xff01 && c <= 0xff5e))
				return false;
			left = from(left, size);
		}
	}
	return labels >= 2 && js_tld(label);
}

static bool validator_js(struct slice text)
{
	const char *at = LAST_AT(text);
	if (!at || utf8_length(text) > 254)
		return false;
	struct slice local = {text.ptr, (size_t)(at - text.ptr)}, domain = from(text, local.len + 1);
	if (local.len > 64 || domain.len > 254 || !js_domain(domain))
		return false;
	return local.len && local.ptr[0] == '"' ? js_quoted(local) : is_dot_atom(local, js_letter);
}

static bool html(struct slice text)
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
	struct slice local = {text.ptr, at ? (size_t)(at - text.ptr) : 0}, label;
	bool more = true;
	if (local.len == 0)
		return false;
	for (size_t i = 0; i < local.len; i++)
		if (!is_atext((unsigned char)local.ptr[i]) && local.ptr[i] != '.')
			return false;
	struct slice rest = from(text, local.len + 1);
	while (next_label(&rest, &label, &more))
		if (!is_ldh(label))
			return false;
	return true;
}

bool rules_email_syntax(struct slice text, enum email_syntax syntax, struct arena *arena)
{
	struct slice key;
	if (slice_is_absent(text))
		return false;
	switch (syntax) {
	case EMAIL_OURS: return rules_email(text, arena, &key);
	case EMAIL_DJANGO: return django(text, arena);
	case EMAIL_LARAVEL: return laravel(text);
	case EMAIL_VALIDATOR_JS: return validator_js(text);
	case EMAIL_HTML5: return html(text);
	}
	return false;
}
