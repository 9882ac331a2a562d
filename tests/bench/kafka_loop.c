// SPDX-License-Identifier: Apache-2.0
// The bare loop: consume, produce, send offsets, commit, as short as librdkafka makes it (delivery callback, retry.backoff.ms=1, warmed
// metadata). bootstrap= in=topic group= records= size=records-of-a-transaction out=topic:key:value:headers:header-bytes ... [passed=group]
//
// Each record read causes one record on every out, of these sizes in bytes (header-bytes: names and values of all of them). passed= sends
// the offsets of a second group too, as the worker does. Prints records per second, and times of transactions from begin to commit.
// pause_ms= waits before each: a transaction that begins at once after another often finds its markers unfinished and waits 20 ms.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "kafka.h"
#include "timing.h"

#define OUTS_MAX 4
#define HEADERS_MAX 32
#define STEP_MS 60000
#define PATIENCE_NS INT64_C(30000000000)

struct out {
	char name[256];
	rd_kafka_topic_t *topic;
	size_t key, value, header_count, header_bytes;
	char *bytes; // at least value of them
};

struct loop {
	rd_kafka_t *producer, *consumer;
	struct out outs[OUTS_MAX];
	size_t out_count;
	long size, pause_ms;
	const char *passed;
	rd_kafka_topic_partition_list_t *offsets;
	long records; // read so far
	struct timing times;
};

static size_t number_of(char **text)
{
	char *part = strsep(text, ":");
	if (!part)
		die("an out is written topic:key:value:headers:header-bytes");
	return strtoul(part, NULL, 10);
}

static void read_outs(struct loop *loop, const struct args *args)
{
	const char *text;
	for (; (text = args_nth(args, "out", loop->out_count)); loop->out_count++) {
		if (loop->out_count == OUTS_MAX)
			die("more than %d outs", OUTS_MAX);
		struct out *out = &loop->outs[loop->out_count];
		char *copy = strdup(text), *rest = copy;
		snprintf(out->name, sizeof(out->name), "%s", strsep(&rest, ":"));
		out->key = number_of(&rest);
		out->value = number_of(&rest);
		out->header_count = number_of(&rest);
		out->header_bytes = number_of(&rest);
		if (out->header_count > HEADERS_MAX || out->key > 200)
			die("%s: too many headers, or too long a key", out->name);
		out->bytes = bench_alloc(out->value + out->header_bytes + 1, 1);
		memset(out->bytes, 'x', out->value + out->header_bytes);
		kafka_partitions(loop->producer, out->name);
		out->topic = rd_kafka_topic_new(loop->producer, out->name, NULL);
		free(copy);
	}
}

static rd_kafka_headers_t *make_headers(const struct out *out)
{
	if (out->header_count == 0)
		return NULL;
	rd_kafka_headers_t *headers = rd_kafka_headers_new(out->header_count);
	size_t each = out->header_bytes / out->header_count, name = each > 8 ? 8 : each / 2;
	for (size_t i = 0; i < out->header_count; i++)
		(void)rd_kafka_header_add(headers, "xxxxxxxx", (ssize_t)name, out->bytes, (ssize_t)(each - name));
	return headers;
}

