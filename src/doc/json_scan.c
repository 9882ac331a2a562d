// SPDX-License-Identifier: Apache-2.0
// The linear look before the parser: its recursion and memory are bounded by what passes here.
#include "doc/json_scan.h"

#include "enrolld/base/utf8.h"

struct scan {
	struct slice text;
	size_t at;
	size_t depth;
	bool nul;
	size_t values; // exact for well-formed text: one, one more for each comma and each bracket that is not closed at once
};

static bool hex4(const struct scan *s, size_t at, unsigned *unit)
{
	if (s->text.len - at < 4)
		return false;
	*unit = 0;
	for (size_t i = at; i < at + 4; i++) {
		char c = s->text.ptr[i];
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			digit = (unsigned)((c | 0x20) - 'a' + 10);
		else
			return false;
		*unit = *unit << 4 | digit;
	}
	return true;
}

// At the character after a backslash. Malformed escapes are the parser's to refuse.
static enum reason scan_escape(struct scan *s, struct fault *f)
{
	const char *p = s->text.ptr;
	size_t start = s->at;
	unsigned unit, low;

	if (p[s->at++] != 'u' || !hex4(s, s->at, &unit))
		return REASON_OK;
	s->at += 4;
	if (unit == 0 && !s->nul)
		return fault_set(f, REASON_TEXT_NUL, "escaped NUL at byte %zu", start);
	if (unit < 0xd800 || unit > 0xdfff)
		return REASON_OK;
	if (unit < 0xdc00 && s->text.len - s->at >= 6 && p[s->at] == '\\' && p[s->at + 1] == 'u' && hex4(s, s->at + 2, &low) &&
	    low >= 0xdc00 && low <= 0xdfff) {
		s->at += 6;
		return REASON_OK;
	}
	return fault_set(f, REASON_TEXT_INVALID_UTF8, "unpaired surrogate at byte %zu", start);
}

static enum reason scan_wide(struct scan *s, struct fault *f)
{
	uint32_t code_point;
	size_t len = utf8_next((struct slice){s->text.ptr + s->at, s->text.len - s->at}, &code_point);

	if (code_point == UTF8_INVALID)
		return fault_set(f, REASON_TEXT_INVALID_UTF8, "invalid UTF-8 at byte %zu", s->at);
	s->at += len;
	return REASON_OK;
}

static enum reason scan_string(struct scan *s, struct fault *f)
{
	enum reason r;

	while (s->at < s->text.len) {
		unsigned char c = (unsigned char)s->text.ptr[s->at];

		if (c == '"') {
			s->at++;
			return REASON_OK;
		}
		if (c == '\\') {
			if (++s->at < s->text.len && (r = scan_escape(s, f)))
				return r;
			continue;
		}
		if (c == 0)
			return fault_set(f, REASON_TEXT_NUL, "NUL at byte %zu", s->at);
		if (c < 0x80) {
			s->at++;
			continue;
		}
		if ((r = scan_wide(s, f)))
			return r;
	}
	return REASON_OK;
}

// Any character outside strings but quotes.
static enum reason scan_mark(struct scan *s, const struct json_limits *limits, char before, struct fault *f)
{
	switch (s->text.ptr[s->at]) {
	case '{':
	case '[':
		s->values++;
		if (++s->depth > limits->depth)
			return fault_set(f, REASON_JSON_TOO_DEEP, "more than %zu levels at byte %zu", limits->depth, s->at);
		break;
	case '}':
	case ']':
		if (s->depth > 0)
			s->depth--;
		if (before == '{' || before == '[')
			s->values--;
		break;
	case ',': s->values++; break;
	case '\0': return fault_set(f, REASON_TEXT_NUL, "NUL at byte %zu", s->at);
	default: break;
	}
	return REASON_OK;
}

enum reason json_scan(struct slice text, const struct json_limits *limits, struct fault *f)
{
	struct scan s = {.text = text, .nul = limits->nul, .values = 1};
	char before = ' '; // the last character that is not white space
	enum reason r;

	while (s.at < text.len && s.values <= limits->nodes + 1) {
		char c = text.ptr[s.at];

		if ((unsigned char)c >= 0x80) {
			if ((r = scan_wide(&s, f)))
				return r;
			before = c;
			continue;
		}
		if ((r = scan_mark(&s, limits, before, f)))
			return r;
		s.at++;
		if (c == '"' && (r = scan_string(&s, f)))
			return r;
		if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
			before = c;
	}
	if (s.values > limits->nodes)
		return fault_set(f, REASON_RECORD_TOO_LARGE, "more than %zu values", limits->nodes);
	return REASON_OK;
}
