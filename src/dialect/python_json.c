// SPDX-License-Identifier: Apache-2.0
// What Python's json module (3.5 to 3.12, the C scanner) says of a text that is no JSON: frontends show it, and clients log it.
#include "dialect/reading.h"
#include "enrolld/base/utf8.h"

#define DEPTH_MAX 1000

struct scan {
	struct slice text;
	size_t at;
	const char *message; // NULL: no fault so far
	size_t fault_at;
	unsigned depth;
};

static bool fail(struct scan *s, const char *message, size_t at)
{
	if (!s->message) {
		s->message = message;
		s->fault_at = at;
	}
	return false;
}

static char look(const struct scan *s)
{
	return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct scan *s)
{
	while (s->at < s->text.len && is_space(s->text.ptr[s->at]))
		s->at++;
}

static bool scan_escape(struct scan *s, size_t begin)
{
	size_t backslash = s->at++;
	if (s->at >= s->text.len)
		return fail(s, "Unterminated string starting at", begin);
	char c = look(s);
	if (c != 'u') {
		s->at++;
		return strchr("\"\\/bfnrt", c) && c ? true : fail(s, "Invalid \\escape", backslash);
	}
	for (int i = 1; i <= 4; i++) {
		char h = s->at + (size_t)i < s->text.len ? s->text.ptr[s->at + (size_t)i] : '\0';
		if (h == '\0' || !strchr("0123456789abcdefABCDEF", h))
			return fail(s, "Invalid \\uXXXX escape", s->at);
	}
	s->at += 5;
	return true;
}

static bool scan_text(struct scan *s)
{
	size_t begin = s->at++;
	while (s->at < s->text.len) {
		unsigned char c = (unsigned char)s->text.ptr[s->at];
		if (c == '"') {
			s->at++;
			return true;
		}
		if (c < 0x20)
			return fail(s, "Invalid control character at", s->at);
		if (c == '\\') {
			if (!scan_escape(s, begin))
				return false;
			continue;
		}
		s->at++;
	}
	return fail(s, "Unterminated string starting at", begin);
}

static bool scan_number(struct scan *s)
{
	size_t begin = s->at;
	if (look(s) == '-')
		s->at++;
	if (look(s) == '0')
		s->at++;
	else if (look(s) >= '1' && look(s) <= '9')
		while (look(s) >= '0' && look(s) <= '9')
			s->at++;
	else
		return fail(s, "Expecting value", begin);
	size_t end = s->at;
	if (look(s) == '.') {
		size_t digits = ++s->at;
		while (look(s) >= '0' && look(s) <= '9')
			s->at++;
		if (s->at == digits)
			s->at = end; // the point is not the number's
		else
			end = s->at;
	}
	if (s->at == end && (look(s) == 'e' || look(s) == 'E')) {
		s->at++;
		if (look(s) == '+' || look(s) == '-')
			s->at++;
		size_t digits = s->at;
		while (look(s) >= '0' && look(s) <= '9')
			s->at++;
		if (s->at == digits)
			s->at = end;
	}
	return true;
}

static bool scan_value(struct scan *s);

static bool scan_member(struct scan *s)
{
	if (look(s) != '"')
		return fail(s, "Expecting property name enclosed in double quotes", s->at);
	if (!scan_text(s))
		return false;
	skip_space(s);
	if (look(s) != ':')
		return fail(s, "Expecting ':' delimiter", s->at);
	s->at++;
	skip_space(s);
	return scan_value(s);
}

static bool scan_container(struct scan *s, char close)
{
	s->at++;
	skip_space(s);
	if (look(s) == close) {
		s->at++;
		return true;
	}
	for (;;) {
		if (close == '}' ? !scan_member(s) : !scan_value(s))
			return false;
		skip_space(s);
		if (look(s) == close) {
			s->at++;
			return true;
		}
		if (look(s) != ',')
			return fail(s, "Expecting ',' delimiter", s->at);
		s->at++;
		skip_space(s);
	}
}

static bool scan_value(struct scan *s)
{
	static const char *const words[] = {"null", "true", "false", "NaN", "Infinity", "-Infinity"};
	char c = look(s);
	if (s->at >= s->text.len || ++s->depth > DEPTH_MAX)
		return fail(s, "Expecting value", s->at);
	bool fine = false;
	if (c == '"') {
		fine = scan_text(s);
	} else if (c == '{' || c == '[') {
		fine = scan_container(s, c == '{' ? '}' : ']');
	} else {
		for (size_t i = 0; i < ARRAY_LEN(words) && !fine; i++) {
			size_t len = strlen(words[i]);
			if (s->text.len - s->at >= len && memcmp(s->text.ptr + s->at, words[i], len) == 0) {
				s->at += len;
				fine = true;
			}
		}
		fine = fine || scan_number(s);
	}
	s->depth--;
	return fine;
}

bool python_json_error(struct slice text, struct json_place *place)
{
	struct scan s = {.text = text};
	*place = (struct json_place){"Unexpected UTF-8 BOM (decode using utf-8-sig)", 1, 1, 0};
	if (text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0)
		return true;
	skip_space(&s);
	if (scan_value(&s)) {
		skip_space(&s);
		if (s.at == text.len)
			return false;
		(void)fail(&s, "Extra data", s.at);
	}
	place->message = s.message;
	// Python counts characters.
	for (struct slice rest = {text.ptr, s.fault_at}; rest.len; place->position++) {
		uint32_t c;
		size_t size = utf8_next(rest, &c);
		place->column = c == '\n' ? 1 : place->column + 1;
		place->line += c == '\n';
		rest = (struct slice){rest.ptr + size, rest.len - size};
	}
	return true;
}
