// SPDX-License-Identifier: Apache-2.0
// What the operations share; not for other modules.
#pragma once

#include "enrolld/operation/operation.h"

// An operation: what an acceptable request (no violation; of a sign-up no claim taken) changes. Adding one is one file and one row in operation.c.
struct operation_row {
	enum decision (*accept)(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);
};

enum decision operation_sign_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);
// Of one whose identity is taken: the answer of one that is not, and a mail to who has the address.
enum decision operation_veil(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			     struct changes *changes);
enum decision operation_code_request(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				     struct changes *changes);
enum decision operation_code_check(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				   struct changes *changes);
enum decision operation_verify(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			       struct changes *changes);
enum decision operation_sign_in(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);
enum decision operation_refresh(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);
enum decision operation_sign_out(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				 struct changes *changes);

enum decision operation_set_password(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				     struct changes *changes);
enum decision operation_look_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);

// Ends the request with the reason. What the changes hold besides result and receipt stays.
enum decision operation_refuse(const struct operation_case *c, enum reason reason, struct receipt *receipt,
			       struct changes *changes);

// Bytes of the result record (DESIGN section 4): absent members are left out.
struct slice operation_result_bytes(const struct request *request, bool routed, const struct receipt *receipt, struct arena *arena);

// Writes the receipt's and the result's bytes into the changes.
void operation_seal_case(const struct operation_case *c, const struct receipt *receipt, struct changes *changes);

// An id derived from the request and a word, the same after any crash.
struct uuid operation_id(const struct request *request, const char *word);

// account.c: an account with the registration's claims, and those that are derived; its state is the caller's.
void operation_open_account(const struct operation_case *c, struct receipt *receipt, struct changes *changes);
// session.c: is the access token that the route asks for good? OK too where it asks for none.
enum reason operation_access(const struct operation *op, const struct operation_case *c) ATTR_MUST_USE;
// What tokens are minted from, where the registration wants some, and their session, for the account that the receipt has.
void operation_add_mint(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			struct changes *changes);
bool operation_any_taken(const struct operation_case *c) ATTR_MUST_USE;

// challenge.c: a challenge for an address and the message that carries it.
struct challenge_plan {
	const struct code_rule *rule; // NULL: the dialect says nothing of it
	const char *purpose;
	const char *message; // as in the rule
	enum claim_kind kind;
	struct slice value;
	struct uuid account_id; // nil: none
	struct code_form form;
	int64_t life_ms;
	struct slice locale, name;
};
// Adds both to the changes, or the challenge alone (silent), and tells the receipt of the first.
void operation_challenge(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan, bool silent,
			 struct receipt *receipt, struct changes *changes);
// sending: whether the address may be sent a message (*sends; then it is one of the changes' recipients). If not, the changes say why, unless it
// is a number for tests; what is returned is why the request is to be refused for it.
enum reason operation_address(const struct operation *op, const struct operation_case *c, enum claim_kind kind, struct slice value,
			      struct changes *changes, bool *sends) ATTR_MUST_USE;
// operation: counts one message that a request brings about beside its answer; false: it would be one too many, and nothing is counted.
bool operation_may_send(const struct operation_case *c, struct changes *changes) ATTR_MUST_USE;
// One more message of a challenge that is there.
void operation_send_again(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan,
			  bool silent, struct receipt *receipt, struct changes *changes);
// Tells the owner of an address something that nobody has to answer; once for each id. What strangers can bring about needs operation_address first. message: its folder, without "_email".
void operation_notify(const struct operation *op, const struct operation_case *c, const char *message, const struct uuid *id,
		      struct slice email, const struct code_holder *holder, struct changes *changes);
// sign_in.c: is what was compared the password of the account that has the identity? false: *ret says how the request goes on.
bool operation_password_fits(const struct operation_case *c, struct receipt *receipt, struct changes *changes,
			     enum decision *ret) ATTR_MUST_USE;
// code_check.c: is the code that was tried the right one? The changes then hold and use it. false: as above.
bool operation_code_fits(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			 struct changes *changes, enum decision *ret) ATTR_MUST_USE;
// code_request.c: was the code asked for by the one whose request this is? true too where it does not matter.
bool operation_is_callers(const struct operation_case *c) ATTR_MUST_USE;
// The address is the account's that has it, if it was not before. false: it is somebody else's who only says so.
bool operation_prove(const struct operation_case *c, struct receipt *receipt, struct changes *changes) ATTR_MUST_USE;
// code_check.c: one more failure of the address that the changes hold; and into the account that the receipt has.
void operation_count_failure(const struct operation_case *c, struct receipt *receipt, struct changes *changes);
void operation_enter_account(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			     struct changes *changes);
// How long an address waits after so many wrong codes in a row.
int64_t operation_code_wait(int64_t failures) ATTR_MUST_USE;
// A keyed digest of the request, so that deciding again gives the same codes and tokens, and nobody without the key can tell them.
struct nonce operation_nonce(const struct operation *op, const struct operation_case *c, uint16_t epoch, const char *word,
			     struct slice value);
