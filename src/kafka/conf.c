// SPDX-License-Identifier: Apache-2.0
// Rows of the Kafka settings, and the librdkafka properties that are not the operator's to set.
#include "enrolld/kafka/conf.h"

#include <string.h>

#include "kafka/client.h"

#define AT(type, member) SETTING_AT(type, struct kafka_conf, member)

static const struct setting_choice results[] = {
	{"transactional", KAFKA_RESULTS_TRANSACTIONAL,
	 "Results and offsets in one Kafka transaction: one result per request for read_committed readers."},
	{"idempotent", KAFKA_RESULTS_IDEMPOTENT, "No transactions: a crash may repeat a result, with the same event id."},
	{0},
};

static const struct setting rows[] = {
	{"kafka.bootstrap_servers", AT(TEXT, bootstrap_servers), .required = true,
	 .doc = "Brokers to start from: host:port, comma-separated."},
	{"kafka.properties", AT(MAP, properties), .underscore = '.',
	 .doc = "librdkafka properties for all connections, e.g. security.protocol, sasl.mechanism, ssl.ca.location."},
	{"kafka.consumer_properties", AT(MAP, consumer_properties), .underscore = '.',
	 .doc = "librdkafka properties of the consumers; they win over kafka.properties."},
	{"kafka.producer_properties", AT(MAP, producer_properties), .underscore = '.',
	 .doc = "librdkafka properties of the producers; they win over kafka.properties."},
	{"kafka.results", AT(CHOICE, results), .choices = results, .fallback = "transactional",
	 .doc = "How results leave, together with the offsets that they pass."},
	{"kafka.session_timeout", AT(DURATION, session_timeout_ms), .min = 1000, .max = 300000, .fallback = "6s",
	 .doc = "After this silence the group gives a worker's partitions to others, and a restart that takes longer moves them. Brokers accept 6s to 30m "
		"unless set otherwise."},
	{"kafka.transaction_timeout", AT(DURATION, transaction_timeout_ms), .min = 1000, .max = 900000, .fallback = "10s",
	 .doc = "Longest life of a Kafka transaction; a worker that is killed inside one holds up readers of the results until it "
		"returns, or others have its partitions and end it, or brokers do: some seconds after this time."},
	{"kafka.prefetch_records", AT(INT, prefetch_records), .min = 1, .max = 1000000, .unit = "records", .fallback = "10000",
	 .doc = "Records fetched ahead for one lane; below one second of traffic it slows reading."},
	{"kafka.prefetch_bytes", AT(SIZE, prefetch_bytes), .min = 65536, .max = (int64_t)1 << 30, .fallback = "16MiB",
	 .doc = "Memory for records fetched ahead for one lane."},
	{"kafka.static_membership", AT(BOOL, static_membership), .fallback = "true",
	 .doc = "Keep partitions over a restart (group.instance.id), for at most kafka.session_timeout. Needs a stable instance name."},
};

// What the worker sets itself, and where it is set instead.
static const struct {
	const char *property;
	const char *instead;
} owned[] = {
	{"bootstrap.servers", "kafka.bootstrap_servers is the setting for it"},
	{"metadata.broker.list", "kafka.bootstrap_servers is the setting for it"},
	{"session.timeout.ms", "kafka.session_timeout is the setting for it"},
	{"transaction.timeout.ms", "kafka.transaction_timeout is the setting for it"},
	{"queued.min.messages", "kafka.prefetch_records is the setting for it"},
	{"queued.max.messages.kbytes", "kafka.prefetch_bytes is the setting for it"},
	{"enable.idempotence", "results are always produced idempotently"},
	{"transactional.id", "it is made of group and instance; kafka.results chooses"},
	{"acks", "results are only safe when all replicas in sync have them"},
	{"request.required.acks", "results are only safe when all replicas in sync have them"},
	{"group.id", "the lane's group is the setting for it"},
	{"group.instance.id", "it is made of instance and lane; kafka.static_membership switches it"},
	{"group.protocol", "the classic protocol is the one this worker is built on"},
	{"enable.auto.commit", "offsets pass together with the results"},
	{"auto.commit.enable", "offsets pass together with the results"},
	{"enable.auto.offset.store", "offsets pass together with the results"},
	{"auto.offset.reset", "the worker decides by the partition's committed offset and its ends"},
	{"isolation.level", "committed offsets must be read stable, which needs read_committed"},
	{"enable.partition.eof", "the worker does not read by it"},
	{"enabled_events", "it belongs to the program"},
	{"log.queue", "it belongs to the program"},
	{"test.mock.num.brokers", "the mock broker keeps neither offsets nor transactions"},
};

static enum reason check_owned(const char *row, const char *property, const char *value, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		if (strcmp(property, owned[i].property) == 0)
			return fault_set(f, REASON_SETTING_INVALID, "%s: %s cannot be set: %s", row, property, owned[i].instead);
	bool strategy = strcmp(property, "partition.assignment.strategy") == 0;
	if (strategy && strcmp(value, "cooperative-sticky") != 0 && strcmp(value, "range") != 0)
		return fault_set(f, REASON_SETTING_INVALID, "%s: %s is cooperative-sticky, or range as the fall-back", row,
				 property);
	return REASON_OK;
}

static enum reason check_map(const char *row, const struct setting_map *map, struct fault *f)
{
	for (size_t i = 0; i < map->count; i++) {
		enum reason reason = check_owned(row, map->pairs[i].name, map->pairs[i].value, f);
		if (reason == REASON_OK)
			reason = client_property_check(row, map->pairs[i].name, map->pairs[i].value, f);
		if (reason != REASON_OK)
			return reason;
	}
	return REASON_OK;
}

static enum reason check(const void *settings, struct fault *f)
{
	const struct kafka_conf *conf = settings;
	enum reason reason = check_map("kafka.properties", &conf->properties, f);
	if (reason == REASON_OK)
		reason = check_map("kafka.consumer_properties", &conf->consumer_properties, f);
	if (reason == REASON_OK)
		reason = check_map("kafka.producer_properties", &conf->producer_properties, f);
	return reason;
}

const struct setting_table kafka_settings = {
	.module = "kafka",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct kafka_conf),
	.doc = "The connection to Apache Kafka.",
	.check = check,
};
