// SPDX-License-Identifier: Apache-2.0
// Operations: what a request changes and how it ends, as a pure function.
#include "fixture.h"

#include <string.h>

#include "enrolld/crypto/seal.h"
#include "enrolld/model/payload.h"

#define NOW_MS INT64_C(1795560731123) // 2026-11-24T22:52:11.123Z

static const char good[] =
	"{\"email\":\"Ada@Example.com\",\"phone\":\"+44 20 7183 8750\",\"password\":\"green kettle on the third stair\","
	"\"given_name\":\"Ada\",\"locale\":\"en-GB\",\"attributes\":{\"plan\":\"free\"}}";

static void read_request(struct fixture *x, const char *body)
{
	static const char *const names[] = {"native"};
	struct fault f;
	const struct dialect *dialect;
	x->record = (struct record){.at = {"enroll.signup", 3, 42}, .value = arena_copy(x->arena, slice_of(body))};
	x->request = (struct request){.record = &x->record,
				      .method = SLICE_LIT("POST"),
				      .path = SLICE_LIT("/v1/accounts"),
				      .content_type = SLICE_LIT("application/json"),
				      .body = x->record.value,
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = NOW_MS - 1000};
	x->registration = (struct registration){0};
	x->facts = (struct facts){.now_ms = NOW_MS};
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &dialect, &x->c.route, &f), REASON_OK);
	enum reason refusal = dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f);
	x->c.request = &x->request;
	x->c.registration = &x->registration;
	x->c.refusal = refusal;
	x->c.facts = &x->facts;
	x->c.arena = x->arena;
}

static int setup(void **state)
{
	static struct fixture fixture;
	static const char *const names[] = {"native"};
	if (fixture_setup(&fixture, names, ARRAY_LEN(names), NULL) != 0)
		return -1;
	read_request(&fixture, good);
	*state = &fixture;
	return 0;
}

static enum decision decide(struct fixture *x)
{
	return operation_decide(&x->op, &x->c, &x->receipt, &x->changes);
}

#define assert_text(slice, text) assert_true(slice_equal_text((slice), (text)))

static void sign_up_makes_an_account_and_two_verifications(void **state)
{
	struct fixture *x = *state;
	assert_int_equal(decide(x), DECISION_HASH);
	assert_int_equal(x->receipt.outcome, OUTCOME_ACCEPTED);
	assert_true(x->changes.has_account);
	assert_string_equal(x->changes.account.state, "pending");
	assert_true(slice_is_absent(x->changes.account.password_hash));
	assert_int_equal(x->changes.claim_count, 2);
	assert_int_equal(x->changes.challenge_count, 2);
	assert_int_equal(x->changes.message_count, 2);
	assert_string_equal(x->changes.challenges[0].purpose, "verify_email");
	assert_string_equal(x->changes.challenges[1].purpose, "verify_phone");
	assert_int_equal(x->receipt.expires_ms, NOW_MS + x->conf.email_life_ms);
	assert_memory_not_equal(x->changes.challenges[0].seed.nonce.bytes, x->changes.challenges[1].seed.nonce.bytes, NONCE_SIZE);
}

static void deciding_again_gives_the_same(void **state)
{
	struct fixture *x = *state;
	(void)decide(x);
	struct changes first = x->changes;
	struct receipt receipt = x->receipt;
	(void)decide(x);
	assert_true(uuid_equal(&first.account.account_id, &x->changes.account.account_id));
	assert_memory_equal(first.challenges[0].seed.nonce.bytes, x->changes.challenges[0].seed.nonce.bytes, NONCE_SIZE);
	assert_memory_equal(first.challenges[0].token_digest, x->changes.challenges[0].token_digest, DIGEST_SIZE);
	assert_true(uuid_equal(&first.messages[1].message_id, &x->changes.messages[1].message_id));
	assert_true(slice_equal(first.result, x->changes.result));
	assert_true(slice_equal(first.receipt, x->changes.receipt));
	assert_true(uuid_equal(&receipt.account_id, &x->receipt.account_id));
}

