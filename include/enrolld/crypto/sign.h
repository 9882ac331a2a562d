// SPDX-License-Identifier: Apache-2.0
// Signed tokens: JSON Web Tokens (RFC 7519) in compact serialization (RFC 7515), by HMAC with SHA-256 or by Ed25519 (RFC 8037).
//
// The key is derived from the ring's epoch and the realm, of HS256 also from the dialect, so that a token of one realm is none in another. The algorithm is ours to
// say, never the token's (RFC 8725, section 3.1). The same payload gives the same token.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/crypto/keys.h"

enum sign_algorithm {
	SIGN_HS256, // header {"alg":"HS256","typ":"JWT"}
	SIGN_EDDSA, // header {"alg":"EdDSA","typ":"JWT","kid":"..."}; anybody can check it with the published key of that id
};

struct sign_form {
	enum sign_algorithm algorithm;
	const char *dialect; // whose token it is: HS256 has a key for each, so that none is taken for another's
	const char *type;    // "JWT", "at+jwt": letters, digits, + and -, at most SIGN_TYPE_MAX
};
#define SIGN_TYPE_MAX 32

// payload: the claims, a JSON object; signed as it is.
struct slice sign_jwt(const struct keyring *ring, uint16_t epoch, struct slice realm, const struct sign_form *form,
		      struct slice payload, struct arena *arena) ATTR_MUST_USE;
// The payload of a token of the form that was signed under one of the newest epochs of the ring, SIGN_EPOCHS_MAX at most; absent: it was not. Whether it
// has expired and what it is for is the caller's to ask. Compared in constant time.
struct slice sign_open(const struct keyring *ring, struct slice realm, const struct sign_form *form, struct slice token,
		       struct arena *arena) ATTR_MUST_USE;
#define SIGN_EPOCHS_MAX 8

// Adds the public keys of a realm under all epochs, as a JSON Web Key Set (RFC 7517), the newest first. Key ids are RFC 7638 thumbprints.
void sign_key_set(const struct keyring *ring, struct slice realm, struct strbuf *out);
