// SPDX-License-Identifier: Apache-2.0
// The table of operations, and the ways a request ends that are the same for all of them.
#include "operation/operation_private.h"

#include "enrolld/base/clock.h"

static const struct operation_row rows[OPERATION_COUNT] = {
	[OPERATION_SIGN_UP] = {operation_sign_up},
	[OPERATION_SET_PASSWORD] = {operation_set_password},
	[OPERATION_CODE_REQUEST] = {operation_code_request},
	[OPERATION_CODE_CHECK] = {operation_code_check},
	[OPERATION_VERIFY] = {operation_verify},
	[OPERATION_SIGN_IN] = {operation_sign_in},
	[OPERATION_REFRESH] = {operation_refresh},
	[OPERATION_SIGN_OUT] = {operation_sign_out},
	[OPERATION_LOOK_UP] = {operation_look_up},
};

enum decision operation_refuse(const struct operation_case *c, enum reason reason, struct receipt *receipt, struct changes *changes)
{
	receipt->outcome = reason == REASON_REQUEST_EXPIRED         ? OUTCOME_EXPIRED
			   : reason_verdict(reason) == VERDICT_BURY ? OUTCOME_DEAD
								    : OUTCOME_REFUSED;
	receipt->reason = reason;
	operation_seal_case(c, receipt, changes);
	return DECISION_STORE;
}

static enum decision refuse_invalid(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	receipt->violations = c->registration->violations;
	receipt->violation_count = c->registration->violation_count;
	enum reason reason = REASON_INVALID;
	if (c->registration->unique_anyway && operation_any_taken(c))
		reason = dialect_taken(c->route, c->registration, c->facts->taken, c->arena, &receipt->violations,
				       &receipt->violation_count);
	return operation_refuse(c, reason, receipt, changes);
}

// The taken ones to which nothing is sent, as user names: nobody could be told of these but whoever asks. Whether the addresses beside them are
// taken is then not told at all.
static bool find_names(const struct operation_case *c, bool names[static CLAIMS_MAX])
{
	const struct registration *r = c->registration;
	bool any = false;
	for (size_t i = 0; i < CLAIMS_MAX; i++) {
		bool is_address = i < r->claim_count && (r->claims[i].kind == CLAIM_EMAIL || r->claims[i].kind == CLAIM_PHONE);
		names[i] = i < r->claim_count && c->facts->taken[i] && !is_address;
		any = any || names[i];
	}
	return any;
}

static enum decision refuse_taken(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				  struct changes *changes)
{
	(void)!operation_refuse(c, REASON_IDENTITY_TAKEN, receipt, changes);
	bool shown[CLAIMS_MAX], named = find_names(c, shown);
	if (c->registration->veils_taken && !named)
		return operation_veil(op, c, receipt, changes);
	const bool *taken = c->registration->veils_taken ? shown : c->facts->taken;
	(void)dialect_taken(c->route, c->registration, taken, c->arena, &receipt->violations, &receipt->violation_count);
	operation_seal_case(c, receipt, changes);
	return op->conf->hash_taken && c->registration->password ? DECISION_HASH : DECISION_STORE;
}

// used: with this request, if it counts.
static struct limit_summary summary_of(const struct limit_use *use, const struct limit_state *state, int64_t used)
{
	return (struct limit_summary){
		.name = slice_of(use->name),
		.allowed = use->allowed,
		.remaining = used < use->allowed ? use->allowed - used : 0,
		.resets_ms = state->resets_ms,
		.reached = state->reached,
	};
}

// Asks the limits of a stage: all of them count the request, or, if one is reached, none does.
static bool within_limits(const struct operation_case *c, enum limit_stage stage, struct receipt *receipt, struct changes *changes)
{
	bool within = true;
	for (size_t i = 0; i < c->limit_count; i++)
		within = within && !(c->limits[i].stage == stage && c->facts->limits[i].reached);
	for (size_t i = 0; i < c->limit_count; i++) {
		if (c->limits[i].stage != stage)
			continue;
		const struct limit_state *state = &c->facts->limits[i];
		changes->counts[i] = within;
		receipt->limits[receipt->limit_count++] = summary_of(&c->limits[i], state, state->used + within);
	}
	return within;
}

// The answer says nothing of these.
bool operation_may_send(const struct operation_case *c, struct changes *changes)
{
	for (size_t i = 0; i < c->limit_count; i++)
		if (c->limits[i].stage == LIMIT_SENDS && c->facts->limits[i].reached)
			return false;
	for (size_t i = 0; i < c->limit_count; i++)
		if (c->limits[i].stage == LIMIT_SENDS)
			changes->counts[i] = true;
	return true;
}

static struct limit_summary *summary_find(struct receipt *receipt, const char *name)
{
	for (size_t i = 0; i < receipt->limit_count; i++)
		if (slice_equal_text(receipt->limits[i].name, name))
			return &receipt->limits[i];
	return NULL;
}

