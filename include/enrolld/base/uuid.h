// SPDX-License-Identifier: Apache-2.0
// Universally unique ids (RFC 9562). Thread-safe.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"

// In network order, as PostgreSQL's binary uuid.
struct uuid {
	uint8_t bytes[16];
};

// Version 7 (section 5.7): wall clock in ms and 74 random bits, so that new rows land together in an index.
struct uuid uuid_v7(void) ATTR_MUST_USE;
struct uuid uuid_v7_at(int64_t wall_ms) ATTR_MUST_USE; // 0 to 2^48 - 1, else clamped

// Version 8 (section 5.8) of bytes that the caller derived: version and variant bits are set, the other 122 are kept.
struct uuid uuid_v8_of(const uint8_t bytes[static 16]) ATTR_MUST_USE;
// Version 5 (section 5.5) of the first 16 bytes of a SHA-1 digest over namespace and name.
struct uuid uuid_v5_of(const uint8_t digest[static 16]) ATTR_MUST_USE;

unsigned uuid_version(const struct uuid *uuid) ATTR_MUST_USE; // 0 to 15
int64_t uuid_v7_ms(const struct uuid *uuid) ATTR_MUST_USE;    // the time inside a version 7

#define UUID_TEXT_SIZE 37
// 36 characters, lower case, and NUL; returns out.
const char *uuid_format(const struct uuid *uuid, char out[static UUID_TEXT_SIZE]);
// Exactly the 8-4-4-4-12 form, either case, any version. false leaves *uuid as it was.
bool uuid_parse(struct slice text, struct uuid *uuid) ATTR_MUST_USE;

bool uuid_equal(const struct uuid *a, const struct uuid *b) ATTR_MUST_USE;
bool uuid_is_nil(const struct uuid *uuid) ATTR_MUST_USE; // all zero: the value of "none"
