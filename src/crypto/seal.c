// SPDX-License-Identifier: Apache-2.0
// Sealing by XChaCha20-Poly1305, the head and the context being authenticated data.
#include "enrolld/crypto/seal.h"

#include <sodium.h>
#include <string.h>

#include "crypto/keyring.h"

#define VERSION 1
#define NONCE_AT 3
#define BODY_AT (NONCE_AT + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES

static struct slice bound_data(const uint8_t *head, struct slice context, struct arena *arena)
{
	char *bytes = arena_alloc(arena, NONCE_AT + context.len);
	memcpy(bytes, head, NONCE_AT);
	if (context.len)
		memcpy(bytes + NONCE_AT, context.ptr, context.len);
	return (struct slice){bytes, NONCE_AT + context.len};
}

struct slice seal_close(const struct keyring *ring, struct slice context, struct slice plain, struct arena *arena)
{
	uint16_t epoch = keyring_active(ring);
	size_t size = BODY_AT + plain.len + TAG_SIZE;
	uint8_t *sealed = arena_alloc(arena, size);
	sealed[0] = VERSION;
	sealed[1] = (uint8_t)(epoch >> 8);
	sealed[2] = (uint8_t)(epoch & 0xff);
	randombytes_buf(sealed + NONCE_AT, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
	struct slice bound = bound_data(sealed, context, arena);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + BODY_AT, NULL, (const uint8_t *)plain.ptr, plain.len,
							 (const uint8_t *)bound.ptr, bound.len, NULL, sealed + NONCE_AT,
							 keyring_key(ring, epoch, KEY_SEAL));
	return (struct slice){(const char *)sealed, size};
}

enum reason seal_open(const struct keyring *ring, struct slice context, struct slice sealed, struct arena *arena,
		      struct slice *ret_plain, struct fault *f)
{
	const uint8_t *bytes = (const uint8_t *)sealed.ptr;
	if (sealed.len < BODY_AT + TAG_SIZE || bytes[0] != VERSION)
		return fault_set(f, REASON_KEYS_INVALID, "%zu sealed bytes are not ours", sealed.len);
	uint16_t epoch = (uint16_t)(bytes[1] << 8 | bytes[2]);
	if (!keyring_has(ring, epoch))
		return fault_set(f, REASON_KEYS_INVALID, "sealed under epoch %u, which the key ring has not", epoch);
	size_t len = sealed.len - BODY_AT - TAG_SIZE;
	uint8_t *plain = arena_alloc(arena, len + 1);
	struct slice bound = bound_data(bytes, context, arena);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, bytes + BODY_AT, sealed.len - BODY_AT,
						       (const uint8_t *)bound.ptr, bound.len, bytes + NONCE_AT,
						       keyring_key(ring, epoch, KEY_SEAL)) != 0)
		return fault_set(f, REASON_KEYS_INVALID, "sealed under epoch %u by another key or for another place, or damaged",
				 epoch);
	*ret_plain = (struct slice){(const char *)plain, len};
	return REASON_OK;
}
