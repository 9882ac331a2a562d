// SPDX-License-Identifier: Apache-2.0
// A record to a request: the order in which its matters are read, and which fault counts.
#include "enrolld/base/clock.h"
#include "intake/intake_private.h"

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

enum reason intake_read(const struct intake *intake, const struct topic_conf *topic, const struct record *record,
			int64_t *youngest_ms, struct arena *arena, struct request *request, bool *addressed, struct fault *f)
{
	struct fault faults[4] = {0};
	*request = (struct request){.record = record, .realm = SLICE_LIT(""), .route = SLICE_LIT("")};
	faults[0].reason = shape_read((enum shape)topic->shape, record, arena, request, &faults[0]);
	faults[1].reason = sender_realm(topic, record, &request->realm, &faults[1]);
	faults[3].reason = check_size(topic, record, &faults[3]);
	faults[2].reason = identity_read(intake, record, faults[3].reason != REASON_OK, arena, request, &faults[2]);
	if (faults[3].reason != REASON_OK)
		request->body = SLICE_ABSENT;

	request->client_address = sender_address(topic, record, arena);
	request->asked_ms = asked_at(record, youngest_ms);
	request->traceparent = trace_parent(record);
	if (!slice_is_absent(request->traceparent))
		request->tracestate = trace_state(record);
	if (topic->reply_headers)
		reply_read(record, &request->reply);

	*addressed = reason_verdict(faults[0].reason) != VERDICT_BURY;
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (faults[i].reason != REASON_OK)
			return fault_set(f, faults[i].reason, "%s", faults[i].detail);
	return REASON_OK;
}
