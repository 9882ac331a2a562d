// SPDX-License-Identifier: Apache-2.0
// JSON pointers (RFC 6901) as texts.
#include "dialect/dialect_private.h"

struct slice pointer_next(struct slice *rest)
{
	if (rest->len == 0 || rest->ptr[0] != '/')
		return SLICE_ABSENT;
	struct slice token = {rest->ptr + 1, rest->len - 1};
	const char *slash = token.len ? memchr(token.ptr, '/', token.len) : NULL;
	if (slash)
		token.len = (size_t)(slash - token.ptr);
	*rest = (struct slice){token.ptr + token.len, rest->len - 1 - token.len};
	return token;
}

size_t pointer_depth(struct slice pointer)
{
	size_t depth = 0;
	while (!slice_is_absent(pointer_next(&pointer)))
		depth++;
	return depth;
}

bool pointer_leads(struct slice outer, struct slice inner)
{
	return inner.len > outer.len && inner.ptr[outer.len] == '/' && memcmp(outer.ptr, inner.ptr, outer.len) == 0;
}

bool pointer_matches(struct slice pattern, struct slice pointer)
{
	if (slice_equal(pattern, pointer))
		return true;
	for (;;) {
		struct slice a = pointer_next(&pattern), b = pointer_next(&pointer);
		if (slice_is_absent(a) || slice_is_absent(b))
			return slice_is_absent(a) && slice_is_absent(b) && pattern.len == 0 && pointer.len == 0;
		if (!slice_equal_text(a, "*") && !slice_equal(a, b))
			return false;
	}
}

static struct slice unescaped(struct slice token, struct arena *arena)
{
	char *text = arena_alloc(arena, token.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < token.len; i++) {
		char c = token.ptr[i];
		if (c == '~' && i + 1 < token.len)
			c = token.ptr[++i] == '1' ? '/' : '~';
		text[len++] = c;
	}
	return (struct slice){text, len};
}

struct slice pointer_last(struct slice pointer, struct arena *arena)
{
	const char *slash = pointer.len ? memrchr(pointer.ptr, '/', pointer.len) : NULL;
	if (!slash)
		return pointer;
	return unescaped((struct slice){slash + 1, pointer.len - (size_t)(slash + 1 - pointer.ptr)}, arena);
}

struct slice pointer_dotted(struct slice pointer, struct arena *arena)
{
	struct slice text = SLICE_LIT(""), rest = pointer, token;
	if (pointer.len && pointer.ptr[0] != '/') // query/name and the like
		return pointer_last(pointer, arena);
	for (bool first = true; !slice_is_absent(token = pointer_next(&rest)); first = false) {
		struct slice plain = unescaped(token, arena);
		text = arena_printf(arena, "%.*s%s%.*s", (int)text.len, text.ptr, first ? "" : ".", (int)plain.len, plain.ptr);
	}
	return text;
}

static bool is_number(struct slice token)
{
	for (size_t i = 0; i < token.len; i++)
		if (token.ptr[i] < '0' || token.ptr[i] > '9')
			return false;
	return token.len > 0 && token.len < 10;
}

// Each token but the first between the marks, those that are numbers between brackets.
static struct slice joined(struct slice pointer, const char *before, const char *after, struct arena *arena)
{
	struct slice text = SLICE_LIT(""), rest = pointer, token;
	if (pointer.len && pointer.ptr[0] != '/')
		return pointer_last(pointer, arena);
	for (bool first = true; !slice_is_absent(token = pointer_next(&rest)); first = false) {
		struct slice plain = unescaped(token, arena);
		bool number = is_number(plain);
		text = arena_printf(arena, "%.*s%s%.*s%s", (int)text.len, text.ptr,
				    first    ? ""
				    : number ? "["
					     : before,
				    (int)plain.len, plain.ptr,
				    first    ? ""
				    : number ? "]"
					     : after);
	}
	return text;
}

struct slice pointer_indexed(struct slice pointer, struct arena *arena)
{
	return joined(pointer, ".", "", arena);
}

struct slice pointer_bracketed(struct slice pointer, struct arena *arena)
{
	return joined(pointer, "[", "]", arena);
}

const struct node *pointer_tokens(struct slice pointer, struct arena *arena)
{
	struct node *list = ARENA_NEW(arena, struct node);
	struct slice rest = pointer, token;
	bool outside = pointer.len && pointer.ptr[0] != '/'; // query/name and the like
	*list = (struct node){.type = NODE_LIST};
	list->list.items = ARENA_ARRAY(arena, pointer_depth(pointer) + 1, struct node *);
	while (!slice_is_absent(token = outside ? pointer_last(pointer, arena) : pointer_next(&rest))) {
		struct node *item = list->list.items[list->list.count++] = ARENA_NEW(arena, struct node);
		struct slice plain = outside ? token : unescaped(token, arena);
		*item = (struct node){.type = NODE_TEXT, .text = plain};
		if (is_number(plain)) {
			*item = (struct node){.type = NODE_INT};
			for (size_t i = 0; i < plain.len; i++)
				item->integer = item->integer * 10 + (plain.ptr[i] - '0');
		}
		if (outside)
			break;
	}
	return list;
}

struct slice pointer_append(struct slice pointer, struct slice key, struct arena *arena)
{
	char *text = arena_alloc(arena, pointer.len + 2 * key.len + 2);
	size_t len = pointer.len;
	if (len)
		memcpy(text, pointer.ptr, len);
	text[len++] = '/';
	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] == '~' || key.ptr[i] == '/') {
			text[len++] = '~';
			text[len++] = key.ptr[i] == '~' ? '0' : '1';
		} else {
			text[len++] = key.ptr[i];
		}
	}
	return (struct slice){text, len};
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

struct slice pointer_cased(struct slice pointer, bool camel, struct arena *arena)
{
	char *text = arena_alloc(arena, 2 * pointer.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < pointer.len; i++) {
		char c = pointer.ptr[i];
		bool inside = i > 0 && pointer.ptr[i - 1] != '/';
		if (camel && c == '_' && inside && i + 1 < pointer.len && pointer.ptr[i + 1] >= 'a' && pointer.ptr[i + 1] <= 'z') {
			text[len++] = (char)(pointer.ptr[++i] - 32);
		} else if (!camel && is_upper(c)) {
			if (inside)
				text[len++] = '_';
			text[len++] = (char)(c + 32);
		} else {
			text[len++] = c;
		}
	}
	return (struct slice){text, len};
}
