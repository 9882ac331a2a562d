// SPDX-License-Identifier: Apache-2.0
// Where a reply goes, and how each gateway wants it written.
#include "enrolld/base/uuid.h"
#include "enrolld/crypto/derive.h"
#include "intake/header_list.h"
#include "intake/intake_private.h"

#define TOPIC_MAX 249 // Kafka's limit
#define CORRELATION_MAX 1024

static int32_t partition_of(struct slice bytes)
{
	if (slice_is_absent(bytes))
		return -1;
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	if (bytes.len != 4 || b[0] > 0x7f)
		return REPLY_PARTITION_INVALID;
	return (int32_t)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]);
}

void reply_read(const struct record *record, struct reply_address *reply)
{
	struct slice zilla = record_header_value(record, "zilla:reply-to");
	struct slice spring = record_header_value(record, "kafka_replyTopic");
	struct slice event = record_header_value(record, "ce_replyto");
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
		reply->style = REPLY_CLOUDEVENTS;
		reply->topic = event;
		reply->correlation = record_header_value(record, "ce_correlationid");
		if (reply->correlation.len == 0)
			reply->correlation = record_header_value(record, "ce_id");
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

static const char *fault_of(const struct topic_conf *topic, const struct reply_address *reply)
{
	if (!topic_allowed(topic, reply->topic))
		return "topic_not_allowed";
	if (reply->partition < -1)
		return "bad_partition";
	if (reply->correlation.len == 0 || reply->correlation.len > CORRELATION_MAX)
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
	for (size_t i = 0; i < header->value.len; i++)
		if ((unsigned char)header->value.ptr[i] < 0x20 || header->value.ptr[i] == 0x7f)
			return false;
	return true;
}

static void add_event_headers(struct header_list *list, const struct request *request, const struct answer *answer,
			      struct arena *arena)
{
	const struct slice parts[] = {SLICE_LIT("reply"), request->realm, request->route, request->request_id,
				      request->reply.correlation};
	struct uuid id = derive_id(parts, ARRAY_LEN(parts));
	char text[UUID_TEXT_SIZE];
	header_list_add(list, "ce_specversion", SLICE_LIT("1.0"));
	header_list_add(list, "ce_type", SLICE_LIT("enrolld.reply.v1"));
	header_list_add(list, "ce_source", SLICE_LIT("/enrolld"));
	header_list_add(list, "ce_id", arena_copy(arena, slice_of(uuid_format(&id, text))));
	header_list_add(list, "ce_correlationid", request->reply.correlation);
	header_list_add(list, "ce_httpstatus", arena_printf(arena, "%d", answer->status));
}

bool intake_reply(const struct topic_conf *topic, const struct request *request, const struct answer *answer, struct arena *arena,
		  struct output *output, const char **reason)
{
	const struct reply_address *reply = &request->reply;
	*reason = NULL;
	if (reply->style == REPLY_NONE || (*reason = fault_of(topic, reply)))
		return false;

	struct header_list list = header_list_new(arena, answer->header_count + 8);
	if (reply->style == REPLY_ZILLA) {
		header_list_add(&list, "zilla:correlation-id", reply->correlation);
		header_list_add(&list, ":status", arena_printf(arena, "%d", answer->status));
	} else if (reply->style == REPLY_SPRING) {
		header_list_add(&list, "kafka_correlationId", reply->correlation);
		header_list_add(&list, "http_status", arena_printf(arena, "%d", answer->status));
	} else {
		add_event_headers(&list, request, answer, arena);
	}
	for (size_t i = 0; i < answer->header_count; i++)
		if (header_safe(&answer->headers[i]))
			list.items[list.count++] = answer->headers[i];
	// Zilla turns every header into one of its HTTP answer, where a trace parent means nothing.
	if (reply->style != REPLY_ZILLA && !slice_is_absent(request->traceparent))
		header_list_add(&list, "traceparent", request->traceparent);

	*output = (struct output){
		.kind = OUTPUT_REPLY,
		.topic = reply->topic,
		.partition = reply->partition,
		.key = request->record->key,
		.value = answer->body,
		.headers = list.items,
		.header_count = list.count,
	};
	return true;
}
