// SPDX-License-Identifier: Apache-2.0
// Ask for a code: the one that is there once more, or a new one that takes its place.
#include "operation/operation_private.h"

// Where codes are found by who asked, somebody else's is of no use: a new one takes its place.
bool operation_is_callers(const struct operation_case *c)
{
	const struct code_use *use = &c->registration->code;
	const struct code_facts *code = &c->facts->code;
	bool own = use->caller_count == 0;
	for (size_t i = 0; code->has_caller && i < use->caller_count; i++)
		own = own || digest_equal(code->caller, use->callers[i], DIGEST_SIZE);
	return own;
}

// The same code serves once more while it is fresh, so that two texts that cross each other carry one code.
static bool serves_again(const struct operation *op, const struct operation_case *c, const struct code_rule *rule)
{
	const struct code_facts *code = &c->facts->code;
	const struct uuid nobody = {0};
	const struct uuid *holder = code->holder.found ? &code->holder.account_id : &nobody;
	return code->found && !code->consumed && code->tries == 0 && operation_is_callers(c) &&
	       c->facts->now_ms <= code->created_ms + (code->expires_ms - code->created_ms) / 2 &&
	       code->form.length == rule->form.length && code->form.alphabet == rule->form.alphabet &&
	       keyring_has(op->keys, code->seed.epoch) && uuid_equal(&code->account_id, holder);
}

static enum reason standing(const struct operation_case *c, const struct code_rule *rule, struct receipt *receipt)
{
	const struct code_facts *code = &c->facts->code;
	int64_t now = c->facts->now_ms;
	if (now < code->locked_until_ms) {
		receipt->next_ms = code->locked_until_ms;
		return REASON_CODE_LOCKED;
	}
	if (!code->holder.found && rule->stranger == CODE_STRANGER_REFUSE)
		return REASON_IDENTITY_UNKNOWN;
	if (code->found && now < code->sent_ms + rule->gap_ms) {
		receipt->next_ms = code->sent_ms + rule->gap_ms;
		return REASON_CODE_TOO_SOON;
	}
	return REASON_OK;
}

enum decision operation_code_request(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				     struct changes *changes)
{
	const struct registration *r = c->registration;
	const struct code_facts *code = &c->facts->code;
	const struct code_rule *rule = r->code.rule;
	if (!rule || !code->asked || rule->then == CODE_THEN_ENTER)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	bool sends = false;
	enum reason reason = standing(c, rule, receipt);
	if (reason == REASON_OK)
		reason = operation_address(op, c, code->kind, code->value, changes, &sends);
	if (reason != REASON_OK)
		return operation_refuse(c, reason, receipt, changes);
	bool again = serves_again(op, c, rule);
	bool silent = !sends || (!code->holder.found && rule->stranger == CODE_STRANGER_SILENT);
	const struct challenge_plan plan = {
		.rule = rule,
		.purpose = rule->purpose,
		.message = rule->message,
		.kind = code->kind,
		.value = code->value,
		.account_id = code->holder.account_id,
		.form = rule->form,
		.life_ms = again ? code->expires_ms - c->facts->now_ms : rule->life_ms,
		.locale = slice_is_absent(r->locale) ? code->holder.locale : r->locale,
		.name = code->holder.name,
	};
	changes->code = (struct code_change){
		.holds = true, .kind = code->kind, .value = code->value, .challenge_id = code->challenge_id, .sends = again};
	if (!again)
		operation_challenge(op, c, &plan, silent, receipt, changes);
	else
		operation_send_again(op, c, &plan, silent, receipt, changes);
	receipt->next_ms = c->facts->now_ms + rule->gap_ms;
	return DECISION_STORE;
}
