// SPDX-License-Identifier: Apache-2.0
// Codes, tokens and ids as functions of their row.
#include "enrolld/crypto/derive.h"

#include <string.h>

#include "crypto/derive.h"
#include "crypto/frame.h"
#include "crypto/keyring.h"
#include "enrolld/base/hex.h"
#include "enrolld/base/secret.h"

#define DIGITS_MIN 4
#define DIGITS_MAX 10
#define TOKEN_SIZE 32
#define SHAPE_TEXT 64u // and the length; lower ones are the token's and the codes'

_Static_assert(TOKEN_TEXT_SIZE == BASE64URL_TEXT_SIZE(TOKEN_SIZE), "a token's text");

// What a value is derived from, but for its shape.
struct origin {
	const uint8_t *key;
	struct slice kind;
	struct slice realm;
	const struct nonce *nonce;
	uint32_t serial;
};

void nonce_draw(struct nonce *nonce)
{
	randombytes_buf(nonce->bytes, sizeof(nonce->bytes));
}

// shape: digits of a code, 0 for a token, SHAPE_TEXT + length for a text; block: which try.
static void prf(const struct origin *origin, unsigned shape, uint64_t block, uint8_t *out, size_t size)
{
	struct frame frame;
	frame_start(&frame, origin->key, size, "derive");
	frame_number(&frame, shape);
	frame_number(&frame, block);
	frame_part(&frame, origin->kind);
	frame_part(&frame, origin->realm);
	frame_part(&frame, (struct slice){(const char *)origin->nonce->bytes, sizeof(origin->nonce->bytes)});
	frame_number(&frame, origin->serial);
	frame_end(&frame, out);
}

bool derive_reduce(const uint8_t block[static DERIVE_BLOCK_SIZE], uint64_t modulus, uint64_t *ret_value)
{
	uint64_t surplus = (UINT64_MAX % modulus + 1) % modulus; // 2^64 mod modulus: that many of the highest numbers are unfair
	for (size_t at = 0; at < DERIVE_BLOCK_SIZE; at += sizeof(uint64_t)) {
		uint64_t number = 0;
		for (size_t i = 0; i < sizeof(number); i++)
			number = number << 8 | block[at + i];
		if (number <= UINT64_MAX - surplus) {
			*ret_value = number % modulus;
			return true;
		}
	}
	return false;
}

void derive_code(const struct keyring *ring, uint16_t epoch, const char *kind, struct slice realm, const struct nonce *nonce,
		 uint32_t serial, unsigned digits, char *out)
{
	if (digits < DIGITS_MIN || digits > DIGITS_MAX)
		PANIC("a code of %u digits", digits);
	uint64_t modulus = 1;
	for (unsigned i = 0; i < digits; i++)
		modulus *= 10;

	const struct origin origin = {keyring_key(ring, epoch, KEY_MINT), slice_of(kind), realm, nonce, serial};
	uint8_t block[DERIVE_BLOCK_SIZE];
	uint64_t value, tries = 0;
	do
		prf(&origin, digits, tries++, block, sizeof(block));
	while (!derive_reduce(block, modulus, &value));
	secret_wipe(block, sizeof(block));

	for (unsigned i = digits; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	out[digits] = '\0';
}

void derive_token(const struct keyring *ring, uint16_t epoch, const char *kind, struct slice realm, const struct nonce *nonce,
		  uint32_t serial, char out[static TOKEN_TEXT_SIZE])
{
	const struct origin origin = {keyring_key(ring, epoch, KEY_MINT), slice_of(kind), realm, nonce, serial};
	uint8_t token[TOKEN_SIZE];
	prf(&origin, 0, 0, token, sizeof(token));
	(void)sodium_bin2base64(out, TOKEN_TEXT_SIZE, token, sizeof(token), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	secret_wipe(token, sizeof(token));
}

void derive_text(const struct keyring *ring, uint16_t epoch, const char *kind, struct slice realm, const struct nonce *nonce,
		 uint32_t serial, const char *alphabet, size_t length, char *out)
{
	size_t letters = strlen(alphabet);
	if (letters < 2 || letters > 256 || length < 1 || length > DERIVE_TEXT_MAX)
		PANIC("a text of %zu characters of %zu", length, letters);
	const struct origin origin = {keyring_key(ring, epoch, KEY_MINT), slice_of(kind), realm, nonce, serial};
	const size_t fair = 256 - 256 % letters; // bytes from there on are unfair
	uint8_t block[DERIVE_BLOCK_SIZE];
	size_t done = 0;
	for (uint64_t tries = 0; done < length; tries++) {
		prf(&origin, SHAPE_TEXT + (unsigned)length, tries, block, sizeof(block));
		for (size_t i = 0; i < sizeof(block) && done < length; i++)
			if (block[i] < fair)
				out[done++] = alphabet[block[i] % letters];
	}
	secret_wipe(block, sizeof(block));
	out[length] = '\0';
}

struct uuid derive_id(const struct slice *parts, size_t count)
{
	uint8_t digest[sizeof(struct uuid)];
	struct frame frame;
	frame_start(&frame, NULL, sizeof(digest), "enrolld id");
	frame_parts(&frame, parts, count);
	frame_end(&frame, digest);
	return uuid_v8_of(digest);
}
