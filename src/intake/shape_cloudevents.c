// SPDX-License-Identifier: Apache-2.0
// CloudEvents 1.0 by the Kafka binding 1.0.2: attributes in ce_* headers (binary mode) or all in one JSON object (structured mode, JSON format 1.0.2).
#include "intake/shape.h"

#define STRUCTURED "application/cloudevents"
#define DAPR_TYPE "com.dapr.event.sent" // what Dapr calls an event whose publisher gave it no type

static bool starts_with_nocase(struct slice text, const char *start)
{
	size_t len = strlen(start);
	return text.len >= len && slice_equal_nocase((struct slice){text.ptr, len}, slice_of(start));
}

// Dapr sets no content type on its records: known by its four required members.
static bool is_event(const struct node *root)
{
	static const char *const required[] = {"specversion", "id", "source", "type"};
	for (size_t i = 0; i < ARRAY_LEN(required); i++)
		if (!node_member(root, required[i]))
			return false;
	return true;
}

static bool fits_cloudevents(struct content *content)
{
	return starts_with_nocase(content_header(content, "content-type"), STRUCTURED) ||
	       content_header(content, "ce_type").len != 0 || is_event(content_object(content, content->value));
}

static enum reason check(struct slice version, const struct asked *asked, struct fault *f)
{
	if (!slice_equal_text(version, "1.0"))
		return fault_set(f, REASON_EVENT_INVALID, "specversion is not 1.0");
	if (asked->event_id.len == 0 || asked->event_source.len == 0 || asked->event_type.len == 0)
		return fault_set(f, REASON_EVENT_INVALID, "%s is missing or empty",
				 asked->event_id.len == 0       ? "id"
				 : asked->event_source.len == 0 ? "source"
								: "type");
	return REASON_OK;
}

// A type that says nothing does not stand in the way of the topic's target.
static void drop_type_of_nobody(const struct content *content, struct asked *asked)
{
	if (content->has_target && slice_equal_text(asked->event_type, DAPR_TYPE))
		asked->event_type = SLICE_ABSENT;
}

static enum reason read_binary(const struct content *content, struct asked *asked, struct fault *f)
{
	asked->event_type = content_header(content, "ce_type");
	asked->event_source = content_header(content, "ce_source");
	asked->event_id = content_header(content, "ce_id");
	asked->content_type = content_header(content, "content-type");
	asked->traceparent = content_header(content, "ce_traceparent");
	asked->tracestate = content_header(content, "ce_tracestate");
	asked->body = content->value;
	enum reason reason = check(content_header(content, "ce_specversion"), asked, f);
	drop_type_of_nobody(content, asked);
	return reason;
}

static bool is_json(struct slice content_type)
{
	const char *semicolon = content_type.len ? memchr(content_type.ptr, ';', content_type.len) : NULL;
	struct slice media = {content_type.ptr, semicolon ? (size_t)(semicolon - content_type.ptr) : content_type.len};
	while (media.len && media.ptr[media.len - 1] == ' ')
		media.len--;
	if (media.len == 0)
		return true;
	struct slice end = media.len < 5 ? media : (struct slice){media.ptr + media.len - 5, 5};
	return slice_equal_nocase(end, SLICE_LIT("/json")) || slice_equal_nocase(end, SLICE_LIT("+json"));
}

// JSON format, section 3.1: data is a JSON value unless datacontenttype says otherwise; then it is a text.
static enum reason take_data(const struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	const struct node *data = node_member(root, "data");
	const struct node *encoded = node_member(root, "data_base64");
	if (encoded && !node_is(encoded, NODE_NULL)) {
		if (data && !node_is(data, NODE_NULL))
			return fault_set(f, REASON_EVENT_INVALID, "the event has both data and data_base64");
		return content_base64(content, encoded, &asked->body)
			       ? REASON_OK
			       : fault_set(f, REASON_EVENT_INVALID, "data_base64 is no base64");
	}
	if (!data || node_is(data, NODE_NULL))
		return REASON_OK;
	if (node_is(data, NODE_TEXT) && !is_json(asked->content_type))
		asked->body = content_text(content, data);
	else
		asked->body = content_written(content, "data");
	return REASON_OK;
}

static enum reason read_structured(const struct content *content, const struct node *root, struct asked *asked, struct fault *f)
{
	const struct node *type = node_member(root, "datacontenttype");
	asked->structured = true;
	asked->event_type = content_text(content, node_member(root, "type"));
	asked->event_source = content_text(content, node_member(root, "source"));
	asked->event_id = content_text(content, node_member(root, "id"));
	asked->traceparent = content_text(content, node_member(root, "traceparent"));
	asked->tracestate = content_text(content, node_member(root, "tracestate"));
	asked->content_type = content_text(content, type);
	enum reason reason = check(node_text(node_member(root, "specversion")), asked, f);
	drop_type_of_nobody(content, asked);
	if (reason != REASON_OK)
		return reason;
	if (type && !node_is(type, NODE_TEXT) && !node_is(type, NODE_NULL))
		return fault_set(f, REASON_EVENT_INVALID, "datacontenttype is no text");
	return take_data(content, root, asked, f);
}

// The binding allows no batches; of the event formats only JSON is known here.
static enum reason read_announced(struct content *content, struct slice content_type, struct asked *asked, struct fault *f)
{
	const struct node *root;
	struct slice format = {content_type.ptr + strlen(STRUCTURED), content_type.len - strlen(STRUCTURED)};
	const char *semicolon = format.len ? memchr(format.ptr, ';', format.len) : NULL;
	if (semicolon)
		format.len = (size_t)(semicolon - format.ptr);
	while (format.len && format.ptr[format.len - 1] == ' ')
		format.len--;
	asked->structured = true;
	if (format.len && !slice_equal_nocase(format, SLICE_LIT("+json")))
		return fault_set(f, REASON_EVENT_INVALID, "of structured events only application/cloudevents+json is read");
	enum reason reason = content_parse(content, content->value, &root, f);
	if (reason != REASON_OK)
		return reason;
	if (!node_is(root, NODE_MAP))
		return fault_set(f, REASON_JSON_NOT_OBJECT, "the event is %s", node_type_name(root->type));
	return read_structured(content, root, asked, f);
}

static enum reason read_cloudevents(struct content *content, struct asked *asked, struct fault *f)
{
	struct slice content_type = content_header(content, "content-type");
	if (starts_with_nocase(content_type, STRUCTURED))
		return read_announced(content, content_type, asked, f);
	if (content_header(content, "ce_type").len != 0)
		return read_binary(content, asked, f);
	const struct node *root = content_object(content, content->value);
	if (is_event(root))
		return read_structured(content, root, asked, f);
	asked->content_type = content_type; // Dapr with rawPayload: the topic must say what is asked
	asked->body = content->value;
	return REASON_OK;
}

const struct shape_kind shape_cloudevents = {
	.asks = "`ce_type`, or `type` of the event; else the topic's `target`, also for Dapr's `com.dapr.event.sent`",
	.body = "the value (binary), `data` or `data_base64` (structured)",
	.request_id = "`idempotency-key`, else source and id of the event",
	.configure =
		"Knative KafkaSink: either content mode. Dapr: `cloudevent.type` as metadata, `partitionKey` for a key, `ce_replyto` and `ce_correlationid` "
		"as metadata for a reply; its ids are new for each publish, so a retry by the application needs `cloudevent.id`",
	.replies = REPLY_BIT_ALL,
	.fits = fits_cloudevents,
	.read = read_cloudevents,
};
