// SPDX-License-Identifier: Apache-2.0
// Regular expressions from PCRE2 to what ECMA 262 and its readers understand alike: classes in full, the very end, and nothing that only one of them has.
#include "dialect/schema.h"

struct writer {
	struct strbuf *out;
	bool in_class;
};

// What stands for a class of PCRE2 without Unicode; inside brackets without its own.
static const char *class_of(char c)
{
	switch (c) {
	case 'd': return "0-9";
	case 'w': return "A-Za-z0-9_";
	case 's': return "\\t\\n\\x0b\\f\\r ";
	default: return NULL;
	}
}

static bool write_escape(struct writer *w, char c)
{
	const char *set = class_of(c);
	if (set) {
		strbuf_printf(w->out, w->in_class ? "%s" : "[%s]", set);
		return true;
	}
	if (!strchr(".-\\/+*?()[]{}^$|@", c) || c == '\0')
		return false;
	// Outside brackets a hyphen needs no escape, and some readers refuse one.
	if (c == '@' || c == '/' || (c == '-' && !w->in_class))
		strbuf_add_char(w->out, c);
	else
		strbuf_printf(w->out, "\\%c", c);
	return true;
}

struct slice schema_pattern(struct slice pattern, struct arena *arena)
{
	struct strbuf out = STRBUF_INIT(16384);
	struct writer w = {&out, false};
	bool fine = true;
	for (size_t i = 0; i < pattern.len && fine; i++) {
		char c = pattern.ptr[i], next = i + 1 < pattern.len ? pattern.ptr[i + 1] : '\0';
		if (c == '\\') {
			fine = write_escape(&w, next);
			i++;
		} else if (w.in_class) {
			fine = c != '[' && (unsigned char)c < 0x80; // no POSIX classes, no ranges of other scripts
			w.in_class = c != ']';
			strbuf_add_char(&out, c);
		} else if (c == '[') {
			w.in_class = true;
			fine = next != ']' && !(next == '^' && i + 2 < pattern.len && pattern.ptr[i + 2] == ']');
			strbuf_add_char(&out, c);
		} else if (c == '.') {
			strbuf_add_text(&out, "[^\\n]");
		} else if (c == '$') {
			strbuf_add_text(&out, "$(?!\\n)");
		} else {
			bool group = c == '(' && next == '?' && (i + 2 >= pattern.len || pattern.ptr[i + 2] != ':');
			bool greedy = (c == '+' || c == '*' || c == '?' || c == '}') && next == '+';
			fine = !group && !greedy && !(c == '(' && next == '*');
			strbuf_add_char(&out, c);
		}
	}
	struct slice made = fine && !w.in_class ? arena_copy(arena, strbuf_slice(&out)) : SLICE_ABSENT;
	strbuf_free(&out);
	return made;
}
