// SPDX-License-Identifier: Apache-2.0
// Password hashes made elsewhere, taken over at sign-up: argon2i/argon2id (PHC), bcrypt ($2a$ $2b$ $2y$), PBKDF2
// (Django's pbkdf2_sha256$N$salt$hash, passlib's $pbkdf2-sha256$ and $pbkdf2-sha512$).
#pragma once

#include <stdbool.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

enum foreign_verdict {
	FOREIGN_OK,
	FOREIGN_UNKNOWN,  // no scheme of the list, or damaged
	FOREIGN_TOO_WEAK, // below the floor: bcrypt 10, PBKDF2-SHA256 100,000, Argon2 as OWASP's minimum
	FOREIGN_TOO_COSTLY, // above what a verification may cost: bcrypt 14, PBKDF2 2,000,000, Argon2 256 MiB or 10 passes or 4 lanes
};

enum foreign_verdict foreign_check(struct slice hash) ATTR_MUST_USE;
// true if the password fits the hash (any scheme above, and our own). Costs what the hash says, hence foreign_check first.
bool foreign_verify(struct slice hash, struct slice password) ATTR_MUST_USE;
