// SPDX-License-Identifier: Apache-2.0
// Judging and comparing password hashes made elsewhere.
#include "enrolld/crypto/foreign.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/foreign_text.h"
#include "crypto/pbkdf2.h"
#include "enrolld/base/secret.h"
#include "enrolld/crypto/digest.h"

#define ARGON2_KIB_MAX (256 * 1024)
#define ARGON2_PASSES_LIMIT 10
#define ARGON2_LANES_MAX 16 // Django makes 8; they cost no more than one
#define BCRYPT_MIN 10
#define BCRYPT_MAX 14
#define BCRYPT_PASSWORD_MAX 72
#define BCRYPT_DIGEST_AT 29
#define PBKDF2_SHA256_MIN 100000
#define PBKDF2_SHA512_MIN 35000 // OWASP asks for 210,000 where SHA-256 needs 600,000
#define PBKDF2_MAX 2000000

static enum foreign_verdict judge(uint32_t cost, uint32_t min, uint32_t max)
{
	return cost < min ? FOREIGN_TOO_WEAK : cost > max ? FOREIGN_TOO_COSTLY : FOREIGN_OK;
}

static enum foreign_verdict judge_argon2(const struct foreign_text *text)
{
	if (text->memory_kib > ARGON2_KIB_MAX || text->rounds > ARGON2_PASSES_LIMIT || text->lanes > ARGON2_LANES_MAX)
		return FOREIGN_TOO_COSTLY;
	struct argon2_cost cost = {.memory_kib = text->memory_kib, .passes = text->rounds};
	return argon2_cost_strong(cost) ? FOREIGN_OK : FOREIGN_TOO_WEAK;
}

enum foreign_verdict foreign_check(struct slice hash)
{
	struct foreign_text text;
	if (!foreign_text_parse(hash, &text))
		return FOREIGN_UNKNOWN;
	switch (text.scheme) {
	case FOREIGN_ARGON2: return judge_argon2(&text);
	case FOREIGN_BCRYPT: return judge(text.rounds, BCRYPT_MIN, BCRYPT_MAX);
	case FOREIGN_PBKDF2_SHA256: return judge(text.rounds, PBKDF2_SHA256_MIN, PBKDF2_MAX);
	case FOREIGN_PBKDF2_SHA512: return judge(text.rounds, PBKDF2_SHA512_MIN, PBKDF2_MAX);
	}
	return FOREIGN_UNKNOWN;
}

bool foreign_is_own(struct slice hash, struct argon2_cost cost)
{
	static const char prefix[] = "$argon2id$";
	struct foreign_text text;
	return foreign_text_parse(hash, &text) && text.scheme == FOREIGN_ARGON2 &&
	       memcmp(hash.ptr, prefix, sizeof(prefix) - 1) == 0 && text.memory_kib == cost.memory_kib &&
	       text.rounds == cost.passes && text.lanes == 1;
}

// Only the digest is compared: libraries differ in how they write the two spare bits of the salt's last character.
static enum reason verify_bcrypt(const char *hash, struct slice password, bool *ret_fits, struct fault *f)
{
	if (password.len && memchr(password.ptr, '\0', password.len)) { // crypt would compare what stands before it
		*ret_fits = false;
		return REASON_OK;
	}
	struct crypt_data *data = calloc(1, sizeof(*data));
	if (!data)
		return fault_set(f, REASON_HASH_MEMORY, "bcrypt");
	char phrase[BCRYPT_PASSWORD_MAX + 1] = "";
	if (password.len)
		memcpy(phrase, password.ptr, password.len < BCRYPT_PASSWORD_MAX ? password.len : BCRYPT_PASSWORD_MAX);
	errno = 0;
	const char *made = crypt_r(phrase, hash, data);
	bool no_memory = errno == ENOMEM;
	bool fits = made && strlen(made) == strlen(hash) &&
		    digest_equal(made + BCRYPT_DIGEST_AT, hash + BCRYPT_DIGEST_AT, strlen(hash) - BCRYPT_DIGEST_AT);
	secret_wipe(phrase, sizeof(phrase));
	secret_wipe(data, sizeof(*data));
	free(data);
	if (!fits && no_memory)
		return fault_set(f, REASON_HASH_MEMORY, "bcrypt");
	*ret_fits = fits;
	return REASON_OK;
}

static bool verify_pbkdf2(const struct foreign_text *text, struct slice password)
{
	uint8_t made[FOREIGN_BYTES_MAX];
	struct slice salt = {(const char *)text->salt, text->salt_len};
	if (text->scheme == FOREIGN_PBKDF2_SHA256)
		pbkdf2_sha256(password, salt, text->rounds, made);
	else
		pbkdf2_sha512(password, salt, text->rounds, made);
	bool fits = digest_equal(made, text->digest, text->digest_len);
	secret_wipe(made, sizeof(made));
	return fits;
}

enum reason foreign_verify(struct argon2_memory *m, struct slice hash, struct slice password, bool *ret_fits, struct fault *f)
{
	struct foreign_text text;
	if (!foreign_text_parse(hash, &text)) {
		*ret_fits = false;
		return REASON_OK;
	}
	if (slice_is_absent(password))
		password = SLICE_LIT("");
	char copy[FOREIGN_TEXT_MAX + 1] = "";
	memcpy(copy, hash.ptr, hash.len);
	switch (text.scheme) {
	case FOREIGN_ARGON2: return argon2_verify(m, copy, password, ret_fits, f);
	case FOREIGN_BCRYPT: return verify_bcrypt(copy, password, ret_fits, f);
	case FOREIGN_PBKDF2_SHA256:
	case FOREIGN_PBKDF2_SHA512: *ret_fits = verify_pbkdf2(&text, password); return REASON_OK;
	}
	return fault_set(f, REASON_INTERNAL, "a hash of scheme %d", text.scheme);
}
