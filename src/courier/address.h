// SPDX-License-Identifier: Apache-2.0
// Last check of what goes into a protocol line: addresses, header values, names. libcurl 7.88 lets a newline in a recipient pass as a command
// of its own (fixed in 8.22), so nothing reaches it that is not checked here. Pure.
#pragma once

#include <stdbool.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"

// RFC 5321 section 4.1.2 without quoted local parts, address literals and UTF-8: dot-atom of at most 64 bytes, "@", a domain of letters, digits and
// inner hyphens; 254 bytes in all. One label ("localhost") is enough.
bool address_is_mail(struct slice text) ATTR_MUST_USE;

// E.164: "+" and 7 to 15 digits, the first not zero.
bool address_is_phone(struct slice text) ATTR_MUST_USE;

// No control character (C0, DEL, C1), no line or paragraph separator, valid UTF-8.
bool address_is_one_line(struct slice text) ATTR_MUST_USE;

// Whether a name that a stranger typed may stand in a greeting: one line, at most 40 code points, and nothing that a mail program would turn into a
// link or that reads as a sentence, since mails to other people's addresses are a way to send them words.
bool address_is_greetable(struct slice name) ATTR_MUST_USE;
