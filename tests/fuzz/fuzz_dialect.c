// SPDX-License-Identifier: Apache-2.0
// Any record against any dialect, also one whose file was changed: every request is read or refused, and answered, the same way each time; what is no
// longer there is not looked at, and no password is in an answer.
//
// Input, two lines and a record: the name of a dialect; a byte that chooses a route, one that chooses what becomes of the request, four for each change
// of the dialect's file (frontends.h); a record in the format of intake/recording.h. A record that does not say what it asks, asks for the route.
#include <stdint.h>
#include <stdlib.h>

#include "enrolld/dialect/schema.h"
#include "enrolld/doc/json.h"
#include "enrolld/intake/intake.h"
#include "enrolld/intake/recording.h"
#include "frontends.h"
#include "require.h"

#define NOW_MS INT64_C(1700000000000)
#define CHANGES_MAX 4
#define MARK "q7VbK2x9Zp" // a password that begins with this is looked for in answers

struct pair {
	const struct frontend *frontend;
	const struct dialect_set *set;
	bool changed;
	uint8_t route, fate;
	struct slice text; // the record as it is written
};

// One reading of the pair and its answer.
struct trial {
	struct arena *arena;
	struct record record;
	struct request request;
	const struct dialect *dialect;
	const struct route *route;
	struct registration registration;
	struct receipt receipt;
	struct answer answer;
};

static struct keyring *ring;
static struct secret_pool *pool;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct fault f;
	bool locked;
	(void)argc;
	(void)argv;
	json_setup();
	require(crypto_setup(&f) == REASON_OK);
	ring = keyring_for_tests();
	require(secret_pool_create(4, &pool, &locked, &f) == REASON_OK);
	frontends_load(ring);
	return 0;
}

// A copy that the sanitizer watches, and that is wiped once it was read.
static struct slice own_copy(struct slice s)
{
	if (slice_is_absent(s))
		return s;
	char *bytes = malloc(s.len + 1);
	require(bytes != NULL);
	memcpy(bytes, s.ptr ? s.ptr : "", s.len);
	return (struct slice){bytes, s.len};
}

static void add_target(const struct pair *pair, struct trial *t)
{
	struct dialect_route_row row;
	struct header *headers = ARENA_ARRAY(t->arena, t->record.header_count + 2, struct header);
	size_t count = 0;
	while (dialect_route_row(pair->set, pair->frontend->name, count, &row))
		count++;
	if (count == 0 || record_header(&t->record, ":path") || record_header(&t->record, "ce_type") ||
	    !dialect_route_row(pair->set, pair->frontend->name, pair->route % count, &row) || !row.path)
		return;
	headers[0] = (struct header){SLICE_LIT(":method"), slice_of(row.method)};
	headers[1] = (struct header){SLICE_LIT(":path"), slice_of(row.path)};
	for (size_t i = 0; i < t->record.header_count; i++)
		headers[i + 2] = t->record.headers[i];
	t->record.headers = headers;
	t->record.header_count += 2;
}

static enum reason take(const struct pair *pair, struct trial *t, bool *addressed)
{
	struct intake intake = {ring, "cluster"};
	struct topic_conf topic;
	struct fault f;
	int64_t youngest = -1;
	settings_defaults(&topic_settings, t->arena, &topic);
	topic.key = topic.name = "enroll.signup";
	topic.shape = SHAPE_AUTO;
	topic.address_header = "x-forwarded-for";
	topic.trusted_hops = 1;
	t->record = (struct record){.at.topic = "enroll.signup", .timestamp_ms = NOW_MS, .value = pair->text};
	if (pair->text.len == 0 || recording_read(pair->text, t->arena, &t->record, &f) != REASON_OK)
		t->record.value = pair->text;
	t->record.value_size = t->record.value.len;
	t->record.value = own_copy(t->record.value);
	add_target(pair, t);
	return intake_read(&intake, &topic, &t->record, &youngest, t->arena, &t->request, addressed, &f);
}

static void wipe(struct slice s)
{
	if (!slice_is_absent(s))
		secret_wipe((void *)(uintptr_t)s.ptr, s.len);
}

