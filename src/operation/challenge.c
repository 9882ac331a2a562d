// SPDX-License-Identifier: Apache-2.0
// Challenges and the messages that carry them: of sign-ups, and of codes that are asked for.
#include "enrolld/base/secret.h"
#include "enrolld/crypto/seal.h"
#include "enrolld/model/payload.h"
#include "operation/operation_private.h"

#define NOTICE_LIFE_MS (INT64_C(24) * 3600 * 1000) // what is told later is no news

struct nonce operation_nonce(const struct operation *op, const struct operation_case *c, uint16_t epoch, const char *word,
			     struct slice value)
{
	const struct slice parts[] = {c->request->realm, c->request->route, c->request->request_id, slice_of(word), value};
	uint8_t digest[DIGEST_SIZE];
	digest_keyed(op->keys, epoch, "nonce", parts, ARRAY_LEN(parts), digest);
	struct nonce nonce;
	memcpy(nonce.bytes, digest, NONCE_SIZE);
	return nonce;
}

enum reason operation_address(const struct operation *op, const struct operation_case *c, enum claim_kind kind, struct slice value,
			      struct changes *changes, bool *ret_sends)
{
	char code[CODE_TEXT_SIZE];
	*ret_sends = false;
	if (sending_test_code(op->sending, c->request->realm, kind, value, code))
		return REASON_OK;
	enum reason reason = sending_judge(op->sending, c->request->realm, kind, value);
	if (reason == REASON_OK)
		reason = c->withheld[kind];
	if (reason != REASON_OK) {
		changes->withheld = reason;
		return sending_is_silent(op->sending, c->request->realm) ? REASON_OK : reason;
	}
	changes->recipients[changes->recipient_count++] = (struct recipient){kind, value};
	*ret_sends = true;
	return REASON_OK;
}

static const char *channel_of(enum claim_kind kind)
{
	return kind == CLAIM_EMAIL ? "email" : "sms";
}

static void add_message(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan,
			const struct uuid *message_id, const struct uuid *challenge_id, struct changes *changes)
{
	// The stored address, never the submitted spelling: the code must reach whoever owns the claim.
	struct payload payload = {.recipient = plan->value, .locale = plan->locale, .name = plan->name};
	if (plan->rule && plan->kind == CLAIM_EMAIL)
		dialect_link(c->route, plan->rule, c->request, c->registration, &plan->account_id, c->arena, &payload);
	struct message_row *row = &changes->messages[changes->message_count++];
	*row = (struct message_row){
		.message_id = *message_id,
		.challenge_id = *challenge_id,
		.channel = channel_of(plan->kind),
		.template_name = arena_printf(c->arena, "%s_%s", plan->message, claim_kind_name(plan->kind)).ptr,
		.life_ms = plan->life_ms,
	};
	char id[UUID_TEXT_SIZE];
	uuid_format(&row->message_id, id);
	row->sealed = seal_close(op->keys, slice_of(id), payload_write(&payload, c->arena), c->arena);
}

void operation_notify(const struct operation *op, const struct operation_case *c, const char *message, const struct uuid *id,
		      struct slice email, const struct code_holder *holder, struct changes *changes)
{
	static const struct uuid none;
	const struct challenge_plan plan = {
		.message = message,
		.kind = CLAIM_EMAIL,
		.value = email,
		.life_ms = NOTICE_LIFE_MS,
		.locale = holder->locale,
		.name = holder->name,
	};
	add_message(op, c, &plan, id, &none, changes);
}

// Of a challenge: what anybody may ask for, and so what is counted.
static void add_code(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan,
		     const struct uuid *message_id, const struct uuid *challenge_id, struct changes *changes)
{
	if (changes->message_count >= changes->recipient_count)
		PANIC("a code is sent to who is no recipient");
	add_message(op, c, plan, message_id, challenge_id, changes);
}

static struct challenge_row row_for(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan)
{
	uint16_t epoch = keyring_active(op->keys);
	struct challenge_row row = {
		.challenge_id = operation_id(c->request, plan->purpose),
		.account_id = plan->account_id,
		.purpose = plan->purpose,
		.channel = channel_of(plan->kind),
		.claim_kind = plan->kind,
		.claim_value = plan->value,
		.seed = {operation_nonce(op, c, epoch, plan->purpose, plan->value), epoch, 0},
		.form = plan->form,
		.life_ms = plan->life_ms,
	};
	if (c->registration->code.caller_count > 0)
		row.caller = c->registration->code.callers[0];
	char token[TOKEN_TEXT_SIZE];
	code_link_token(op->keys, slice_of(plan->purpose), c->request->realm, &row.seed, token);
	code_token_digest(op->keys, epoch, slice_of(token), row.token_digest);
	secret_wipe(token, sizeof(token));
	return row;
}

static void tell(struct receipt *receipt, struct uuid id, enum claim_kind kind, const struct code_seed *seed, int64_t expires_ms)
{
	if (receipt->has_challenge)
		return;
	receipt->has_challenge = true;
	receipt->challenge_id = id;
	receipt->challenge_kind = kind;
	receipt->nonce = seed->nonce;
	receipt->epoch = seed->epoch;
	receipt->expires_ms = expires_ms;
}

void operation_challenge(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan, bool silent,
			 struct receipt *receipt, struct changes *changes)
{
	struct challenge_row *row = &changes->challenges[changes->challenge_count++];
	*row = row_for(op, c, plan);
	const struct uuid id = operation_id(c->request, channel_of(plan->kind));
	if (!silent)
		add_code(op, c, plan, &id, &row->challenge_id, changes);
	tell(receipt, row->challenge_id, plan->kind, &row->seed, receipt->at_ms + row->life_ms);
}

void operation_send_again(const struct operation *op, const struct operation_case *c, const struct challenge_plan *plan,
			  bool silent, struct receipt *receipt, struct changes *changes)
{
	const struct code_facts *code = &c->facts->code;
	const struct uuid id = operation_id(c->request, channel_of(plan->kind));
	if (!silent)
		add_code(op, c, plan, &id, &code->challenge_id, changes);
	tell(receipt, code->challenge_id, plan->kind, &code->seed, code->expires_ms);
}
