// SPDX-License-Identifier: Apache-2.0
// JWS compact serialization: header, payload and signature in base64url without padding, with dots between.
#include "enrolld/crypto/sign.h"

#include "crypto/frame.h"
#include "crypto/keyring.h"
#include "crypto/sign.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define BASE64_SIZE(len) sodium_base64_ENCODED_LEN(len, BASE64) // with NUL

// Returns the length.
static size_t encode(char *out, size_t size, const void *bytes, size_t len)
{
	(void)sodium_bin2base64(out, size, bytes, len, BASE64);
	return BASE64_SIZE(len) - 1;
}

struct slice sign_compact(const uint8_t *key, size_t key_len, struct slice header, struct slice payload, struct arena *arena)
{
	size_t size = BASE64_SIZE(header.len) + BASE64_SIZE(payload.len) + BASE64_SIZE(crypto_auth_hmacsha256_BYTES);
	char *token = arena_alloc(arena, size);
	size_t len = encode(token, size, header.ptr, header.len);
	token[len++] = '.';
	len += encode(token + len, size - len, payload.ptr, payload.len);

	uint8_t signature[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256_state state;
	(void)crypto_auth_hmacsha256_init(&state, key, key_len);
	(void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)token, len);
	(void)crypto_auth_hmacsha256_final(&state, signature);
	sodium_memzero(&state, sizeof(state));

	token[len++] = '.';
	len += encode(token + len, size - len, signature, sizeof(signature));
	return (struct slice){token, len};
}

struct slice sign_jwt(const struct keyring *ring, uint16_t epoch, struct slice realm, struct slice payload, struct arena *arena)
{
	uint8_t key[KEY_SIZE];
	struct frame frame;
	frame_start(&frame, keyring_key(ring, epoch, KEY_SIGN), sizeof(key), "jwt");
	frame_part(&frame, realm);
	frame_end(&frame, key);
	struct slice token = sign_compact(key, sizeof(key), SLICE_LIT("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), payload, arena);
	sodium_memzero(key, sizeof(key));
	return token;
}
