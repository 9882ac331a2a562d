// SPDX-License-Identifier: Apache-2.0
// One record out of the work queue, copied into the request's arena within its limits.
#include "kafka/source_private.h"

#include <string.h>

#include "enrolld/base/clock.h"

#define MS ((int64_t)1000000)

struct parts {
	size_t headers; // how many
	size_t bytes;   // of key, header names and header values
};

static struct parts measure(const rd_kafka_message_t *message, rd_kafka_headers_t *headers)
{
	struct parts parts = {.bytes = message->key_len};
	const char *name;
	const void *value;
	size_t size;
	while (headers && rd_kafka_header_get_all(headers, parts.headers, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
		parts.headers++;
		parts.bytes += strlen(name) + size;
	}
	return parts;
}

static struct slice copy(struct arena *arena, const void *bytes, size_t len)
{
	return bytes ? arena_copy(arena, (struct slice){bytes, len}) : SLICE_ABSENT;
}

static void copy_headers(rd_kafka_headers_t *headers, size_t count, struct arena *arena, struct record *record)
{
	const char *name;
	const void *value;
	size_t size;
	record->headers = ARENA_ARRAY(arena, count, struct header);
	while (record->header_count < count &&
	       rd_kafka_header_get_all(headers, record->header_count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
		record->headers[record->header_count++] = (struct header){copy(arena, name, strlen(name)),
									  copy(arena, value, size)};
}

static void copy_record(const struct source *s, rd_kafka_message_t *message, struct arena *arena, struct record *record)
{
	rd_kafka_headers_t *headers = NULL;
	rd_kafka_timestamp_type_t kind;
	if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		headers = NULL;
	struct parts parts = measure(message, headers);
	record->timestamp_ms = rd_kafka_message_timestamp(message, &kind);
	if (kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
		record->timestamp_ms = -1;
	record->log_append_time = kind == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
	record->value_size = message->payload ? message->len : 0;
	if (parts.headers > SOURCE_HEADERS_MAX || parts.bytes > SOURCE_HEADER_BYTES_MAX) {
		record->value_size += parts.bytes > s->value_limit ? parts.bytes : s->value_limit + 1; // all of it is too large
		return;
	}
	record->key = copy(arena, message->key, message->key_len);
	if (record->value_size <= s->value_limit)
		record->value = copy(arena, message->payload, message->len);
	if (parts.headers > 0)
		copy_headers(headers, parts.headers, arena, record);
}

// false: not a record, or one of an epoch that has ended.
static bool take_message(struct source *s, rd_kafka_message_t *message, struct arena *arena, struct record *ret_record)
{
	struct partition *p = message->rkt ? partition_find(&s->table, rd_kafka_topic_name(message->rkt), message->partition)
					   : NULL;
	if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
		source_note_record(s, message, p != NULL);
		return false;
	}
	uint64_t epoch = p ? partition_take(&s->table, p, message->offset) : 0;
	if (epoch == 0)
		return false;
	struct record record = {.at = {p->topic, p->number, message->offset}, .epoch = epoch};
	copy_record(s, message, arena, &record);
	*ret_record = record;
	source_works(s);
	return true;
}

bool source_next(struct source *s, int timeout_ms, struct arena *arena, struct record *record)
{
	int64_t until = clock_mono_ns() + timeout_ms * MS;
	for (;;) {
		int64_t left = (until - clock_mono_ns()) / MS;
		rd_kafka_message_t *message = rd_kafka_consume_queue(s->work, left > 0 ? (int)left : 0);
		if (!message)
			return false;
		bool accepted = take_message(s, message, arena, record);
		rd_kafka_message_destroy(message);
		if (accepted)
			return true;
	}
}
