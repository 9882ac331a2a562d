// SPDX-License-Identifier: Apache-2.0
// Try a code, or follow the link that was sent with it.
//
// Runs on the facts of the look and again, once the address is held, on the facts of the store (operation_confirm); only what the second says
// is committed and answered. Count, comparison and consumption are one transaction.
#include "operation/operation_private.h"

#include "enrolld/base/hex.h"
#include "enrolld/base/secret.h"

// Wrong tries of an address in a row, whatever codes they were about. The first few are free, then each makes it wait twice as long, and the
// hundredth ends it until somebody intervenes or a month has passed (NIST SP 800-63B-4, section 3.2.2).
#define FREE_FAILURES 10
#define FAILURES_MAX 100
#define WAIT_MIN_MS (INT64_C(30) * 1000)
#define WAIT_MAX_MS (INT64_C(3600) * 1000)
#define WAIT_END_MS (INT64_C(30) * 24 * 3600 * 1000)

int64_t operation_code_wait(int64_t failures)
{
	if (failures >= FAILURES_MAX)
		return WAIT_END_MS;
	if (failures <= FREE_FAILURES)
		return 0;
	int64_t doublings = failures - FREE_FAILURES - 1;
	return doublings >= 7 ? WAIT_MAX_MS : WAIT_MIN_MS << doublings;
}

static const struct code_rule *rule_of(const struct operation_case *c)
{
	const struct code_use *use = &c->registration->code;
	const struct code_facts *code = &c->facts->code;
	if (!code->asked)
		return NULL;
	if (use->rule && !slice_equal_text(code->purpose, use->rule->purpose))
		return NULL;
	return use->rule ? use->rule : code_use_rule(use, code->purpose);
}

// A link may name an account besides: then it must be that one's.
static bool is_of_account(const struct code_use *use, const struct uuid *account_id)
{
	char digits[HEX_TEXT_SIZE(sizeof(account_id->bytes))];
	hex_encode(account_id->bytes, sizeof(account_id->bytes), digits);
	return use->account.len < sizeof(digits) &&
	       (use->account.len == 0 || memcmp(digits, use->account.ptr, use->account.len) == 0);
}

// What needs no comparison. Nothing of it is counted.
static enum reason standing(const struct operation *op, const struct operation_case *c, const struct code_rule *rule)
{
	const struct code_use *use = &c->registration->code;
	const struct code_facts *code = &c->facts->code;
	if (!rule || !code->found || !keyring_has(op->keys, code->seed.epoch))
		return REASON_CODE_UNKNOWN;
	if (rule->then == CODE_THEN_SIGN_UP && !use->has_address) // whoever has none: there would be no claim
		return REASON_OPERATION_UNAVAILABLE;
	if ((rule->then == CODE_THEN_PASSWORD) !=
	    (c->registration->operation == OPERATION_SET_PASSWORD)) // would be used for nothing
		return REASON_OPERATION_UNAVAILABLE;
	if (rule->then == CODE_THEN_ENTER && !use->by_caller &&
	    use->token_count == 0) // whoever reads the mail need not have signed up
		return REASON_OPERATION_UNAVAILABLE;
	if (!is_of_account(use, &code->account_id))
		return REASON_CODE_UNKNOWN;
	if (use->has_address && (use->kind != code->kind || !slice_equal(use->value, code->value)))
		return REASON_CODE_UNKNOWN;
	if (code->superseded || (use->by_caller && !operation_is_callers(c))) // another visitor has asked since
		return REASON_CODE_SUPERSEDED;
	if (!code->decoy && !uuid_is_nil(&code->account_id) &&
	    (!code->holder.found || !uuid_equal(&code->account_id, &code->holder.account_id)))
		return REASON_CODE_SUPERSEDED;
	if (code->consumed)
		return REASON_CODE_USED;
	return c->facts->now_ms >= code->expires_ms ? REASON_CODE_EXPIRED : REASON_OK;
}

// A number for tests has a code of its own, whatever form codes have.
static struct code_form wanted_code(const struct operation *op, const struct operation_case *c, char wanted[static CODE_TEXT_SIZE])
{
	const struct code_facts *code = &c->facts->code;
	if (sending_test_code(op->sending, c->request->realm, code->kind, code->value, wanted)) {
		size_t len = strlen(wanted);
		return (struct code_form){(unsigned)len, strspn(wanted, "0123456789") == len ? CODE_DIGITS : CODE_LETTERS};
	}
	code_derive(op->keys, code->purpose, c->request->realm, &code->seed, &code->form, wanted);
	return code->form;
}

// Of a decoy the work is the same, and no code is right.
static bool is_right(const struct operation *op, const struct operation_case *c)
{
	const struct code_use *use = &c->registration->code;
	char wanted[CODE_TEXT_SIZE], typed[CODE_TEXT_SIZE];
	const struct code_form form = wanted_code(op, c, wanted);
	code_normalise(use->typed ? secret_bytes(use->typed) : SLICE_LIT(""), &form, typed);
	bool right = code_equal(wanted, typed);
	secret_wipe(wanted, sizeof(wanted));
	secret_wipe(typed, sizeof(typed));
	return right && !c->facts->code.decoy;
}

static void hold(const struct operation_case *c, struct changes *changes)
{
	const struct code_facts *code = &c->facts->code;
	changes->code = (struct code_change){
		.holds = true, .kind = code->kind, .value = code->value, .challenge_id = code->challenge_id};
}

void operation_count_failure(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	struct code_change *change = &changes->code;
	change->counts = true;
	change->failures = c->facts->code.failures + 1;
	int64_t wait = operation_code_wait(change->failures);
	if (wait > 0)
		receipt->next_ms = change->locked_until_ms = c->facts->now_ms + wait;
}

