// SPDX-License-Identifier: Apache-2.0
// Dead letters that the tools of Kafka Connect (KIP-298) and Spring Kafka (KafkaHeaders.DLT_*) read: texts there, big-endian numbers here.
#include "intake/header_list.h"
#include "intake/intake_private.h"

static struct slice big_endian(struct arena *arena, uint64_t number, size_t size)
{
	char *bytes = arena_alloc(arena, size);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(number >> (8 * (size - 1 - i)));
	return (struct slice){bytes, size};
}

static void add_connect(struct header_list *list, const struct record *record, const char *group, enum reason reason,
			const char *stage, struct arena *arena)
{
	header_list_add(list, "__connect.errors.topic", slice_of(record->at.topic));
	header_list_add(list, "__connect.errors.partition", arena_printf(arena, "%d", record->at.partition));
	header_list_add(list, "__connect.errors.offset", arena_printf(arena, "%lld", (long long)record->at.offset));
	header_list_add(list, "__connect.errors.connector.name", slice_of(group));
	header_list_add(list, "__connect.errors.task.id", SLICE_LIT("0"));
	header_list_add(list, "__connect.errors.stage", slice_of(stage));
	header_list_add(list, "__connect.errors.class.name", SLICE_LIT("enrolld"));
	header_list_add(list, "__connect.errors.exception.class.name", slice_of(reason_code(reason)));
	header_list_add(list, "__connect.errors.exception.message", slice_of(reason_text(reason)));
}

static void add_spring(struct header_list *list, const struct record *record, const char *group, enum reason reason,
		       struct arena *arena)
{
	header_list_add(list, "kafka_dlt-original-topic", slice_of(record->at.topic));
	header_list_add(list, "kafka_dlt-original-partition", big_endian(arena, (uint32_t)record->at.partition, 4));
	header_list_add(list, "kafka_dlt-original-offset", big_endian(arena, (uint64_t)record->at.offset, 8));
	header_list_add(list, "kafka_dlt-original-timestamp", big_endian(arena, (uint64_t)record->timestamp_ms, 8));
	header_list_add(list, "kafka_dlt-original-timestamp-type",
			record->timestamp_ms < 0  ? SLICE_LIT("NoTimestampType")
			: record->log_append_time ? SLICE_LIT("LogAppendTime")
						  : SLICE_LIT("CreateTime"));
	header_list_add(list, "kafka_dlt-original-consumer-group", slice_of(group));
	header_list_add(list, "kafka_dlt-exception-fqcn", arena_printf(arena, "enrolld.%s", reason_code(reason)));
	header_list_add(list, "kafka_dlt-exception-message", slice_of(reason_text(reason)));
}

void intake_dead_letter(const struct record *record, const char *group, enum reason reason, const char *stage,
			const char *dead_topic, struct arena *arena, struct output *output)
{
	struct header_list list = header_list_new(arena, 24);
	struct slice trace = trace_parent(record_header_value(record, "traceparent"));
	add_connect(&list, record, group, reason, stage, arena);
	add_spring(&list, record, group, reason, arena);
	header_list_add(&list, "enrolld-reason", slice_of(reason_code(reason)));
	if (!slice_is_absent(trace))
		header_list_add(&list, "traceparent", trace);
	*output = (struct output){
		.kind = OUTPUT_DEAD,
		.topic = slice_of(dead_topic),
		.partition = -1,
		.headers = list.items,
		.header_count = list.count,
	};
}
