// SPDX-License-Identifier: Apache-2.0
// PBKDF2 (RFC 8018 section 5.2), the first block only: all that stored password hashes use.
#pragma once

#include <stdint.h>

#include "enrolld/base/slice.h"

#define PBKDF2_SHA256_SIZE 32
#define PBKDF2_SHA512_SIZE 64

void pbkdf2_sha256(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[static PBKDF2_SHA256_SIZE]);
void pbkdf2_sha512(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[static PBKDF2_SHA512_SIZE]);
