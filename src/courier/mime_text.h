// SPDX-License-Identifier: Apache-2.0
// UTF-8 text as the characters that mail carries: header fields (RFC 5322, RFC 2047) and bodies (RFC 2045). Pure.
#pragma once

#include <stdint.h>

#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

// "Name: value" and CRLF, folded at 76 columns; encoded words where the value is not plain ASCII. The value is one line (address.h).
void mime_add_text_field(struct strbuf *out, const char *name, struct slice value);
// "Name: display <address>" and CRLF; display may be empty or absent. Both are one line, the address is ASCII.
void mime_add_mailbox_field(struct strbuf *out, const char *name, struct slice display, struct slice address);
// "Name: value" and CRLF for values made by this program: ASCII, not folded.
void mime_add_plain_field(struct strbuf *out, const char *name, struct slice value);
// "Date: Tue, 24 Nov 2026 22:52:11 +0000" and CRLF (RFC 5322 section 3.3).
void mime_add_date_field(struct strbuf *out, int64_t wall_ms);

enum mime_encoding { MIME_QUOTED_PRINTABLE, MIME_BASE64 };
// The one that a text of this kind is shorter and more readable in: base64 if more than a sixth of the bytes are not ASCII.
enum mime_encoding mime_encoding_for(struct slice text) ATTR_MUST_USE;
const char *mime_encoding_name(enum mime_encoding encoding) ATTR_MUST_USE;
// Lines of at most 76 characters that end in CRLF, the last one too. Line ends of the text (LF or CRLF) become CRLF. No line starts with "." or
// "From ", none ends in a blank.
void mime_add_body(struct strbuf *out, enum mime_encoding encoding, struct slice text);
