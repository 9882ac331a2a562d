// SPDX-License-Identifier: Apache-2.0
// The parts of a stored password hash.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/slice.h"

#define FOREIGN_BYTES_MAX 64

enum foreign_scheme { FOREIGN_ARGON2, FOREIGN_BCRYPT, FOREIGN_PBKDF2_SHA256, FOREIGN_PBKDF2_SHA512 };

struct foreign_text {
	enum foreign_scheme scheme;
	uint32_t memory_kib; // Argon2
	uint32_t lanes;      // Argon2
	uint32_t rounds;     // Argon2: passes; bcrypt: logarithm; PBKDF2: iterations
	uint8_t salt[FOREIGN_BYTES_MAX];
	size_t salt_len; // 0 for bcrypt, whose library wants the text
	uint8_t digest[FOREIGN_BYTES_MAX];
	size_t digest_len;
};

// false if the text is of no known scheme, or not exactly of its form.
bool foreign_text_parse(struct slice hash, struct foreign_text *text) ATTR_MUST_USE;
