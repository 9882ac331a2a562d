// SPDX-License-Identifier: Apache-2.0
// Set a password: by a code that was sent for that, or by the old one.
//
// Decided on the facts of the look, which say whether the new one is worth a hash and what the old one is compared with; when that is done; and once
// the address or identity and the account are held. Only what the last says is committed and answered.
#include "operation/operation_private.h"

// Another password, of which its owner is told. Whoever entered with the one before is out.
static enum decision change(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			    struct changes *changes)
{
	const struct code_holder *holder = &c->facts->code.holder;
	receipt->has_account = true;
	receipt->account_id = holder->account_id;
	receipt->account_number = holder->number;
	changes->code.account_id = holder->account_id;
	changes->code.password = c->facts->password.made;
	const struct uuid id = operation_id(c->request, "password_changed");
	changes->sessions = (struct session_change){
		.ends = SESSION_ALL, .why = "password", .account_id = holder->account_id, .idles = true};
	if (!slice_is_absent(holder->email))
		operation_notify(op, c, "password_changed", &id, holder->email, holder, changes);
	return DECISION_STORE;
}

static enum decision change_by_code(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				    struct changes *changes)
{
	enum decision decision;
	if (!operation_code_fits(op, c, receipt, changes, &decision))
		return decision;
	if (!c->facts->code.holder.found || !operation_prove(c, receipt, changes))
		return operation_refuse(c, REASON_IDENTITY_UNKNOWN, receipt, changes);
	if (slice_is_absent(c->facts->password.made))
		return DECISION_HASH;
	char subject[CODE_SUBJECT_SIZE]; // whoever guessed at the old one keeps nobody from the new one
	changes->code.ousts = c->facts->code.holder.pending;
	code_subject(op->keys, claim_kind_name(changes->code.kind), changes->code.value, subject);
	changes->code.eases = arena_copy(c->arena, slice_of(subject));
	return change(op, c, receipt, changes);
}

static enum decision change_by_password(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
					struct changes *changes)
{
	enum decision decision;
	if (!operation_password_fits(c, receipt, changes, &decision))
		return decision;
	if (c->facts->code.holder.pending)
		return operation_refuse(c, REASON_ACCOUNT_PENDING, receipt, changes);
	return change(op, c, receipt, changes);
}

enum decision operation_set_password(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				     struct changes *changes)
{
	const struct code_use *use = &c->registration->code;
	if (!use->rules)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	return use->by_password ? change_by_password(op, c, receipt, changes) : change_by_code(op, c, receipt, changes);
}