static void another_request_gives_other_ids(void **state)
{
	struct fixture *x = *state;
	(void)decide(x);
	struct changes first = x->changes;
	x->request.request_id = SLICE_LIT("id-2");
	(void)decide(x);
	assert_false(uuid_equal(&first.account.account_id, &x->changes.account.account_id));
	assert_memory_not_equal(first.challenges[0].seed.nonce.bytes, x->changes.challenges[0].seed.nonce.bytes, NONCE_SIZE);
}

static void the_message_goes_to_the_stored_address(void **state)
{
	struct fixture *x = *state;
	(void)decide(x);
	char id[UUID_TEXT_SIZE];
	struct slice plain;
	struct payload payload;
	struct fault f;
	uuid_format(&x->changes.messages[0].message_id, id);
	assert_int_equal(seal_open(x->keys, slice_of(id), x->changes.messages[0].sealed, x->arena, &plain, &f), REASON_OK);
	assert_int_equal(payload_read(plain, x->arena, &payload, &f), REASON_OK);
	assert_text(payload.recipient, "ada@example.com");
	assert_text(payload.locale, "en-GB");
	assert_text(payload.name, "Ada");
	// Bound to its own row: another row's id does not open it.
	uuid_format(&x->changes.messages[1].message_id, id);
	assert_int_not_equal(seal_open(x->keys, slice_of(id), x->changes.messages[0].sealed, x->arena, &plain, &f), REASON_OK);
}

static void without_verification_the_account_is_active(void **state)
{
	struct fixture *x = *state;
	x->conf.verify_email = x->conf.verify_phone = false;
	(void)decide(x);
	assert_string_equal(x->changes.account.state, "active");
	assert_int_equal(x->changes.message_count, 0);
	assert_false(x->receipt.has_challenge);
}

static void the_dialect_says_what_is_verified(void **state)
{
	struct fixture *x = *state;
	x->registration.unverified[CLAIM_PHONE] = true;
	(void)decide(x);
	assert_string_equal(x->changes.account.state, "pending");
	assert_int_equal(x->changes.challenge_count, 1);
	assert_string_equal(x->changes.challenges[0].purpose, "verify_email");
	x->registration.unverified[CLAIM_EMAIL] = true;
	(void)decide(x);
	assert_string_equal(x->changes.account.state, "active");
	assert_int_equal(x->changes.message_count, 0);
}

static void a_taken_identity_is_refused_without_a_hash(void **state)
{
	struct fixture *x = *state;
	x->facts.taken[1] = true;
	assert_int_equal(decide(x), DECISION_STORE);
	assert_int_equal(x->receipt.outcome, OUTCOME_REFUSED);
	assert_int_equal(x->receipt.reason, REASON_IDENTITY_TAKEN);
	assert_int_equal(x->receipt.violation_count, 1);
	assert_text(x->receipt.violations[0].field, "/phone");
	assert_text(x->receipt.violations[0].code, "taken");
	assert_false(x->changes.has_account);
	assert_int_equal(x->changes.claim_count, 0);
	assert_int_equal(x->changes.message_count, 0);
	x->conf.hash_taken = true; // where the time of the answer must not tell
	assert_int_equal(decide(x), DECISION_HASH);
	assert_false(x->changes.has_account);
}

