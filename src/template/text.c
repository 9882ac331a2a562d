// SPDX-License-Identifier: Apache-2.0
// Text templates: a subset of Mustache (mustache(5)) without partials, lambdas and unescaped places.
#include "enrolld/doc/yaml.h"
#include "template/template_private.h"

#define NAME_MAX_LEN 64

struct compiler {
	struct template_origin origin; // its line is where the reading is
	enum template_escape escape;
	struct step *steps;
	size_t count, size;
	size_t open[TEMPLATE_DEPTH_MAX]; // steps whose section is not closed yet
	size_t depth;
};

bool name_valid(struct slice name)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_.-[]", c))))
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

static struct step *add_step(struct compiler *c, enum step_kind kind)
{
	if (c->count == c->size) {
		size_t size = c->size ? 2 * c->size : 8;
		struct step *steps = ARENA_ARRAY(c->origin.arena, size, struct step);
		if (c->count)
			memcpy(steps, c->steps, c->count * sizeof(*steps));
		c->steps = steps;
		c->size = size;
	}
	c->steps[c->count] = (struct step){.kind = kind, .escape = c->escape};
	return &c->steps[c->count++];
}

static enum reason wrong(const struct template_origin *origin, struct fault *f, const char *what, struct slice name)
{
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: %s \"{{%.*s}}\"", origin->file, origin->line, what,
			 name.len > 64 ? 64 : (int)name.len, name.ptr);
}

static enum reason unknown_function(const struct template_origin *origin, struct slice word, struct fault *f)
{
	const char *names[64];
	size_t count = 0;
	function_names(origin->functions, names, ARRAY_LEN(names), &count);
	for (size_t i = 0; count < ARRAY_LEN(names) && function_with_form(i, &names[count]); i++)
		count++;
	const char *nearest = doc_nearest(word, names, count);
	return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: there is no function \"%.*s\"%s%s%s", origin->file, origin->line,
			 word.len > 64 ? 64 : (int)word.len, word.ptr, nearest ? "; did you mean \"" : "", nearest ? nearest : "",
			 nearest ? "\"?" : "");
}

// "name:argument"
static enum reason add_with(const struct template_origin *origin, struct slice name, struct slice argument, struct place *place,
			    struct fault *f)
{
	bool fits = false;
	if (!function_with_find(name, argument, &place->functions[place->function_count], &fits))
		return unknown_function(origin, name, f);
	if (!fits)
		return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: \"%.*s\" does not take \"%.*s\"; it is written like %s",
				 origin->file, origin->line, (int)name.len, name.ptr, argument.len > 64 ? 64 : (int)argument.len,
				 argument.ptr, place->functions[place->function_count].name);
	place->function_count++;
	return REASON_OK;
}

static enum reason add_function(const struct template_origin *origin, struct slice word, enum template_escape *escape, bool last,
				struct place *place, struct fault *f)
{
	if (escape && last && slice_equal_text(word, "url")) {
		*escape = TEMPLATE_URL;
		return REASON_OK;
	}
	if (escape && last && slice_equal_text(word, "plain") && *escape != TEMPLATE_HTML) {
		*escape = TEMPLATE_PLAIN;
		return REASON_OK;
	}
	if (slice_equal_text(word, "plain"))
		return wrong(origin, f, "|plain has no place here:", place->name);
	if (place->function_count == FUNCTIONS_MAX)
		return wrong(origin, f, "too many functions behind", place->name);
	const char *colon = word.len ? memchr(word.ptr, ':', word.len) : NULL;
	if (colon)
		return add_with(origin, (struct slice){word.ptr, (size_t)(colon - word.ptr)},
				(struct slice){colon + 1, word.len - (size_t)(colon + 1 - word.ptr)}, place, f);
	if (!function_find(word, origin->functions, &place->functions[place->function_count]))
		return unknown_function(origin, word, f);
	place->function_count++;
	return REASON_OK;
}

