// SPDX-License-Identifier: Apache-2.0
// Sessions: begun with tokens, gone on with by one of these, and ended.
//
// Who shows a token is decided twice: on the facts of the look, and once the session is held, which is what counts.
#include "operation/operation_private.h"

#include "enrolld/base/secret.h"

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void begin_session(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			  struct changes *changes)
{
	const struct session_rule *rule = c->registration->session.rule;
	int64_t now = c->facts->now_ms;
	receipt->has_session = true;
	receipt->session_id = operation_id(c->request, "session");
	receipt->session_epoch = receipt->mint_epoch;
	receipt->session_ends_ms = now + earlier(rule->life_ms, rule->longest_ms);
	changes->has_session = true;
	changes->session = (struct session_row){
		.session_id = receipt->session_id,
		.account_id = receipt->account_id,
		.seed = {receipt->mint_nonce, receipt->session_epoch, 0},
		.created_ms = now,
		.expires_ms = receipt->session_ends_ms,
	};
	session_name_digest(op->keys, rule->dialect, c->request->realm, &changes->session.seed, changes->session.digest);
}

void operation_add_mint(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			struct changes *changes)
{
	if (!c->registration->wants_tokens)
		return;
	receipt->has_mint = true;
	receipt->mint_epoch = keyring_active(op->keys);
	receipt->mint_nonce = operation_nonce(op, c, receipt->mint_epoch, "tokens", SLICE_LIT(""));
	if (c->registration->session.opens)
		begin_session(op, c, receipt, changes);
}

// Is it the token of the session after so many uses?
static bool is_token(const struct operation *op, const struct operation_case *c, uint32_t serial)
{
	const struct session_use *use = &c->registration->session;
	struct session_seed seed = c->facts->session.seed;
	char wanted[SESSION_TOKEN_MAX + 1];
	seed.serial = serial;
	session_token(op->keys, use->kind, c->request->realm, &seed, use->alphabet, use->token.len, wanted);
	bool equal = digest_equal(wanted, use->token.ptr, use->token.len);
	secret_wipe(wanted, sizeof(wanted));
	return equal;
}

// Is it the session's, of now or of an earlier use? The name is no proof: access tokens that others read and log begin with it too.
static bool is_genuine(const struct operation *op, const struct operation_case *c)
{
	uint32_t serial = c->facts->session.seed.serial;
	bool genuine = c->registration->session.is_signed || is_token(op, c, serial);
	for (uint32_t uses = 1; !genuine && uses <= SESSION_EARLIER_MAX && uses <= serial; uses++)
		genuine = is_token(op, c, serial - uses);
	return genuine;
}

// Whatever was used since: a token says which session is meant, and nothing is done to one for a token that is none of its own.
static enum reason standing(const struct operation *op, const struct operation_case *c)
{
	const struct session_use *use = &c->registration->session;
	const struct session_facts *session = &c->facts->session;
	if (use->digest_count > 0 && use->expires_ms != 0 && c->facts->now_ms >= use->expires_ms)
		return REASON_TOKEN_EXPIRED;
	if (use->digest_count == 0 || !session->found || !keyring_has(op->keys, session->seed.epoch) || !is_genuine(op, c))
		return REASON_TOKEN_INVALID;
	if (session->revoked)
		return REASON_TOKEN_REVOKED;
	return c->facts->now_ms >= session->expires_ms ? REASON_TOKEN_EXPIRED : REASON_OK;
}

enum reason operation_access(const struct operation *op, const struct operation_case *c)
{
	return c->registration->session.access ? standing(op, c) : REASON_OK;
}

// Was it used a moment ago, by a client that has not heard of it?
static bool repeats(const struct operation *op, const struct operation_case *c)
{
	const struct session_rule *rule = c->registration->session.rule;
	const struct session_facts *session = &c->facts->session;
	return rule->grace_ms > 0 && session->seed.serial > 0 && c->facts->now_ms < session->refreshed_ms + rule->grace_ms &&
	       is_token(op, c, session->seed.serial - 1);
}

static void hold(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct session_facts *session = &c->facts->session;
	receipt->has_account = true;
	receipt->account_id = session->account_id;
	receipt->account_number = session->number;
	changes->sessions = (struct session_change){
		.holds = true,
		.session_id = session->session_id,
		.account_id = session->account_id,
		.device_id = session->device_id,
	};
}

static void use_token(const struct operation_case *c, struct session_change *change)
{
	const struct session_rule *rule = c->registration->session.rule;
	const struct session_facts *session = &c->facts->session;
	change->turns = true;
	change->serial = session->seed.serial + (rule->rotates ? 1 : 0);
	change->expires_ms = earlier(c->facts->now_ms + rule->life_ms, session->created_ms + rule->longest_ms);
}

static void tell(const struct operation *op, const struct operation_case *c, uint32_t serial, int64_t ends_ms,
		 struct receipt *receipt)
{
	const struct session_facts *session = &c->facts->session;
	receipt->has_mint = receipt->has_session = true;
	receipt->mint_nonce = session->seed.nonce;
	receipt->mint_epoch = keyring_active(op->keys);
	receipt->session_id = session->session_id;
	receipt->session_epoch = session->seed.epoch;
	receipt->session_serial = serial;
	receipt->session_ends_ms = ends_ms;
}

enum decision operation_refresh(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes)
{
	const struct session_rule *rule = c->registration->session.rule;
	if (!rule || !rule->kind || c->registration->session.access)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	enum reason reason = standing(op, c);
	if (reason != REASON_OK)
		return operation_refuse(c, reason, receipt, changes);
	hold(c, receipt, changes);
	const struct session_facts *session = &c->facts->session;
	if (rule->reuse == SESSION_REUSE_ALLOW || is_token(op, c, session->seed.serial)) {
		use_token(c, &changes->sessions);
		tell(op, c, changes->sessions.serial, changes->sessions.expires_ms, receipt);
		return DECISION_STORE;
	}
	if (repeats(op, c)) {
		tell(op, c, session->seed.serial, session->expires_ms, receipt);
		return DECISION_STORE;
	}
	if (rule->reuse == SESSION_REUSE_REVOKE) {
		changes->sessions.ends = SESSION_ONE;
		changes->sessions.why = "reuse";
	}
	return operation_refuse(c, REASON_TOKEN_USED, receipt, changes);
}

// A token that was used before is good enough: whoever has it wants the session to end, or has stolen it.
enum decision operation_sign_out(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				 struct changes *changes)
{
	const struct session_use *use = &c->registration->session;
	if (!use->rule || use->scope == SESSION_NONE)
		return operation_refuse(c, REASON_OPERATION_UNAVAILABLE, receipt, changes);
	enum reason reason = standing(op, c);
	if (reason == REASON_TOKEN_REVOKED) // is what was wanted (RFC 7009, section 2.2)
		return DECISION_STORE;
	if (reason != REASON_OK)
		return operation_refuse(c, reason, receipt, changes);
	hold(c, receipt, changes);
	changes->sessions.ends = use->scope;
	changes->sessions.why = "sign_out";
	changes->sessions.idles = use->scope != SESSION_ONE;
	changes->sessions.registration = c->registration->device.registration;
	return DECISION_STORE;
}
