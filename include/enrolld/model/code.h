// SPDX-License-Identifier: Apache-2.0
// One-time codes: what they look like, what they are derived from, and what a dialect says of each purpose that they are for.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/base/slice.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/crypto/digest.h"
#include "enrolld/crypto/keys.h"

#define CODE_LENGTH_MIN 4
#define CODE_LENGTH_MAX 10
#define CODE_TEXT_SIZE (CODE_LENGTH_MAX + 1)
#define CODE_LENGTH_USUAL 6 // NIST SP 800-63B: 20 bits at least

enum code_alphabet { CODE_DIGITS, CODE_LETTERS, CODE_ALPHANUMERIC, CODE_ALPHABET_COUNT };
// "digits", "letters", "alphanumeric": also the value in the database. The latter two leave out vowels and what looks alike.
const char *code_alphabet_name(enum code_alphabet alphabet) ATTR_MUST_USE;
// CODE_DIGITS for a name that is none.
enum code_alphabet code_alphabet_find(struct slice name) ATTR_MUST_USE;

// Of the codes that new addresses are sent, unless somebody asks for one.
#define PURPOSE_VERIFY_EMAIL "verify_email"
#define PURPOSE_VERIFY_PHONE "verify_phone"

struct code_form {
	unsigned length; // CODE_LENGTH_MIN to CODE_LENGTH_MAX
	enum code_alphabet alphabet;
};

// What a challenge's code and link are derived from, with its realm and purpose.
struct code_seed {
	struct nonce nonce;
	uint16_t epoch;
	uint32_t serial;
};

// The rest of out is filled with NULs, so that all of it may be compared.
void code_derive(const struct keyring *keys, struct slice purpose, struct slice realm, const struct code_seed *seed,
		 const struct code_form *form, char out[static CODE_TEXT_SIZE]);
// What a person typed, as it is compared: without blanks and dashes, letters in capitals, digits with the zeros in front that a number has not.
// Empty if it cannot be a code of the form.
void code_normalise(struct slice typed, const struct code_form *form, char out[static CODE_TEXT_SIZE]);
// Constant time; an empty one equals none.
bool code_equal(const char a[static CODE_TEXT_SIZE], const char b[static CODE_TEXT_SIZE]) ATTR_MUST_USE;

// The token of a challenge's link, and the digest by which its row is found.
void code_link_token(const struct keyring *keys, struct slice purpose, struct slice realm, const struct code_seed *seed,
		     char out[static TOKEN_TEXT_SIZE]);
void code_token_digest(const struct keyring *keys, uint16_t epoch, struct slice token, uint8_t out[static DIGEST_SIZE]);

// Of failures with the password of an identity: a keyed digest as hexadecimal text, since people type anything, a password too.
#define CODE_SUBJECT_SIZE (2 * DIGEST_SIZE + 1)
void code_subject(const struct keyring *keys, const char *kind, struct slice value, char out[static CODE_SUBJECT_SIZE]);

// The same token in hexadecimal digits, as some frontends have it.
#define CODE_TOKEN_HEX_SIZE 65
void code_token_hex(const char token[static TOKEN_TEXT_SIZE], char out[static CODE_TOKEN_HEX_SIZE]);
// Back from either spelling. false: it is neither.
bool code_token_read(struct slice text, char token[static TOKEN_TEXT_SIZE]) ATTR_MUST_USE;

// What a code that was right brings about.
enum code_then {
	CODE_THEN_NOTHING,  // whoever asked goes on by themselves
	CODE_THEN_VERIFY,   // the address is its account's
	CODE_THEN_SIGN_IN,  // into the account that has the address
	CODE_THEN_SIGN_UP,  // into that account, or into one that is made for it
	CODE_THEN_PASSWORD, // the account that has the address gets the password that came with it
	CODE_THEN_ENTER,    // the address is its account's, into which whoever signed up with it is let
};

// Of an address that no account has.
enum code_stranger {
	CODE_STRANGER_SILENT, // is answered as all others, and sent nothing
	CODE_STRANGER_SEND,   // is sent a code
	CODE_STRANGER_REFUSE, // is told so
};

struct code_link; // the dialect's own

// One purpose in one dialect.
struct code_rule {
	const char *purpose; // part of what codes are derived from
	const char *message; // "verify": folders verify_email and verify_phone of schemas/messages
	struct code_form form;
	int64_t life_ms;
	int64_t gap_ms;         // between two messages to an address
	int64_t request_age_ms; // older requests end expired
	int64_t tries;          // of one code
	enum code_then then;
	enum code_stranger stranger;
	const struct code_link *link; // of its mails; NULL: as the courier has it
};
