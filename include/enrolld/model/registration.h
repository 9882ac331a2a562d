// SPDX-License-Identifier: Apache-2.0
// The canonical form of what a request carries, whatever frontend it came from. Made by a dialect; slices live in the work item's arena.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/secret.h"
#include "enrolld/base/slice.h"

enum operation_kind {
	OPERATION_SIGN_UP,
	OPERATION_SET_PASSWORD,
	OPERATION_CODE_REQUEST,
	OPERATION_CODE_CHECK,
	OPERATION_VERIFY,
	OPERATION_SIGN_IN,
	OPERATION_REFRESH,
	OPERATION_SIGN_OUT,
	OPERATION_COUNT,
};
const char *operation_kind_name(enum operation_kind kind) ATTR_MUST_USE; // "sign_up", ...
bool operation_kind_find(struct slice name, enum operation_kind *kind) ATTR_MUST_USE;

enum claim_kind { CLAIM_EMAIL, CLAIM_PHONE, CLAIM_USERNAME, CLAIM_KIND_COUNT };
const char *claim_kind_name(enum claim_kind kind) ATTR_MUST_USE; // "email", "phone", "username": also the value in the database

// One identity, unique in its realm.
struct claim {
	enum claim_kind kind;
	struct slice value; // uniqueness key: e-mail lower-case local part + A-label; phone E.164; user name NFKC, case-folded
	struct slice shown; // as the person wrote it (trimmed where the dialect says so)
	const char *field;  // JSON pointer of the input it came from, for violations
};

// A rule that was not met. Never holds the rejected value.
struct violation {
	struct slice field; // JSON pointer into the input; "" for the whole
	struct slice code;  // stable word
	struct slice text;  // the frontend's own sentence
};

#define CLAIMS_MAX 4

struct registration {
	enum operation_kind operation;
	struct claim claims[CLAIMS_MAX];
	size_t claim_count;
	struct secret *password;     // owned by whoever owns the registration, until the hash pool takes it
	struct slice password_hash;  // a foreign hash instead; absent otherwise
	struct slice given_name, family_name, display_name;
	struct slice birth_date;     // YYYY-MM-DD
	struct slice locale;         // BCP 47, normalised case
	struct slice attributes;     // JSON object text; absent if none
	struct violation *violations; // in the dialect's order; none means acceptable so far
	size_t violation_count;
};

const struct claim *registration_claim(const struct registration *r, enum claim_kind kind) ATTR_MUST_USE; // NULL if none
