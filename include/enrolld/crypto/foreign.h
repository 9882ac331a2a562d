// SPDX-License-Identifier: Apache-2.0
// Password hashes made elsewhere, taken over at sign-up: argon2i/argon2id (PHC), bcrypt ($2a$ $2b$ $2y$), PBKDF2
// (Django's pbkdf2_sha256$N$salt$hash, passlib's $pbkdf2-sha256$ and $pbkdf2-sha512$).
#pragma once

#include <stdbool.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"
#include "enrolld/crypto/argon2.h"

#define FOREIGN_TEXT_MAX 255 // bytes of a hash; longer ones are FOREIGN_UNKNOWN

enum foreign_verdict {
	FOREIGN_OK,
	FOREIGN_UNKNOWN,    // no scheme of the list, or damaged
	FOREIGN_TOO_WEAK,   // below the floor: bcrypt 10, PBKDF2-SHA256 100,000, PBKDF2-SHA512 35,000, Argon2 as OWASP's minimum
	FOREIGN_TOO_COSTLY, // above what a verification may cost: bcrypt 14, PBKDF2 2,000,000, Argon2 256 MiB, 10 passes, 16 lanes
};

// Strict: the whole text, one spelling of each number, salts of 8 to 64 bytes, Argon2 of version 19 (0x13) alone.
enum foreign_verdict foreign_check(struct slice hash) ATTR_MUST_USE;

// Is it one that argon2_hash() makes at this cost?
bool foreign_is_own(struct slice hash, struct argon2_cost cost) ATTR_MUST_USE;

// *fits: whether the password belongs to the hash (any scheme above, and our own); false if the text is of none. Costs what the
// hash says, hence foreign_check first. bcrypt sees 72 bytes, as everywhere, and no password with a NUL. Lanes are computed one
// after the other. The memory (or NULL) serves Argon2 hashes of its own cost; others get what they need from the kernel. Fails
// with HASH_MEMORY only.
enum reason foreign_verify(struct argon2_memory *m, struct slice hash, struct slice password, bool *fits,
			   struct fault *f) ATTR_MUST_USE;
