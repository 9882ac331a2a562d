// SPDX-License-Identifier: Apache-2.0
// Text templates: a subset of Mustache (mustache(5)) without partials, lambdas and unescaped places.
#include "template/template_private.h"

#define NAME_MAX_LEN 64

struct compiler {
	const char *where;
	int line;
	enum template_escape escape;
	struct step *steps;
	size_t count, size;
	size_t open[TEMPLATE_DEPTH_MAX]; // steps whose section is not closed yet
	size_t depth;
	struct arena *arena;
};

bool name_valid(struct slice name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'))
			return false;
	}
	return true;
}

struct slice name_trim(struct slice name)
{
	while (name.len && name.ptr[0] == ' ')
		name = (struct slice){name.ptr + 1, name.len - 1};
	while (name.len && name.ptr[name.len - 1] == ' ')
		name.len--;
	return name;
}

static struct step *add_step(struct compiler *c, enum step_kind kind, struct slice text)
{
	if (c->count == c->size) {
		size_t size = c->size ? 2 * c->size : 8;
		struct step *steps = ARENA_ARRAY(c->arena, size, struct step);
		if (c->count)
			memcpy(steps, c->steps, c->count * sizeof(*steps));
		c->steps = steps;
		c->size = size;
	}
	c->steps[c->count] = (struct step){.kind = kind, .text = text, .escape = c->escape, .line = c->line};
	return &c->steps[c->count++];
}

static enum reason wrong(const struct compiler *c, struct fault *f, const char *what, struct slice name)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s \"{{%.*s}}\"", c->where, c->line, what,
			 name.len > 64 ? 64 : (int)name.len, name.ptr);
}

static enum reason open_section(struct compiler *c, enum step_kind kind, struct slice name, struct fault *f)
{
	if (c->depth == TEMPLATE_DEPTH_MAX)
		return wrong(c, f, "too many sections within one another at", name);
	c->open[c->depth++] = c->count;
	(void)add_step(c, kind, name);
	return REASON_OK;
}

static enum reason close_section(struct compiler *c, struct slice name, struct fault *f)
{
	if (c->depth == 0 || !slice_equal(c->steps[c->open[c->depth - 1]].text, name))
		return wrong(c, f, "this closes a section that is not the innermost open one:", name);
	c->steps[c->open[--c->depth]].end = c->count;
	return REASON_OK;
}

static enum reason add_place(struct compiler *c, struct slice name, struct fault *f)
{
	enum template_escape escape = c->escape;
	const char *bar = name.len ? memchr(name.ptr, '|', name.len) : NULL;
	if (bar) {
		struct slice word = name_trim((struct slice){bar + 1, name.len - (size_t)(bar - name.ptr) - 1});
		name = name_trim((struct slice){name.ptr, (size_t)(bar - name.ptr)});
		if (slice_equal_text(word, "url"))
			escape = TEMPLATE_URL;
		else if (slice_equal_text(word, "plain") && c->escape != TEMPLATE_HTML)
			escape = TEMPLATE_PLAIN;
		else
			return wrong(c, f, "only |url (and |plain outside HTML) may follow a name:", name);
	}
	if (!name_valid(name))
		return wrong(c, f, "a name has a-z, 0-9, _ and dots:", name);
	add_step(c, STEP_PLACE, name)->escape = escape;
	return REASON_OK;
}

static enum reason add_tag(struct compiler *c, struct slice tag, struct fault *f)
{
	struct slice name = name_trim(tag);
	char mark = name.len ? name.ptr[0] : '\0';
	if (mark == '!')
		return REASON_OK;
	if (mark != '#' && mark != '^' && mark != '/')
		return add_place(c, name, f);
	name = name_trim((struct slice){name.ptr + 1, name.len - 1});
	if (!name_valid(name))
		return wrong(c, f, "a name has a-z, 0-9, _ and dots:", name);
	if (mark == '/')
		return close_section(c, name, f);
	return open_section(c, mark == '#' ? STEP_SECTION : STEP_ABSENT, name, f);
}

static int lines_in(const char *from, const char *to)
{
	int lines = 0;
	for (; from < to; from++)
		lines += *from == '\n';
	return lines;
}

enum reason program_compile(struct slice source, enum template_escape escape, const char *where, int line, struct arena *arena,
			    struct program *program, struct fault *f)
{
	struct compiler c = {.where = where, .line = line, .escape = escape, .arena = arena};
	struct slice rest = source;
	while (rest.len) {
		const char *open = memmem(rest.ptr, rest.len, "{{", 2);
		const char *end = rest.ptr + rest.len;
		if (!open || open > rest.ptr)
			(void)add_step(&c, STEP_LITERAL, (struct slice){rest.ptr, (size_t)((open ? open : end) - rest.ptr)});
		if (!open)
			break;
		c.line += lines_in(rest.ptr, open);
		const char *close = memmem(open + 2, (size_t)(end - open) - 2, "}}", 2);
		if (!close)
			return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: \"{{\" without \"}}\"", where, c.line);
		enum reason reason = add_tag(&c, (struct slice){open + 2, (size_t)(close - open) - 2}, f);
		if (reason != REASON_OK)
			return reason;
		c.line += lines_in(open, close);
		rest = (struct slice){close + 2, (size_t)(end - close) - 2};
	}
	if (c.depth) {
		const struct step *step = &c.steps[c.open[c.depth - 1]];
		return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: the section \"%.*s\" is not closed", where, step->line,
				 (int)step->text.len, step->text.ptr);
	}
	*program = (struct program){c.steps, c.count};
	return REASON_OK;
}

enum reason template_compile_text(struct slice source, enum template_escape escape, const char *where, struct arena *arena,
				  const struct template **t, struct fault *f)
{
	struct template *made = ARENA_NEW(arena, struct template);
	made->where = arena_text(arena, where);
	enum reason reason = program_compile(source, escape, made->where, 1, arena, &made->text, f);
	if (reason == REASON_OK)
		*t = made;
	return reason;
}
