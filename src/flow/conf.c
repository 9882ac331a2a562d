// SPDX-License-Identifier: Apache-2.0
// Settings of the worker itself.
#include "enrolld/flow/flow.h"

#define AT(type, member) SETTING_AT(type, struct flow_conf, member)
#define SECOND INT64_C(1000)

static const struct setting_choice replays[] = {
	{"silent", FLOW_REPLAYS_SILENT, "Nothing but a metric."},
	{"results", FLOW_REPLAYS_RESULTS,
	 "Its result once more, the same bytes and the same event id; no reply, no event, no message."},
	{0},
};

static const struct setting rows[] = {
	{"worker.instance", AT(TEXT, instance), .min = 1, .max = 100, .required = true,
	 .doc = "Stable name of this worker among its fellows, e.g. the pod's ordinal. It names the transactional producer and the group member, so two "
		"workers must never share one, and a restart must keep it."},
	{"worker.group", AT(TEXT, group), .min = 1, .max = 40, .fallback = "enrolld",
	 .doc = "Prefix of the consumer groups: <group>-signup, <group>-otp."},
	{"worker.window_records", AT(INT, window_records), .min = 8, .max = 100000, .unit = "records", .fallback = "1000",
	 .doc = "Records in hand of one lane at most; one order key may hold an eighth of it."},
	{"worker.window_bytes", AT(SIZE, window_bytes), .min = 1 << 20, .max = INT64_C(1) << 32, .fallback = "16MiB",
	 .doc = "Memory of the records in hand of one lane, exceeded by one record at most."},
	{"worker.look_batch", AT(INT, look_batch), .min = 1, .max = 5000, .unit = "requests", .fallback = "500",
	 .doc = "Requests of one look at most."},
	{"worker.store_batch", AT(INT, store_batch), .min = 1, .max = 5000, .unit = "requests", .fallback = "250",
	 .doc = "Requests of one database transaction at most."},
	{"worker.sink_batch", AT(INT, sink_batch), .min = 1, .max = 20000, .unit = "records", .fallback = "1000",
	 .doc = "Records of one Kafka transaction at most."},
	{"worker.drain_limit", AT(DURATION, drain_ms), .min = 0, .max = 600 * SECOND, .fallback = "25s", .reloadable = true,
	 .doc = "How long a stop waits for what is in hand; what is left is read again by the next owner."},
	{"worker.retry_min", AT(DURATION, retry_min_ms), .min = 10, .max = 60 * SECOND, .fallback = "100ms",
	 .doc = "First wait when PostgreSQL or Kafka is away; it doubles with jitter."},
	{"worker.retry_max", AT(DURATION, retry_max_ms), .min = 100, .max = 600 * SECOND, .fallback = "5s",
	 .doc = "Longest such wait."},
	{"worker.cautious_records", AT(INT, cautious_records), .min = 0, .max = 100000, .unit = "records", .fallback = "64",
	 .doc = "Records that go one by one after an unclean stop, so that one that kills the worker is found and dead-lettered at the third stop."},
	{"worker.sweep_every", AT(DURATION, sweep_every_ms), .min = SECOND, .max = 86400 * SECOND, .fallback = "30s",
	 .doc = "How often rows past their life are deleted."},
	{"worker.sweep_batch", AT(INT, sweep_batch), .min = 1, .max = 100000, .unit = "rows", .fallback = "1000",
	 .doc = "Rows deleted in one statement."},
	{"worker.notice_every", AT(DURATION, notice_every_ms), .min = 10, .max = 60 * SECOND, .fallback = "1s",
	 .doc = "How often this worker looks for notices to publish when none of its own wakes it."},
	{"worker.replays", AT(CHOICE, replays), .choices = replays, .fallback = "silent",
	 .doc = "What a record that has passed before gives when offsets were set back. For rebuilding what reads the results: set it, restart, set the "
		"offsets back, and set it to silent again afterwards."},
	{"worker.result_topic", AT(TEXT, result_topic), .min = 1, .max = 249, .fallback = "enroll.results",
	 .doc = "One result for each request id."},
	{"worker.event_topic", AT(TEXT, event_topic), .min = 1, .max = 249, .fallback = "enroll.accounts",
	 .doc = "Account events."},
	{"worker.dead_topic", AT(TEXT, dead_topic), .min = 1, .max = 249, .fallback = "enroll.dead",
	 .doc = "Dead letters: coordinates and reason, never the value."},
};

static enum reason check(const void *conf, struct fault *f)
{
	const struct flow_conf *c = conf;
	if (c->retry_max_ms < c->retry_min_ms)
		return fault_set(f, REASON_SETTING_INVALID, "worker.retry_max: smaller than worker.retry_min");
	return REASON_OK;
}

const struct setting_table flow_settings = {
	.module = "worker",
	.rows = rows,
	.count = ARRAY_LEN(rows),
	.struct_size = sizeof(struct flow_conf),
	.check = check,
	.doc = "The worker itself: its name, what it holds in hand, how it waits.",
};
