// SPDX-License-Identifier: Apache-2.0
// librdkafka clients as the bench programs need them.
#include "kafka.h"

#include "args.h"

#define ASK_MS 10000

static size_t delivered;

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *ctx)
{
	(void)rk;
	(void)ctx;
	kafka_must_code(message->err, "delivery");
	delivered++;
}

size_t kafka_delivered(void)
{
	return delivered;
}

void kafka_must_code(rd_kafka_resp_err_t code, const char *what)
{
	if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
		die("%s: %s", what, rd_kafka_err2str(code));
}

void kafka_must(rd_kafka_error_t *error, const char *what)
{
	if (error)
		die("%s: %s", what, rd_kafka_error_string(error));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
	char text[256];
	if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
		die("%s", text);
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *bootstrap, const char *const *pairs, rd_kafka_conf_t *conf)
{
	char text[256];
	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "socket.nagle.disable", "true");
	set(conf, "log_level", "3");
	for (size_t i = 0; pairs[i]; i += 2)
		set(conf, pairs[i], pairs[i + 1]);
	rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
	if (!rk)
		die("%s", text);
	return rk;
}

rd_kafka_t *kafka_producer(const char *bootstrap, const char *const *pairs)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
	set(conf, "partitioner", "murmur2_random");
	set(conf, "enable.idempotence", "true");
	return client(RD_KAFKA_PRODUCER, bootstrap, pairs, conf);
}

rd_kafka_t *kafka_consumer(const char *bootstrap, const char *const *pairs)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	set(conf, "isolation.level", "read_committed");
	set(conf, "enable.auto.commit", "false");
	set(conf, "auto.offset.reset", "earliest");
	rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, bootstrap, pairs, conf);
	kafka_must_code(rd_kafka_poll_set_consumer(rk), "consumer");
	return rk;
}

int kafka_partitions(rd_kafka_t *rk, const char *topic)
{
	const struct rd_kafka_metadata *metadata;
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
	kafka_must_code(rd_kafka_metadata(rk, 0, rkt, &metadata, ASK_MS), topic);
	if (metadata->topic_cnt != 1 || metadata->topics[0].err)
		die("topic %s is not there", topic);
	int count = metadata->topics[0].partition_cnt;
	rd_kafka_metadata_destroy(metadata);
	rd_kafka_topic_destroy(rkt);
	return count;
}

void kafka_read_from_end(rd_kafka_t *consumer, const char *topic)
{
	int count = kafka_partitions(consumer, topic);
	rd_kafka_topic_partition_list_t *places = rd_kafka_topic_partition_list_new(count);
	for (int i = 0; i < count; i++) {
		int64_t low, high;
		kafka_must_code(rd_kafka_query_watermark_offsets(consumer, topic, i, &low, &high, ASK_MS), "ends");
		rd_kafka_topic_partition_list_add(places, topic, i)->offset = high;
	}
	kafka_must_code(rd_kafka_assign(consumer, places), "assign");
	rd_kafka_topic_partition_list_destroy(places);
}
