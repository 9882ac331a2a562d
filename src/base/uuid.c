// SPDX-License-Identifier: Apache-2.0
// Making, writing and reading UUIDs.
#include "enrolld/base/uuid.h"

#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/hex.h"
#include "enrolld/base/random.h"

#define MS_MAX (((int64_t)1 << 48) - 1)

static void set_version(struct uuid *uuid, unsigned version)
{
	uuid->bytes[6] = (uint8_t)((uuid->bytes[6] & 0x0fU) | (version << 4));
	uuid->bytes[8] = (uint8_t)((uuid->bytes[8] & 0x3fU) | 0x80U);
}

struct uuid uuid_v7_at(int64_t wall_ms)
{
	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms > MS_MAX)
		wall_ms = MS_MAX;
	struct uuid uuid;
	for (int i = 0; i < 6; i++)
		uuid.bytes[i] = (uint8_t)(wall_ms >> (40 - 8 * i) & 0xff);
	random_fill(uuid.bytes + 6, sizeof(uuid.bytes) - 6);
	set_version(&uuid, 7);
	return uuid;
}

struct uuid uuid_v7(void)
{
	return uuid_v7_at(clock_wall_ms());
}

static struct uuid of_bytes(const uint8_t *bytes, unsigned version)
{
	struct uuid uuid;
	memcpy(uuid.bytes, bytes, sizeof(uuid.bytes));
	set_version(&uuid, version);
	return uuid;
}

struct uuid uuid_v8_of(const uint8_t bytes[static 16])
{
	return of_bytes(bytes, 8);
}

struct uuid uuid_v5_of(const uint8_t digest[static 16])
{
	return of_bytes(digest, 5);
}

unsigned uuid_version(const struct uuid *uuid)
{
	return uuid->bytes[6] >> 4;
}

int64_t uuid_v7_ms(const struct uuid *uuid)
{
	int64_t ms = 0;
	for (int i = 0; i < 6; i++)
		ms = ms << 8 | uuid->bytes[i];
	return ms;
}

// Bytes of the five groups.
static const size_t group_sizes[] = {4, 2, 2, 2, 6};

const char *uuid_format(const struct uuid *uuid, char out[static UUID_TEXT_SIZE])
{
	const uint8_t *from = uuid->bytes;
	char *to = out;
	for (size_t i = 0; i < ARRAY_LEN(group_sizes); i++) {
		if (i > 0)
			*to++ = '-';
		hex_encode(from, group_sizes[i], to);
		from += group_sizes[i];
		to += 2 * group_sizes[i];
	}
	return out;
}

bool uuid_parse(struct slice text, struct uuid *uuid)
{
	if (text.len != UUID_TEXT_SIZE - 1)
		return false;
	struct uuid read;
	uint8_t *to = read.bytes;
	const char *from = text.ptr;
	for (size_t i = 0; i < ARRAY_LEN(group_sizes); i++) {
		if (i > 0 && *from++ != '-')
			return false;
		if (!hex_decode((struct slice){from, 2 * group_sizes[i]}, to))
			return false;
		from += 2 * group_sizes[i];
		to += group_sizes[i];
	}
	*uuid = read;
	return true;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool uuid_is_nil(const struct uuid *uuid)
{
	static const struct uuid nil;
	return uuid_equal(uuid, &nil);
}
