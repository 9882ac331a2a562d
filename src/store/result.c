// SPDX-License-Identifier: Apache-2.0
// Text form to values; bytea comes as \x and hexadecimal, which the session settings see to.
#include "store/result.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/hex.h"

size_t result_rows(const PGresult *result)
{
	return (size_t)PQntuples(result);
}

int64_t result_parse_int(const char *text)
{
	char *end;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		PANIC("a result of PostgreSQL is not an integer");
	return n;
}

static struct slice cell(const PGresult *result, size_t row, int column)
{
	if (PQgetisnull(result, (int)row, column))
		return SLICE_ABSENT;
	return (struct slice){PQgetvalue(result, (int)row, column), (size_t)PQgetlength(result, (int)row, column)};
}

int64_t result_int(const PGresult *result, size_t row, int column)
{
	return result_parse_int(PQgetvalue(result, (int)row, column));
}

bool result_bool(const PGresult *result, size_t row, int column)
{
	return slice_equal_text(cell(result, row, column), "t");
}

struct slice result_text(const PGresult *result, size_t row, int column, struct arena *arena)
{
	return arena_copy(arena, cell(result, row, column));
}

struct uuid result_uuid(const PGresult *result, size_t row, int column)
{
	struct uuid id;
	if (!uuid_parse(cell(result, row, column), &id))
		PANIC("a result of PostgreSQL is not a UUID");
	return id;
}

static struct slice hex_digits(struct slice text)
{
	if (text.len < 2 || text.ptr[0] != '\\' || text.ptr[1] != 'x')
		PANIC("a result of PostgreSQL is not bytea in hexadecimal");
	return (struct slice){text.ptr + 2, text.len - 2};
}

struct slice result_bytes(const PGresult *result, size_t row, int column, struct arena *arena)
{
	struct slice text = cell(result, row, column);
	if (slice_is_absent(text))
		return SLICE_ABSENT;
	struct slice digits = hex_digits(text);
	uint8_t *bytes = arena_alloc(arena, digits.len / 2);
	if (!hex_decode(digits, bytes))
		PANIC("a result of PostgreSQL is not bytea in hexadecimal");
	return (struct slice){(const char *)bytes, digits.len / 2};
}

void result_fixed(const PGresult *result, size_t row, int column, uint8_t *out, size_t size)
{
	memset(out, 0, size);
	struct slice text = cell(result, row, column);
	if (slice_is_absent(text) || text.len != 2 + 2 * size)
		return;
	if (!hex_decode(hex_digits(text), out))
		PANIC("a result of PostgreSQL is not bytea in hexadecimal");
}