// Nobody learns by the answer, its shape or its time that somebody has the identity; the owner of the address does, once a day.
static void a_taken_identity_may_be_veiled(void **state)
{
	struct fixture *x = *state;
	char id[UUID_TEXT_SIZE];
	struct slice plain;
	struct payload payload;
	struct receipt back;
	struct fault f;
	assert_int_equal(decide(x), DECISION_HASH);
	const struct receipt accepted = x->receipt;
	const size_t challenges = x->changes.challenge_count;
	assert_true(challenges > 0);
	for (size_t i = 0; i < challenges; i++)
		assert_false(x->changes.challenges[i].decoy);
	x->registration.veils_taken = true;
	x->facts.taken[0] = true;
	assert_int_equal(decide(x), DECISION_HASH);
	assert_int_equal(x->receipt.outcome, OUTCOME_REFUSED);
	assert_int_equal(x->receipt.reason, REASON_IDENTITY_TAKEN);
	assert_true(x->receipt.veiled && x->receipt.violation_count == 0);
	assert_true(x->receipt.has_account && x->receipt.has_challenge == accepted.has_challenge);
	assert_int_equal(x->receipt.expires_ms, accepted.expires_ms);
	assert_int_equal(x->changes.challenge_count, challenges);
	for (size_t i = 0; i < challenges; i++)
		assert_true(x->changes.challenges[i].decoy);
	assert_false(x->changes.has_account);
	assert_text(x->changes.result,
		    "{\"request_id\":\"id-1\",\"realm\":\"main\",\"operation\":\"sign_up\",\"outcome\":\"refused\","
		    "\"reason\":\"identity_taken\",\"at\":\"2026-11-24T22:52:11.123Z\"}");
	assert_int_equal(receipt_read(x->changes.receipt, x->arena, &back, &f), REASON_OK);
	assert_true(back.veiled);
	assert_int_equal(x->changes.message_count, 1);
	const struct message_row first = x->changes.messages[0];
	assert_string_equal(first.template_name, "account_exists_email");
	uuid_format(&first.message_id, id);
	assert_int_equal(seal_open(x->keys, slice_of(id), first.sealed, x->arena, &plain, &f), REASON_OK);
	assert_int_equal(payload_read(plain, x->arena, &payload, &f), REASON_OK);
	assert_true(slice_is_absent(payload.name)); // a stranger wrote it
	x->request.request_id = SLICE_LIT("id-2");
	(void)decide(x);
	assert_true(uuid_equal(&first.message_id, &x->changes.messages[0].message_id));
	x->facts.now_ms += INT64_C(24) * 3600 * 1000;
	(void)decide(x);
	assert_false(uuid_equal(&first.message_id, &x->changes.messages[0].message_id));
	x->facts.taken[0] = false;
	x->facts.taken[1] = true; // texts cost money
	(void)decide(x);
	assert_int_equal(x->changes.message_count, 0);
	x->registration.claim_count = 4; // of a file with as many fields for mail addresses
	for (size_t i = 0; i < x->registration.claim_count; i++) {
		x->registration.claims[i] = (struct claim){.kind = CLAIM_EMAIL,
							   .value = arena_printf(x->arena, "m%zu@a.example", i)};
		x->facts.taken[i] = true;
	}
	for (int unverified = 0; unverified < 2; unverified++) { // who is sent no code is told all the same
		x->registration.unverified[CLAIM_EMAIL] = unverified != 0;
		(void)decide(x);
		assert_int_equal(x->changes.message_count, MESSAGES_MAX);
		assert_int_equal(x->changes.recipient_count, MESSAGES_MAX);
	}
}

static void result_bytes_are_as_documented(void **state)
{
	struct fixture *x = *state;
	x->facts.taken[0] = true;
	(void)decide(x);
	assert_text(x->changes.result,
		    "{\"request_id\":\"id-1\",\"realm\":\"main\",\"operation\":\"sign_up\",\"outcome\":\"refused\","
		    "\"reason\":\"identity_taken\",\"violations\":[{\"field\":\"/email\",\"code\":\"taken\"}],"
		    "\"at\":\"2026-11-24T22:52:11.123Z\"}");
}

static void an_invalid_request_keeps_its_violations(void **state)
{
	struct fixture *x = *state;
	secret_release(x->registration.password);
	read_request(x, "{\"email\":\"nobody\",\"password\":\"short\"}");
	assert_int_equal(x->c.refusal, REASON_INVALID);
	assert_int_equal(decide(x), DECISION_STORE);
	assert_int_equal(x->receipt.reason, REASON_INVALID);
	assert_int_equal(x->receipt.violation_count, 2);
	assert_text(x->receipt.violations[0].field, "/email");
	assert_text(x->receipt.violations[1].code, "too_short");
	assert_null(strstr(x->changes.receipt.ptr, "nobody")); // codes and pointers, never the input
}

