// SPDX-License-Identifier: Apache-2.0
// Sign up: an account with its claims, and a verification for each address.
#include "operation/operation_private.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static bool wants_verification(const struct operation *op, const struct registration *r, const struct claim *claim)
{
	if (r->unverified[claim->kind])
		return false;
	return (claim->kind == CLAIM_EMAIL && op->conf->verify_email) || (claim->kind == CLAIM_PHONE && op->conf->verify_phone);
}

static bool is_among(const struct changes *changes, const struct claim *claim)
{
	for (size_t i = 0; i < changes->recipient_count; i++)
		if (changes->recipients[i].kind == claim->kind && slice_equal(changes->recipients[i].value, claim->value))
			return true;
	return false;
}

// Before anything is made: an address that may not be sent to refuses the sign-up, or is sent nothing.
static enum reason find_recipients(const struct operation *op, const struct operation_case *c, struct changes *changes)
{
	const struct registration *r = c->registration;
	size_t addresses = 0;
	enum reason reason = REASON_OK;
	for (size_t i = 0; i < r->claim_count && addresses < MESSAGES_MAX && reason == REASON_OK; i++) {
		bool sends;
		if (!wants_verification(op, r, &r->claims[i]))
			continue;
		addresses++;
		reason = operation_address(op, c, r->claims[i].kind, r->claims[i].value, changes, &sends);
	}
	if (reason != REASON_OK)
		changes->recipient_count = 0;
	return reason;
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
		operation_challenge(op, c, &plan, !is_among(changes, claim), receipt, changes);
	}
}

enum decision operation_sign_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes)
{
	enum reason reason = find_recipients(op, c, changes);
	if (reason != REASON_OK)
		return operation_refuse(c, reason, receipt, changes);
	operation_open_account(c, receipt, changes);
	operation_add_mint(op, c, receipt, changes);
	add_verifications(op, c, receipt, changes);
	changes->account.state = changes->challenge_count ? "pending" : "active";
	return c->registration->password ? DECISION_HASH : DECISION_STORE;
}

// One mail a day, whoever tries how often.
static struct uuid id_of_day(const struct operation_case *c, struct slice address)
{
	const struct slice parts[] = {c->request->realm, SLICE_LIT("account_exists"), address,
				      arena_printf(c->arena, "%lld", (long long)(c->facts->now_ms / DAY_MS))};
	return derive_id(parts, ARRAY_LEN(parts));
}

static bool may_be_told(const struct operation *op, const struct operation_case *c, const struct claim *claim,
			struct changes *changes)
{
	bool sends = is_among(changes, claim);
	if (!wants_verification(op, c->registration, claim) && changes->recipient_count < MESSAGES_MAX)
		(void)!operation_address(op, c, claim->kind, claim->value, changes, &sends);
	return sends;
}

enum decision operation_veil(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			     struct changes *changes)
{
	enum reason reason = find_recipients(op, c, changes);
	if (reason != REASON_OK)
		return operation_refuse(c, reason, receipt, changes);
	receipt->veiled = receipt->has_account = true;
	receipt->account_id = operation_id(c->request, "account");
	receipt->opening = c->registration->opening;
	struct changes never = {0}; // what an accepted one would show of its first challenge
	add_verifications(op, c, receipt, &never);
	for (size_t i = 0; i < never.challenge_count; i++) { // so that trying a code is answered as if, too
		changes->challenges[i] = never.challenges[i];
		changes->challenges[i].decoy = true;
	}
	changes->challenge_count = never.challenge_count;
	for (size_t i = 0; i < c->registration->claim_count; i++) {
		const struct claim *claim = &c->registration->claims[i];
		const struct code_holder owner = {.locale = c->registration->locale}; // never what a stranger wrote
		const struct uuid id = id_of_day(c, claim->value);
		if (claim->kind == CLAIM_EMAIL && c->facts->taken[i] && may_be_told(op, c, claim, changes))
			operation_notify(op, c, "account_exists", &id, claim->value, &owner, changes);
	}
	operation_seal_case(c, receipt, changes);
	return c->registration->password ? DECISION_HASH : DECISION_STORE;
}
