// SPDX-License-Identifier: Apache-2.0
// REST proxies write JSON as it came: a text stays in quotes, and JSON null is four bytes instead of a null value.
#include "intake/shape.h"

// Keys are quoted too, but a key is opaque here and goes back as it came.
static enum reason read_rest_proxy(struct content *content, struct asked *asked, struct fault *f)
{
	struct slice value = content->value;
	const struct node *root;
	struct fault ignored;
	asked->content_type = content_header(content, "content-type");
	(void)wire_strip(&value); // v3 with a schema
	asked->body = value;
	if (slice_equal_text(value, "null"))
		return fault_set(f, REASON_JSON_NOT_OBJECT, "the value is the JSON text null, not a null value");
	if (value.len == 0 || value.ptr[0] != '"' || content_parse(content, value, &root, &ignored) != REASON_OK)
		return REASON_OK;
	asked->body = content_text(content, root);
	return REASON_OK;
}

const struct shape_kind shape_rest_proxy = {
	.asks = "the topic's `target`, or the header it names",
	.body = "the value; if that is a JSON text, what is in its quotes",
	.request_id = "`idempotency-key`",
	.configure =
		"acks all in the proxy's producer settings; v3 and the Strimzi bridge can set headers, v2 cannot and so has no request id",
	.replies = REPLY_BIT_SPRING | REPLY_BIT_CLOUDEVENTS,
	.needs_target = true,
	.read = read_rest_proxy,
};
