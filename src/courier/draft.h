// SPDX-License-Identifier: Apache-2.0
// From a leased row to words: the payload is opened, code and token derived, the message written. Nothing of it is kept anywhere else.
#pragma once

#include "courier/parts.h"
#include "enrolld/model/payload.h"

struct draft {
	struct payload payload;    // in the arena; the recipient has passed the last check of its channel
	struct wording_text words; // wiped by draft_free
};

// DELIVERY_REFUSED: this message can never be sent. CODE_SUPERSEDED: it need not be. KEYS_INVALID, DIALECT_INVALID, INTERNAL: not with these keys and templates.
// *draft may hold an earlier one's memory; zeroed is fine.
enum reason draft_write(const struct parts *parts, const struct message_lease *lease, struct arena *arena, struct draft *draft,
			struct fault *f) ATTR_MUST_USE;
void draft_free(struct draft *draft);

// The template of links, compiled from courier.link_url. SETTING_INVALID.
enum reason draft_compile_link(const char *link_url, struct arena *arena, const struct template **link,
			       struct fault *f) ATTR_MUST_USE;
