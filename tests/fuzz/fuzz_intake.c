// SPDX-License-Identifier: Apache-2.0
// Any record, as every shape, through intake and out again as a reply and a dead letter. Input: a record in the format of intake/recording.h, so
// that the files of tests/data/intake are seeds; what is none is taken as the value of a record without headers. Names of one byte stand for
// those that mean something.
#include <stdint.h>

#include "enrolld/doc/json.h"
#include "enrolld/intake/intake.h"
#include "enrolld/intake/recording.h"
#include "require.h"

static const char *const names[] = {
	":method",
	":path",
	"content-type",
	"contentType",
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
	"spring_json_header_types",
	"__value_schema_id",
	"x-forwarded-for",
	"x-realm",
	"x-target",
	"traceparent",
	"tracestate",
};
static const char *const topics[] = {"enroll.replies", "bff-*"};
static const char *const realms[] = {"shop", "conf-*"};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	json_setup();
	return 0;
}

// Spring and Debezium put texts in quotes; what is meant is shorter than what was written, and never another header's.
static bool came_from(const struct record *record, const char *name, struct slice value)
{
	for (size_t i = 0; i < record->header_count; i++) {
		const struct header *header = &record->headers[i];
		if (slice_equal_nocase(header->name, slice_of(name)) &&
		    (slice_equal(header->value, value) || (header->value.len > value.len && header->value.ptr[0] == '"')))
			return true;
	}
	return false;
}

// Realm and addresses are the record's own headers, or not there.
static void check_trust(const struct record *record, const struct request *request)
{
	static const char *const address[] = {
		[REPLY_ZILLA] = "zilla:reply-to",
		[REPLY_SPRING] = "kafka_replyTopic",
		[REPLY_CLOUDEVENTS] = "ce_replyto",
		[REPLY_CLOUDEVENTS_STRUCTURED] = "ce_replyto",
	};
	require(request->realm.len == 0 || came_from(record, "x-realm", request->realm));
	require(slice_is_absent(request->client_address) || header_find(record->headers, record->header_count, "x-forwarded-for"));
	require(request->reply.style == REPLY_NONE || came_from(record, address[request->reply.style], request->reply.topic));
	require(request->reply.style != REPLY_NONE || slice_is_absent(request->reply.topic));
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
	require(request->body.len <= 3 * request->record->value.len + 16 || slice_is_absent(request->body));
}

static void check_reply(const struct topic_conf *topic, const struct request *request, struct arena *arena)
{
	const struct record *record = request->record;
	struct answer answer = {
		.status = 422, .headers = record->headers, .header_count = record->header_count, .body = SLICE_LIT("{\"a\":1}")};
	const struct json_limits limits = {1 << 20, JSON_DEPTH_MAX, 10000, true}; // headers grow where they are no UTF-8
	struct output output;
	const struct node *root;
	const char *why;
	struct fault f;
	if (!intake_reply(topic, request, &answer, arena, &output, &why))
		return;
	for (size_t i = 0; i < output.header_count; i++)
		require(output.headers[i].name.len > 0);
	if (request->reply.style == REPLY_CLOUDEVENTS_STRUCTURED)
		require(json_parse(output.value, limits, arena, &root, &f) == REASON_OK && node_member(root, "data"));
}

static void read_as(enum shape shape, const struct keyring *ring, const struct record *record)
{
	struct arena *arena = arena_create(4096);
	struct topic_conf topic;
	struct intake intake = {ring, "cluster"};
	struct request request;
	struct output output;
	struct fault f;
	int64_t youngest = -1;
	bool addressed;
	settings_defaults(&topic_settings, arena, &topic);
	topic.key = topic.name = "enroll.signup";
	topic.shape = (int)shape;
	topic.target = record->value.len % 2 ? "POST /v1/accounts" : "";
	topic.target_header = "x-target";
	topic.address_header = "x-forwarded-for";
	topic.trusted_hops = 1 + (int64_t)(record->header_count % 3);
	topic.realm_header = "x-realm";
	topic.realm_allow = (struct setting_list){realms, 2};
	topic.reply_topics = (struct setting_list){topics, 2};
	enum reason reason = intake_read(&intake, &topic, record, &youngest, arena, &request, &addressed, &f);
	check(&request, reason, addressed);
	check_trust(record, &request);
	check_reply(&topic, &request, arena);
	intake_dead_letter(record, "group", reason, "intake", "enroll.dead", arena, &output);
	arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct keyring *ring;
	struct fault f;
	if (!ring) {
		require(crypto_setup(&f) == REASON_OK);
		ring = keyring_for_tests();
	}
	struct arena *arena = arena_create(4096);
	struct slice text = {(const char *)data, size};
	struct record record = {.at.topic = "", .timestamp_ms = -1, .value = text, .value_size = size};
	if (size == 0 || recording_read(text, arena, &record, &f) != REASON_OK)
		record.value_size = record.value.len;
	for (size_t i = 0; i < record.header_count; i++)
		if (record.headers[i].name.len == 1)
			record.headers[i].name = slice_of(names[(uint8_t)record.headers[i].name.ptr[0] % ARRAY_LEN(names)]);
	for (int shape = 0; shape < SHAPE_COUNT; shape++)
		read_as((enum shape)shape, ring, &record);
	arena_destroy(arena);
	return 0;
}