static void produce(struct loop *loop, const struct out *out, long number)
{
	char key[256];
	rd_kafka_headers_t *headers = make_headers(out);
	rd_kafka_resp_err_t code;
	snprintf(key, sizeof(key), "%0*ld", (int)out->key, number);
	while ((code = rd_kafka_producev(loop->producer, RD_KAFKA_V_RKT(out->topic), RD_KAFKA_V_KEY(key, out->key),
					 RD_KAFKA_V_VALUE(out->bytes, out->value), RD_KAFKA_V_HEADERS(headers),
					 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
	       RD_KAFKA_RESP_ERR__QUEUE_FULL)
		(void)rd_kafka_poll(loop->producer, 1);
	kafka_must_code(code, "produce");
}

// Reads up to size records and notes the offsets behind them; returns how many.
static long consume(struct loop *loop, long size)
{
	long count = 0;
	int64_t begin = now_ns();
	while (count < size) {
		rd_kafka_message_t *message = rd_kafka_consumer_poll(loop->consumer, 100);
		if (!message) {
			if (now_ns() - begin > PATIENCE_NS)
				die("no record came within 30 s");
			continue;
		}
		kafka_must_code(message->err, "consume");
		const char *topic = rd_kafka_topic_name(message->rkt);
		rd_kafka_topic_partition_t *place = rd_kafka_topic_partition_list_find(loop->offsets, topic, message->partition);
		if (!place)
			place = rd_kafka_topic_partition_list_add(loop->offsets, topic, message->partition);
		place->offset = message->offset + 1;
		rd_kafka_message_destroy(message);
		count++;
	}
	return count;
}

static void send_offsets(struct loop *loop)
{
	if (loop->passed) {
		rd_kafka_consumer_group_metadata_t *memberless = rd_kafka_consumer_group_metadata_new(loop->passed);
		kafka_must(rd_kafka_send_offsets_to_transaction(loop->producer, loop->offsets, memberless, STEP_MS),
			   "offsets of the second group");
		rd_kafka_consumer_group_metadata_destroy(memberless);
	}
	rd_kafka_consumer_group_metadata_t *metadata = rd_kafka_consumer_group_metadata(loop->consumer);
	kafka_must(rd_kafka_send_offsets_to_transaction(loop->producer, loop->offsets, metadata, STEP_MS), "offsets");
	rd_kafka_consumer_group_metadata_destroy(metadata);
}

static void transaction(struct loop *loop, long count)
{
	struct timespec pause = {loop->pause_ms / 1000, loop->pause_ms % 1000 * 1000000};
	if (loop->pause_ms)
		(void)nanosleep(&pause, NULL);
	int64_t begin = now_ns();
	kafka_must(rd_kafka_begin_transaction(loop->producer), "begin");
	for (long i = 0; i < count; i++) {
		for (size_t k = 0; k < loop->out_count; k++)
			produce(loop, &loop->outs[k], loop->records + i);
		if (i % 64 == 63)
			(void)rd_kafka_poll(loop->producer, 0);
	}
	send_offsets(loop);
	kafka_must_code(rd_kafka_flush(loop->producer, STEP_MS), "flush");
	kafka_must(rd_kafka_commit_transaction(loop->producer, STEP_MS), "commit");
	timing_add(&loop->times, now_ns() - begin);
	loop->records += count;
}

static void subscribe(struct loop *loop, const char *topic)
{
	rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
	kafka_must_code(rd_kafka_subscribe(loop->consumer, topics), "subscribe");
	rd_kafka_topic_partition_list_destroy(topics);
	loop->offsets = rd_kafka_topic_partition_list_new(16);
}

static void end(struct loop *loop)
{
	for (size_t i = 0; i < loop->out_count; i++) {
		rd_kafka_topic_destroy(loop->outs[i].topic);
		free(loop->outs[i].bytes);
	}
	rd_kafka_topic_partition_list_destroy(loop->offsets);
	timing_free(&loop->times);
	(void)rd_kafka_consumer_close(loop->consumer);
	rd_kafka_destroy(loop->consumer);
	rd_kafka_destroy(loop->producer);
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	const char *bootstrap = args_text(&args, "bootstrap", NULL), *group = args_text(&args, "group", NULL);
	const char *writer[] = {"transactional.id",       group,   "linger.ms", "0", "retry.backoff.ms", "1",
				"transaction.timeout.ms", "60000", NULL};
	const char *reader[] = {"group.id", group, "fetch.wait.max.ms", "50", NULL};
	long records = args_number(&args, "records", -1);
	struct loop loop = {.size = args_number(&args, "size", -1),
			    .pause_ms = args_number(&args, "pause_ms", 0),
			    .passed = args_nth(&args, "passed", 0)};
	if (loop.size == 0 || records < 2 * loop.size)
		die("records=%ld are not two transactions of size=%ld", records, loop.size);
	loop.producer = kafka_producer(bootstrap, writer);
	loop.consumer = kafka_consumer(bootstrap, reader);
	kafka_must(rd_kafka_init_transactions(loop.producer, STEP_MS), "init");
	read_outs(&loop, &args);
	subscribe(&loop, args_text(&args, "in", NULL));
	transaction(&loop, consume(&loop, loop.size)); // the first one joins the group, meets cold connections, and is left out
	long first = loop.records;
	int64_t begin = now_ns();
	while (loop.records < records)
		transaction(&loop, consume(&loop, records - loop.records < loop.size ? records - loop.records : loop.size));
	double seconds = (double)(now_ns() - begin) / 1e9;
	printf("{\"records\": %ld, \"seconds\": %.4f, \"per_second\": %.1f, ", loop.records - first, seconds,
	       (double)(loop.records - first) / seconds);
	timing_print(&loop.times, "transaction", 1);
	printf("}\n");
	end(&loop);
	return 0;
}