static enum decision refuse_wrong(const struct operation_case *c, const struct code_rule *rule, struct receipt *receipt,
				  struct changes *changes)
{
	if (!c->facts->code.decoy) // the address is somebody else's, whom others' tries shall not lock
		operation_count_failure(c, receipt, changes);
	receipt->has_tries = true;
	receipt->tries_left = rule->tries - c->facts->code.tries - 1;
	return operation_refuse(c, REASON_CODE_WRONG, receipt, changes);
}

// Once, and the address is proved to be somebody's who reads what is sent to it.
static void use_up(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct code_facts *code = &c->facts->code;
	changes->code.consumes = true;
	changes->code.counts = code->failures > 0;
	receipt->address_kind = code->kind;
	receipt->address = code->value;
}

// The address is the account's, if it was not before.
static void verify(const struct code_holder *holder, struct receipt *receipt, struct changes *changes)
{
	receipt->has_account = true;
	receipt->account_id = holder->account_id;
	receipt->account_number = holder->number;
	receipt->opening = holder->opening;
	receipt->verified = !holder->verified;
	changes->code.verifies = !holder->verified;
	changes->code.account_id = holder->account_id;
}

bool operation_prove(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct code_holder *holder = &c->facts->code.holder;
	if (!holder->verified && !holder->pending)
		return false;
	verify(holder, receipt, changes);
	return true;
}

// Into the account: with its device, and in the language that is asked for.
void operation_enter_account(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			     struct changes *changes)
{
	const struct device_use *device = &c->registration->device;
	operation_add_mint(op, c, receipt, changes);
	changes->code.account_id = receipt->account_id;
	changes->code.locale = c->registration->locale;
	if (slice_is_absent(device->registration))
		return;
	changes->has_device = true;
	changes->device = (struct device_row){
		.device_id = operation_id(c->request, "device"),
		.account_id = receipt->account_id,
		.registration = device->registration,
		.name = device->name,
		.kind = device->kind,
	};
}

// An account for an address that has proved to be somebody's.
static enum decision open_account(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				  struct changes *changes)
{
	if (operation_any_taken(c)) { // another claim than the address, which nobody has
		changes->code.consumes = false;
		return operation_refuse(c, REASON_IDENTITY_TAKEN, receipt, changes);
	}
	operation_open_account(c, receipt, changes);
	changes->account.state = "active";
	changes->code.verifies = true;
	operation_enter_account(op, c, receipt, changes);
	receipt->created = receipt->verified = true;
	return DECISION_STORE;
}

static enum decision succeed(const struct operation *op, const struct operation_case *c, const struct code_rule *rule,
			     struct receipt *receipt, struct changes *changes)
{
	const struct code_facts *code = &c->facts->code;
	if (rule->then == CODE_THEN_NOTHING)
		return DECISION_STORE;
	if (rule->then == CODE_THEN_VERIFY || rule->then == CODE_THEN_ENTER) {
		if (code->holder.found)
			verify(&code->holder, receipt, changes);
		if (code->holder.found && rule->then == CODE_THEN_ENTER && c->registration->code.by_caller)
			operation_enter_account(op, c, receipt, changes);
		return DECISION_STORE;
	}
	if (code->holder.found && !operation_prove(c, receipt, changes))
		return operation_refuse(c, REASON_IDENTITY_UNKNOWN, receipt, changes);
	if (code->holder.found) {
		changes->code.ousts = code->holder.pending;
		if (code->holder.pending) // so do the sessions of whoever set that password
			changes->sessions = (struct session_change){
				.ends = SESSION_ALL, .why = "ousted", .account_id = code->holder.account_id, .idles = true};
		operation_enter_account(op, c, receipt, changes);
		return DECISION_STORE;
	}
	if (rule->then == CODE_THEN_SIGN_IN)
		return operation_refuse(c, REASON_IDENTITY_UNKNOWN, receipt, changes);
	return open_account(op, c, receipt, changes);
}

bool operation_code_fits(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			 struct changes *changes, enum decision *ret)
{
	const struct code_facts *code = &c->facts->code;
	const struct code_rule *rule = rule_of(c);
	enum reason reason = standing(op, c, rule);
	if (reason == REASON_OK && code->tries >= rule->tries)
		reason = REASON_CODE_EXHAUSTED;
	if (reason == REASON_OK && !code->decoy && c->facts->now_ms < code->locked_until_ms) {
		receipt->next_ms = code->locked_until_ms;
		reason = REASON_CODE_LOCKED;
	}
	if (reason != REASON_OK) {
		*ret = operation_refuse(c, reason, receipt, changes);
		return false;
	}
	hold(c, changes);
	changes->code.tries = true;
	if (!is_right(op, c)) {
		*ret = refuse_wrong(c, rule, receipt, changes);
		return false;
	}
	use_up(c, receipt, changes);
	return true;
}

enum decision operation_code_check(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				   struct changes *changes)
{
	enum decision decision;
	if (!c->registration->code.rules)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	if (!operation_code_fits(op, c, receipt, changes, &decision))
		return decision;
	return succeed(op, c, rule_of(c), receipt, changes);
}

// A link's token is too long to be guessed: whoever has it was sent it, however often its code was tried.
enum decision operation_verify(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			       struct changes *changes)
{
	if (!c->registration->code.rules)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	const struct code_rule *rule = rule_of(c);
	enum reason reason = standing(op, c, rule);
	if (reason == REASON_OK && c->registration->code.token_count == 0)
		reason = REASON_CODE_UNKNOWN;
	if (reason != REASON_OK)
		return operation_refuse(c, reason, receipt, changes);
	hold(c, changes);
	use_up(c, receipt, changes);
	return succeed(op, c, rule, receipt, changes);
}
