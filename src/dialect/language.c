// SPDX-License-Identifier: Apache-2.0
// Which of its languages a dialect answers in.
#include "dialect/dialect_private.h"

// The offered language that the tag asks for: itself, or what its front parts name (ar-EG is ar). -1: none.
static int offered(const struct dialect *dialect, struct slice tag)
{
	while (tag.len) {
		for (size_t i = 0; i < dialect->language_count; i++)
			if (slice_equal_nocase(dialect->languages[i], tag))
				return (int)i;
		const char *dash = memrchr(tag.ptr, '-', tag.len);
		tag.len = dash ? (size_t)(dash - tag.ptr) : 0;
	}
	return -1;
}

static struct slice trimmed(struct slice text)
{
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

// In thousandths; 1000 without a q.
static int quality(struct slice parameters)
{
	const char *q = parameters.len ? memmem(parameters.ptr, parameters.len, "q=", 2) : NULL;
	char digits[8] = "";
	if (!q)
		return 1000;
	size_t len = parameters.len - (size_t)(q + 2 - parameters.ptr);
	memcpy(digits, q + 2, len < sizeof(digits) - 1 ? len : sizeof(digits) - 1);
	if (digits[0] != '0')
		return digits[0] == '1' ? 1000 : 0;
	int thousandths = 0;
	for (int i = 2, weight = 100; digits[1] == '.' && weight > 0 && digits[i] >= '0' && digits[i] <= '9'; i++, weight /= 10)
		thousandths += weight * (digits[i] - '0');
	return thousandths;
}

// RFC 9110, section 12.5.4: the highest quality wins, of equals the first.
static int by_header(const struct dialect *dialect, struct slice header)
{
	int best = -1, best_quality = 0;
	while (header.len) {
		const char *comma = memchr(header.ptr, ',', header.len);
		struct slice item = {header.ptr, comma ? (size_t)(comma - header.ptr) : header.len};
		const char *semicolon = item.len ? memchr(item.ptr, ';', item.len) : NULL;
		struct slice tag = trimmed((struct slice){item.ptr, semicolon ? (size_t)(semicolon - item.ptr) : item.len});
		struct slice rest = semicolon ? (struct slice){semicolon, item.len - (size_t)(semicolon - item.ptr)}
					      : SLICE_LIT("");
		int language = slice_equal_text(tag, "*") ? 0 : offered(dialect, tag), q = quality(rest);
		if (language >= 0 && q > best_quality) {
			best = language;
			best_quality = q;
		}
		size_t used = item.len + (comma != NULL);
		header = (struct slice){header.ptr + used, header.len - used};
	}
	return best;
}

size_t language_of(const struct dialect *dialect, const struct route *route, const struct request *request,
		   const struct dialect_reading *reading, struct arena *arena)
{
	for (size_t i = 0; i < dialect->choice_count; i++) {
		const struct language_choice *choice = &dialect->choices[i];
		int found = -1;
		if (choice->by == LANGUAGE_BY_QUERY) {
			found = offered(dialect, query_parameter(request->query, choice->name, arena));
		} else if (choice->by == LANGUAGE_BY_HEADER) {
			found = by_header(dialect, request_header_value(request, choice->name.ptr));
		} else if (choice->by == LANGUAGE_BY_PATH) {
			if (route && route->path.len)
				found = offered(dialect, path_parameter(route->path, request->path, choice->name, arena));
		} else if (choice->by == LANGUAGE_BY_SETTING) {
			for (size_t s = 0; s < dialect->setting_count; s++)
				if (slice_equal(dialect->settings[s].name, choice->name))
					found = offered(dialect, dialect->settings[s].value);
		} else {
			for (size_t f = 0; reading && reading->seen && f < reading->route->field_count; f++)
				if (slice_equal(reading->route->fields[f].name, choice->name))
					found = offered(dialect, reading->seen[f].text);
		}
		if (found >= 0)
			return (size_t)found;
	}
	return 0;
}
