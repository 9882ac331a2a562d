// SPDX-License-Identifier: Apache-2.0
// KrakenD writes the first value of each HTTP header under Go's canonical name, and nothing of method and path.
#include "intake/shape.h"

// Any client can send a header ce_replyto, kafka_replyTopic or id: none of them is believed.
static enum reason read_krakend(struct content *content, struct asked *asked, struct fault *f)
{
	(void)f;
	asked->content_type = content_header(content, "content-type");
	asked->body = content->value;
	return REASON_OK;
}

const struct shape_kind shape_krakend = {
	.asks = "the topic's `target`, or the header it names",
	.body = "the value",
	.request_id = "`Idempotency-Key`",
	.configure =
		"`input_headers` with Content-Type and Idempotency-Key, acks all (the default is the leader's), key by a header; one topic per "
		"endpoint, or a static header that says what is asked",
	.needs_target = true,
	.read = read_krakend,
};
