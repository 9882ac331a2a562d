// SPDX-License-Identifier: Apache-2.0
// Keyed digests, and the short hash of in-memory tables.
#include "enrolld/crypto/digest.h"

#include <pthread.h>

#include "crypto/frame.h"
#include "crypto/keyring.h"

void digest_keyed(const struct keyring *ring, uint16_t epoch, const char *purpose, const struct slice *parts, size_t count,
		  uint8_t out[static DIGEST_SIZE])
{
	struct frame frame;
	frame_start(&frame, keyring_key(ring, epoch, KEY_DIGEST), DIGEST_SIZE, purpose);
	frame_parts(&frame, parts, count);
	frame_end(&frame, out);
}

void digest_fingerprint(const struct keyring *ring, uint16_t epoch, const struct slice *parts, size_t count,
			uint8_t out[static FINGERPRINT_SIZE])
{
	struct frame frame;
	frame_start(&frame, keyring_key(ring, epoch, KEY_PRINT), FINGERPRINT_SIZE, "request");
	frame_parts(&frame, parts, count);
	frame_end(&frame, out);
}

static uint8_t short_key[crypto_shorthash_KEYBYTES];
static pthread_once_t short_key_once = PTHREAD_ONCE_INIT;

static void draw_short_key(void)
{
	randombytes_buf(short_key, sizeof(short_key));
}

uint64_t digest_short(struct slice bytes)
{
	(void)pthread_once(&short_key_once, draw_short_key);
	union {
		uint8_t bytes[crypto_shorthash_BYTES];
		uint64_t number;
	} hash;
	_Static_assert(sizeof(hash.bytes) == sizeof(hash.number), "SipHash gives 64 bits");
	(void)crypto_shorthash(hash.bytes, (const uint8_t *)bytes.ptr, bytes.len, short_key);
	return hash.number;
}

bool digest_equal(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}
