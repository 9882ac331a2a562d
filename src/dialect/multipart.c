// SPDX-License-Identifier: Apache-2.0
// Forms as multipart/form-data (RFC 7578): parts with a name become texts, files are dropped.
#include "dialect/reading.h"

// The value of a parameter of a header: name=value or name="value"; absent if there is none.
static struct slice parameter(struct slice header, const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i + len + 1 < header.len; i++) {
		bool starts = i > 0 && (header.ptr[i - 1] == ';' || header.ptr[i - 1] == ' ');
		if (!starts || !slice_equal_nocase((struct slice){header.ptr + i, len}, slice_of(name)) ||
		    header.ptr[i + len] != '=')
			continue;
		struct slice value = {header.ptr + i + len + 1, header.len - i - len - 1};
		bool quoted = value.ptr[0] == '"';
		if (quoted)
			value = (struct slice){value.ptr + 1, value.len - 1};
		size_t end = 0;
		while (end < value.len && (quoted ? value.ptr[end] != '"' : value.ptr[end] != ';' && value.ptr[end] != ' '))
			end++;
		return (struct slice){value.ptr, end};
	}
	return SLICE_ABSENT;
}

static struct slice after(struct slice text, size_t skip)
{
	return (struct slice){text.ptr + skip, text.len - skip};
}

// The value of content-disposition among the part's header lines.
static struct slice disposition(struct slice head)
{
	static const char name[] = "content-disposition:";
	while (head.len) {
		const char *end = memmem(head.ptr, head.len, "\r\n", 2);
		struct slice line = {head.ptr, end ? (size_t)(end - head.ptr) : head.len};
		if (line.len >= sizeof(name) - 1 && slice_equal_nocase((struct slice){line.ptr, sizeof(name) - 1}, SLICE_LIT(name)))
			return after(line, sizeof(name) - 1);
		head = after(head, line.len + (end ? 2 : 0));
	}
	return SLICE_LIT("");
}

static enum reason add_part(struct form *form, struct slice part, struct fault *f)
{
	const char *blank = part.len ? memmem(part.ptr, part.len, "\r\n\r\n", 4) : NULL;
	if (!blank)
		return fault_set(f, REASON_JSON_MALFORMED, "a part of the form has no end of its headers");
	struct slice header = disposition((struct slice){part.ptr, (size_t)(blank - part.ptr)});
	struct slice name = parameter(header, "name");
	if (name.len == 0 || !slice_is_absent(parameter(header, "filename")))
		return REASON_OK;
	return form_add(form, name, after(part, (size_t)(blank - part.ptr) + 4), f);
}

enum reason multipart_parse(const struct body *body, struct slice content_type, struct slice text, struct arena *arena,
			    const struct node **root, struct fault *f)
{
	struct form *form = form_create(body, arena);
	struct slice boundary = parameter(content_type, "boundary");
	if (boundary.len == 0 || boundary.len > 70)
		return fault_set(f, REASON_JSON_MALFORMED, "the form's content type names no boundary");
	// Each delimiter begins with a line break, the first one perhaps with the text.
	struct slice mark = arena_printf(arena, "\r\n--%.*s", (int)boundary.len, boundary.ptr);
	char *copy = arena_alloc(arena, text.len + 2);
	copy[0] = '\r';
	copy[1] = '\n';
	if (text.len)
		memcpy(copy + 2, text.ptr, text.len);
	struct slice rest = {copy, text.len + 2};
	const char *at = memmem(rest.ptr, rest.len, mark.ptr, mark.len);
	while (at) {
		rest = after(rest, (size_t)(at - rest.ptr) + mark.len);
		if (rest.len >= 2 && memcmp(rest.ptr, "--", 2) == 0) {
			*root = form_finish(form);
			return REASON_OK;
		}
		const char *next = rest.len ? memmem(rest.ptr, rest.len, mark.ptr, mark.len) : NULL;
		size_t len = next ? (size_t)(next - rest.ptr) : 0;
		if (len < 2)
			break;
		enum reason reason = add_part(form, (struct slice){rest.ptr + 2, len - 2}, f);
		if (reason != REASON_OK)
			return reason;
		at = next;
	}
	return fault_set(f, REASON_JSON_MALFORMED, "the form ends before its closing boundary");
}
