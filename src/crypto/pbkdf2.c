// SPDX-License-Identifier: Apache-2.0
// PBKDF2 on libsodium's HMAC, whose keyed state is made once and copied for each round.
#include "crypto/pbkdf2.h"

#include <sodium.h>
#include <string.h>

static const uint8_t first_block[4] = {0, 0, 0, 1};

static void fold(uint8_t *out, const uint8_t *round, size_t size)
{
	for (size_t i = 0; i < size; i++)
		out[i] ^= round[i];
}

void pbkdf2_sha256(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[static PBKDF2_SHA256_SIZE])
{
	crypto_auth_hmacsha256_state keyed, state;
	uint8_t round[PBKDF2_SHA256_SIZE];
	(void)crypto_auth_hmacsha256_init(&keyed, (const uint8_t *)password.ptr, password.len);
	state = keyed;
	(void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)salt.ptr, salt.len);
	(void)crypto_auth_hmacsha256_update(&state, first_block, sizeof(first_block));
	(void)crypto_auth_hmacsha256_final(&state, round);
	memcpy(out, round, sizeof(round));
	for (uint32_t i = 1; i < rounds; i++) {
		state = keyed;
		(void)crypto_auth_hmacsha256_update(&state, round, sizeof(round));
		(void)crypto_auth_hmacsha256_final(&state, round);
		fold(out, round, sizeof(round));
	}
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(round, sizeof(round));
}

void pbkdf2_sha512(struct slice password, struct slice salt, uint32_t rounds, uint8_t out[static PBKDF2_SHA512_SIZE])
{
	crypto_auth_hmacsha512_state keyed, state;
	uint8_t round[PBKDF2_SHA512_SIZE];
	(void)crypto_auth_hmacsha512_init(&keyed, (const uint8_t *)password.ptr, password.len);
	state = keyed;
	(void)crypto_auth_hmacsha512_update(&state, (const uint8_t *)salt.ptr, salt.len);
	(void)crypto_auth_hmacsha512_update(&state, first_block, sizeof(first_block));
	(void)crypto_auth_hmacsha512_final(&state, round);
	memcpy(out, round, sizeof(round));
	for (uint32_t i = 1; i < rounds; i++) {
		state = keyed;
		(void)crypto_auth_hmacsha512_update(&state, round, sizeof(round));
		(void)crypto_auth_hmacsha512_final(&state, round);
		fold(out, round, sizeof(round));
	}
	sodium_memzero(&keyed, sizeof(keyed));
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(round, sizeof(round));
}
