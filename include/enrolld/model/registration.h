// SPDX-License-Identifier: Apache-2.0
// The canonical form of what a request carries, whatever frontend it came from. Made by a dialect; slices live in the work item's arena.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/secret.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/uuid.h"
#include "enrolld/model/code.h"
#include "enrolld/model/session.h"

enum operation_kind {
	OPERATION_SIGN_UP,
	OPERATION_SET_PASSWORD,
	OPERATION_CODE_REQUEST,
	OPERATION_CODE_CHECK,
	OPERATION_VERIFY,
	OPERATION_SIGN_IN,
	OPERATION_REFRESH,
	OPERATION_SIGN_OUT,
	OPERATION_LOOK_UP,
	OPERATION_COUNT,
};
const char *operation_kind_name(enum operation_kind kind) ATTR_MUST_USE; // "sign_up", ...
bool operation_kind_find(struct slice name, enum operation_kind *kind) ATTR_MUST_USE;

enum claim_kind {
	CLAIM_EMAIL,
	CLAIM_PHONE,
	CLAIM_USERNAME,
	CLAIM_SLUG,
	CLAIM_HANDLE, // whatever else a frontend keeps unique: its value begins with the name of the space, and a colon
	CLAIM_KIND_COUNT
};
// "email", "phone", "username", "slug", "handle": also the value in the database
const char *claim_kind_name(enum claim_kind kind) ATTR_MUST_USE;
bool claim_kind_find(struct slice name, enum claim_kind *kind) ATTR_MUST_USE;

#define CODE_EPOCHS_MAX 4

// One identity, unique in its realm.
struct claim {
	enum claim_kind kind;
	struct slice value; // uniqueness key: e-mail lower-case local part + A-label; phone E.164; user name NFKC, case-folded
	struct slice shown; // as the person wrote it (trimmed where the dialect says so)
	const char *field;  // JSON pointer of the input it came from, for violations
};

// A claim whose value is made here: the stem, or, if that is taken, the stem cut so that it and "-2", "-3", ... stay within max; the first that is
// free. Proposed by the look (struct facts), taken by the store; one that is lost on the way is proposed anew.
struct derived_claim {
	enum claim_kind kind;
	struct slice stem; // 1 to max code points, as it is to be unique
	size_t max;        // code points of the whole, DERIVED_LENGTH_MIN to DERIVED_LENGTH_MAX
	const char *field; // JSON pointer that stands for it
};
#define DERIVED_LENGTH_MIN 24 // room for any number
#define DERIVED_LENGTH_MAX 512

// Requests may not come faster than this.
struct limit_use {
	const char *name;
	struct slice subject; // keyed digest as text, 1 to 128 bytes: never the key or address itself
	int64_t allowed;      // requests a window, at least 1
	int64_t window_ms;    // at least 1
	enum limit_kind {
		LIMIT_FIXED,   // windows begin with the first request after the one before has ended
		LIMIT_SLIDING, // any stretch of that length
	} kind;
	enum limit_stage {
		LIMIT_BEFORE_BODY,  // counts every request that says who it is, also one whose body cannot be read
		LIMIT_BEFORE_RULES, // counts those whose body can be read
		LIMIT_AFTER_RULES,  // counts those that meet their rules
		LIMIT_SENDS, // counts the messages that a request brings about beside its answer, and refuses nothing: one too many is not sent
	} stage;
};

// A rule that was not met. Never holds the rejected value.
struct violation {
	struct slice field; // JSON pointer into the input; "" for the whole
	struct slice code;  // stable word
	struct slice text;  // the frontend's own sentence
};

// What a person signs in with, to be told of things: its registration with a push service is what it is known by.
struct device_use {
	struct slice registration; // 1 to DEVICE_REGISTRATION_MAX bytes; absent: none
	struct slice name, kind;   // the frontend's id and word for it
};
#define DEVICE_REGISTRATION_MAX 2000 // of a key in PostgreSQL