// As the reader does it: what was read is gone before the answer is made.
static enum reason read_pair(const struct pair *pair, struct trial *t)
{
	struct fault f;
	bool addressed = false;
	enum reason reason = take(pair, t, &addressed);
	enum reason routed = dialect_route(pair->set, &pair->frontend->name, 1, &t->request, &t->dialect, &t->route, &f);
	require(routed == REASON_OK ? t->route != NULL : reason_verdict(routed) == VERDICT_REFUSE && !t->route && t->dialect);
	if (reason == REASON_OK)
		reason = routed;
	if (reason == REASON_OK)
		reason = dialect_read(t->route, &t->request, pool, NOW_MS, t->arena, &t->registration, &f);
	require(reason_verdict(reason) == VERDICT_DONE || reason_verdict(reason) == VERDICT_REFUSE ||
		(!addressed && reason_verdict(reason) == VERDICT_BURY));
	wipe(t->request.body);
	wipe(t->record.value);
	free((void *)(uintptr_t)t->record.value.ptr);
	t->request.body = t->record.value = SLICE_ABSENT;
	return reason;
}

static void check_registration(const struct registration *r, enum reason reason)
{
	require(reason == REASON_OK || !r->password);
	require((r->violation_count > 0) == (reason == REASON_INVALID));
	require(r->claim_count <= CLAIMS_MAX && r->derived_count <= DERIVED_MAX && r->limit_count <= LIMITS_MAX);
	for (size_t i = 0; i < r->claim_count; i++)
		require(r->claims[i].value.len > 0 && r->claims[i].field);
	for (size_t i = 0; i < r->limit_count; i++)
		require(r->limits[i].subject.len >= 1 && r->limits[i].subject.len <= 128 && r->limits[i].allowed >= 1);
	for (size_t i = 0; i < r->violation_count; i++)
		require(r->violations[i].code.len > 0);
}

// What store and limits may say of a request that is acceptable so far.
static enum reason fate_of(uint8_t fate, struct trial *t, enum reason reason)
{
	static const enum reason others[] = {REASON_RATE_LIMITED,    REASON_REQUEST_CONFLICT, REASON_OPERATION_UNAVAILABLE,
					     REASON_REQUEST_EXPIRED, REASON_STORE_REJECTS,    REASON_IDENTITY_TAKEN};
	bool taken[CLAIMS_MAX];
	if (fate % 4 == 1)
		return others[fate / 4 % ARRAY_LEN(others)];
	if (fate % 4 != 2 || !t->route || (reason != REASON_OK && reason != REASON_INVALID))
		return reason;
	for (size_t i = 0; i < CLAIMS_MAX; i++)
		taken[i] = fate >> (2 + i) & 1;
	reason = dialect_taken(t->route, &t->registration, taken, t->arena, &t->receipt.violations, &t->receipt.violation_count);
	require((reason == REASON_OK) == (t->receipt.violation_count == 0));
	return reason;
}

static void fill_receipt(struct trial *t, uint8_t fate, enum reason reason)
{
	const struct registration *r = &t->registration;
	const struct slice word = SLICE_LIT("fuzz");
	t->receipt = (struct receipt){
		.violations = r->violations, .violation_count = r->violation_count, .operation = r->operation};
	reason = fate_of(fate, t, reason);
	t->receipt.outcome = reason == REASON_OK                      ? OUTCOME_ACCEPTED
			     : reason_verdict(reason) == VERDICT_BURY ? OUTCOME_DEAD
			     : reason == REASON_REQUEST_EXPIRED       ? OUTCOME_EXPIRED
								      : OUTCOME_REFUSED;
	t->receipt.reason = reason;
	t->receipt.at_ms = NOW_MS;
	for (size_t i = 0; i < r->limit_count; i++)
		t->receipt.limits[t->receipt.limit_count++] = (struct limit_summary){
			slice_of(r->limits[i].name), r->limits[i].allowed, fate % 3, NOW_MS + r->limits[i].window_ms,
			fate % 3 == 0};
	if (reason != REASON_OK)
		return;
	t->receipt.has_account = true;
	t->receipt.account_id = derive_id(&word, 1);
	t->receipt.account_number = r->wants_number ? fate : 0;
	t->receipt.slug = r->derived_count ? r->derived[0].stem : SLICE_ABSENT;
	t->receipt.has_mint = r->wants_tokens;
	t->receipt.mint_epoch = t->receipt.session_epoch = keyring_active(ring);
	t->receipt.has_session = r->wants_tokens && r->session.rule;
	t->receipt.session_ends_ms = INT64_MAX;
}

static bool holds(struct slice text, struct slice part)
{
	return !slice_is_absent(text) && memmem(text.ptr, text.len, part.ptr, part.len) != NULL;
}

