// SPDX-License-Identifier: Apache-2.0
// Numbering plans: is a number one that its country has? The verdict is that of libphonenumber's IsValidNumber() over the same data.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

#define COLUMNS 6
#define NATIONAL_MAX 17 // digits behind the calling code, ITU's 15 and what Germany has had before
#define NATIONAL_MIN 2
#define WRITTEN_MAX 250
#define MATCH_LIMIT 10000

struct region {
	unsigned code;
	struct slice name;
	pcre2_code *leading, *prefix, *general, *types; // NULL: none
};

struct numbering {
	struct region *regions; // in order of their calling codes
	size_t count;
	pcre2_match_context *context;
};

static void *take(PCRE2_SIZE size, void *arena)
{
	return arena_alloc(arena, size);
}

static void leave(void *bytes, void *arena)
{
	(void)bytes; // goes with the arena
	(void)arena;
}

static enum reason compile(const char *path, size_t line, struct slice text, pcre2_compile_context *context, pcre2_code **code,
			   struct fault *f)
{
	int error;
	PCRE2_SIZE at;
	if (slice_equal_text(text, "-"))
		return REASON_OK;
	*code = pcre2_compile((PCRE2_SPTR)text.ptr, text.len, PCRE2_ANCHORED, &error, &at, context);
	if (!*code)
		return fault_set(f, REASON_DIALECT_INVALID, "%s:%zu: a pattern is wrong at character %zu", path, line,
				 (size_t)at + 1);
	return REASON_OK;
}

