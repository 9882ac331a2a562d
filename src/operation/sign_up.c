// SPDX-License-Identifier: Apache-2.0
// Sign up: an account with its claims, and a verification for each address.
#include "operation/operation_private.h"

static bool wants_verification(const struct operation *op, const struct registration *r, const struct claim *claim)
{
	if (r->unverified[claim->kind])
		return false;
	return (claim->kind == CLAIM_EMAIL && op->conf->verify_email) || (claim->kind == CLAIM_PHONE && op->conf->verify_phone);
}

static void add_verifications(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			      struct changes *changes)
{
	const struct registration *r = c->registration;
	for (size_t i = 0; i < r->claim_count && changes->challenge_count < MESSAGES_MAX; i++) {
		const struct claim *claim = &r->claims[i];
		if (!wants_verification(op, r, claim))
			continue;
		bool mail = claim->kind == CLAIM_EMAIL;
		const char *purpose = mail ? PURPOSE_VERIFY_EMAIL : PURPOSE_VERIFY_PHONE;
		const struct code_rule *rule = code_use_rule(&r->code, slice_of(purpose)); // where the route is about codes
		int64_t usual_ms = mail ? op->conf->email_life_ms : op->conf->text_life_ms;
		const struct challenge_plan plan = {
			.rule = rule,
			.purpose = purpose,
			.message = rule ? rule->message : "verify",
			.kind = claim->kind,
			.value = claim->value,
			.account_id = receipt->account_id,
			.form = rule ? rule->form : (struct code_form){CODE_LENGTH_USUAL, CODE_DIGITS},
			.life_ms = rule ? rule->life_ms : usual_ms,
			.locale = r->locale,
			.name = slice_is_absent(r->given_name) ? r->display_name : r->given_name,
		};
		operation_challenge(op, c, &plan, false, receipt, changes);
	}
}

enum decision operation_sign_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes)
{
	operation_open_account(c, receipt, changes);
	operation_add_mint(op, c, receipt);
	add_verifications(op, c, receipt, changes);
	changes->account.state = changes->challenge_count ? "pending" : "active";
	return c->registration->password ? DECISION_HASH : DECISION_STORE;
}
