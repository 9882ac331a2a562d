// SPDX-License-Identifier: Apache-2.0
// A mail as bytes: multipart/alternative of a text and an HTML part, or the text alone. Pure.
#pragma once

#include <stdint.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

#define MAIL_BYTES_MAX ((size_t)256 << 10)

struct mail {
	struct slice from_address;
	struct slice from_name; // may be absent
	struct slice to_address;
	struct slice subject;
	struct slice id; // Message-ID is <id@id_domain>, so a repeat has the same one
	struct slice id_domain;
	struct slice language; // BCP 47; absent: not said
	int64_t date_ms;       // of this hand-over, wall clock
	struct slice text;     // UTF-8, lines end in LF
	struct slice html;     // absent: none
};

// Fails with DELIVERY_REFUSED if an address is none or a field holds a control character, or if the mail exceeds out's limit.
enum reason mime_write(const struct mail *mail, struct strbuf *out, struct fault *f) ATTR_MUST_USE;