static void what_is_older_than_the_horizon_expires(void **state)
{
	struct fixture *x = *state;
	x->request.asked_ms = NOW_MS - HORIZON_MS;
	assert_int_equal(decide(x), DECISION_HASH);
	x->request.asked_ms--;
	assert_int_equal(decide(x), DECISION_STORE);
	assert_int_equal(x->receipt.outcome, OUTCOME_EXPIRED);
	assert_false(x->changes.has_account);
	assert_non_null(strstr(x->changes.result.ptr, "\"outcome\":\"expired\""));
}

static void a_buried_record_has_no_result(void **state)
{
	struct fixture *x = *state;
	x->c.refusal = REASON_KILLS_WORKER;
	assert_int_equal(decide(x), DECISION_STORE);
	assert_int_equal(x->receipt.outcome, OUTCOME_DEAD);
	assert_true(slice_is_absent(x->changes.result));
	assert_false(x->changes.has_account);
}

static void operations_of_later_versions_are_refused(void **state)
{
	struct fixture *x = *state;
	static const char *const names[] = {"native"};
	const struct dialect *dialect;
	struct fault f;
	x->request.path = SLICE_LIT("/v1/codes");
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &dialect, &x->c.route, &f), REASON_OK);
	assert_int_equal(decide(x), DECISION_STORE);
	assert_int_equal(x->receipt.reason, REASON_OPERATION_UNAVAILABLE);
}

static void events_and_results_are_cloud_events(void **state)
{
	struct fixture *x = *state;
	struct output result, events[OPERATION_EVENTS_MAX];
	x->request.traceparent = SLICE_LIT("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
	(void)decide(x);
	operation_result_output(&x->request, &x->receipt, x->changes.result, "enroll.results", x->arena, &result);
	assert_text(result.key, "id-1");
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events),
			 1);
	char id[UUID_TEXT_SIZE];
	assert_text(events[0].key, uuid_format(&x->receipt.account_id, id));
	assert_non_null(strstr(events[0].value.ptr, "\"attributes\":{\"plan\":\"free\"}"));
	assert_null(strstr(events[0].value.ptr, "kettle"));
	size_t found = 0;
	for (size_t i = 0; i < result.header_count; i++)
		found += slice_equal_text(result.headers[i].name, "ce_id") || slice_equal_text(result.headers[i].name, "ce_type") ||
			 slice_equal_text(result.headers[i].name, "traceparent");
	assert_int_equal(found, 3);
	x->receipt.outcome = OUTCOME_REFUSED;
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events),
			 0);
}

static const struct limit_use limits[] = {
	{.name = "key", .allowed = 100, .window_ms = 60000, .stage = LIMIT_BEFORE_BODY},
	{.name = "client", .allowed = 10, .window_ms = 60000, .stage = LIMIT_BEFORE_RULES},
	{.name = "accounts", .allowed = 5, .window_ms = 60000, .stage = LIMIT_AFTER_RULES},
};

static void use_limits(struct fixture *x)
{
	x->c.limits = limits;
	x->c.limit_count = ARRAY_LEN(limits);
	x->facts.limits[0] = (struct limit_state){.used = 40, .resets_ms = NOW_MS + 1};
	x->facts.limits[1] = (struct limit_state){.used = 9, .resets_ms = NOW_MS + 2};
	x->facts.limits[2] = (struct limit_state){.used = 0, .resets_ms = NOW_MS + 3};
}

static void expect(struct fixture *x, enum reason reason, size_t asked, size_t counted)
{
	(void)decide(x);
	assert_int_equal(x->receipt.reason, reason);
	assert_int_equal(x->receipt.limit_count, asked);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		assert_int_equal(x->changes.counts[i], i < counted);
	assert_int_equal(x->changes.has_account, reason == REASON_OK);
	assert_int_equal(x->changes.limit_count, ARRAY_LEN(limits));
}

