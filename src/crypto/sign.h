// SPDX-License-Identifier: Apache-2.0
// Signing under a key that is given, open to its test.
#pragma once

#include <sodium.h>
#include <stdint.h>

#include "enrolld/crypto/sign.h"

#define SIGN_KEY_MAX crypto_sign_SECRETKEYBYTES
#define SIGN_SIZE_MAX crypto_sign_BYTES

struct sign_key {
	enum sign_algorithm algorithm;
	uint8_t bytes[SIGN_KEY_MAX]; // of HS256 any number, of EDDSA seed and public key
	size_t len;
};

#define SIGN_PUBLIC_TEXT_SIZE 44 // base64url, and NUL
#define SIGN_ID_TEXT_SIZE 44

// x: the public key as text; id: RFC 7638, the digest of the key as JSON with its members in order.
void sign_name_key(const uint8_t public[static crypto_sign_PUBLICKEYBYTES], char x[static SIGN_PUBLIC_TEXT_SIZE],
		   char id[static SIGN_ID_TEXT_SIZE]);

struct slice sign_compact(const struct sign_key *key, struct slice header, struct slice payload, struct arena *arena) ATTR_MUST_USE;
