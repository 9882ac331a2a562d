// SPDX-License-Identifier: Apache-2.0
// The table of operations, and the ways a request ends that are the same for all of them.
#include "operation/operation_private.h"

#include "enrolld/base/clock.h"

static const struct operation_row rows[OPERATION_COUNT] = {
	[OPERATION_SIGN_UP] = {operation_sign_up},
};

static enum decision refuse(const struct operation_case *c, enum reason reason, struct receipt *receipt, struct changes *changes)
{
	receipt->outcome = reason == REASON_REQUEST_EXPIRED ? OUTCOME_EXPIRED
			   : reason_verdict(reason) == VERDICT_BURY ? OUTCOME_DEAD
								     : OUTCOME_REFUSED;
	receipt->reason = reason;
	if (reason == REASON_INVALID && c->registration) {
		receipt->violations = c->registration->violations;
		receipt->violation_count = c->registration->violation_count;
	}
	operation_seal_case(c, receipt, changes);
	return DECISION_STORE;
}

static bool any_taken(const struct operation_case *c)
{
	for (size_t i = 0; i < c->registration->claim_count; i++)
		if (c->facts->taken[i])
			return true;
	return false;
}

static enum decision refuse_taken(const struct operation *op, const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	(void)!refuse(c, REASON_IDENTITY_TAKEN, receipt, changes);
	dialect_taken(c->route, c->registration, c->facts->taken, c->arena, &receipt->violations, &receipt->violation_count);
	operation_seal_case(c, receipt, changes);
	return op->conf->hash_taken && c->registration->password ? DECISION_HASH : DECISION_STORE;
}

void operation_seal_case(const struct operation_case *c, const struct receipt *receipt, struct changes *changes)
{
	changes->receipt = receipt_write(receipt, c->arena);
	if (receipt->outcome != OUTCOME_DEAD)
		changes->result = operation_result_bytes(c->request, c->route != NULL, receipt, c->arena);
}

enum decision operation_decide(const struct operation *op, const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	*changes = (struct changes){0};
	*receipt = (struct receipt){.at_ms = c->facts->now_ms};
	if (c->route)
		receipt->operation = route_operation(c->route);

	if (c->refusal != REASON_OK && reason_verdict(c->refusal) == VERDICT_BURY)
		return refuse(c, c->refusal, receipt, changes);
	if (c->facts->now_ms - c->request->asked_ms > op->horizon_ms)
		return refuse(c, REASON_REQUEST_EXPIRED, receipt, changes);
	if (c->refusal != REASON_OK)
		return refuse(c, c->refusal, receipt, changes);
	if (!c->route || !c->registration)
		PANIC("a request without route or registration was not refused");
	const struct operation_row *row = &rows[receipt->operation];
	if (!row->accept)
		return refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	if (any_taken(c))
		return refuse_taken(op, c, receipt, changes);
	receipt->outcome = OUTCOME_ACCEPTED;
	enum decision decision = row->accept(op, c, receipt, changes);
	operation_seal_case(c, receipt, changes);
	return decision;
}
