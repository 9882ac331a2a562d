// SPDX-License-Identifier: Apache-2.0
// Tokens that answers carry: derived from what the receipt has, so that the same answer carries the same ones.
#include "dialect/answer.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/crypto/sign.h"

#define HEX_DIGITS "0123456789abcdef"
#define JTI_DIGITS 32
#define PAYLOAD_MAX 4096

struct minting {
	struct answering *answering;
	const struct token_spec *spec;
	char jti[JTI_DIGITS + 1];
};

static bool find(void *context, struct slice name, struct template_value *value)
{
	const struct minting *m = context;
	int64_t iat = m->answering->receipt->at_ms / 1000;
	if (slice_equal_text(name, "iat"))
		*value = (struct template_value){.kind = TEMPLATE_INT, .integer = iat};
	else if (slice_equal_text(name, "exp"))
		*value = (struct template_value){.kind = TEMPLATE_INT, .integer = iat + m->spec->life_ms / 1000};
	else if (slice_equal_text(name, "jti"))
		*value = (struct template_value){.kind = TEMPLATE_TEXT, .text = {m->jti, JTI_DIGITS}};
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

bool token_mint(struct answering *a, const struct token_spec *spec, struct slice *token)
{
	const struct keyring *keys = a->dialect->set->keys;
	const struct receipt *r = a->receipt;
	if (spec->is_link)
		return link_token(a, spec, token);
	if (!keys || !r->has_mint || !keyring_has(keys, r->mint_epoch))
		return false;
	const char *kind = arena_printf(a->arena, "token.%s.%.*s", a->dialect->name, (int)spec->name.len, spec->name.ptr).ptr;
	if (!spec->payload) {
		char *text = arena_alloc(a->arena, spec->length + 1);
		derive_text(keys, r->mint_epoch, kind, a->request->realm, &r->mint_nonce, 0, spec->alphabet, spec->length, text);
		*token = (struct slice){text, spec->length};
		return true;
	}
	struct minting minting = {.answering = a, .spec = spec};
	struct strbuf payload = STRBUF_INIT(PAYLOAD_MAX);
	const struct template_scope scope = {.find = find, .context = &minting};
	derive_text(keys, r->mint_epoch, kind, a->request->realm, &r->mint_nonce, 0, HEX_DIGITS, JTI_DIGITS, minting.jti);
	template_render_scope(spec->payload, &scope, &payload);
	bool fits = !strbuf_overflowed(&payload);
	if (fits)
		*token = sign_jwt(keys, r->mint_epoch, a->request->realm, strbuf_slice(&payload), a->arena);
	strbuf_free(&payload);
	return fits;
}
