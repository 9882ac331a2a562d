// SPDX-License-Identifier: Apache-2.0
// Keyed and unkeyed digests for look-ups and comparisons (keyed BLAKE2b).
#pragma once

#include <stdint.h>

#include "enrolld/crypto/keys.h"

#define DIGEST_SIZE 32
#define FINGERPRINT_SIZE 16

// Digest of a value under a key of the epoch, bound to what it is for ("token", "address", ...). Parts are length-prefixed.
void digest_keyed(const struct keyring *ring, uint16_t epoch, const char *purpose, const struct slice *parts, size_t count,
		  uint8_t out[static DIGEST_SIZE]);
// Fingerprint of a request (method, path, value), to tell a repeat from a conflict without keeping the value.
void digest_fingerprint(const struct keyring *ring, uint16_t epoch, const struct slice *parts, size_t count,
			uint8_t out[static FINGERPRINT_SIZE]);
// 64-bit hash for in-memory tables, under a key drawn once per process, so that nobody can choose collisions.
uint64_t digest_short(struct slice bytes);
bool digest_equal(const void *a, const void *b, size_t len) ATTR_MUST_USE; // constant time