static enum reason read_line(const char *path, size_t line, char *text, struct arena *arena, pcre2_compile_context *context,
			     struct region *region, struct fault *f)
{
	struct slice columns[COLUMNS];
	size_t count = 0;
	for (char *at = text; at && count < COLUMNS; count++) {
		char *tab = strchr(at, '\t');
		columns[count] = (struct slice){at, tab ? (size_t)(tab - at) : strlen(at)};
		at = tab ? tab + 1 : NULL;
	}
	char *end = NULL;
	unsigned long code = count == COLUMNS ? strtoul(columns[0].ptr, &end, 10) : 0;
	if (count != COLUMNS || code == 0 || code > 999 || end != columns[1].ptr - 1)
		return fault_set(f, REASON_DIALECT_INVALID, "%s:%zu: not a calling code and five more columns with tabs between",
				 path, line);
	*region = (struct region){.code = (unsigned)code, .name = arena_copy(arena, columns[1])};
	pcre2_code **codes[] = {&region->leading, &region->prefix, &region->general, &region->types};
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		enum reason reason = compile(path, line, columns[i + 2], context, codes[i], f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

enum reason numbering_load(const char *path, struct arena *arena, const struct numbering **numbering, struct fault *f)
{
	struct numbering *made = ARENA_NEW(arena, struct numbering);
	enum reason reason = REASON_OK;
	char *text = NULL;
	size_t size = 0, line = 0, room = 0;
	ssize_t len;
	FILE *file = fopen(path, "re");
	if (!file)
		return fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", path, strerrorname_np(errno));
	pcre2_general_context *general = pcre2_general_context_create(take, leave, arena);
	pcre2_compile_context *context = pcre2_compile_context_create(general);
	while (reason == REASON_OK && (len = getline(&text, &size, file)) >= 0) {
		line++;
		if (len && text[len - 1] == '\n')
			text[len - 1] = '\0';
		if (text[0] == '#' || text[0] == '\0')
			continue;
		if (made->count == room) {
			struct region *more = ARENA_ARRAY(arena, room ? 2 * room : 64, struct region);
			if (room)
				memcpy(more, made->regions, room * sizeof(*more));
			made->regions = more;
			room = room ? 2 * room : 64;
		}
		reason = read_line(path, line, text, arena, context, &made->regions[made->count], f);
		made->count++;
	}
	free(text);
	(void)fclose(file);
	if (reason == REASON_OK && made->count == 0)
		reason = fault_set(f, REASON_DIALECT_INVALID, "%s:1: no numbering plan", path);
	if (reason != REASON_OK)
		return reason;
	made->context = pcre2_match_context_create(general);
	(void)pcre2_set_match_limit(made->context, MATCH_LIMIT);
	*numbering = made;
	return REASON_OK;
}

// The length of the match at the front, or -1. whole: all of it must match.
static int match(const struct numbering *numbering, const pcre2_code *code, struct slice digits, bool whole)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	if (!data)
		PANIC("out of memory");
	uint32_t options = whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED : PCRE2_ANCHORED;
	int found = pcre2_match(code, (PCRE2_SPTR)digits.ptr, digits.len, 0, options, data, numbering->context);
	int len = found >= 0 ? (int)pcre2_get_ovector_pointer(data)[1] : -1;
	pcre2_match_data_free(data);
	return len;
}

// White space, brackets, dashes, dots, slashes and tildes between digits, also their wide forms.
static bool is_filler(uint32_t c)
{
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')' || c == '~' || c == '[' || c == ']' ||
	       c == 0xa0 || c == 0xad || c == 0x200b || c == 0x2060 || c == 0x3000 || (c >= 0x2010 && c <= 0x2015) || c == 0x2212 ||
	       c == 0x30fc || (c >= 0xff0d && c <= 0xff0f) || c == 0xff08 || c == 0xff09 || c == 0xff3b || c == 0xff3d ||
	       c == 0x223c || c == 0xff5e;
}

// The digits behind the "+", or false where the text is anything but a number in international form.
static bool read_digits(struct slice text, char digits[static 24], size_t *count)
{
	bool plus = false;
	*count = 0;
	text = rules_trim(text);
	if (text.len > WRITTEN_MAX)
		return false;
	while (text.len) {
		uint32_t c;
		size_t size = utf8_next(text, &c);
		text = (struct slice){text.ptr + size, text.len - size};
		if (c == '+' || c == 0xff0b) {
			if (plus || *count)
				return false;
			plus = true;
		} else if ((c >= '0' && c <= '9') || (c >= 0xff10 && c <= 0xff19)) {
			if (!plus || *count == 3 + NATIONAL_MAX)
				return false;
			digits[(*count)++] = (char)(c < 0x80 ? c : c - 0xff10 + '0');
		} else if (!is_filler(c) || c == UTF8_INVALID) {
			return false;
		}
	}
	return *count > 0 && digits[0] != '0';
}

// The regions of the calling code that the digits begin with; calling codes are prefix-free.
static const struct region *find_code(const struct numbering *numbering, struct slice digits, size_t *len, size_t *count)
{
	unsigned code = 0;
	for (*len = 1; *len <= 3 && *len <= digits.len; (*len)++) {
		code = code * 10 + (unsigned)(digits.ptr[*len - 1] - '0');
		for (size_t i = 0; i < numbering->count; i++) {
			if (numbering->regions[i].code != code)
				continue;
			for (*count = 0; i + *count < numbering->count && numbering->regions[i + *count].code == code;)
				(*count)++;
			return &numbering->regions[i];
		}
	}
	return NULL;
}

// A national prefix that stands behind the calling code is dropped, unless only with it the number has its country's form.
static struct slice without_prefix(const struct numbering *numbering, const struct region *main, struct slice national)
{
	int len = main->prefix ? match(numbering, main->prefix, national, false) : -1;
	if (len <= 0 || (size_t)len >= national.len)
		return national;
	struct slice rest = {national.ptr + len, national.len - (size_t)len};
	if (match(numbering, main->general, rest, true) < 0)
		return national;
	return rest;
}

static bool region_has(const struct numbering *numbering, const struct region *region, struct slice national)
{
	return region->types && match(numbering, region->general, national, true) >= 0 &&
	       match(numbering, region->types, national, true) >= 0;
}

bool numbering_read(const struct numbering *numbering, struct slice text, struct arena *arena, struct slice *e164,
		    struct slice *region)
{
	char digits[24];
	size_t count, code_len, region_count = 0;
	if (slice_is_absent(text) || !read_digits(text, digits, &count))
		return false;
	const struct region *main = find_code(numbering, (struct slice){digits, count}, &code_len, &region_count);
	if (!main)
		return false;
	struct slice national = without_prefix(numbering, main, (struct slice){digits + code_len, count - code_len});
	if (national.len < NATIONAL_MIN || national.len > NATIONAL_MAX)
		return false;
	for (size_t i = 0; i < region_count; i++) {
		const struct region *r = &main[i];
		bool ours = r->leading && region_count > 1 ? match(numbering, r->leading, national, false) >= 0
							   : region_has(numbering, r, national);
		if (!ours)
			continue;
		if (!region_has(numbering, r, national))
			return false;
		*e164 = arena_printf(arena, "+%.*s%.*s", (int)code_len, digits, (int)national.len, national.ptr);
		*region = r->name;
		return true;
	}
	return false;
}