// Buried, expired, limits before the body, unreadable, limits before the rules, rules, limits after the rules, taken.
static void limits_are_asked_in_their_place(void **state)
{
	struct fixture *x = *state;
	use_limits(x);
	expect(x, REASON_OK, 3, 3);
	assert_text(x->receipt.limits[1].name, "client");
	assert_int_equal(x->receipt.limits[1].remaining, 0);
	assert_int_equal(x->receipt.limits[2].remaining, 4);
	assert_int_equal(x->receipt.limits[2].resets_ms, NOW_MS + 3);
	x->facts.taken[0] = true;
	expect(x, REASON_IDENTITY_TAKEN, 3, 3);
	x->facts.limits[2].reached = true;
	expect(x, REASON_RATE_LIMITED, 3, 2);
	assert_true(receipt_limit(&x->receipt)->reached);
	assert_text(receipt_limit(&x->receipt)->name, "accounts");
	assert_non_null(strstr(x->changes.result.ptr, "\"reason\":\"rate_limited\""));
	x->c.refusal = REASON_INVALID;
	expect(x, REASON_INVALID, 2, 2);
	x->facts.limits[1].reached = true;
	expect(x, REASON_RATE_LIMITED, 2, 1);
	x->c.refusal = REASON_JSON_MALFORMED;
	x->c.registration = NULL;
	expect(x, REASON_JSON_MALFORMED, 1, 1);
	x->facts.limits[0].reached = true;
	expect(x, REASON_RATE_LIMITED, 1, 0);
	assert_int_equal(x->receipt.limits[0].remaining, 60);
	x->request.asked_ms = NOW_MS - HORIZON_MS - 1;
	expect(x, REASON_REQUEST_EXPIRED, 0, 0);
	x->c.refusal = REASON_KILLS_WORKER;
	expect(x, REASON_KILLS_WORKER, 0, 0);
}

static void completing_tells_how_limits_stand(void **state)
{
	struct fixture *x = *state;
	use_limits(x);
	(void)decide(x);
	struct slice before = x->changes.receipt;
	for (size_t i = 0; i < 3; i++)
		x->facts.limits[i].used++; // as foreseen
	assert_false(operation_complete(&x->c, &x->receipt, &x->changes));
	assert_true(slice_equal(before, x->changes.receipt));
	x->facts.limits[0].used += 9; // others came between
	x->facts.limits[2].resets_ms = NOW_MS + 5;
	assert_true(operation_complete(&x->c, &x->receipt, &x->changes));
	assert_int_equal(x->receipt.limits[0].remaining, 50);
	assert_int_equal(x->receipt.limits[2].resets_ms, NOW_MS + 5);
	struct receipt stored;
	struct fault f;
	assert_int_equal(receipt_read(x->changes.receipt, x->arena, &stored, &f), REASON_OK);
	assert_int_equal(stored.limits[0].remaining, 50);
	assert_int_equal(stored.limits[2].resets_ms, NOW_MS + 5);
}

static void taken_identities_are_told_with_violations_where_asked(void **state)
{
	struct fixture *x = *state;
	struct violation violations[] = {{SLICE_LIT("/password"), SLICE_LIT("too_short"), SLICE_LIT("Too short.")}};
	x->registration.violations = violations;
	x->registration.violation_count = 1;
	x->c.refusal = REASON_INVALID;
	x->facts.taken[0] = true;
	(void)decide(x);
	assert_int_equal(x->receipt.violation_count, 1);
	x->registration.unique_anyway = true; // the dialect decides what is told then, and it found nothing besides
	(void)decide(x);
	assert_int_equal(x->receipt.reason, REASON_IDENTITY_TAKEN);
	assert_int_equal(x->receipt.violation_count, 1);
	assert_text(x->receipt.violations[0].field, "/email");
	assert_non_null(strstr(x->changes.result.ptr, "\"/email\""));
}

