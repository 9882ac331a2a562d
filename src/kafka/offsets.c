// SPDX-License-Identifier: Apache-2.0
// ListConsumerGroupOffsets (stable, KIP-447), AlterConsumerGroupOffsets and DeleteConsumerGroupOffsets, each as one call.
#include "kafka/offsets.h"

#include <string.h>

#include "kafka/client.h"

// The longest that librdkafka takes. A request to a coordinator that it gives up itself ends the process soon after (its issue 4605), so it never
// does: we stop waiting, and what is still asked goes with the handle.
#define REQUEST_MS (60 * 60 * 1000)

enum reason admin_begin(rd_kafka_t *rk, rd_kafka_admin_op_t op, struct admin_call *call, struct fault *f)
{
	char text[128];
	*call = (struct admin_call){.options = rd_kafka_AdminOptions_new(rk, op), .queue = rd_kafka_queue_new(rk)};
	if (!call->options || !call->queue)
		return fault_set(f, REASON_INTERNAL, "librdkafka does not know administrator request %d", (int)op);
	if (rd_kafka_AdminOptions_set_request_timeout(call->options, REQUEST_MS, text, sizeof(text)) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fault_set(f, REASON_INTERNAL, "request timeout %d ms: %s", REQUEST_MS, text);
	return REASON_OK;
}

enum reason admin_wait(struct admin_call *call, int timeout_ms, const char *what, struct fault *f)
{
	call->event = rd_kafka_queue_poll(call->queue, timeout_ms);
	if (!call->event)
		return fault_set(f, REASON_KAFKA_UNAVAILABLE, "%s: no answer within %d ms", what, timeout_ms);
	rd_kafka_resp_err_t err = rd_kafka_event_error(call->event);
	if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
		return fault_set(f, client_reason(err), "%s: %s", what, rd_kafka_event_error_string(call->event));
	return REASON_OK;
}

void admin_end(struct admin_call *call)
{
	if (call->event)
		rd_kafka_event_destroy(call->event);
	if (call->queue)
		rd_kafka_queue_destroy(call->queue);
	if (call->options)
		rd_kafka_AdminOptions_destroy(call->options);
}

static enum reason group_fault(const rd_kafka_group_result_t *result, const char *what, struct fault *f)
{
	const rd_kafka_error_t *error = rd_kafka_group_result_error(result);
	if (!error)
		return REASON_OK;
	return fault_set(f, client_reason(rd_kafka_error_code(error)), "%s: %s", what, rd_kafka_error_string(error));
}

static void copy_answer(const rd_kafka_topic_partition_list_t *from, rd_kafka_topic_partition_list_t *to)
{
	for (int i = 0; i < to->cnt; i++) {
		rd_kafka_topic_partition_t *p = &to->elems[i];
		p->offset = RD_KAFKA_OFFSET_INVALID;
		p->err = RD_KAFKA_RESP_ERR__NO_OFFSET;
		for (int k = 0; k < from->cnt; k++) {
			const rd_kafka_topic_partition_t *q = &from->elems[k];
			if (q->partition == p->partition && strcmp(q->topic, p->topic) == 0) {
				p->offset = q->offset < 0 ? RD_KAFKA_OFFSET_INVALID : q->offset;
				p->err = q->err;
			}
		}
	}
}

static enum reason set_stable(rd_kafka_AdminOptions_t *options, struct fault *f)
{
	rd_kafka_error_t *error = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
	return error ? client_fault(f, error, "stable offsets") : REASON_OK;
}

enum reason offsets_read(rd_kafka_t *rk, const char *group, rd_kafka_topic_partition_list_t *partitions, int timeout_ms,
			 struct fault *f)
{
	struct admin_call call;
	rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(group, partitions);
	enum reason reason = admin_begin(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS, &call, f);
	if (reason == REASON_OK)
		reason = set_stable(call.options, f);
	if (reason == REASON_OK) {
		rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, call.options, call.queue);
		reason = admin_wait(&call, timeout_ms, "committed offsets", f);
	}
	if (reason == REASON_OK) {
		size_t count = 0;
		const rd_kafka_ListConsumerGroupOffsets_result_t *answer = rd_kafka_event_ListConsumerGroupOffsets_result(
			call.event);
		const rd_kafka_group_result_t **groups = rd_kafka_ListConsumerGroupOffsets_result_groups(answer, &count);
		reason = count == 1 ? group_fault(groups[0], "committed offsets", f)
				    : fault_set(f, REASON_KAFKA_UNAVAILABLE, "committed offsets: %zu groups in the answer", count);
		if (reason == REASON_OK)
			copy_answer(rd_kafka_group_result_partitions(groups[0]), partitions);
	}
	admin_end(&call);
	rd_kafka_ListConsumerGroupOffsets_destroy(request);
	return reason;
}

