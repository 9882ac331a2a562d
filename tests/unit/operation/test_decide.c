// SPDX-License-Identifier: Apache-2.0
// Operations: what a request changes and how it ends, as a pure function.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enrolld/crypto/seal.h"
#include "enrolld/doc/json.h"
#include "enrolld/model/payload.h"
#include "enrolld/operation/operation.h"

#define NOW_MS INT64_C(1795560731123) // 2026-11-24T22:52:11.123Z
#define HORIZON_MS (INT64_C(30) * 86400 * 1000)

struct fixture {
	struct arena *arena;
	struct keyring *keys;
	struct secret_pool *secrets;
	struct dialect_set *dialects;
	struct operation_conf conf;
	struct operation op;
	struct record record;
	struct request request;
	struct registration registration;
	struct facts facts;
	struct operation_case c;
	struct receipt receipt;
	struct changes changes;
};

static const char good[] = "{\"email\":\"Ada@Example.com\",\"phone\":\"+44 20 7183 8750\",\"password\":\"green kettle on the third stair\","
			   "\"given_name\":\"Ada\",\"locale\":\"en-GB\",\"attributes\":{\"plan\":\"free\"}}";

static void read_request(struct fixture *x, const char *body)
{
	static const char *const names[] = {"native"};
	struct fault f;
	const struct dialect *dialect;
	x->record = (struct record){.at = {"enroll.signup", 3, 42}, .value = arena_copy(x->arena, slice_of(body))};
	x->request = (struct request){.record = &x->record, .method = SLICE_LIT("POST"), .path = SLICE_LIT("/v1/accounts"),
				      .content_type = SLICE_LIT("application/json"), .body = x->record.value, .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"), .asked_ms = NOW_MS - 1000};
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
	struct fixture *x = &fixture;
	struct fault f;
	bool locked;
	*x = (struct fixture){.arena = arena_create(4096)};
	json_setup();
	if (crypto_setup(&f) != REASON_OK || secret_pool_create(8, &x->secrets, &locked, &f) != REASON_OK ||
	    dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", names, 1, NULL, &x->dialects, &f) != REASON_OK)
		return -1;
	x->keys = keyring_for_tests();
	settings_defaults(&operation_settings, x->arena, &x->conf);
	x->op = (struct operation){&x->conf, x->keys, HORIZON_MS};
	read_request(x, good);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;
	secret_release(x->registration.password);
	dialect_set_destroy(x->dialects);
	secret_pool_destroy(x->secrets);
	keyring_destroy(x->keys);
	arena_destroy(x->arena);
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
	assert_memory_not_equal(x->changes.challenges[0].nonce.bytes, x->changes.challenges[1].nonce.bytes, NONCE_SIZE);
}

static void deciding_again_gives_the_same(void **state)
{
	struct fixture *x = *state;
	(void)decide(x);
	struct changes first = x->changes;
	struct receipt receipt = x->receipt;
	(void)decide(x);
	assert_true(uuid_equal(&first.account.account_id, &x->changes.account.account_id));
	assert_memory_equal(first.challenges[0].nonce.bytes, x->changes.challenges[0].nonce.bytes, NONCE_SIZE);
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
	assert_memory_not_equal(first.challenges[0].nonce.bytes, x->changes.challenges[0].nonce.bytes, NONCE_SIZE);
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

static void result_bytes_are_as_documented(void **state)
{
	struct fixture *x = *state;
	x->facts.taken[0] = true;
	(void)decide(x);
	assert_text(x->changes.result, "{\"request_id\":\"id-1\",\"realm\":\"main\",\"operation\":\"sign_up\",\"outcome\":\"refused\","
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
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events), 1);
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
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events), 0);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(sign_up_makes_an_account_and_two_verifications),
		WITH_FIXTURE(deciding_again_gives_the_same),
		WITH_FIXTURE(another_request_gives_other_ids),
		WITH_FIXTURE(the_message_goes_to_the_stored_address),
		WITH_FIXTURE(without_verification_the_account_is_active),
		WITH_FIXTURE(a_taken_identity_is_refused_without_a_hash),
		WITH_FIXTURE(result_bytes_are_as_documented),
		WITH_FIXTURE(an_invalid_request_keeps_its_violations),
		WITH_FIXTURE(what_is_older_than_the_horizon_expires),
		WITH_FIXTURE(a_buried_record_has_no_result),
		WITH_FIXTURE(operations_of_later_versions_are_refused),
		WITH_FIXTURE(events_and_results_are_cloud_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
