// SPDX-License-Identifier: Apache-2.0
// Bytes as text: hexadecimal, base64 with padding and base64url without (RFC 4648 sections 8, 4 and 5). Decoders are strict: one text
// per value of base64, and nothing is skipped. Not constant in time: for what is public or compared elsewhere.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"

// Room for the text of len bytes, with NUL.
#define HEX_TEXT_SIZE(len) (2 * (size_t)(len) + 1)
#define BASE64URL_TEXT_SIZE(len) (((size_t)(len)*4 + 2) / 3 + 1)
// Room for the bytes of a text of len characters.
#define BASE64URL_BYTES_SIZE(len) ((size_t)(len) / 4 * 3 + 2)
#define BASE64_BYTES_SIZE(len) ((size_t)(len) / 4 * 3)

static inline bool hex_is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Lower case and NUL: out holds HEX_TEXT_SIZE(len).
void hex_encode(const void *bytes, size_t len, char *out);
// Either case, an even number of digits; out holds text.len / 2 bytes, and may be partly written if false.
bool hex_decode(struct slice text, uint8_t *out) ATTR_MUST_USE;

// Text and NUL: out holds BASE64URL_TEXT_SIZE(len). Returns the length of the text.
size_t base64url_encode(const void *bytes, size_t len, char *out);
// out holds BASE64URL_BYTES_SIZE(text.len), and may be partly written if false. Refused are padding, foreign characters, a length
// of 4n + 1 and spare bits that are not zero.
bool base64url_decode(struct slice text, uint8_t *out, size_t *len) ATTR_MUST_USE;

// out holds BASE64_BYTES_SIZE(text.len), and may be partly written if false. Refused are missing padding, foreign characters and
// spare bits that are not zero.
bool base64_decode(struct slice text, uint8_t *out, size_t *len) ATTR_MUST_USE;
