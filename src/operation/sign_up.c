// SPDX-License-Identifier: Apache-2.0
// Sign up: an account with its claims, and a verification for each address.
#include "enrolld/crypto/digest.h"
#include "enrolld/crypto/seal.h"
#include "enrolld/model/payload.h"
#include "operation/operation_private.h"

// The nonce is a keyed digest of the request, so that deciding again gives the same codes and tokens, and nobody without the key can tell them.
static struct nonce nonce_of(const struct operation *op, const struct operation_case *c, uint16_t epoch, const char *purpose)
{
	const struct slice parts[] = {c->request->realm, c->request->route, c->request->request_id, slice_of(purpose)};
	uint8_t digest[DIGEST_SIZE];
	digest_keyed(op->keys, epoch, "nonce", parts, ARRAY_LEN(parts), digest);
	struct nonce nonce;
	memcpy(nonce.bytes, digest, NONCE_SIZE);
	return nonce;
}

static struct challenge_row challenge_for(const struct operation *op, const struct operation_case *c, const struct claim *claim,
					  struct uuid account)
{
	bool mail = claim->kind == CLAIM_EMAIL;
	const char *purpose = mail ? "verify_email" : "verify_phone";
	uint16_t epoch = keyring_active(op->keys);
	struct challenge_row row = {
		.challenge_id = operation_id(c->request, purpose),
		.account_id = account,
		.purpose = purpose,
		.channel = mail ? "email" : "sms",
		.claim_kind = claim->kind,
		.claim_value = claim->value,
		.nonce = nonce_of(op, c, epoch, purpose),
		.epoch = epoch,
		.life_ms = mail ? op->conf->email_life_ms : op->conf->text_life_ms,
	};
	char token[TOKEN_TEXT_SIZE];
	derive_token(op->keys, epoch, mail ? "verify_email.link" : "verify_phone.link", c->request->realm, &row.nonce, 0, token);
	const struct slice parts[] = {slice_of(token)};
	digest_keyed(op->keys, epoch, "token", parts, 1, row.token_digest);
	secret_wipe(token, sizeof(token));
	return row;
}

static struct message_row message_for(const struct operation *op, const struct operation_case *c, const struct claim *claim,
				      const struct challenge_row *challenge)
{
	const struct registration *r = c->registration;
	// The stored address, never the submitted spelling: the code must reach whoever owns the claim.
	struct payload payload = {
		.recipient = claim->value,
		.locale = r->locale,
		.name = slice_is_absent(r->given_name) ? r->display_name : r->given_name,
	};
	struct message_row row = {
		.challenge_id = challenge->challenge_id,
		.channel = challenge->channel,
		.template_name = challenge->purpose,
		.life_ms = challenge->life_ms,
		.message_id = operation_id(c->request, challenge->channel),
	};
	char id[UUID_TEXT_SIZE];
	uuid_format(&row.message_id, id);
	row.sealed = seal_close(op->keys, slice_of(id), payload_write(&payload, c->arena), c->arena);
	return row;
}

static bool wants_verification(const struct operation *op, const struct registration *r, const struct claim *claim)
{
	if (r->unverified[claim->kind])
		return false;
	return (claim->kind == CLAIM_EMAIL && op->conf->verify_email) || (claim->kind == CLAIM_PHONE && op->conf->verify_phone);
}

static void add_verifications(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
			      struct changes *changes)
{
	for (size_t i = 0; i < c->registration->claim_count; i++) {
		const struct claim *claim = &c->registration->claims[i];
		if (!wants_verification(op, c->registration, claim) || changes->challenge_count == MESSAGES_MAX)
			continue;
		struct challenge_row *row = &changes->challenges[changes->challenge_count++];
		*row = challenge_for(op, c, claim, receipt->account_id);
		changes->messages[changes->message_count++] = message_for(op, c, claim, row);
		if (!receipt->has_challenge) {
			receipt->has_challenge = true;
			receipt->challenge_id = row->challenge_id;
			receipt->nonce = row->nonce;
			receipt->epoch = row->epoch;
			receipt->expires_ms = receipt->at_ms + row->life_ms;
		}
	}
}

// Those of the registration, and a value for each derived one as the look proposed it.
static void add_claims(const struct operation_case *c, struct receipt *receipt, struct changes *changes)
{
	const struct registration *r = c->registration;
	changes->claims = r->claims;
	changes->claim_count = r->claim_count;
	if (r->derived_count == 0)
		return;
	struct claim *claims = ARENA_ARRAY(c->arena, r->claim_count + r->derived_count, struct claim);
	if (r->claim_count)
		memcpy(claims, r->claims, r->claim_count * sizeof(*claims));
	for (size_t i = 0; i < r->derived_count; i++) {
		const struct derived_claim *derived = &r->derived[i];
		struct slice value = c->facts->proposals[i];
		if (slice_is_absent(value))
			PANIC("a derived claim has no proposal");
		claims[r->claim_count + i] = (struct claim){
			.kind = derived->kind, .value = value, .shown = value, .field = derived->field};
		if (derived->kind == CLAIM_SLUG)
			receipt->slug = value;
	}
	changes->claims = claims;
	changes->claim_count = r->claim_count + r->derived_count;
	changes->derived_count = r->derived_count;
}

static void add_mint(const struct operation *op, const struct operation_case *c, struct receipt *receipt)
{
	if (!c->registration->wants_tokens)
		return;
	receipt->has_mint = true;
	receipt->mint_epoch = keyring_active(op->keys);
	receipt->mint_nonce = nonce_of(op, c, receipt->mint_epoch, "tokens");
}

enum decision operation_sign_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes)
{
	const struct registration *r = c->registration;
	receipt->has_account = true;
	receipt->account_id = operation_id(c->request, "account");
	changes->has_account = true;
	add_claims(c, receipt, changes);
	add_mint(op, c, receipt);
	changes->account = (struct account_row){
		.account_id = receipt->account_id,
		.password_hash = r->password_hash,
		.given_name = r->given_name,
		.family_name = r->family_name,
		.display_name = r->display_name,
		.birth_date = r->birth_date,
		.locale = r->locale,
		.attributes = r->attributes,
		.counter = !r->wants_number ? NULL
			   : r->counter     ? r->counter
					    : "account",
	};
	add_verifications(op, c, receipt, changes);
	changes->account.state = changes->challenge_count ? "pending" : "active";
	return r->password ? DECISION_HASH : DECISION_STORE;
}
