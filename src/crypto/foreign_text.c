// SPDX-License-Identifier: Apache-2.0
// Reading stored password hashes: one function a scheme, all of them strict.
#include "crypto/foreign_text.h"

#include <sodium.h>

#include "crypto/pbkdf2.h"
#include "enrolld/crypto/foreign.h"

#define SALT_MIN 8
#define DIGEST_MIN 16
#define BCRYPT_TEXT_SIZE 60
#define BCRYPT_COST_AT 4
#define BCRYPT_SALT_AT 7

static bool skip(struct slice *rest, const char *text)
{
	struct slice prefix = slice_of(text);
	if (rest->len < prefix.len || memcmp(rest->ptr, prefix.ptr, prefix.len) != 0)
		return false;
	rest->ptr += prefix.len;
	rest->len -= prefix.len;
	return true;
}

// A decimal without sign and leading zeros, at most ten digits.
static bool take_number(struct slice *rest, uint32_t *ret_number)
{
	uint64_t number = 0;
	size_t len = 0;
	for (; len < rest->len && len < 11 && rest->ptr[len] >= '0' && rest->ptr[len] <= '9'; len++)
		number = number * 10 + (uint64_t)(rest->ptr[len] - '0');
	if (len == 0 || number > UINT32_MAX || (rest->ptr[0] == '0' && len > 1))
		return false;
	rest->ptr += len;
	rest->len -= len;
	*ret_number = (uint32_t)number;
	return true;
}

// What stands before the next '$' (which is taken, too), or all of the rest.
static struct slice take_field(struct slice *rest)
{
	const char *end = rest->len ? memchr(rest->ptr, '$', rest->len) : NULL;
	struct slice field = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t taken = field.len + (end != NULL);
	rest->ptr += taken;
	rest->len -= taken;
	return field;
}

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// sodium_base642bin() of 1.0.18 takes bytes above 0x7f for characters of the alphabet, so they are refused here.
static bool decode(struct slice field, int variant, uint8_t out[static FOREIGN_BYTES_MAX], size_t *len)
{
	for (size_t i = 0; i < field.len; i++)
		if (!is_alphanumeric(field.ptr[i]) && field.ptr[i] != '+' && field.ptr[i] != '/' && field.ptr[i] != '=')
			return false;
	const char *end;
	return sodium_base642bin(out, FOREIGN_BYTES_MAX, field.ptr, field.len, NULL, len, &end, variant) == 0 &&
	       end == field.ptr + field.len;
}

// passlib's "adapted" base64: '.' stands for '+', without padding.
static bool decode_adapted(struct slice field, uint8_t out[static FOREIGN_BYTES_MAX], size_t *len)
{
	char standard[FOREIGN_TEXT_MAX];
	if (field.len > sizeof(standard))
		return false;
	for (size_t i = 0; i < field.len; i++) {
		if (field.ptr[i] == '+')
			return false;
		standard[i] = field.ptr[i] == '.' ? '+' : field.ptr[i];
	}
	return decode((struct slice){standard, field.len}, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, out, len);
}

// $v=19$m=65536,t=2,p=1$<salt>$<digest> after the name: the PHC string format, in the order that the reference code writes.
static bool parse_argon2(struct slice rest, struct foreign_text *text)
{
	text->scheme = FOREIGN_ARGON2;
	if (!skip(&rest, "v=19$m=") || !take_number(&rest, &text->memory_kib) || !skip(&rest, ",t=") ||
	    !take_number(&rest, &text->rounds) || !skip(&rest, ",p=") || !take_number(&rest, &text->lanes) || !skip(&rest, "$"))
		return false;
	if (text->rounds == 0 || text->lanes == 0 || text->memory_kib / 8 < text->lanes) // RFC 9106 section 3.1
		return false;
	struct slice salt = take_field(&rest);
	return decode(salt, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, text->salt, &text->salt_len) && text->salt_len >= SALT_MIN &&
	       decode(rest, sodium_base64_VARIANT_ORIGINAL_NO_PADDING, text->digest, &text->digest_len) &&
	       text->digest_len >= DIGEST_MIN;
}

static bool is_bcrypt_char(char c)
{
	return is_alphanumeric(c) || c == '.' || c == '/';
}

static bool parse_bcrypt(struct slice hash, struct foreign_text *text)
{
	text->scheme = FOREIGN_BCRYPT;
	if (hash.len != BCRYPT_TEXT_SIZE || hash.ptr[BCRYPT_SALT_AT - 1] != '$')
		return false;
	for (size_t i = BCRYPT_SALT_AT; i < BCRYPT_TEXT_SIZE; i++)
		if (!is_bcrypt_char(hash.ptr[i]))
			return false;
	char tens = hash.ptr[BCRYPT_COST_AT], ones = hash.ptr[BCRYPT_COST_AT + 1];
	if (tens < '0' || tens > '3' || ones < '0' || ones > '9')
		return false;
	text->rounds = (uint32_t)(tens - '0') * 10 + (uint32_t)(ones - '0');
	return text->rounds >= 4 && text->rounds <= 31;
}

// <iterations>$<salt, as it stands>$<digest, base64 with padding>
static bool parse_django(struct slice rest, struct foreign_text *text)
{
	text->scheme = FOREIGN_PBKDF2_SHA256;
	if (!take_number(&rest, &text->rounds) || text->rounds == 0 || !skip(&rest, "$"))
		return false;
	struct slice salt = take_field(&rest);
	if (salt.len < SALT_MIN || salt.len > sizeof(text->salt))
		return false;
	for (size_t i = 0; i < salt.len; i++)
		if (salt.ptr[i] <= ' ' || salt.ptr[i] > '~')
			return false;
	memcpy(text->salt, salt.ptr, salt.len);
	text->salt_len = salt.len;
	return decode(rest, sodium_base64_VARIANT_ORIGINAL, text->digest, &text->digest_len) &&
	       text->digest_len == PBKDF2_SHA256_SIZE;
}

// <iterations>$<salt>$<digest>
static bool parse_passlib(struct slice rest, enum foreign_scheme scheme, size_t digest_size, struct foreign_text *text)
{
	text->scheme = scheme;
	if (!take_number(&rest, &text->rounds) || text->rounds == 0 || !skip(&rest, "$"))
		return false;
	struct slice salt = take_field(&rest);
	return decode_adapted(salt, text->salt, &text->salt_len) && text->salt_len >= SALT_MIN &&
	       decode_adapted(rest, text->digest, &text->digest_len) && text->digest_len == digest_size;
}

bool foreign_text_parse(struct slice hash, struct foreign_text *text)
{
	*text = (struct foreign_text){0};
	if (hash.len > FOREIGN_TEXT_MAX)
		return false;
	struct slice rest = hash;
	if (skip(&rest, "$argon2id$") || skip(&rest, "$argon2i$"))
		return parse_argon2(rest, text);
	if (skip(&rest, "$2a$") || skip(&rest, "$2b$") || skip(&rest, "$2y$"))
		return parse_bcrypt(hash, text);
	if (skip(&rest, "pbkdf2_sha256$"))
		return parse_django(rest, text);
	if (skip(&rest, "$pbkdf2-sha256$"))
		return parse_passlib(rest, FOREIGN_PBKDF2_SHA256, PBKDF2_SHA256_SIZE, text);
	if (skip(&rest, "$pbkdf2-sha512$"))
		return parse_passlib(rest, FOREIGN_PBKDF2_SHA512, PBKDF2_SHA512_SIZE, text);
	return false;
}
