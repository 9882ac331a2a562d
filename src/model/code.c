// SPDX-License-Identifier: Apache-2.0
// Codes and links of challenges, for the operations that compare them and the courier that writes them.
#include "enrolld/model/code.h"

#include <string.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/hex.h"
#include "enrolld/base/secret.h"

#define PURPOSE_MAX 64
#define LINK_SUFFIX ".link"

static const struct {
	const char *name, *letters; // letters NULL: decimal digits
} alphabets[CODE_ALPHABET_COUNT] = {
	[CODE_DIGITS] = {"digits", NULL},
	[CODE_LETTERS] = {"letters", "BCDFGHJKLMNPQRSTVWXZ"},
	[CODE_ALPHANUMERIC] = {"alphanumeric", "23456789BCDFGHJKLMNPQRSTVWXZ"},
};

const char *code_alphabet_name(enum code_alphabet alphabet)
{
	if ((size_t)alphabet >= CODE_ALPHABET_COUNT)
		PANIC("code_alphabet_name: %d", (int)alphabet);
	return alphabets[alphabet].name;
}

enum code_alphabet code_alphabet_find(struct slice name)
{
	for (size_t i = 0; i < CODE_ALPHABET_COUNT; i++)
		if (slice_equal_text(name, alphabets[i].name))
			return (enum code_alphabet)i;
	return CODE_DIGITS;
}

static void write_kind(struct slice purpose, const char *suffix, char kind[static PURPOSE_MAX + sizeof(LINK_SUFFIX)])
{
	if (purpose.len == 0 || purpose.len > PURPOSE_MAX)
		PANIC("a purpose of %zu characters", purpose.len);
	memcpy(kind, purpose.ptr, purpose.len);
	memcpy(kind + purpose.len, suffix, strlen(suffix) + 1);
}

void code_derive(const struct keyring *keys, struct slice purpose, struct slice realm, const struct code_seed *seed,
		 const struct code_form *form, char out[static CODE_TEXT_SIZE])
{
	char kind[PURPOSE_MAX + sizeof(LINK_SUFFIX)];
	const char *letters = alphabets[form->alphabet].letters;
	write_kind(purpose, "", kind);
	memset(out, 0, CODE_TEXT_SIZE);
	if (form->length < CODE_LENGTH_MIN || form->length > CODE_LENGTH_MAX)
		PANIC("a code of %u characters", form->length);
	if (letters)
		derive_text(keys, seed->epoch, kind, realm, &seed->nonce, seed->serial, letters, form->length, out);
	else
		derive_code(keys, seed->epoch, kind, realm, &seed->nonce, seed->serial, form->length, out);
}

void code_normalise(struct slice typed, const struct code_form *form, char out[static CODE_TEXT_SIZE])
{
	size_t len = 0;
	memset(out, 0, CODE_TEXT_SIZE);
	for (size_t i = 0; i < typed.len; i++) {
		char c = typed.ptr[i];
		if (c == ' ' || c == '-')
			continue;
		if (len == form->length) {
			secret_wipe(out, CODE_TEXT_SIZE);
			return;
		}
		out[len++] = (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
	}
	if (len == 0 || len == form->length || form->alphabet != CODE_DIGITS)
		return;
	memmove(out + form->length - len, out, len);
	memset(out, '0', form->length - len);
}

bool code_equal(const char a[static CODE_TEXT_SIZE], const char b[static CODE_TEXT_SIZE])
{
	return digest_equal(a, b, CODE_TEXT_SIZE) && a[0] != '\0';
}

void code_link_token(const struct keyring *keys, struct slice purpose, struct slice realm, const struct code_seed *seed,
		     char out[static TOKEN_TEXT_SIZE])
{
	char kind[PURPOSE_MAX + sizeof(LINK_SUFFIX)];
	write_kind(purpose, LINK_SUFFIX, kind);
	derive_token(keys, seed->epoch, kind, realm, &seed->nonce, seed->serial, out);
}

void code_subject(const struct keyring *keys, const char *kind, struct slice value, char out[static CODE_SUBJECT_SIZE])
{
	const struct slice parts[] = {slice_of(kind), value};
	uint8_t digest[DIGEST_SIZE];
	digest_keyed(keys, keyring_active(keys), "password", parts, ARRAY_LEN(parts), digest);
	hex_encode(digest, sizeof(digest), out);
}

void code_token_hex(const char token[static TOKEN_TEXT_SIZE], char out[static CODE_TOKEN_HEX_SIZE])
{
	uint8_t bytes[BASE64URL_BYTES_SIZE(TOKEN_TEXT_SIZE - 1)];
	size_t len = 0;
	if (!base64url_decode(slice_of(token), bytes, &len) || HEX_TEXT_SIZE(len) != CODE_TOKEN_HEX_SIZE)
		PANIC("a link's token is none");
	hex_encode(bytes, len, out);
	secret_wipe(bytes, sizeof(bytes));
}

bool code_token_read(struct slice text, char token[static TOKEN_TEXT_SIZE])
{
	uint8_t bytes[CODE_TOKEN_HEX_SIZE / 2];
	if (text.len == TOKEN_TEXT_SIZE - 1) {
		memcpy(token, text.ptr, text.len);
		token[text.len] = '\0';
		return true;
	}
	if (text.len != CODE_TOKEN_HEX_SIZE - 1 || !hex_decode(text, bytes))
		return false;
	(void)base64url_encode(bytes, sizeof(bytes), token);
	secret_wipe(bytes, sizeof(bytes));
	return true;
}

void code_token_digest(const struct keyring *keys, uint16_t epoch, struct slice token, uint8_t out[static DIGEST_SIZE])
{
	digest_keyed(keys, epoch, "token", &token, 1, out);
}
