// SPDX-License-Identifier: Apache-2.0
// HTTP in headers, the body as value; what everything is that is nothing else.
#include "intake/shape.h"

static enum reason read_raw(struct content *content, struct asked *asked, struct fault *f)
{
	(void)f;
	content_raw(content, asked);
	return REASON_OK;
}

const struct shape_kind shape_raw = {
	.asks = "`:method` and `:path`",
	.body = "the value",
	.request_id = "`idempotency-key`, else `id`",
	.configure = "acks all; key: the idempotency key or the identity; headers in any case",
	.replies = REPLY_BIT_ALL,
	.outbox_id = true,
	.read = read_raw,
};
