// SPDX-License-Identifier: Apache-2.0
// Single requests to an idle worker: bootstrap= topic= results= prefix= count= gap_ms= [kind=...] [codes=file] [foreign=1] [first=0] [wait_ms=500].
// Each is sent when the one before was answered and gap_ms have passed. Prints the times from handing over the record to seeing its committed result.
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "kafka.h"
#include "request.h"
#include "timing.h"

#define PATIENCE_MS 30000

static bool is_result_of(rd_kafka_t *consumer, const rd_kafka_message_t *message, const char *id)
{
	(void)consumer;
	kafka_must_code(message->err, "results");
	return message->key_len == strlen(id) && memcmp(message->key, id, message->key_len) == 0;
}

static void await_result(rd_kafka_t *consumer, rd_kafka_t *producer, const char *id, int64_t begin)
{
	for (bool found = false; !found;) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 100);
		(void)rd_kafka_poll(producer, 0);
		if (message) {
			found = is_result_of(consumer, message, id);
			rd_kafka_message_destroy(message);
		}
		if (!found && now_ns() - begin > PATIENCE_MS * INT64_C(1000000))
			die("no result of %s within %d s", id, PATIENCE_MS / 1000);
	}
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	const char *bootstrap = args_text(&args, "bootstrap", NULL), *name = args_text(&args, "topic", NULL);
	const char *sender[] = {"linger.ms", "0", NULL};
	const char *reader[] = {"group.id", "bench-lone", "fetch.wait.max.ms", args_text(&args, "wait_ms", "500"), NULL};
	struct bench_request request = request_of(&args);
	long count = args_number(&args, "count", -1), gap_ms = args_number(&args, "gap_ms", -1),
	     first = args_number(&args, "first", 0);
	rd_kafka_t *producer = kafka_producer(bootstrap, sender), *consumer = kafka_consumer(bootstrap, reader);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
	int partitions = kafka_partitions(producer, name);
	struct timing times = {0};
	kafka_read_from_end(consumer, args_text(&args, "results", NULL));
	for (request.number = first; request.number <= first + count;
	     request.number++) { // the first one warms connections and is left out
		char id[REQUEST_ID_SIZE];
		int64_t begin = now_ns();
		request_send(producer, topic, (int)(request.number % partitions), &request, id);
		await_result(consumer, producer, id, begin);
		timing_add(&times, now_ns() - begin);
		struct timespec gap = {gap_ms / 1000, gap_ms % 1000 * 1000000};
		(void)nanosleep(&gap, NULL);
	}
	printf("{");
	timing_print(&times, "latency", 1);
	printf("}\n");
	timing_free(&times);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(producer);
	(void)rd_kafka_consumer_close(consumer);
	rd_kafka_destroy(consumer);
	return 0;
}
