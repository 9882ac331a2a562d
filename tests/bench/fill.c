// SPDX-License-Identifier: Apache-2.0
// A backlog of requests: bootstrap= topic= count= prefix= [kind=sign_up|code|check] [codes=file] [foreign=1] [head_every=N] [reply=topic]
// [pace_us=N]. With head_every, each Nth sign-up carries a password and all others a foreign hash; with pace_us it waits so long after each.
// All partitions get the same share.
#include <stdio.h>
#include <time.h>

#include "args.h"
#include "kafka.h"
#include "request.h"
#include "timing.h"

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	const char *bootstrap = args_text(&args, "bootstrap", NULL), *name = args_text(&args, "topic", NULL);
	long pace_us = args_number(&args, "pace_us", 0);
	const struct timespec pace = {pace_us / 1000000, pace_us % 1000000 * 1000};
	const char *pairs[] = {"linger.ms", pace_us ? "0" : "20", "queue.buffering.max.messages", "100000", NULL};
	long count = args_number(&args, "count", -1), head_every = args_number(&args, "head_every", 0),
	     first = args_number(&args, "first", 0);
	struct bench_request request = request_of(&args);
	rd_kafka_t *producer = kafka_producer(bootstrap, pairs);
	int partitions = kafka_partitions(producer, name);
	rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
	int64_t begin = now_ns();
	for (long i = 0; i < count; i++) {
		char id[REQUEST_ID_SIZE];
		request.number = first + i;
		if (head_every)
			request.foreign = i % head_every != 0;
		request_send(producer, topic, (int)(i % partitions), &request, id);
		(void)rd_kafka_poll(producer, 0);
		if (pace_us)
			(void)nanosleep(&pace, NULL);
	}
	kafka_must_code(rd_kafka_flush(producer, 120000), "flush");
	if (kafka_delivered() != (size_t)count)
		die("%zu of %ld records were acknowledged", kafka_delivered(), count);
	printf("{\"records\": %ld, \"seconds\": %.3f}\n", count, (double)(now_ns() - begin) / 1e9);
	rd_kafka_topic_destroy(topic);
	rd_kafka_destroy(producer);
	return 0;
}
