// SPDX-License-Identifier: Apache-2.0
// Addresses and names, checked once more before they leave.
#include "courier/address.h"

#include "enrolld/base/utf8.h"

#define MAIL_MAX 254
#define LOCAL_MAX 64
#define LABEL_MAX 63
#define PHONE_DIGITS_MIN 7
#define PHONE_DIGITS_MAX 15
#define NAME_POINTS_MAX 40

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_atom_char(char c)
{
	return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool is_dot_atom(struct slice text)
{
	if (text.len == 0 || text.len > LOCAL_MAX)
		return false;
	bool after_dot = true;
	for (size_t i = 0; i < text.len; i++) {
		bool dot = text.ptr[i] == '.';
		if (dot ? after_dot : !is_atom_char(text.ptr[i]))
			return false;
		after_dot = dot;
	}
	return !after_dot;
}

static bool is_label(struct slice label)
{
	if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!is_letter_or_digit(label.ptr[i]) && label.ptr[i] != '-')
			return false;
	}
	return true;
}

static bool is_domain(struct slice text)
{
	for (;;) {
		const char *dot = text.len ? memchr(text.ptr, '.', text.len) : NULL;
		size_t len = dot ? (size_t)(dot - text.ptr) : text.len;
		if (!is_label((struct slice){text.ptr, len}))
			return false;
		if (!dot)
			return true;
		text = (struct slice){dot + 1, text.len - len - 1};
	}
}

bool address_is_mail(struct slice text)
{
	if (text.len == 0 || text.len > MAIL_MAX)
		return false;
	const char *at = memchr(text.ptr, '@', text.len);
	if (!at)
		return false;
	size_t local = (size_t)(at - text.ptr);
	return is_dot_atom((struct slice){text.ptr, local}) && is_domain((struct slice){at + 1, text.len - local - 1});
}

bool address_is_phone(struct slice text)
{
	if (text.len < 1 + PHONE_DIGITS_MIN || text.len > 1 + PHONE_DIGITS_MAX || text.ptr[0] != '+' || text.ptr[1] == '0')
		return false;
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	}
	return true;
}

static bool is_break_or_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == UTF8_INVALID;
}

bool address_is_one_line(struct slice text)
{
	while (text.len > 0) {
		uint32_t c;
		size_t n = utf8_next(text, &c);
		if (is_break_or_control(c))
			return false;
		text = (struct slice){text.ptr + n, text.len - n};
	}
	return true;
}

// Marks that turn or hide text: bidi controls, zero-width characters, tags.
static bool is_invisible(uint32_t c)
{
	return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x061C ||
	       c == 0xFEFF || (c >= 0xE0000 && c <= 0xE0FFF);
}

bool address_is_greetable(struct slice name)
{
	if (name.len == 0 || utf8_length(name) > NAME_POINTS_MAX)
		return false;
	bool after_dot = false;
	while (name.len > 0) {
		uint32_t c;
		size_t n = utf8_next(name, &c);
		if (is_break_or_control(c) || is_invisible(c))
			return false;
		if (c < 0x80 && strchr("/\\:;@<>[]{}()|\"*!?%&=#$+_0123456789", (int)c))
			return false;
		// "J. R." is a name, "example.com" is a link.
		if (after_dot && c != ' ')
			return false;
		after_dot = c == '.';
		name = (struct slice){name.ptr + n, name.len - n};
	}
	return true;
}
