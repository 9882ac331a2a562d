// SPDX-License-Identifier: Apache-2.0
// Sign in with a password.
//
// Decided three times: on the facts of the look, which say what to compare with; when the hash pool has compared; and once the identity is held,
// when its account must still have the password that was compared with. Nobody learns from the answer or its time whether an identity is known: who is not there has a hash made.
#include "operation/operation_private.h"

static enum decision refuse_wrong(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	operation_count_failure(c, receipt, changes);
	return operation_refuse(c, REASON_PASSWORD_WRONG, receipt, changes);
}

// Who knows the password of an account that is pending is sent the code of its sign-up once more, unless a message is on its way or enough were.
static void remind(const struct operation *op, const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct code_facts *code = &c->facts->code;
	const struct code_rule *rule = c->registration->code.rule;
	bool sends;
	changes->code.reminds = rule != NULL;
	if (!rule || (code->found && c->facts->now_ms < code->sent_ms + rule->gap_ms))
		return;
	(void)!operation_address(op, c, code->kind, code->value, changes, &sends);
	if (!sends || !operation_may_send(c, changes))
		return;
	const struct challenge_plan plan = {
		.rule = rule,
		.purpose = rule->purpose,
		.message = rule->message,
		.kind = code->kind,
		.value = code->value,
		.account_id = code->holder.account_id,
		.form = rule->form,
		.life_ms = rule->life_ms,
		.locale = code->holder.locale,
		.name = code->holder.name,
	};
	operation_challenge(op, c, &plan, false, receipt, changes);
}

bool operation_password_fits(const struct operation_case *c, struct receipt *receipt, struct changes *changes, enum decision *ret)
{
	const struct code_facts *code = &c->facts->code;
	const struct code_holder *holder = &code->holder;
	const struct password_facts *password = &c->facts->password;
	*ret = DECISION_HASH;
	if (c->facts->now_ms < code->locked_until_ms) {
		receipt->next_ms = code->locked_until_ms;
		*ret = operation_refuse(c, REASON_PASSWORD_LOCKED, receipt, changes);
		return false;
	}
	if (password->state == PASSWORD_UNCOMPARED)
		return false;
	changes->code.kind = code->kind;
	changes->code.value = code->value;
	changes->code.subject = c->registration->code.subject;
	changes->code.holds = true;
	bool fits = password->state == PASSWORD_FITS && holder->found && !slice_is_absent(holder->password_hash) &&
		    uuid_equal(&password->account_id, &holder->account_id) && password->serial == holder->password_serial;
	changes->code.counts = fits && code->failures > 0;
	if (!fits)
		*ret = refuse_wrong(c, receipt, changes);
	return fits;
}

// The same password, hashed as passwords are today.
static void renew_hash(const struct operation_case *c, struct changes *changes)
{
	const struct password_facts *password = &c->facts->password;
	if (slice_is_absent(password->made))
		return;
	changes->code.account_id = c->facts->code.holder.account_id;
	changes->code.password = password->made;
	changes->code.renews = password->compared;
}

enum decision operation_sign_in(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes)
{
	const struct code_use *use = &c->registration->code;
	const struct code_facts *code = &c->facts->code;
	const struct code_holder *holder = &code->holder;
	if (c->registration->claim_count == 0) // nobody is named
		return operation_refuse(c, REASON_PASSWORD_WRONG, receipt, changes);
	if (!use->by_password || !code->asked)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	enum decision decision;
	if (!operation_password_fits(c, receipt, changes, &decision))
		return decision;
	renew_hash(c, changes);
	if (holder->pending) {
		remind(op, c, receipt, changes);
		return operation_refuse(c, REASON_ACCOUNT_PENDING, receipt, changes);
	}
	receipt->has_account = true;
	receipt->account_id = holder->account_id;
	receipt->account_number = holder->number;
	receipt->opening = holder->opening;
	operation_enter_account(op, c, receipt, changes);
	return DECISION_STORE;
}
