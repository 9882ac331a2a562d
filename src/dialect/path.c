// SPDX-License-Identifier: Apache-2.0
// Paths with parameters, queries, and their percent-encoding (RFC 3986, section 2.1).
#include "dialect/dialect_private.h"

// Segments of a path are the tokens of a pointer: both begin with a slash.
static bool is_parameter(struct slice segment)
{
	return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

bool path_fits(struct slice pattern, struct slice path)
{
	for (;;) {
		struct slice a = pointer_next(&pattern), b = pointer_next(&path);
		if (slice_is_absent(a) || slice_is_absent(b))
			return slice_is_absent(a) && slice_is_absent(b) && path.len == 0;
		if (is_parameter(a) ? b.len == 0 : !slice_equal(a, b))
			return false;
	}
}

bool path_same(struct slice a, struct slice b)
{
	for (;;) {
		struct slice left = pointer_next(&a), right = pointer_next(&b);
		if (slice_is_absent(left) || slice_is_absent(right))
			return slice_is_absent(left) && slice_is_absent(right);
		if (is_parameter(left) != is_parameter(right) || (!is_parameter(left) && !slice_equal(left, right)))
			return false;
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 32);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct slice url_decoded(struct slice text, bool plus_is_space, struct arena *arena)
{
	char *out = arena_alloc(arena, text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		int high = c == '%' && i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;
		if (low >= 0) {
			out[len++] = (char)(high * 16 + low);
			i += 2;
		} else {
			out[len++] = (char)(c == '+' && plus_is_space ? ' ' : c);
		}
	}
	return (struct slice){out, len};
}

struct slice path_parameter(struct slice pattern, struct slice path, struct slice name, struct arena *arena)
{
	for (;;) {
		struct slice a = pointer_next(&pattern), b = pointer_next(&path);
		if (slice_is_absent(a) || slice_is_absent(b))
			return SLICE_ABSENT;
		if (is_parameter(a) && slice_equal((struct slice){a.ptr + 1, a.len - 2}, name))
			return url_decoded(b, false, arena);
	}
}

struct slice query_parameter(struct slice query, struct slice name, struct arena *arena)
{
	struct slice found = SLICE_ABSENT;
	while (query.len) {
		const char *end = memchr(query.ptr, '&', query.len);
		struct slice pair = {query.ptr, end ? (size_t)(end - query.ptr) : query.len};
		const char *equals = pair.len ? memchr(pair.ptr, '=', pair.len) : NULL;
		struct slice key = {pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len};
		struct slice value = equals ? (struct slice){equals + 1, pair.len - key.len - 1} : SLICE_LIT("");
		if (slice_equal(key, name) || slice_equal(url_decoded(key, true, arena), name))
			found = url_decoded(value, true, arena);
		size_t used = pair.len + (end != NULL);
		query = (struct slice){query.ptr + used, query.len - used};
	}
	return found;
}
