// SPDX-License-Identifier: Apache-2.0
// Signed tokens: JSON Web Tokens (RFC 7519) in compact serialization (RFC 7515), HMAC with SHA-256.
//
// The key is derived from the ring's epoch and the realm, so that a token of one realm is none in another. The algorithm is ours to
// say, never the token's. The same payload gives the same token.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/crypto/keys.h"

// payload: the claims, a JSON object; signed as it is. The header is {"alg":"HS256","typ":"JWT"}.
struct slice sign_jwt(const struct keyring *ring, uint16_t epoch, struct slice realm, struct slice payload,
		      struct arena *arena) ATTR_MUST_USE;
