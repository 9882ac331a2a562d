// SPDX-License-Identifier: Apache-2.0
// Values we issue are derived, not stored: a keyed PRF (keyed BLAKE2b under the epoch's mint key) of kind, realm, the row's
// random nonce and a serial. The same inputs give the same value after any crash, and there is nothing to steal from the
// database.
#pragma once

#include <stdint.h>

#include "enrolld/base/arena.h"
#include "enrolld/base/uuid.h"
#include "enrolld/crypto/keys.h"

#define NONCE_SIZE 16

struct nonce {
	uint8_t bytes[NONCE_SIZE];
};

void nonce_draw(struct nonce *nonce); // random

// Decimal code of 4 to 10 digits without bias (rejection), leading zeros kept. out holds digits + 1 bytes.
void derive_code(const struct keyring *ring, uint16_t epoch, const char *kind, struct slice realm, const struct nonce *nonce,
		 uint32_t serial, unsigned digits, char *out);

#define TOKEN_TEXT_SIZE 44 // 32 bytes as base64url without padding, and NUL
void derive_token(const struct keyring *ring, uint16_t epoch, const char *kind, struct slice realm, const struct nonce *nonce,
		  uint32_t serial, char out[static TOKEN_TEXT_SIZE]);

// Opaque text of 1 to DERIVE_TEXT_MAX characters of an alphabet (2 to 256 bytes, each once) without bias. out holds length + 1
// bytes. Texts of other lengths are unrelated.
#define DERIVE_TEXT_MAX 1024
void derive_text(const struct keyring *ring, uint16_t epoch, const char *kind, struct slice realm, const struct nonce *nonce,
		 uint32_t serial, const char *alphabet, size_t length, char *out);

// An id that everybody can recompute: unkeyed BLAKE2b over length-prefixed parts, as a version 8 UUID (RFC 9562).
struct uuid derive_id(const struct slice *parts, size_t count);
