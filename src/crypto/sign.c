// SPDX-License-Identifier: Apache-2.0
// JWS compact serialization: header, payload and signature in base64url without padding, with dots between.
//
// Both algorithms are deterministic, so that a token is checked by signing its payload anew: what differs in any bit, in the header or in how it is
// encoded, is none.
#include "enrolld/crypto/sign.h"

#include <stdio.h>
#include <string.h>

#include "crypto/frame.h"
#include "crypto/keyring.h"
#include "crypto/sign.h"
#include "enrolld/base/hex.h"
#include "enrolld/crypto/digest.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define TOKEN_MAX 8192 // of one that is to be opened

// Returns the length.
static size_t encode(char *out, size_t size, const void *bytes, size_t len)
{
	(void)sodium_bin2base64(out, size, bytes, len, BASE64);
	return BASE64URL_TEXT_SIZE(len) - 1;
}

static size_t sign_hs256(const struct sign_key *key, const char *text, size_t len, uint8_t signature[static SIGN_SIZE_MAX])
{
	crypto_auth_hmacsha256_state state;
	(void)crypto_auth_hmacsha256_init(&state, key->bytes, key->len);
	(void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, len);
	(void)crypto_auth_hmacsha256_final(&state, signature);
	sodium_memzero(&state, sizeof(state));
	return crypto_auth_hmacsha256_BYTES;
}

static size_t sign_eddsa(const struct sign_key *key, const char *text, size_t len, uint8_t signature[static SIGN_SIZE_MAX])
{
	(void)crypto_sign_detached(signature, NULL, (const uint8_t *)text, len, key->bytes);
	return crypto_sign_BYTES;
}

struct slice sign_compact(const struct sign_key *key, struct slice header, struct slice payload, struct arena *arena)
{
	size_t size = BASE64URL_TEXT_SIZE(header.len) + BASE64URL_TEXT_SIZE(payload.len) + BASE64URL_TEXT_SIZE(SIGN_SIZE_MAX);
	char *token = arena_alloc(arena, size);
	size_t len = encode(token, size, header.ptr, header.len);
	token[len++] = '.';
	len += encode(token + len, size - len, payload.ptr, payload.len);
	uint8_t signature[SIGN_SIZE_MAX];
	size_t signed_len = key->algorithm == SIGN_EDDSA ? sign_eddsa(key, token, len, signature)
							 : sign_hs256(key, token, len, signature);
	token[len++] = '.';
	len += encode(token + len, size - len, signature, signed_len);
	return (struct slice){token, len};
}

static void derive_seed(const struct keyring *ring, uint16_t epoch, enum key_purpose purpose, const char *use,
			const struct slice *parts, size_t count, uint8_t seed[static KEY_SIZE])
{
	struct frame frame;
	frame_start(&frame, keyring_key(ring, epoch, purpose), KEY_SIZE, use);
	for (size_t i = 0; i < count; i++)
		frame_part(&frame, parts[i]);
	frame_end(&frame, seed);
}

// The key pair of a realm under an epoch.
static void derive_pair(const struct keyring *ring, uint16_t epoch, struct slice realm, uint8_t secret[static SIGN_KEY_MAX],
			uint8_t public[static crypto_sign_PUBLICKEYBYTES])
{
	_Static_assert(crypto_sign_SEEDBYTES == KEY_SIZE, "a seed is a key");
	uint8_t seed[KEY_SIZE];
	derive_seed(ring, epoch, KEY_PAIR, "eddsa", &realm, 1, seed);
	(void)crypto_sign_seed_keypair(public, secret, seed);
	sodium_memzero(seed, sizeof(seed));
}

_Static_assert(SIGN_PUBLIC_TEXT_SIZE == BASE64URL_TEXT_SIZE(crypto_sign_PUBLICKEYBYTES), "a public key's text");
_Static_assert(SIGN_ID_TEXT_SIZE == BASE64URL_TEXT_SIZE(crypto_hash_sha256_BYTES), "a key id's text");

