// SPDX-License-Identifier: Apache-2.0
// Where a reply goes, and how each gateway wants it written.
#include "enrolld/base/utf8.h"
#include "enrolld/base/uuid.h"
#include "enrolld/crypto/derive.h"
#include "enrolld/doc/json.h"
#include "intake/header_list.h"
#include "intake/intake_private.h"
#include "intake/shape.h"

#define TOPIC_MAX 249 // Kafka's limit
#define CORRELATION_MAX 1024
#define REPLY_TYPE "enrolld.reply.v1"
#define REPLY_SOURCE "/enrolld"

static int32_t partition_of(struct slice bytes)
{
	if (slice_is_absent(bytes))
		return -1;
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	if (bytes.len != 4 || b[0] > 0x7f)
		return REPLY_PARTITION_INVALID;
	return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

static unsigned styles_of(const struct topic_conf *topic)
{
	unsigned styles = 0;
	if (!topic->reply_headers)
		return 0;
	if (topic->reply_styles.count == 0)
		return shape_of((enum shape)topic->shape)->replies;
	for (size_t i = 0; i < topic->reply_styles.count; i++)
		switch (topic->reply_styles.items[i][0]) { // the settings let no other names in
		case 'z': styles |= REPLY_BIT_ZILLA; break;
		case 's': styles |= REPLY_BIT_SPRING; break;
		default: styles |= REPLY_BIT_CLOUDEVENTS; break;
		}
	return styles;
}

bool intake_takes_replies(const struct topic_conf *topic)
{
	return styles_of(topic) != 0;
}

static struct slice address_of(const struct record *record, unsigned styles, enum reply_bit style, const char *name)
{
	return styles & style ? record_header_value(record, name) : SLICE_ABSENT;
}

void reply_read(const struct topic_conf *topic, const struct record *record, const struct asked *asked, struct reply_address *reply)
{
	unsigned styles = styles_of(topic);
	struct slice zilla = address_of(record, styles, REPLY_BIT_ZILLA, "zilla:reply-to");
	struct slice spring = address_of(record, styles, REPLY_BIT_SPRING, "kafka_replyTopic");
	struct slice event = address_of(record, styles, REPLY_BIT_CLOUDEVENTS, "ce_replyto");
	reply->partition = -1;
	if (zilla.len) {
		reply->style = REPLY_ZILLA;
		reply->topic = zilla;
		reply->correlation = record_header_value(record, "zilla:correlation-id");
	} else if (spring.len) {
		reply->style = REPLY_SPRING;
		reply->topic = spring;
		reply->correlation = record_header_value(record, "kafka_correlationId");
		reply->partition = partition_of(record_header_value(record, "kafka_replyPartition"));
	} else if (event.len) {
		reply->style = asked->structured ? REPLY_CLOUDEVENTS_STRUCTURED : REPLY_CLOUDEVENTS;
		reply->topic = event;
		reply->correlation = record_header_value(record, "ce_correlationid");
		if (reply->correlation.len == 0)
			reply->correlation = asked->structured ? asked->event_id : record_header_value(record, "ce_id");
	}
}

static bool topic_allowed(const struct topic_conf *topic, struct slice name)
{
	if (name.len == 0 || name.len > TOPIC_MAX || slice_equal_text(name, ".") || slice_equal_text(name, ".."))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
		      c == '-'))
			return false;
	}
	for (size_t i = 0; i < topic->reply_topics.count; i++)
		if (intake_pattern_fits(topic->reply_topics.items[i], name))
			return true;
	return false;
}

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return true;
	return false;
}

static const char *fault_of(const struct topic_conf *topic, const struct reply_address *reply)
{
	if (!topic_allowed(topic, reply->topic))
		return "topic_not_allowed";
	if (reply->partition < -1)
		return "bad_partition";
	if (reply->correlation.len == 0 || reply->correlation.len > CORRELATION_MAX)
		return "bad_correlation";
	// There it is a CloudEvents String: Unicode without control characters. Elsewhere bytes.
	if (reply->style == REPLY_CLOUDEVENTS_STRUCTURED && (has_control(reply->correlation) || !utf8_valid(reply->correlation)))
		return "bad_correlation";
	return NULL;
}

