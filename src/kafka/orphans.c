// SPDX-License-Identifier: Apache-2.0
// The look at the group, and who is to act on it.
#include "kafka/orphans.h"

#include <string.h>

#include "enrolld/base/clock.h"
#include "kafka/client.h"
#include "kafka/offsets.h"

#define MS ((int64_t)1000000)
#define SETTLE_MS 4000  // after a change of the assignment
#define AGAIN_MS 2000   // while something is odd
#define STEADY_MS 15000 // while all is well
#define SURE 2          // looks in a row that must agree

void orphans_doubt(struct orphans *o)
{
	*o = (struct orphans){.look_ns = clock_mono_ns() + SETTLE_MS * MS};
}

bool orphans_due(struct orphans *o)
{
	if (o->look_ns == 0)
		orphans_doubt(o);
	return clock_mono_ns() >= o->look_ns;
}

// One acts after the other, should the first be unable to.
bool orphans_decide(struct orphans *o, const struct group_look *look)
{
	bool odd = look && (!look->stable || look->orphans > 0);
	o->look_ns = clock_mono_ns() + (odd ? AGAIN_MS : STEADY_MS) * MS;
	o->seen = look && look->stable && look->orphans > 0 ? o->seen + 1 : 0;
	if (o->seen == 0 || o->seen < SURE + look->rank)
		return false;
	orphans_doubt(o);
	return true;
}

static enum reason count_partitions(rd_kafka_t *rk, const char *topic, int timeout_ms, size_t *count, struct fault *f)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
	rd_kafka_resp_err_t err = rkt ? rd_kafka_metadata(rk, 0, rkt, &metadata, timeout_ms) : rd_kafka_last_error();
	if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
		for (int i = 0; i < metadata->topic_cnt; i++)
			*count += (size_t)metadata->topics[i].partition_cnt;
		rd_kafka_metadata_destroy(metadata);
	}
	if (rkt)
		rd_kafka_topic_destroy(rkt);
	return err == RD_KAFKA_RESP_ERR_NO_ERROR ? REASON_OK
						 : fault_set(f, client_reason(err), "topic %s: %s", topic, rd_kafka_err2str(err));
}

static size_t count_ours(const rd_kafka_MemberDescription_t *member, char *const *topics, size_t topic_count)
{
	const rd_kafka_MemberAssignment_t *assignment = rd_kafka_MemberDescription_assignment(member);
	const rd_kafka_topic_partition_list_t *partitions = assignment ? rd_kafka_MemberAssignment_partitions(assignment) : NULL;
	size_t n = 0;
	for (int i = 0; partitions && i < partitions->cnt; i++)
		for (size_t t = 0; t < topic_count; t++)
			n += strcmp(partitions->elems[i].topic, topics[t]) == 0;
	return n;
}

static size_t count_of_member(const rd_kafka_ConsumerGroupDescription_t *group, const char *id, char *const *topics,
			      size_t topic_count, bool *found)
{
	*found = false;
	for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); i++) {
		const rd_kafka_MemberDescription_t *member = rd_kafka_ConsumerGroupDescription_member(group, i);
		if (strcmp(rd_kafka_MemberDescription_consumer_id(member), id) == 0) {
			*found = true;
			return count_ours(member, topics, topic_count);
		}
	}
	return 0;
}

// Fills all but the number of partitions there are; orphans becomes the number of those that somebody has.
static void read_group(const rd_kafka_ConsumerGroupDescription_t *group, const char *id, char *const *topics, size_t topic_count,
		       struct group_look *look)
{
	bool found;
	size_t mine = count_of_member(group, id, topics, topic_count, &found);
	look->stable = found && rd_kafka_ConsumerGroupDescription_state(group) == RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
	for (size_t i = 0; i < rd_kafka_ConsumerGroupDescription_member_count(group); i++) {
		const rd_kafka_MemberDescription_t *member = rd_kafka_ConsumerGroupDescription_member(group, i);
		size_t theirs = count_ours(member, topics, topic_count);
		look->orphans += theirs;
		look->rank += theirs < mine || (theirs == mine && strcmp(rd_kafka_MemberDescription_consumer_id(member), id) < 0);
	}
}

// OK: *ret_group is the call's. The caller ends the call in any case.
static enum reason describe(rd_kafka_t *rk, const char *group, int timeout_ms, struct admin_call *call,
			    const rd_kafka_ConsumerGroupDescription_t **ret_group, struct fault *f)
{
	enum reason reason = admin_begin(rk, RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, call, f);
	if (reason == REASON_OK) {
		rd_kafka_DescribeConsumerGroups(rk, &group, 1, call->options, call->queue);
		reason = admin_wait(call, timeout_ms, "members of the group", f);
	}
	if (reason != REASON_OK)
		return reason;
	size_t count = 0;
	const rd_kafka_ConsumerGroupDescription_t **groups = rd_kafka_DescribeConsumerGroups_result_groups(
		rd_kafka_event_DescribeConsumerGroups_result(call->event), &count);
	const rd_kafka_error_t *error = count == 1 ? rd_kafka_ConsumerGroupDescription_error(groups[0]) : NULL;
	if (count != 1 || error)
		return fault_set(f, error ? client_reason(rd_kafka_error_code(error)) : REASON_KAFKA_UNAVAILABLE,
				 "members of the group: %s", error ? rd_kafka_error_string(error) : "no answer");
	*ret_group = groups[0];
	return REASON_OK;
}

enum reason group_look(rd_kafka_t *rk, const char *group, const char *member, char *const *topics, size_t topic_count,
		       int timeout_ms, struct group_look *ret_look, struct fault *f)
{
	struct admin_call call;
	struct group_look look = {0};
	const rd_kafka_ConsumerGroupDescription_t *description = NULL;
	size_t partitions = 0;
	enum reason reason = describe(rk, group, timeout_ms, &call, &description, f);
	if (reason == REASON_OK)
		read_group(description, member, topics, topic_count, &look);
	admin_end(&call);
	for (size_t i = 0; i < topic_count && reason == REASON_OK; i++)
		reason = count_partitions(rk, topics[i], timeout_ms, &partitions, f);
	if (reason != REASON_OK)
		return reason;
	look.orphans = partitions > look.orphans ? partitions - look.orphans : 0;
	*ret_look = look;
	return REASON_OK;
}

enum reason group_present(rd_kafka_t *rk, const char *group, const char *const *ids, size_t count, int timeout_ms, bool *present,
			  struct fault *f)
{
	struct admin_call call;
	const rd_kafka_ConsumerGroupDescription_t *description = NULL;
	enum reason reason = describe(rk, group, timeout_ms, &call, &description, f);
	for (size_t i = 0; i < count && reason == REASON_OK; i++) {
		present[i] = false;
		for (size_t k = 0; k < rd_kafka_ConsumerGroupDescription_member_count(description); k++) {
			const char *id = rd_kafka_MemberDescription_group_instance_id(
				rd_kafka_ConsumerGroupDescription_member(description, k));
			present[i] |= id && strcmp(id, ids[i]) == 0;
		}
	}
	admin_end(&call);
	return reason;
}