void sign_name_key(const uint8_t public[static crypto_sign_PUBLICKEYBYTES], char x[static SIGN_PUBLIC_TEXT_SIZE],
		   char id[static SIGN_ID_TEXT_SIZE])
{
	char json[64 + SIGN_PUBLIC_TEXT_SIZE];
	uint8_t digest[crypto_hash_sha256_BYTES];
	(void)encode(x, SIGN_PUBLIC_TEXT_SIZE, public, crypto_sign_PUBLICKEYBYTES);
	(void)snprintf(json, sizeof(json), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
	(void)crypto_hash_sha256(digest, (const uint8_t *)json, strlen(json));
	(void)encode(id, SIGN_ID_TEXT_SIZE, digest, sizeof(digest));
}

struct slice sign_jwt(const struct keyring *ring, uint16_t epoch, struct slice realm, const struct sign_form *form,
		      struct slice payload, struct arena *arena)
{
	struct sign_key key = {.algorithm = form->algorithm};
	char header[128 + SIGN_TYPE_MAX];
	if (form->algorithm == SIGN_EDDSA) {
		uint8_t public[crypto_sign_PUBLICKEYBYTES];
		char x[SIGN_PUBLIC_TEXT_SIZE], id[SIGN_ID_TEXT_SIZE];
		derive_pair(ring, epoch, realm, key.bytes, public);
		sign_name_key(public, x, id);
		key.len = crypto_sign_SECRETKEYBYTES;
		(void)snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"typ\":\"%s\",\"kid\":\"%s\"}", form->type, id);
	} else {
		const struct slice whose[] = {realm, slice_of(form->dialect)};
		derive_seed(ring, epoch, KEY_SIGN, "jwt", whose, ARRAY_LEN(whose), key.bytes);
		key.len = KEY_SIZE;
		(void)snprintf(header, sizeof(header), "{\"alg\":\"HS256\",\"typ\":\"%s\"}", form->type);
	}
	struct slice token = sign_compact(&key, slice_of(header), payload, arena);
	sodium_memzero(&key, sizeof(key));
	return token;
}

static struct slice payload_of(struct slice token, struct arena *arena)
{
	const char *first = token.len ? memchr(token.ptr, '.', token.len) : NULL;
	const char *last = first ? memrchr(token.ptr, '.', token.len) : NULL;
	if (!first || last == first || token.len > TOKEN_MAX)
		return SLICE_ABSENT;
	const struct slice text = {first + 1, (size_t)(last - first - 1)};
	uint8_t *bytes = arena_alloc(arena, BASE64URL_BYTES_SIZE(text.len));
	size_t len = 0;
	return base64url_decode(text, bytes, &len) ? (struct slice){(const char *)bytes, len} : SLICE_ABSENT;
}

struct slice sign_open(const struct keyring *ring, struct slice realm, const struct sign_form *form, struct slice token,
		       struct arena *arena)
{
	struct key_info infos[KEYS_MAX];
	struct slice payload = payload_of(token, arena);
	size_t count = slice_is_absent(payload) ? 0 : keyring_list(ring, infos, KEYS_MAX);
	size_t oldest = count > SIGN_EPOCHS_MAX ? count - SIGN_EPOCHS_MAX : 0;
	while (count > oldest) {
		struct slice wanted = sign_jwt(ring, infos[--count].epoch, realm, form, payload, arena);
		if (wanted.len == token.len && digest_equal(wanted.ptr, token.ptr, token.len))
			return payload;
	}
	return SLICE_ABSENT;
}

void sign_key_set(const struct keyring *ring, struct slice realm, struct strbuf *out)
{
	struct key_info infos[KEYS_MAX];
	size_t count = keyring_list(ring, infos, KEYS_MAX);
	strbuf_add_text(out, "{\"keys\":[");
	for (size_t i = count; i-- > 0;) {
		uint8_t secret[SIGN_KEY_MAX], public[crypto_sign_PUBLICKEYBYTES];
		char x[SIGN_PUBLIC_TEXT_SIZE], id[SIGN_ID_TEXT_SIZE];
		derive_pair(ring, infos[i].epoch, realm, secret, public);
		sodium_memzero(secret, sizeof(secret));
		sign_name_key(public, x, id);
		strbuf_printf(
			out,
			"%s{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\":\"%s\",\"x\":\"%s\"}",
			i + 1 == count ? "" : ",", id, x);
	}
	strbuf_add_text(out, "]}\n");
}
