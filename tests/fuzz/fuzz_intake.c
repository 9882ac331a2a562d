// SPDX-License-Identifier: Apache-2.0
// Any headers and any value, through intake and out again as a reply and a dead letter. Input: one byte of settings, then headers as
// name, NUL, value, NUL until a name is empty; what follows is the value. Names of one byte stand for the ones that mean something.
#include <stdint.h>
#include <stdlib.h>

#include "enrolld/intake/intake.h"

#define HEADERS_MAX 32

static const char *const names[] = {
	":method",
	":path",
	"content-type",
	"idempotency-key",
	"id",
	"ce_specversion",
	"ce_type",
	"ce_source",
	"ce_id",
	"ce_replyto",
	"ce_correlationid",
	"zilla:reply-to",
	"zilla:correlation-id",
	"kafka_replyTopic",
	"kafka_replyPartition",
	"kafka_correlationId",
	"x-forwarded-for",
	"x-realm",
	"traceparent",
	"tracestate",
};
static const char *const topics[] = {"enroll.replies", "bff-*"};
static const char *const realms[] = {"shop", "conf-*"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice take(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *start = *at;
	const uint8_t *nul = start < end ? memchr(start, 0, (size_t)(end - start)) : NULL;
	*at = nul ? nul + 1 : end;
	return (struct slice){(const char *)start, (size_t)((nul ? nul : end) - start)};
}

static void require(bool what)
{
	if (!what)
		abort();
}

static void check(const struct request *request, enum reason reason, bool addressed)
{
	require(request->request_id.len >= 1 && request->request_id.len <= 256);
	require(request->fingerprint_count >= 1);
	require(reason_verdict(reason) == VERDICT_DONE || reason_verdict(reason) == VERDICT_REFUSE ||
		reason_verdict(reason) == VERDICT_BURY);
	require(addressed == (reason_verdict(reason) != VERDICT_BURY));
	require(!addressed || !slice_is_absent(request->path) || !slice_is_absent(request->event_type));
	require(!slice_is_absent(request->realm) && !slice_is_absent(request->route));
	require(slice_is_absent(request->client_address) || request->client_address.len <= 45);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keyring *ring;
	struct fault f;
	if (!ring) {
		require(crypto_setup(&f) == REASON_OK);
		ring = keyring_for_tests();
	}
	if (size == 0)
		return 0;
	struct arena *arena = arena_create(4096);
	struct topic_conf topic;
	struct header headers[HEADERS_MAX];
	struct record record = {.at = {"enroll.signup", 1, 2}, .timestamp_ms = (int64_t)data[0] << 32, .headers = headers};
	const uint8_t *at = data + 1, *end = data + size;
	settings_defaults(&topic_settings, arena, &topic);
	topic.key = topic.name = "enroll.signup";
	topic.shape = data[0] % 3;
	topic.address_header = "x-forwarded-for";
	topic.trusted_hops = 1 + (data[0] >> 2) % 3;
	topic.realm_header = data[0] & 0x40 ? "x-realm" : "";
	topic.realm_allow = (struct setting_list){realms, 2};
	topic.reply_topics = (struct setting_list){topics, 2};
	while (record.header_count < HEADERS_MAX) {
		struct slice name = take(&at, end);
		if (name.len == 0)
			break;
		if (name.len == 1)
			name = slice_of(names[(uint8_t)name.ptr[0] % ARRAY_LEN(names)]);
		headers[record.header_count++] = (struct header){name, take(&at, end)};
	}
	if (data[0] & 0x80)
		record.value = (struct slice){(const char *)at, (size_t)(end - at)};
	record.value_size = record.value.len;

	struct intake intake = {ring, "cluster"};
	struct request request;
	struct answer answer = {.status = 422, .headers = headers, .header_count = record.header_count, .body = SLICE_LIT("{}")};
	struct output output;
	const char *why;
	int64_t youngest = -1;
	bool addressed;
	enum reason reason = intake_read(&intake, &topic, &record, &youngest, arena, &request, &addressed, &f);
	check(&request, reason, addressed);
	if (intake_reply(&topic, &request, &answer, arena, &output, &why))
		for (size_t i = 0; i < output.header_count; i++)
			require(output.headers[i].name.len > 0);
	intake_dead_letter(&record, "group", reason, "intake", "enroll.dead", arena, &output);
	arena_destroy(arena);
	return 0;
}
