// SPDX-License-Identifier: Apache-2.0
// Debezium's outbox event router: the payload column as value, in what form the converter gives it, and the row's id as header.
#include "intake/shape.h"

// Connect's JSON converter with schemas: exactly these two members.
static bool is_enveloped(const struct node *root)
{
	const struct node *schema = node_member(root, "schema");
	return node_count(root) == 2 && node_member(root, "payload") && (node_is(schema, NODE_MAP) || node_is(schema, NODE_NULL));
}

static bool fits_debezium(struct content *content)
{
	return is_enveloped(content_object(content, content->value));
}

// Header converters write texts bare or in quotes.
static void headers_meant(const struct record *record, struct arena *arena, struct header **headers)
{
	struct header *copy = ARENA_ARRAY(arena, record->header_count, struct header);
	for (size_t i = 0; i < record->header_count; i++) {
		struct slice *value = &copy[i].value;
		copy[i] = record->headers[i];
		if (value->len >= 2 && value->ptr[0] == '"' && value->ptr[value->len - 1] == '"' &&
		    !memchr(value->ptr + 1, '"', value->len - 2) && !memchr(value->ptr, '\\', value->len))
			*value = (struct slice){value->ptr + 1, value->len - 2};
	}
	*headers = copy;
}

static enum reason read_payload(struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	const struct node *payload = root;
	if (is_enveloped(root)) {
		payload = node_member(root, "payload");
		asked->body = content_written(content, "payload");
	}
	if (node_is(payload, NODE_NULL))
		asked->body = SLICE_ABSENT;
	if (!node_is(payload, NODE_TEXT))
		return REASON_OK;
	// A column of bytes is base64, one of JSON that is not expanded is a text.
	if (payload != root && slice_equal_text(node_text(node_at(root, SLICE_LIT("/schema/type"))), "bytes"))
		return content_base64(content, payload, &asked->body)
			       ? REASON_OK
			       : fault_set(f, REASON_ENVELOPE_INVALID, "the payload is to be bytes but no base64");
	asked->body = content_text(content, payload);
	return REASON_OK;
}

static enum reason read_debezium(struct content *content, struct asked *asked, struct fault *f)
{
	struct slice value = content->value;
	const struct node *root;
	struct fault ignored;
	asked->content_type = content_header(content, "content-type");
	(void)wire_strip(&value); // a converter with a registry
	asked->body = value;
	if (value.len == 0 || content_parse(content, value, &root, &ignored) != REASON_OK)
		return REASON_OK; // what is wrong with it, the dialect's reader says
	return read_payload(content, root, asked, f);
}

const struct shape_kind shape_debezium = {
	.asks = "the topic's `target`, or the header it names (`type:header:eventType`)",
	.body = "the value, or `payload` beside `schema`; if that is a JSON text, what is in its quotes",
	.request_id = "`idempotency-key`, else `id`",
	.configure =
		"`EventRouter` with its defaults, key `aggregateid`; JSON, text or bytes converter; exactly-once source if the cluster has it",
	.replies = REPLY_BIT_SPRING | REPLY_BIT_CLOUDEVENTS,
	.outbox_id = true,
	.needs_target = true,
	.headers = headers_meant,
	.fits = fits_debezium,
	.read = read_debezium,
};
