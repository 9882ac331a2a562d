// SPDX-License-Identifier: Apache-2.0
// Which kind of hit an inbox row is for a record. The order of the questions is that of the checked model: whether the record
// has passed comes first, since what has passed was answered then.
#include "enrolld/model/facts.h"

#include <string.h>

#include "enrolld/base/fault.h"

static const char *const hit_names[] = {
	[HIT_NONE] = "none",     [HIT_REPLAY] = "replay",     [HIT_REDELIVERY] = "redelivery",
	[HIT_REPEAT] = "repeat", [HIT_CONFLICT] = "conflict", [HIT_SWEPT] = "swept",
};

const char *hit_name(enum hit hit)
{
	if ((size_t)hit >= ARRAY_LEN(hit_names))
		PANIC("hit_name: %d", (int)hit);
	return hit_names[hit];
}

void facts_renew(struct facts *facts, int64_t now_ms, int64_t mark)
{
	struct facts now = {.now_ms = now_ms, .mark = mark, .password = facts->password, .session = facts->session};
	memcpy(now.proposals, facts->proposals, sizeof(now.proposals));
	memcpy(now.limits, facts->limits, sizeof(now.limits));
	*facts = now;
}

static bool contradicts(const struct fingerprint *stored, const struct request *request)
{
	for (size_t i = 0; i < request->fingerprint_count; i++) {
		const struct fingerprint *own = &request->fingerprints[i];
		if (own->epoch == stored->epoch)
			return !digest_equal(own->bytes, stored->bytes, FINGERPRINT_SIZE);
	}
	return false;
}

static bool stored_for(const struct inbox_row *row, const struct coordinates *at)
{
	return row->offset == at->offset && row->partition == at->partition && slice_equal_text(row->topic, at->topic);
}

void facts_classify(struct facts *facts, const struct request *request, int64_t horizon_ms)
{
	const struct coordinates *at = &request->record->at;
	bool passed = at->offset < facts->mark;
	facts->own = facts->found && stored_for(&facts->row, at);
	if (!facts->found)
		facts->hit = passed && facts->now_ms - request->asked_ms > horizon_ms ? HIT_SWEPT : HIT_NONE;
	else if (passed)
		facts->hit = HIT_REPLAY;
	else if (contradicts(&facts->row.fingerprint, request))
		facts->hit = HIT_CONFLICT;
	else
		facts->hit = facts->own ? HIT_REDELIVERY : HIT_REPEAT;
}
