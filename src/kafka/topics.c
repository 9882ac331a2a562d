// SPDX-License-Identifier: Apache-2.0
// A short list that asks the brokers once per topic: the metadata is then warm, which saves the first transaction a second.
#include "kafka/topics.h"

#include <stdlib.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "kafka/client.h"

#define TOPICS_MAX 512   // reply topics kept; their names come from records, within an allow-list
#define MISSING_MS 5000  // a missing topic is not asked for again before
#define KNOWN_MS 60000   // a known one, for more partitions or its deletion; what it refused is not tried again before
#define NAME_MAX_LEN 249 // Kafka's own limit
#define MS ((int64_t)1000000)

void topics_init(struct topics *t)
{
	*t = (struct topics){0};
}

static void topic_free(struct topic *topic)
{
	if (topic->rkt)
		rd_kafka_topic_destroy(topic->rkt);
	free(topic->name);
	free(topic);
}

static void forget(struct topics *t, bool fixed_too)
{
	struct topic **at = &t->first;
	while (*at) {
		struct topic *topic = *at;
		if (topic->fixed && !fixed_too) {
			at = &topic->next;
			continue;
		}
		*at = topic->next;
		topic_free(topic);
	}
	t->count = 0;
}

void topics_clear(struct topics *t)
{
	forget(t, true);
}

void topics_let_go(struct topics *t)
{
	for (struct topic *topic = t->first; topic; topic = topic->next) {
		if (topic->rkt)
			rd_kafka_topic_destroy(topic->rkt);
		topic->rkt = NULL;
		topic->asked_ns = 0;
	}
}

static struct topic *find(const struct topics *t, struct slice name)
{
	struct topic *topic = t->first;
	while (topic && (topic->name_len != name.len || memcmp(topic->name, name.ptr, name.len) != 0))
		topic = topic->next;
	return topic;
}

static struct topic *add(struct topics *t, struct slice name, bool fixed)
{
	struct topic *topic = calloc(1, sizeof(*topic));
	if (!topic || !(topic->name = strndup(name.ptr, name.len)))
		PANIC("topics: out of memory");
	topic->name_len = name.len;
	topic->fixed = fixed;
	topic->next = t->first;
	t->first = topic;
	t->count += !fixed;
	return topic;
}

void topics_fix(struct topics *t, const char *name)
{
	struct topic *topic = find(t, slice_of(name));
	if (!topic)
		(void)add(t, slice_of(name), true);
}

static bool is_fresh(const struct topic *topic)
{
	int64_t age = clock_mono_ns() - topic->asked_ns;
	return topic->asked_ns != 0 && age < (topic->rkt ? KNOWN_MS : MISSING_MS) * MS;
}

static enum reason ask(struct topic *topic, rd_kafka_t *rk, int timeout_ms, struct fault *f)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_t *rkt = topic->rkt ? topic->rkt : rd_kafka_topic_new(rk, topic->name, NULL);
	if (!rkt)
		return fault_set(f, client_reason(rd_kafka_last_error()), "topic %s: %s", topic->name,
				 rd_kafka_err2str(rd_kafka_last_error()));
	rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, rkt, &metadata, timeout_ms);
	int32_t partitions = 0;
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		if (metadata->topic_cnt == 1) {
			err = metadata->topics[0].err;
			partitions = metadata->topics[0].partition_cnt;
		}
		rd_kafka_metadata_destroy(metadata);
	}
	bool missing = err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
		       err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION || err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR && !missing) {
		if (!topic->rkt)
			rd_kafka_topic_destroy(rkt);
		return fault_set(f, client_reason(err), "topic %s: %s", topic->name, rd_kafka_err2str(err));
	}
	if (missing || partitions == 0) {
		rd_kafka_topic_destroy(rkt);
		rkt = NULL;
	}
	topic->rkt = rkt;
	topic->partitions = partitions;
	topic->asked_ns = clock_mono_ns();
	return REASON_OK;
}

enum reason topics_get(struct topics *t, rd_kafka_t *rk, struct slice name, int timeout_ms, struct topic **ret_topic,
		       struct fault *f)
{
	if (name.len == 0 || name.len > NAME_MAX_LEN) {
		*ret_topic = NULL;
		return REASON_OK;
	}
	struct topic *topic = find(t, name);
	if (!topic && t->count >= TOPICS_MAX)
		forget(t, false);
	if (!topic)
		topic = add(t, name, false);
	if (!is_fresh(topic)) {
		enum reason reason = ask(topic, rk, timeout_ms, f);
		// A known topic is not in doubt because the brokers are slow just now.
		if (reason != REASON_OK && !topic->rkt)
			return reason;
	}
	*ret_topic = topic->rkt ? topic : NULL;
	return REASON_OK;
}

enum reason topics_known(struct topics *t, rd_kafka_t *rk, struct slice name, int timeout_ms, struct topic **ret_topic,
			 struct fault *f)
{
	struct topic *topic = name.len > 0 ? find(t, name) : NULL;
	if (!topic || !topic->rkt)
		return topics_get(t, rk, name, timeout_ms, ret_topic, f);
	*ret_topic = topic;
	return REASON_OK;
}

void topics_doubt(struct topics *t, const char *name)
{
	struct topic *topic = find(t, slice_of(name));
	if (topic)
		topic->asked_ns = 0;
}

static bool is_limited(const struct topic *topic)
{
	return topic->limit > 0 && clock_mono_ns() - topic->limited_ns < KNOWN_MS * MS;
}

void topics_refused(struct topics *t, const char *name, size_t size)
{
	struct topic *topic = find(t, slice_of(name));
	if (!topic || size == 0)
		return;
	if (!is_limited(topic) || size - 1 < topic->limit)
		topic->limit = size - 1;
	topic->limited_ns = clock_mono_ns();
}

size_t topics_limit(const struct topics *t, struct slice name, size_t limit)
{
	const struct topic *topic = find(t, name);
	return topic && is_limited(topic) && topic->limit < limit ? topic->limit : limit;
}