// Names that would be taken for the framing must not come out of an answer, nor values that end a line.
static bool header_safe(const struct header *header)
{
	if (header->name.len == 0 || slice_is_absent(header->value))
		return false;
	for (size_t i = 0; i < header->name.len; i++) {
		char c = header->name.ptr[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
			return false;
	}
	return !has_control(header->value);
}

static void add_answer(struct header_list *list, const struct answer *answer, const char *without)
{
	for (size_t i = 0; i < answer->header_count; i++)
		if (header_safe(&answer->headers[i]) && !(without && slice_equal_text(answer->headers[i].name, without)))
			list->items[list->count++] = answer->headers[i];
}

static void add_trace(struct header_list *list, const struct request *request)
{
	if (!slice_is_absent(request->traceparent))
		header_list_add(list, "traceparent", request->traceparent);
}

static struct slice status_of(const struct answer *answer, struct arena *arena)
{
	return arena_printf(arena, "%d", answer->status);
}

// Zilla turns every header into one of its HTTP answer, where a trace parent means nothing.
static void write_zilla(struct header_list *list, const struct request *request, const struct answer *answer, struct arena *arena)
{
	header_list_add(list, "zilla:correlation-id", request->reply.correlation);
	header_list_add(list, ":status", status_of(answer, arena));
	add_answer(list, answer, NULL);
}

// Spring's header mapper hands out as text only what this header names; the others stay bytes.
static void add_spring_types(struct header_list *list, size_t first, struct arena *arena)
{
	struct strbuf text = STRBUF_INIT(65536);
	struct json_writer w;
	json_begin(&w, &text);
	json_open_map(&w);
	for (size_t i = first; i < list->count; i++)
		json_member_text(&w, arena_copy(arena, list->items[i].name).ptr, SLICE_LIT("java.lang.String"));
	json_close_map(&w);
	if (!strbuf_overflowed(&text))
		header_list_add(list, "spring_json_header_types", arena_copy(arena, strbuf_slice(&text)));
	strbuf_free(&text);
}

static void write_spring(struct header_list *list, const struct request *request, const struct answer *answer, struct arena *arena)
{
	header_list_add(list, "kafka_correlationId", request->reply.correlation);
	size_t first = list->count;
	header_list_add(list, "http_status", status_of(answer, arena));
	add_answer(list, answer, NULL);
	add_trace(list, request);
	if (record_header(request->record, "spring_json_header_types"))
		add_spring_types(list, first, arena);
}

static struct slice event_id(const struct request *request, struct arena *arena)
{
	const struct slice parts[] = {SLICE_LIT("reply"), request->realm, request->route, request->request_id,
				      request->reply.correlation};
	struct uuid id = derive_id(parts, ARRAY_LEN(parts));
	char text[UUID_TEXT_SIZE];
	return arena_copy(arena, slice_of(uuid_format(&id, text)));
}

static void write_event(struct header_list *list, const struct request *request, const struct answer *answer, struct arena *arena)
{
	header_list_add(list, "ce_specversion", SLICE_LIT("1.0"));
	header_list_add(list, "ce_type", SLICE_LIT(REPLY_TYPE));
	header_list_add(list, "ce_source", SLICE_LIT(REPLY_SOURCE));
	header_list_add(list, "ce_id", event_id(request, arena));
	header_list_add(list, "ce_correlationid", request->reply.correlation);
	header_list_add(list, "ce_httpstatus", status_of(answer, arena));
	add_answer(list, answer, NULL);
	add_trace(list, request);
}

static bool is_json(struct slice text, struct arena *arena)
{
	struct fault f;
	const struct node *root;
	struct json_limits limits = {SIZE_MAX, JSON_DEPTH_MAX, SIZE_MAX, true};
	return json_parse(text, limits, arena, &root, &f) == REASON_OK;
}

// Attributes in the order of the JSON format's examples; the body is data, a JSON value where it is one.
static struct slice structured_event(const struct request *request, const struct answer *answer, struct arena *arena)
{
	const struct header *type = header_find(answer->headers, answer->header_count, "content-type");
	if (type && !header_safe(type))
		type = NULL;
	size_t given = answer->body.len + request->reply.correlation.len + request->traceparent.len + (type ? type->value.len : 0);
	struct strbuf text = STRBUF_INIT(given * 6 + 4096); // an escape has 6 bytes
	struct json_writer w;
	json_begin(&w, &text);
	json_open_map(&w);
	json_member_text(&w, "specversion", SLICE_LIT("1.0"));
	json_member_text(&w, "type", SLICE_LIT(REPLY_TYPE));
	json_member_text(&w, "source", SLICE_LIT(REPLY_SOURCE));
	json_member_text(&w, "id", event_id(request, arena));
	json_member_text(&w, "correlationid", request->reply.correlation);
	json_member_int(&w, "httpstatus", answer->status);
	json_member_text(&w, "traceparent", request->traceparent);
	if (!slice_is_absent(answer->body)) {
		bool json = is_json(answer->body, arena);
		if (type || !json) // without this attribute data is JSON
			json_member_text(&w, "datacontenttype", type ? type->value : SLICE_LIT("text/plain"));
		json_key(&w, "data");
		if (json)
			json_raw(&w, answer->body);
		else
			json_text(&w, answer->body);
	}
	json_close_map(&w);
	struct slice value = strbuf_overflowed(&text) ? SLICE_ABSENT : arena_copy(arena, strbuf_slice(&text));
	strbuf_free(&text);
	return value;
}

static void write_structured(struct header_list *list, const struct request *request, const struct answer *answer)
{
	header_list_add(list, "content-type", SLICE_LIT("application/cloudevents+json"));
	add_answer(list, answer, "content-type");
	add_trace(list, request);
}

bool intake_reply(const struct topic_conf *topic, const struct request *request, const struct answer *answer, struct arena *arena,
		  struct output *output, const char **reason)
{
	const struct reply_address *reply = &request->reply;
	struct slice value = answer->body;
	*reason = NULL;
	if (reply->style == REPLY_NONE || (*reason = fault_of(topic, reply)))
		return false;

	struct header_list list = header_list_new(arena, answer->header_count + 8);
	switch (reply->style) {
	case REPLY_ZILLA: write_zilla(&list, request, answer, arena); break;
	case REPLY_SPRING: write_spring(&list, request, answer, arena); break;
	case REPLY_CLOUDEVENTS: write_event(&list, request, answer, arena); break;
	case REPLY_CLOUDEVENTS_STRUCTURED:
		write_structured(&list, request, answer);
		value = structured_event(request, answer, arena);
		break;
	case REPLY_NONE: break;
	}
	*output = (struct output){
		.kind = OUTPUT_REPLY,
		.topic = reply->topic,
		.partition = reply->partition,
		.key = request->record->key,
		.value = value,
		.headers = list.items,
		.header_count = list.count,
	};
	return true;
}
