// SPDX-License-Identifier: Apache-2.0
// What one request changes in the database, decided by a pure operation and written by the store in one transaction.
#pragma once

#include "enrolld/base/uuid.h"
#include "enrolld/crypto/argon2.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/crypto/digest.h"
#include "enrolld/model/receipt.h"
#include "enrolld/model/registration.h"

struct account_row {
	struct uuid account_id;
	const char *state;          // "pending": no identity verified yet; "active"
	struct slice password_hash; // absent: none
	struct slice given_name, family_name, display_name, birth_date, locale, attributes, opening;
	const char *counter; // gives the number; NULL: it gets none
	int64_t number;      // integer id in its realm, filled by the store; 0: none
};

// A verification: its code and link token are derived from nonce, epoch and serial.
struct challenge_row {
	struct uuid challenge_id;
	struct uuid account_id;
	const char *purpose; // "verify_email", "verify_phone"
	const char *channel; // "email", "sms"
	enum claim_kind claim_kind;
	struct slice claim_value;
	struct code_seed seed; // of serial 0
	struct code_form form;
	bool decoy;                        // sent to nobody, right for nothing, and found by no link
	uint8_t token_digest[DIGEST_SIZE]; // to find the row by its link token
	const uint8_t *caller;             // digest of who asked, to find it by; NULL: nobody is named
	int64_t life_ms;                   // added to database time
};

// A message to hand to the courier; payload is sealed with the message id as context.
struct message_row {
	struct uuid message_id;
	struct uuid challenge_id;
	const char *channel;       // "email", "sms"
	const char *template_name; // folder under schemas/messages
	struct slice sealed;
	int64_t life_ms; // never sent after database time + life
};

// What becomes of an address and of the last challenge that it has.
struct code_change {
	bool holds; // the address is locked, and facts->code is had again, before anything of this is written
	enum claim_kind kind;
	struct slice value;
	struct slice subject; // of failures of a password, which are counted apart; absent: the address
	struct slice eases;   // another such subject, whose failures are over: it is held too; absent: none
	bool reminds;         // with a subject: the address is held too, since it may be sent a code
	struct uuid challenge_id;
	bool sends;    // one more message
	bool tries;    // one more try
	bool consumes; // the right one
	bool counts;   // failures and locked_until_ms are new
	int64_t failures, locked_until_ms;
	bool verifies; // the address is the account's
	bool ousts; // whoever opened the account, which is pending, was never proved to have it: the password goes that is not new, and every
		// other address that is not proved, with what was sent to it
	struct uuid account_id; // that is signed in to, or whose address is verified; nil: none
	struct slice locale;    // new one of an account that was there; absent: stays
	struct slice password;  // hash of its new password, or of the same anew; absent: stays
	struct slice
		renews; // it is the same: in place of this hash, if the account still has it; absent: it is a new one, and the account is held too
};

// A session that begins; on the device of the changes, if they have one.
struct session_row {
	struct uuid session_id;
	struct uuid account_id;
	struct session_seed seed;    // of serial 0
	uint8_t digest[DIGEST_SIZE]; // of its name
	int64_t created_ms, expires_ms;
};

// What becomes of the sessions of an account that was there, and of its devices.
struct session_change {
	bool holds; // the session is locked, and facts->session is had again, before anything of this is written
	struct uuid session_id;
	bool turns; // its token is used: serial and expires_ms are new
	uint32_t serial;
	int64_t expires_ms;
	enum session_scope ends; // these end: ONE by session_id, DEVICE by account_id and device_id, ALL by account_id
	const char *why;         // they do: "sign_out", "reuse", "password"
	struct uuid account_id;
	struct uuid device_id;     // of DEVICE; nil: the session alone
	struct uuid kept;          // of ALL: the session that goes on; nil: none
	bool idles;                // devices of what ends are not in use any more: that of DEVICE, all of ALL
	struct slice registration; // nor is this one of the account; absent: none
};

// Whose a device is from now on, and that it is in use.
struct device_row {
	struct uuid device_id; // if it was not known
	struct uuid account_id;
	struct slice registration, name, kind;
};

#define MESSAGES_MAX 2

// Whom a message is for. A stranger who is only answered as if is one too, so that budgets do not tell.
struct recipient {
	enum claim_kind kind;
	struct slice value;
};

struct changes {
	bool has_account;
	struct account_row account;
	const struct claim *claims;     // of the registration, then the derived ones; written with the account
	size_t claim_count;             // of all
	size_t derived_count;           // the last so many are derived
	const struct limit_use *limits; // of the registration
	size_t limit_count;
	bool counts[LIMITS_MAX]; // which of them this request is counted on
	struct code_change code;
	bool has_device;
	struct device_row device;
	bool has_session;
	struct session_row session;
	struct session_change sessions;
	struct challenge_row challenges[MESSAGES_MAX];
	size_t challenge_count;
	struct message_row messages[MESSAGES_MAX];
	size_t message_count;
	struct recipient recipients[MESSAGES_MAX]; // who may be sent something, as far as is known
	size_t recipient_count;
	enum reason withheld; // why somebody is not; OK: nobody is left out
	struct slice result;  // bytes of the result record; absent if the record is dead-lettered
	struct slice receipt; // JSON of the receipt
	enum outcome outcome; // that it says
	enum reason why;      // it does; OK: accepted
};
