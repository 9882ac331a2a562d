// SPDX-License-Identifier: Apache-2.0
// Confluent's wire format with JSON content: magic byte 0, schema id of 4 bytes, the text.
#include "intake/shape.h"

static bool fits_confluent(struct content *content)
{
	struct slice value = content->value;
	return wire_strip(&value);
}

// Serializers that put the schema's id into a header leave the value without a prefix.
static enum reason read_confluent(struct content *content, struct asked *asked, struct fault *f)
{
	asked->content_type = content_header(content, "content-type");
	struct slice value = content->value;
	if (!wire_strip(&value) && !slice_is_absent(value) && content_header(content, "__value_schema_id").len == 0)
		return fault_set(f, REASON_ENVELOPE_INVALID, "the value does not begin with a zero byte and a schema id");
	asked->body = value;
	return REASON_OK;
}

const struct shape_kind shape_confluent = {
	.asks = "the topic's `target`, or the header it names",
	.body = "the value behind 5 bytes",
	.request_id = "`idempotency-key`",
	.configure = "acks all; a JSON schema serializer (Avro and Protobuf are refused as malformed)",
	.replies = REPLY_BIT_SPRING | REPLY_BIT_CLOUDEVENTS,
	.needs_target = true,
	.fits = fits_confluent,
	.read = read_confluent,
};
