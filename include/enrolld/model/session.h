// SPDX-License-Identifier: Apache-2.0
// Sessions: a family of tokens that are all derived from one row, and what a dialect says of them.
//
// Every token of a session begins with the session's name, by whose keyed digest its row is found, and ends with what tells its kind and use: of a
// signed one it is the id (jti), of an opaque one the whole. So a token that was used before still names its family.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/slice.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/crypto/digest.h"
#include "enrolld/crypto/keys.h"

#define SESSION_NAME_LENGTH 24 // hexadecimal digits: 96 bits
#define SESSION_TOKEN_MIN 32   // 8 characters tell the uses of a signed one apart; opaque ones are longer
#define SESSION_TOKEN_MAX 256
#define SESSION_EARLIER_MAX 256 // uses ago that an opaque token is still known for one of its session
#define SESSION_EPOCHS_MAX 8    // of the key ring, the newest ones: rows of older ones are found no more

// What a session's tokens are derived from, with their realm and kind.
struct session_seed {
	struct nonce nonce;
	uint16_t epoch;
	uint32_t serial; // how often its token was used
};

// length: of the whole, SESSION_TOKEN_MIN to SESSION_TOKEN_MAX. kind: of the token, such as "token.native.refresh".
void session_token(const struct keyring *keys, const char *kind, struct slice realm, const struct session_seed *seed,
		   const char *alphabet, size_t length, char *out);
// The digest of the name that the token begins with; token is at least that long. Another dialect's name of the same letters has another one: what is
// shown in a dialect finds the sessions that began in it.
void session_digest(const struct keyring *keys, const char *dialect, uint16_t epoch, struct slice token,
		    uint8_t out[static DIGEST_SIZE]);
// The same of all tokens that come of the seed.
void session_name_digest(const struct keyring *keys, const char *dialect, struct slice realm, const struct session_seed *seed,
			 uint8_t out[static DIGEST_SIZE]);

// What happens when a token comes again that was used before.
enum session_reuse {
	SESSION_REUSE_REVOKE, // somebody has stolen it, or the one after it: the session ends (RFC 9700, section 4.14.2)
	SESSION_REUSE_REFUSE, // it is refused, and the session goes on
	SESSION_REUSE_ALLOW,  // it is taken
};

// Of one dialect.
struct session_rule {
	const char *dialect;  // its name
	const char *kind;     // of the tokens that are used to get others; NULL: there are none
	const char *alphabet; // of the rest of these
	size_t length;        // of the whole
	int64_t life_ms;      // without being used
	int64_t longest_ms;   // from its beginning
	bool rotates;         // a token is used once: its answer carries the next one
	enum session_reuse reuse;
	int64_t grace_ms;       // so long after its use a token may come again, for the same answer: clients repeat themselves
	int64_t request_age_ms; // older requests end expired: who asked has given up, and asks again with the same token
};

// Which sessions a sign-out ends.
enum session_scope {
	SESSION_NONE,
	SESSION_ONE,    // the one whose token is shown
	SESSION_DEVICE, // all of the account on that one's device, or, if it has none, that one
	SESSION_ALL,    // all of the account
};
const char *session_scope_name(enum session_scope scope) ATTR_MUST_USE; // "one", "device", "all"