static enum reason partition_faults(const rd_kafka_topic_partition_list_t *partitions, const char *what, struct fault *f)
{
	for (int i = 0; i < partitions->cnt; i++) {
		const rd_kafka_topic_partition_t *p = &partitions->elems[i];
		if (p->err != RD_KAFKA_RESP_ERR_NO_ERROR)
			return fault_set(f, client_reason(p->err), "%s: %s [%d]: %s", what, p->topic, (int)p->partition,
					 rd_kafka_err2str(p->err));
	}
	return REASON_OK;
}

enum reason offsets_write(rd_kafka_t *rk, const char *group, const rd_kafka_topic_partition_list_t *partitions, int timeout_ms,
			  struct fault *f)
{
	struct admin_call call;
	rd_kafka_AlterConsumerGroupOffsets_t *request = rd_kafka_AlterConsumerGroupOffsets_new(group, partitions);
	enum reason reason = admin_begin(rk, RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS, &call, f);
	if (reason == REASON_OK) {
		rd_kafka_AlterConsumerGroupOffsets(rk, &request, 1, call.options, call.queue);
		reason = admin_wait(&call, timeout_ms, "commit of offsets", f);
	}
	if (reason == REASON_OK) {
		size_t count = 0;
		const rd_kafka_AlterConsumerGroupOffsets_result_t *answer = rd_kafka_event_AlterConsumerGroupOffsets_result(
			call.event);
		const rd_kafka_group_result_t **groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(answer, &count);
		for (size_t i = 0; i < count && reason == REASON_OK; i++) {
			reason = group_fault(groups[i], "commit of offsets", f);
			if (reason == REASON_OK)
				reason = partition_faults(rd_kafka_group_result_partitions(groups[i]), "commit of offsets", f);
		}
	}
	admin_end(&call);
	rd_kafka_AlterConsumerGroupOffsets_destroy(request);
	return reason;
}

static enum reason deleted(const rd_kafka_group_result_t *result, const char *group, struct fault *f)
{
	const rd_kafka_error_t *error = rd_kafka_group_result_error(result);
	if (error && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND)
		return REASON_OK;
	const rd_kafka_topic_partition_list_t *partitions = rd_kafka_group_result_partitions(result);
	bool in_use = partitions && partitions->cnt > 0 && partitions->elems[0].err == RD_KAFKA_RESP_ERR_GROUP_SUBSCRIBED_TO_TOPIC;
	if (in_use)
		return fault_set(f, REASON_KAFKA_DENIED, "group %s reads this topic: stop its workers first", group);
	enum reason reason = group_fault(result, "deletion of offsets", f);
	if (reason == REASON_OK && partitions)
		reason = partition_faults(partitions, "deletion of offsets", f);
	return reason;
}

enum reason offsets_delete(rd_kafka_t *rk, const char *group, const char *topic, int32_t partition, int timeout_ms, struct fault *f)
{
	struct admin_call call;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	(void)rd_kafka_topic_partition_list_add(list, topic, partition);
	rd_kafka_DeleteConsumerGroupOffsets_t *request = rd_kafka_DeleteConsumerGroupOffsets_new(group, list);
	enum reason reason = admin_begin(rk, RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS, &call, f);
	if (reason == REASON_OK) {
		rd_kafka_DeleteConsumerGroupOffsets(rk, &request, 1, call.options, call.queue);
		reason = admin_wait(&call, timeout_ms, "deletion of offsets", f);
	}
	if (call.event && rd_kafka_event_error(call.event) == RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND) {
		reason = REASON_OK; // a group that never was has nothing to delete
	} else if (reason == REASON_OK) {
		size_t count = 0;
		const rd_kafka_DeleteConsumerGroupOffsets_result_t *answer = rd_kafka_event_DeleteConsumerGroupOffsets_result(
			call.event);
		const rd_kafka_group_result_t **groups = rd_kafka_DeleteConsumerGroupOffsets_result_groups(answer, &count);
		for (size_t i = 0; i < count && reason == REASON_OK; i++)
			reason = deleted(groups[i], group, f);
	}
	admin_end(&call);
	rd_kafka_DeleteConsumerGroupOffsets_destroy(request);
	rd_kafka_topic_partition_list_destroy(list);
	return reason;
}