// A code that is asked for or submitted, or the link that was sent with it.
struct code_use {
	const struct code_rule *rules; // of the dialect's purposes; NULL: the route has nothing to do with codes
	size_t rule_count;
	const struct code_rule *rule; // of the purpose that is named; NULL: the challenge tells
	bool has_address;             // it is named by what it was sent to
	enum claim_kind kind;
	struct slice value;
	bool has_challenge; // it is named by its id
	struct uuid challenge_id;
	uint8_t token_digests[CODE_EPOCHS_MAX][DIGEST_SIZE]; // it is named by its link, digested under each epoch of the key ring
	size_t token_count;
	struct slice account;                          // hexadecimal digits that its account's id must begin with; absent: any
	uint8_t callers[CODE_EPOCHS_MAX][DIGEST_SIZE]; // keyed digests of who asks, in the same order
	size_t caller_count;
	bool by_caller;       // it is named by who asks: the newest of theirs that was sent to an address of the kind
	struct secret *typed; // the code itself; owned as the password is
	bool tells;           // whoever has the account is told
	bool by_password;     // no code: the account that has the identity is asked for, with its password
	struct slice subject; // then: keyed digest of the identity, since people type anything, by which its failures are counted
};

// A token of a session that is shown: to get others, to sign out, or because the route asks for one.
struct session_use {
	const struct session_rule *rule;                  // of the dialect; NULL: it has no sessions
	bool opens;                                       // an accepted answer carries tokens of a session
	bool access;                                      // the token is one for access: good whatever was used since it was made
	bool shown;                                       // there is a token
	uint8_t digests[SESSION_EPOCHS_MAX][DIGEST_SIZE]; // of the session it names, under each epoch of the key ring
	size_t digest_count;                              // 0: it is none of ours
	const char *kind, *alphabet;                      // of the token, as session_token() takes them
	bool is_signed;                                   // and its signature was right: nobody else has made it
	struct slice token;       // as session_token() made it, or, of one that is not signed, seems to have
	int64_t expires_ms;       // as it says itself; 0: it does not
	enum session_scope scope; // of a sign-out
};

#define CLAIMS_MAX 6
#define DERIVED_MAX 2
#define LIMITS_MAX 4

struct dialect_reading; // the dialect's own

struct registration {
	enum operation_kind operation;
	struct claim claims[CLAIMS_MAX];
	size_t claim_count;
	bool unique_anyway; // taken claims are told together with violations, not only where there are none
	bool veils_taken;   // nor at all: it is answered as accepted, and whoever has a taken mail address learns of it by mail
	struct derived_claim derived[DERIVED_MAX];
	size_t derived_count;
	bool wants_number;   // the account gets an integer id, counted from 1 in each realm
	const char *counter; // what counts it; NULL: "account". Dialects that share a realm must share the counter too
	bool unverified[CLAIM_KIND_COUNT];   // kinds of new addresses that are sent no code, whatever the settings say
	bool wants_tokens;                   // the answer carries tokens: the receipt gets what they are minted from
	struct slice bearer_digest;          // keyed digest of a bearer token; absent if there is none
	struct limit_use limits[LIMITS_MAX]; // filled even where the body cannot be read (those that are known without it)
	size_t limit_count;
	struct secret *password;     // owned by whoever owns the registration, until the hash pool takes it
	struct secret *old_password; // of who sets another one; owned as that is
	struct code_use code;
	struct device_use device;
	struct session_use session;
	struct slice password_hash; // a foreign hash instead; absent otherwise
	struct slice given_name, family_name, display_name;
	struct slice birth_date; // YYYY-MM-DD
	struct slice locale;     // BCP 47, normalised case
	struct slice attributes; // JSON object text; absent if none
	struct slice opening; // the same, what the frontend gives an account when it is opened: nothing of the request's own words
	struct violation *violations; // in the dialect's order; none means acceptable so far
	size_t violation_count;
	const struct dialect_reading
		*reading; // what the dialect found in the request, for its answers; NULL if it did not get that far
};

// Releases the secrets that it still owns.
void registration_forget(struct registration *r);
// The dialect's rule for a purpose; NULL if it has none.
const struct code_rule *code_use_rule(const struct code_use *use, struct slice purpose) ATTR_MUST_USE;
const struct claim *registration_claim(const struct registration *r, enum claim_kind kind) ATTR_MUST_USE; // NULL if none
