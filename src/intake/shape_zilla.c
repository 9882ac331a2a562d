// SPDX-License-Identifier: Apache-2.0
// Zilla's http-kafka binding writes every HTTP header, pseudo-headers included, and waits for the reply by its correlation id.
#include "intake/shape.h"

// Its record headers are the client's HTTP headers, but for names with a colon, which HTTP does not have: no other reply style, no outbox id.
static enum reason read_zilla(struct content *content, struct asked *asked, struct fault *f)
{
	(void)f;
	content_raw(content, asked);
	return REASON_OK;
}

const struct shape_kind shape_zilla = {
	.asks = "`:method` and `:path`",
	.body = "the value",
	.request_id = "`idempotency-key`",
	.configure =
		"http-kafka with capability produce, `acks: in_sync_replicas`, `reply-to` on the list of reply topics, `key: ${idempotencyKey}`",
	.replies = REPLY_BIT_ZILLA,
	.read = read_zilla,
};
