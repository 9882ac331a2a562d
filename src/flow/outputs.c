// SPDX-License-Identifier: Apache-2.0
// What a work item sends out. Bytes live in its arena until the Kafka transaction is over.
#include "flow/outputs.h"

#include "enrolld/base/log.h"
#include "enrolld/base/metric.h"
#include "flow/lane.h"

static struct output *add(struct work *work)
{
	if (work->output_count == OUTPUTS_MAX)
		PANIC("more than %d outputs of one record", OUTPUTS_MAX);
	return &work->outputs[work->output_count++];
}

static void count_dropped_reply(const struct work *work, const char *why)
{
	const char *lane = lane_kind_name(work->lane->kind);
	metric_add(METRIC_replies_dropped, METRIC_LABELS(lane, why), 1);
	LOG(reply_dropped, log_text("lane", lane), log_text("why", why), log_text("topic", work->record.at.topic),
	    log_int("partition", work->record.at.partition), log_int("offset", work->record.at.offset));
}

static void add_reply(struct work *work)
{
	if (work->request.reply.style == REPLY_NONE || !work->dialect)
		return;
	struct answer answer = {0};
	dialect_answer(work->dialect, work->route, &work->request, &work->registration, &work->receipt, work->arena, &answer);
	struct output reply;
	const char *why = NULL;
	if (intake_reply(work->topic, &work->request, &answer, work->arena, &reply, &why))
		*add(work) = reply;
	else if (why)
		count_dropped_reply(work, why);
}

static void add_result(struct work *work, struct slice bytes)
{
	operation_result_output(&work->request, &work->receipt, bytes, work->lane->parts->conf->result_topic, work->arena,
				add(work));
}

static void add_events(struct work *work)
{
	if (!work->read)
		return;
	struct output events[OPERATION_EVENTS_MAX];
	size_t n = operation_event_outputs(&work->request, &work->registration, &work->receipt,
					   work->lane->parts->conf->event_topic, work->arena, events);
	for (size_t i = 0; i < n; i++)
		*add(work) = events[i];
}

static void add_dead_letter(struct work *work, enum reason reason)
{
	intake_dead_letter(&work->record, work->lane->group, reason, work->addressed ? "operation" : "intake",
			   work->lane->parts->conf->dead_topic, work->arena, add(work));
	LOG(record_buried, log_text("lane", lane_kind_name(work->lane->kind)), log_text("topic", work->record.at.topic),
	    log_int("partition", work->record.at.partition), log_int("offset", work->record.at.offset),
	    log_text("reason", reason_code(reason)));
}

static void count_end(const struct work *work)
{
	metric_add(METRIC_requests,
		   METRIC_LABELS(lane_kind_name(work->lane->kind), outcome_name(work->receipt.outcome),
				 reason_code(work->receipt.reason)),
		   1);
	const struct limit_summary *limit = work->receipt.reason == REASON_RATE_LIMITED ? receipt_limit(&work->receipt) : NULL;
	if (limit)
		metric_add(METRIC_limits_reached,
			   METRIC_LABELS(lane_kind_name(work->lane->kind), arena_copy(work->arena, limit->name).ptr), 1);
}

static void count_session(const struct work *work, bool happened, const char *event)
{
	if (happened)
		metric_add(METRIC_sessions, METRIC_LABELS(lane_kind_name(work->lane->kind), event), 1);
}

static void count_sessions(const struct work *work)
{
	const struct session_change *change = &work->changes.sessions;
	bool reused = work->receipt.reason == REASON_TOKEN_USED;
	count_session(work, work->changes.has_session, "begun");
	count_session(work, change->turns, "refreshed");
	count_session(work, change->ends != SESSION_NONE, "ended");
	count_session(work, reused, "reused");
	if (reused) {
		char id[UUID_TEXT_SIZE];
		LOG(session_reused, log_text("lane", lane_kind_name(work->lane->kind)),
		    log_text("account_id", uuid_format(&work->receipt.account_id, id)), log_text("topic", work->record.at.topic),
		    log_int("partition", work->record.at.partition), log_int("offset", work->record.at.offset));
	}
}

void outputs_of_decision(struct work *work)
{
	work->output_count = 0;
	count_end(work);
	count_sessions(work);
	if (work->receipt.outcome == OUTCOME_DEAD)
		add_dead_letter(work, work->receipt.reason);
	else
		add_result(work, work->changes.result);
	add_events(work);
	add_reply(work);
}

// A conflict has no row of its own: the answer says so, and a dead letter keeps the coordinates.
static void outputs_of_conflict(struct work *work)
{
	work->receipt = (struct receipt){
		.outcome = OUTCOME_REFUSED, .reason = REASON_REQUEST_CONFLICT, .at_ms = work->facts.now_ms};
	if (work->route)
		work->receipt.operation = route_operation(work->route);
	add_dead_letter(work, REASON_REQUEST_CONFLICT);
	add_reply(work);
}

// Somebody changed the row by hand. What the row still says goes out; the rest is for a person.
static void outputs_of_damaged_row(struct work *work, const struct fault *f)
{
	LOG_FAULT(row_damaged, f, log_text("topic", work->record.at.topic), log_int("partition", work->record.at.partition),
		  log_int("offset", work->record.at.offset));
	work->receipt = (struct receipt){.at_ms = work->facts.now_ms};
	if (work->facts.hit == HIT_REDELIVERY && !work->facts.row.dead)
		add_result(work, work->facts.row.result);
	add_dead_letter(work, REASON_INTERNAL);
}

// An operator asked for the results of replayed records.
static void repeat_result(struct work *work)
{
	struct fault f;
	if (work->facts.row.dead || !work->facts.own) // a replayed repeat had no result of its own
		return;
	if (receipt_read(work->facts.row.receipt, work->arena, &work->receipt, &f) == REASON_OK)
		add_result(work, work->facts.row.result);
	else
		outputs_of_damaged_row(work, &f);
}

void outputs_of_hit(struct work *work)
{
	const struct facts *facts = &work->facts;
	work->output_count = 0;
	metric_add(METRIC_inbox_hits, METRIC_LABELS(lane_kind_name(work->lane->kind), hit_name(facts->hit)), 1);
	switch (facts->hit) {
	case HIT_NONE: PANIC("a new request is no hit");
	case HIT_REPLAY:
		if (work->lane->parts->conf->replays == FLOW_REPLAYS_RESULTS)
			repeat_result(work);
		return;
	case HIT_SWEPT: return;
	case HIT_CONFLICT: outputs_of_conflict(work); return;
	case HIT_REDELIVERY:
	case HIT_REPEAT: break;
	}
	struct fault f;
	if (receipt_read(facts->row.receipt, work->arena, &work->receipt, &f) != REASON_OK) {
		outputs_of_damaged_row(work, &f);
		return;
	}
	if (facts->hit == HIT_REDELIVERY) {
		if (facts->row.dead)
			add_dead_letter(work, work->receipt.reason);
		else
			add_result(work, facts->row.result);
		add_events(work);
	}
	add_reply(work);
}

void outputs_drop_reply(struct work *work, const char *why)
{
	size_t kept = 0;
	for (size_t i = 0; i < work->output_count; i++)
		if (work->outputs[i].kind != OUTPUT_REPLY)
			work->outputs[kept++] = work->outputs[i];
	work->output_count = kept;
	count_dropped_reply(work, why);
}
