// SPDX-License-Identifier: Apache-2.0
// Tokens that answers carry: derived from what the receipt has, so that the same answer carries the same ones.
#include "dialect/answer.h"
#include "enrolld/crypto/derive.h"

#define PAYLOAD_MAX 4096

struct minting {
	struct answering *answering;
	const struct token_spec *spec;
	struct slice id;
};

// No token is good for longer than its session.
static int64_t expiry(const struct receipt *r, const struct token_spec *spec)
{
	int64_t seconds = r->at_ms / 1000 + spec->life_ms / 1000;
	bool cut = r->has_session && spec->use != TOKEN_LOOSE && r->session_ends_ms / 1000 < seconds;
	return cut ? r->session_ends_ms / 1000 : seconds;
}

static bool find(void *context, struct slice name, struct template_value *value)
{
	const struct minting *m = context;
	const struct receipt *r = m->answering->receipt;
	if (slice_equal_text(name, "iat"))
		*value = (struct template_value){.kind = TEMPLATE_INT, .integer = r->at_ms / 1000};
	else if (slice_equal_text(name, "exp"))
		*value = (struct template_value){.kind = TEMPLATE_INT, .integer = expiry(r, m->spec)};
	else if (slice_equal_text(name, "jti"))
		*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = m->id};
	else
		return answering_find(m->answering, name, value);
	return true;
}

// The frontend shows what the mail carries: one token.
static bool link_token(struct answering *a, const struct token_spec *spec, struct slice *token)
{
	const struct keyring *keys = a->dialect->set->keys;
	const struct receipt *r = a->receipt;
	if (!keys || !r->has_challenge || r->challenge_kind != CLAIM_EMAIL || !keyring_has(keys, r->epoch))
		return false;
	const struct code_seed seed = {r->nonce, r->epoch, 0};
	char *text = arena_alloc(a->arena, TOKEN_TEXT_SIZE), *hex = arena_alloc(a->arena, CODE_TOKEN_HEX_SIZE);
	code_link_token(keys, SLICE_LIT(PURPOSE_VERIFY_EMAIL), a->request->realm, &seed, text);
	code_token_hex(text, hex);
	*token = slice_of(spec->hex ? hex : text);
	return true;
}

// What is derived: of an opaque token the whole, of a signed one its id.
static struct slice derive(const struct answering *a, const struct token_spec *spec)
{
	const struct keyring *keys = a->dialect->set->keys;
	const struct receipt *r = a->receipt;
	char *text = arena_alloc(a->arena, spec->length + 1);
	if (spec->use != TOKEN_LOOSE && r->has_session) {
		const struct session_seed seed = {r->mint_nonce, r->session_epoch, r->session_serial};
		session_token(keys, spec->kind, a->request->realm, &seed, spec->alphabet, spec->length, text);
	} else {
		derive_text(keys, r->mint_epoch, spec->kind, a->request->realm, &r->mint_nonce, 0, spec->alphabet, spec->length,
			    text);
	}
	return (struct slice){text, spec->length};
}

bool token_mint(struct answering *a, const struct token_spec *spec, struct slice *token)
{
	const struct keyring *keys = a->dialect->set->keys;
	const struct receipt *r = a->receipt;
	if (spec->is_link)
		return link_token(a, spec, token);
	if (!keys || !r->has_mint || !keyring_has(keys, r->mint_epoch) || (r->has_session && !keyring_has(keys, r->session_epoch)))
		return false;
	struct minting minting = {a, spec, derive(a, spec)};
	if (!spec->payload) {
		*token = minting.id;
		return true;
	}
	struct strbuf payload = STRBUF_INIT(PAYLOAD_MAX);
	const struct template_scope scope = {.find = find, .context = &minting};
	template_render_scope(spec->payload, &scope, &payload);
	bool fits = !strbuf_overflowed(&payload);
	if (fits)
		*token = sign_jwt(keys, r->mint_epoch, a->request->realm, &spec->form, strbuf_slice(&payload), a->arena);
	strbuf_free(&payload);
	return fits;
}