enum reason place_compile(struct slice source, const struct template_origin *origin, enum template_escape *escape,
			  struct place *place, struct fault *f)
{
	const char *bar = source.len ? memchr(source.ptr, '|', source.len) : NULL;
	*place = (struct place){.line = origin->line};
	place->name = name_trim((struct slice){source.ptr, bar ? (size_t)(bar - source.ptr) : source.len});
	if (!name_valid(place->name))
		return wrong(origin, f, "a name has letters, digits, _, -, dots and brackets:", source);
	while (bar) {
		struct slice rest = {bar + 1, source.len - (size_t)(bar + 1 - source.ptr)};
		bar = rest.len ? memchr(rest.ptr, '|', rest.len) : NULL;
		struct slice word = name_trim((struct slice){rest.ptr, bar ? (size_t)(bar - rest.ptr) : rest.len});
		enum reason reason = add_function(origin, word, escape, bar == NULL, place, f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static enum reason open_section(struct compiler *c, enum step_kind kind, struct slice source, struct fault *f)
{
	if (c->depth == TEMPLATE_DEPTH_MAX)
		return wrong(&c->origin, f, "too many sections within one another at", source);
	c->open[c->depth++] = c->count;
	return place_compile(source, &c->origin, NULL, &add_step(c, kind)->place, f);
}

static enum reason close_section(struct compiler *c, struct slice name, struct fault *f)
{
	if (c->depth == 0 || !slice_equal(c->steps[c->open[c->depth - 1]].place.name, name))
		return wrong(&c->origin, f, "this closes a section that is not the innermost open one:", name);
	c->steps[c->open[--c->depth]].end = c->count;
	return REASON_OK;
}

static enum reason add_tag(struct compiler *c, struct slice tag, struct fault *f)
{
	struct slice name = name_trim(tag);
	char mark = name.len ? name.ptr[0] : '\0';
	if (mark == '!')
		return REASON_OK;
	if (mark != '#' && mark != '^' && mark != '/') {
		struct step *step = add_step(c, STEP_PLACE);
		return place_compile(name, &c->origin, &step->escape, &step->place, f);
	}
	name = name_trim((struct slice){name.ptr + 1, name.len - 1});
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

enum reason program_compile(struct slice source, enum template_escape escape, const struct template_origin *origin,
			    struct program *program, struct fault *f)
{
	struct compiler c = {.origin = *origin, .escape = escape};
	struct slice rest = source;
	while (rest.len) {
		const char *open = memmem(rest.ptr, rest.len, "{{", 2);
		const char *end = rest.ptr + rest.len;
		if (!open || open > rest.ptr)
			add_step(&c, STEP_LITERAL)->text = (struct slice){rest.ptr, (size_t)((open ? open : end) - rest.ptr)};
		if (!open)
			break;
		c.origin.line += lines_in(rest.ptr, open);
		const char *close = memmem(open + 2, (size_t)(end - open) - 2, "}}", 2);
		if (!close)
			return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: \"{{\" without \"}}\": a place is written {{name}}",
					 origin->file, c.origin.line);
		enum reason reason = add_tag(&c, (struct slice){open + 2, (size_t)(close - open) - 2}, f);
		if (reason != REASON_OK)
			return reason;
		c.origin.line += lines_in(open, close);
		rest = (struct slice){close + 2, (size_t)(end - close) - 2};
	}
	if (c.depth) {
		const struct place *place = &c.steps[c.open[c.depth - 1]].place;
		return fault_set(f, REASON_DIALECT_INVALID, "%s:%d: the section \"%.*s\" is not closed", origin->file, place->line,
				 (int)place->name.len, place->name.ptr);
	}
	*program = (struct program){c.steps, c.count};
	return REASON_OK;
}

enum reason template_compile_text(struct slice source, enum template_escape escape, const char *where, struct arena *arena,
				  const struct template **t, struct fault *f)
{
	struct template *made = ARENA_NEW(arena, struct template);
	made->where = arena_text(arena, where);
	struct template_origin origin = {made->where, 1, arena, NULL};
	enum reason reason = program_compile(source, escape, &origin, &made->text, f);
	if (reason == REASON_OK)
		*t = made;
	return reason;
}

enum reason template_compile_escaped(const struct node *text, enum template_escape escape, const struct template_origin *origin,
				     const struct template **t, struct fault *f)
{
	struct template *made = ARENA_NEW(origin->arena, struct template);
	made->where = arena_text(origin->arena, origin->file);
	struct template_origin here = {made->where, text->line ? text->line : origin->line, origin->arena, origin->functions};
	enum reason reason = program_compile(text->text, escape, &here, &made->text, f);
	if (reason == REASON_OK)
		*t = made;
	return reason;
}

enum reason template_compile_sentence(const struct node *node, const struct template_origin *origin, const struct template **t,
				      struct fault *f)
{
	struct template *made = ARENA_NEW(origin->arena, struct template);
	made->where = arena_text(origin->arena, origin->file);
	struct template_origin here = {made->where, node->line ? node->line : origin->line, origin->arena, origin->functions};
	enum reason reason;
	if (node->type == NODE_TEXT) {
		reason = program_compile(node->text, TEMPLATE_PLAIN, &here, &made->text, f);
	} else if (node->type == NODE_MAP) {
		made->plural = ARENA_NEW(origin->arena, struct plural);
		reason = plural_compile(node, "by", &here, made->plural, f);
	} else {
		reason = fault_set(f, REASON_DIALECT_INVALID,
				   "%s:%d: a sentence is a text, or a map of its forms: {by: value, one: ..., other: ...}",
				   here.file, here.line);
	}
	if (reason == REASON_OK)
		*t = made;
	return reason;
}
