// SPDX-License-Identifier: Apache-2.0
// A record to a request: the order in which its matters are read, and which fault counts.
#include "enrolld/base/clock.h"
#include "intake/intake_private.h"
#include "intake/shape.h"

#define FUTURE_MS (5 * 60 * 1000)

bool text_printable(struct slice text, size_t max)
{
	if (text.len == 0 || text.len > max)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
			return false;
	return true;
}

// A clock that runs ahead must not make a record young for ever.
static int64_t asked_at(const struct record *record, int64_t *youngest_ms)
{
	int64_t now = clock_wall_ms();
	int64_t asked = record->timestamp_ms;
	if (asked < 0)
		asked = *youngest_ms >= 0 ? *youngest_ms : now;
	else if (asked > now + FUTURE_MS)
		asked = now;
	if (asked > *youngest_ms)
		*youngest_ms = asked;
	return asked;
}

static enum reason check_size(const struct topic_conf *topic, const struct record *record, struct fault *f)
{
	if (record->value_size <= (size_t)topic->record_limit)
		return REASON_OK;
	return fault_set(f, REASON_RECORD_TOO_LARGE, "%zu bytes, the limit is %lld", record->value_size,
			 (long long)topic->record_limit);
}

// A record's own context goes before one that an envelope or event carries.
static void read_trace(const struct record *record, const struct asked *asked, struct request *request)
{
	request->traceparent = trace_parent(record_header_value(record, "traceparent"));
	struct slice state = record_header_value(record, "tracestate");
	if (slice_is_absent(request->traceparent)) {
		request->traceparent = trace_parent(asked->traceparent);
		state = asked->tracestate;
	}
	if (!slice_is_absent(request->traceparent))
		request->tracestate = trace_state(state);
}

enum reason intake_read(const struct intake *intake, const struct topic_conf *topic, const struct record *record,
			int64_t *youngest_ms, struct arena *arena, struct request *request, bool *addressed, struct fault *f)
{
	const struct shape_kind *kind = shape_of((enum shape)topic->shape);
	struct fault faults[4] = {0};
	struct asked asked;
	struct record seen = *record;
	bool oversize = check_size(topic, record, &faults[3]) != REASON_OK;
	if (kind->headers)
		kind->headers(record, arena, &seen.headers);
	*request = (struct request){.record = record, .realm = SLICE_LIT(""), .route = SLICE_LIT("")};
	faults[0].reason = shape_read(topic, &seen, oversize, arena, request, &asked, &faults[0]);
	faults[1].reason = sender_realm(topic, &seen, &request->realm, &faults[1]);
	faults[2].reason = identity_read(intake, &seen, &asked, kind->outbox_id, oversize, arena, request, &faults[2]);

	request->client_address = sender_address(topic, &seen, arena);
	request->asked_ms = asked_at(record, youngest_ms);
	read_trace(&seen, &asked, request);
	reply_read(topic, &seen, &asked, &request->reply);

	*addressed = reason_verdict(faults[0].reason) != VERDICT_BURY;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].reason != REASON_OK)
			return fault_set(f, faults[i].reason, "%s", faults[i].detail);
	return REASON_OK;
}