// A code that is not sent does not count as one.
static void count_no_send(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	for (size_t i = 0; i < c->limit_count; i++) {
		struct limit_summary *summary = summary_find(receipt, c->limits[i].name);
		if (c->limits[i].stage != LIMIT_AFTER_RULES || !changes->counts[i] || !summary)
			continue;
		changes->counts[i] = false;
		*summary = summary_of(&c->limits[i], &c->facts->limits[i], c->facts->limits[i].used);
	}
}

bool operation_complete(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	bool changed = false;
	for (size_t i = 0; i < changes->limit_count; i++) {
		struct limit_summary *known = changes->counts[i] ? summary_find(receipt, changes->limits[i].name) : NULL;
		if (!known)
			continue;
		struct limit_summary now = summary_of(&changes->limits[i], &c->facts->limits[i], c->facts->limits[i].used);
		changed = changed || now.remaining != known->remaining || now.resets_ms != known->resets_ms;
		*known = now;
	}
	if (changes->has_account && changes->account.number != receipt->account_number) {
		receipt->account_number = changes->account.number;
		changed = true;
	}
	if (changed)
		changes->receipt = receipt_write(receipt, c->arena);
	return changed;
}

void operation_seal_case(const struct operation_case *c, const struct receipt *receipt, struct changes *changes)
{
	changes->receipt = receipt_write(receipt, c->arena);
	changes->outcome = receipt->outcome;
	changes->why = receipt->reason;
	if (receipt->outcome != OUTCOME_DEAD)
		changes->result = operation_result_bytes(c->request, c->route != NULL, receipt, c->arena);
}

#define SIGN_IN_AGE_MS (INT64_C(60) * 1000) // where the dialect says nothing of sessions

// A code that is asked for, or tried, or a session that is begun or gone on with long after the fact would reach or let in nobody who waits for it.
static int64_t age_allowed(const struct operation *op, const struct operation_case *c)
{
	const struct registration *r = c->registration;
	int64_t age = op->horizon_ms;
	if (r && r->code.rule && r->code.rule->request_age_ms < age)
		age = r->code.rule->request_age_ms;
	if (!r || (r->operation != OPERATION_REFRESH && r->operation != OPERATION_SIGN_IN))
		return age;
	int64_t session = r->session.rule ? r->session.rule->request_age_ms : SIGN_IN_AGE_MS;
	return session < age ? session : age;
}

enum decision operation_decide(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			       struct changes *changes)
{
	*changes = (struct changes){.limits = c->limits, .limit_count = c->limit_count};
	*receipt = (struct receipt){.at_ms = c->facts->now_ms};
	if (c->route)
		receipt->operation = route_operation(c->route);

	if (c->refusal != REASON_OK && reason_verdict(c->refusal) == VERDICT_BURY)
		return operation_refuse(c, c->refusal, receipt, changes);
	if (c->facts->now_ms - c->request->asked_ms > age_allowed(op, c))
		return operation_refuse(c, REASON_REQUEST_EXPIRED, receipt, changes);
	if (!within_limits(c, LIMIT_BEFORE_BODY, receipt, changes))
		return operation_refuse(c, REASON_RATE_LIMITED, receipt, changes);
	if (c->refusal != REASON_OK && c->refusal != REASON_INVALID)
		return operation_refuse(c, c->refusal, receipt, changes);
	if (!c->route || !c->registration)
		PANIC("a request without route or registration was not refused");
	if (!within_limits(c, LIMIT_BEFORE_RULES, receipt, changes))
		return operation_refuse(c, REASON_RATE_LIMITED, receipt, changes);
	enum reason shown = operation_access(op, c);
	if (shown != REASON_OK)
		return operation_refuse(c, shown, receipt, changes);
	if (c->refusal == REASON_INVALID)
		return refuse_invalid(c, receipt, changes);
	const struct operation_row *row = &rows[receipt->operation];
	if (!row->accept)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	if (!within_limits(c, LIMIT_AFTER_RULES, receipt, changes))
		return operation_refuse(c, REASON_RATE_LIMITED, receipt, changes);
	if (receipt->operation == OPERATION_SIGN_UP && operation_any_taken(c))
		return refuse_taken(op, c, receipt, changes);
	receipt->outcome = OUTCOME_ACCEPTED;
	enum decision decision = row->accept(op, c, receipt, changes);
	if (receipt->operation == OPERATION_CODE_REQUEST && receipt->outcome != OUTCOME_ACCEPTED)
		count_no_send(c, receipt, changes);
	operation_seal_case(c, receipt, changes);
	return decision;
}

bool operation_confirm(const struct operation *op, const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	return operation_decide(op, c, receipt, changes) == DECISION_STORE;
}