static void derived_claims_get_what_was_proposed(void **state)
{
	struct fixture *x = *state;
	x->registration.derived[0] = (struct derived_claim){CLAIM_SLUG, SLICE_LIT("ada"), 50, "/slug"};
	x->registration.derived_count = 1;
	x->facts.proposals[0] = SLICE_LIT("ada-2");
	assert_int_equal(decide(x), DECISION_HASH);
	assert_int_equal(x->changes.claim_count, 3);
	assert_int_equal(x->changes.derived_count, 1);
	assert_int_equal(x->changes.claims[1].kind, CLAIM_PHONE);
	assert_int_equal(x->changes.claims[2].kind, CLAIM_SLUG);
	assert_text(x->changes.claims[2].value, "ada-2");
	assert_text(x->receipt.slug, "ada-2");
	// Looked at again after the hash: it keeps the hash and takes another value.
	x->facts.proposals[0] = SLICE_LIT("ada-3");
	secret_release(x->registration.password);
	x->registration.password = NULL;
	x->registration.password_hash = SLICE_LIT("$argon2id$...");
	assert_int_equal(decide(x), DECISION_STORE);
	assert_text(x->changes.account.password_hash, "$argon2id$...");
	assert_text(x->changes.claims[2].value, "ada-3");
	struct output events[OPERATION_EVENTS_MAX];
	(void)operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events);
	assert_non_null(strstr(events[0].value.ptr, "\"slug\":\"ada-3\""));
}

static void numbers_come_with_the_store(void **state)
{
	struct fixture *x = *state;
	(void)decide(x);
	assert_null(x->changes.account.counter);
	x->registration.wants_number = true;
	(void)decide(x);
	assert_string_equal(x->changes.account.counter, "account");
	x->registration.counter = "customer";
	(void)decide(x);
	assert_string_equal(x->changes.account.counter, "customer");
	assert_int_equal(x->receipt.account_number, 0);
	x->changes.account.number = 17;
	assert_true(operation_complete(&x->c, &x->receipt, &x->changes));
	assert_false(operation_complete(&x->c, &x->receipt, &x->changes));
	struct receipt stored;
	struct fault f;
	assert_int_equal(receipt_read(x->changes.receipt, x->arena, &stored, &f), REASON_OK);
	assert_int_equal(stored.account_number, 17);
	struct output events[OPERATION_EVENTS_MAX];
	(void)operation_event_outputs(&x->request, &x->registration, &stored, "enroll.accounts", x->arena, events);
	assert_non_null(strstr(events[0].value.ptr, "\"number\":17"));
}

static void tokens_have_something_to_be_minted_from(void **state)
{
	struct fixture *x = *state;
	(void)decide(x);
	assert_false(x->receipt.has_mint);
	x->registration.wants_tokens = true;
	(void)decide(x);
	assert_true(x->receipt.has_mint);
	assert_int_equal(x->receipt.mint_epoch, 1);
	struct nonce nonce = x->receipt.mint_nonce;
	assert_memory_not_equal(nonce.bytes, x->receipt.nonce.bytes, NONCE_SIZE);
	(void)decide(x);
	assert_memory_equal(nonce.bytes, x->receipt.mint_nonce.bytes, NONCE_SIZE);
	x->request.request_id = SLICE_LIT("id-2");
	(void)decide(x);
	assert_memory_not_equal(nonce.bytes, x->receipt.mint_nonce.bytes, NONCE_SIZE);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(sign_up_makes_an_account_and_two_verifications),
		WITH_FIXTURE(deciding_again_gives_the_same),
		WITH_FIXTURE(another_request_gives_other_ids),
		WITH_FIXTURE(the_message_goes_to_the_stored_address),
		WITH_FIXTURE(without_verification_the_account_is_active),
		WITH_FIXTURE(the_dialect_says_what_is_verified),
		WITH_FIXTURE(a_taken_identity_is_refused_without_a_hash),
		WITH_FIXTURE(a_taken_identity_may_be_veiled),
		WITH_FIXTURE(result_bytes_are_as_documented),
		WITH_FIXTURE(an_invalid_request_keeps_its_violations),
		WITH_FIXTURE(what_is_older_than_the_horizon_expires),
		WITH_FIXTURE(a_buried_record_has_no_result),
		WITH_FIXTURE(operations_of_later_versions_are_refused),
		WITH_FIXTURE(events_and_results_are_cloud_events),
		WITH_FIXTURE(limits_are_asked_in_their_place),
		WITH_FIXTURE(completing_tells_how_limits_stand),
		WITH_FIXTURE(taken_identities_are_told_with_violations_where_asked),
		WITH_FIXTURE(derived_claims_get_what_was_proposed),
		WITH_FIXTURE(numbers_come_with_the_store),
		WITH_FIXTURE(tokens_have_something_to_be_minted_from),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
