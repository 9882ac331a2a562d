// SPDX-License-Identifier: Apache-2.0
// Gravitee's HTTP POST entrypoint hands the body to its Kafka endpoint; headers come along where that option is on, method and path do not.
#include "intake/shape.h"

// As for KrakenD, record headers are the client's HTTP headers: none of them is an address or an outbox id.
static enum reason read_gravitee(struct content *content, struct asked *asked, struct fault *f)
{
	(void)f;
	asked->content_type = content_header(content, "content-type");
	asked->body = content->value;
	return REASON_OK;
}

const struct shape_kind shape_gravitee = {
	.asks = "the topic's `target`, or the header it names",
	.body = "the value",
	.request_id = "`idempotency-key`",
	.configure =
		"HTTP POST entrypoint with request headers added to messages, QoS that waits for the broker, `acks: all`; record key by an attribute, "
		"else it is random and spreads one identity over all partitions",
	.needs_target = true,
	.read = read_gravitee,
};