static void check_answer(const struct pair *pair, const struct trial *t)
{
	const struct json_limits limits = {1 << 22, JSON_DEPTH_MAX, 1 << 20, true};
	const struct node *root;
	struct fault f;
	require(t->answer.status >= 200 && t->answer.status <= 599);
	for (size_t i = 0; i < t->answer.header_count; i++) {
		struct slice name = t->answer.headers[i].name, value = t->answer.headers[i].value;
		require(name.len > 0 && !memchr(name.ptr, '\n', name.len) && !memchr(name.ptr, '\r', name.len));
		for (size_t c = 0; c < value.len; c++)
			require((uint8_t)value.ptr[c] >= 0x20 || value.ptr[c] == '\t');
		if (pair->changed || !slice_equal_nocase(name, SLICE_LIT("content-type")) || !holds(value, SLICE_LIT("json")))
			continue;
		enum reason reason = json_parse(t->answer.body, limits, t->arena, &root, &f);
		require(reason == REASON_OK || reason == REASON_TEXT_NUL); // an echo of what was sent, which JSON may hold
	}
}

// Where the password stands in the record once, in plain letters, an answer that holds it has it from there.
static void check_secret(const struct pair *pair, const struct trial *t, struct slice password)
{
	const char *first;
	if (pair->changed || password.len < sizeof(MARK) || memcmp(password.ptr, MARK, sizeof(MARK) - 1) != 0)
		return;
	for (size_t i = 0; i < pair->text.len; i++)
		if ((uint8_t)pair->text.ptr[i] >= 0x7f || pair->text.ptr[i] == '\\' || pair->text.ptr[i] == '%')
			return;
	first = memmem(pair->text.ptr, pair->text.len, password.ptr, password.len);
	if (!first || holds((struct slice){first + 1, (size_t)(pair->text.ptr + pair->text.len - first - 1)}, password))
		return;
	require(!holds(t->answer.body, password));
	for (size_t i = 0; i < t->answer.header_count; i++)
		require(!holds(t->answer.headers[i].value, password));
}

static void run(const struct pair *pair, struct trial *t)
{
	t->arena = arena_create(16384);
	enum reason reason = read_pair(pair, t);
	check_registration(&t->registration, reason);
	fill_receipt(t, pair->fate, reason);
	dialect_answer(t->dialect, t->route, &t->request, t->route ? &t->registration : NULL, &t->receipt, t->arena, &t->answer);
	check_answer(pair, t);
	if (t->registration.password)
		check_secret(pair, t, secret_bytes(t->registration.password));
}

// The record comes again, and what the row remembers of its end is all that is known.
static void again(const struct pair *pair, const struct trial *before)
{
	struct trial t = {.arena = arena_create(16384)};
	struct fault f;
	enum reason reason = read_pair(pair, &t);
	(void)reason;
	require(receipt_read(receipt_write(&before->receipt, before->arena), t.arena, &t.receipt, &f) == REASON_OK);
	dialect_answer(t.dialect, t.route, &t.request, t.route ? &t.registration : NULL, &t.receipt, t.arena, &t.answer);
	require(t.answer.status == before->answer.status && t.answer.header_count == before->answer.header_count);
	require(slice_equal(t.answer.body, before->answer.body));
	for (size_t i = 0; i < t.answer.header_count; i++)
		require(slice_equal(t.answer.headers[i].value, before->answer.headers[i].value));
	registration_forget(&t.registration);
	arena_destroy(t.arena);
}

static struct slice next_line(struct slice *rest)
{
	const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	struct slice line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t passed = end ? line.len + 1 : line.len;
	*rest = (struct slice){rest->ptr + passed, rest->len - passed};
	return line;
}

static void print_schema(const struct pair *pair)
{
	struct strbuf out = STRBUF_INIT(1 << 22);
	dialect_schema(pair->set, pair->frontend->name, &out);
	require(out.len > 0);
	strbuf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size};
	struct pair pair = {.frontend = frontends_find(next_line(&rest))};
	struct slice choices = next_line(&rest);
	struct dialect_set *made = NULL;
	struct trial t = {0};
	pair.set = pair.frontend->set;
	pair.route = choices.len > 0 ? (uint8_t)choices.ptr[0] : 0;
	pair.fate = choices.len > 1 ? (uint8_t)choices.ptr[1] : 0;
	pair.text = rest;
	if (choices.len >= 6) {
		made = frontends_changed(
			pair.frontend,
			(struct slice){choices.ptr + 2, choices.len - 2 < 4 * CHANGES_MAX ? choices.len - 2 : 4 * CHANGES_MAX});
		if (!made)
			return 0;
		pair.set = made;
		pair.changed = true;
		print_schema(&pair);
	}
	run(&pair, &t);
	again(&pair, &t);
	registration_forget(&t.registration);
	arena_destroy(t.arena);
	dialect_set_destroy(made);
	return 0;
}
