// SPDX-License-Identifier: Apache-2.0
// Codes: every state of an address and its last code, against what is asked of it, as a pure function.
#include "fixture.h"

#include <string.h>

#include "enrolld/crypto/seal.h"
#include "enrolld/model/payload.h"

#define NOW_MS INT64_C(1795560731123)
#define MINUTE_MS INT64_C(60000)
#define PHONE "+442071838750"

static void release(struct fixture *x)
{
	registration_forget(&x->registration);
	x->registration = (struct registration){0};
}

// method, path and body of a request of the native dialect, and nothing known but its address.
static void read_request(struct fixture *x, const char *method, const char *path, const char *query, const char *body)
{
	static const char *const names[] = {"native"};
	struct fault f;
	const struct dialect *dialect;
	release(x);
	x->record = (struct record){.at = {"enroll.otp", 0, 7}};
	x->request = (struct request){.record = &x->record,
				      .method = slice_of(method),
				      .path = slice_of(path),
				      .query = slice_of(query),
				      .content_type = SLICE_LIT("application/json"),
				      .body = arena_copy(x->arena, slice_of(body)),
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = NOW_MS - 1000};
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &dialect, &x->c.route, &f), REASON_OK);
	enum reason refusal = dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f);
	x->c = (struct operation_case){.request = &x->request,
				       .route = x->c.route,
				       .registration = &x->registration,
				       .refusal = refusal,
				       .facts = &x->facts,
				       .arena = x->arena};
	x->facts = (struct facts){.now_ms = NOW_MS};
	x->facts.code = (struct code_facts){.asked = true, .kind = CLAIM_PHONE, .value = SLICE_LIT(PHONE)};
}

// A code of the purpose that was sent two minutes ago and is good for ten.
static void has_code(struct fixture *x, const char *purpose)
{
	struct code_facts *code = &x->facts.code;
	code->found = true;
	code->purpose = slice_of(purpose);
	code->challenge_id = uuid_v8_of((const uint8_t *)"a challenge's id");
	code->seed = (struct code_seed){.nonce = {{1, 2, 3}}, .epoch = 1};
	code->form = (struct code_form){6, CODE_DIGITS};
	code->created_ms = code->sent_ms = NOW_MS - 2 * MINUTE_MS;
	code->expires_ms = code->created_ms + 10 * MINUTE_MS;
	code_derive(x->keys, code->purpose, x->request.realm, &code->seed, &code->form, x->code);
}

static void has_account(struct fixture *x)
{
	x->facts.code.holder = (struct code_holder){.found = true,
						    .account_id = uuid_v8_of((const uint8_t *)"an account's id "),
						    .number = 17,
						    .locale = SLICE_LIT("ar"),
						    .name = SLICE_LIT("Ada"),
						    .pending = true};
}

static void asks(struct fixture *x, const char *purpose)
{
	read_request(x, "POST", "/v1/codes", NULL,
		     arena_printf(x->arena, "{\"purpose\":\"%s\",\"phone\":\"+44 20 7183 8750\"}", purpose).ptr);
	assert_int_equal(x->c.refusal, REASON_OK);
	x->facts.code.purpose = slice_of(purpose);
}

static void tries(struct fixture *x, const char *purpose, const char *code)
{
	read_request(x, "POST", "/v1/codes/check", NULL,
		     arena_printf(x->arena, "{\"purpose\":\"%s\",\"phone\":\"%s\",\"code\":\"%s\"}", purpose, PHONE, code).ptr);
	assert_int_equal(x->c.refusal, REASON_OK);
	x->facts.code.purpose = slice_of(purpose);
}

// The code that has_code() makes for the purpose is the one that is tried.
static void tries_right(struct fixture *x, const char *purpose)
{
	tries(x, purpose, "000000");
	has_code(x, purpose);
	const char *code = arena_text(x->arena, x->code);
	tries(x, purpose, code);
	has_code(x, purpose);
}

static void tries_wrong(struct fixture *x, const char *purpose)
{
	tries_right(x, purpose);
	x->facts.code.seed.nonce.bytes[0] ^= 1;
}

static void decides(struct fixture *x, enum reason reason)
{
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_STORE);
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
	assert_int_equal(x->receipt.outcome, reason == REASON_OK                ? OUTCOME_ACCEPTED
					     : reason == REASON_REQUEST_EXPIRED ? OUTCOME_EXPIRED
										: OUTCOME_REFUSED);
	assert_null(strstr(x->changes.receipt.ptr, x->code[0] ? x->code : "no code"));
}

// Refused for the reason, and nothing else of it: nothing is counted, sent, or held.
static void refuses(struct fixture *x, enum reason reason)
{
	static const struct code_change nothing;
	decides(x, reason);
	assert_memory_equal(&x->changes.code, &nothing, sizeof(nothing));
	assert_int_equal(x->changes.challenge_count + x->changes.message_count, 0);
	assert_false(x->changes.has_account);
}

static int setup(void **state)
{
	static struct fixture fixture;
	static const char *const names[] = {"native"};
	if (fixture_setup(&fixture, names, ARRAY_LEN(names), NULL) != 0)
		return -1;
	*state = &fixture;
	return 0;
}

#define assert_text(slice, text) assert_true(slice_equal_text((slice), (text)))

// --- asked for ------------------------------------------------------------------------------------------------------------

static void a_code_that_is_asked_for_is_made_and_sent(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_up");
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_int_equal(x->changes.message_count, 1);
	const struct challenge_row *row = &x->changes.challenges[0];
	assert_string_equal(row->purpose, "sign_up");
	assert_string_equal(row->channel, "sms");
	assert_text(row->claim_value, PHONE);
	assert_int_equal(row->life_ms, 10 * MINUTE_MS);
	assert_true(uuid_is_nil(&row->account_id));
	assert_string_equal(x->changes.messages[0].template_name, "code_phone");
	assert_true(x->changes.code.holds);
	assert_false(x->changes.code.sends);
	assert_text(x->changes.code.value, PHONE);
	assert_int_equal(x->receipt.expires_ms, NOW_MS + 10 * MINUTE_MS);
	assert_int_equal(x->receipt.next_ms, NOW_MS + MINUTE_MS);
	assert_true(x->receipt.has_challenge);
	struct changes first = x->changes;
	decides(x, REASON_OK);
	assert_memory_equal(first.challenges[0].seed.nonce.bytes, row->seed.nonce.bytes, NONCE_SIZE);
	x->request.request_id = SLICE_LIT("id-2");
	decides(x, REASON_OK);
	assert_memory_not_equal(first.challenges[0].seed.nonce.bytes, row->seed.nonce.bytes, NONCE_SIZE);
}

static void the_message_speaks_the_language_of_the_account(void **state)
{
	struct fixture *x = *state;
	char id[UUID_TEXT_SIZE];
	struct slice plain;
	struct payload payload;
	struct fault f;
	asks(x, "sign_in");
	has_account(x);
	decides(x, REASON_OK);
	assert_true(uuid_equal(&x->changes.challenges[0].account_id, &x->facts.code.holder.account_id));
	uuid_format(&x->changes.messages[0].message_id, id);
	assert_int_equal(seal_open(x->keys, slice_of(id), x->changes.messages[0].sealed, x->arena, &plain, &f), REASON_OK);
	assert_int_equal(payload_read(plain, x->arena, &payload, &f), REASON_OK);
	assert_text(payload.recipient, PHONE);
	assert_text(payload.locale, "ar");
}

static void asked_again_the_same_code_is_sent_while_it_is_fresh(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_up");
	has_code(x, "sign_up");
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 0);
	assert_int_equal(x->changes.message_count, 1);
	assert_true(uuid_equal(&x->changes.messages[0].challenge_id, &x->facts.code.challenge_id));
	assert_int_equal(x->changes.messages[0].life_ms, x->facts.code.expires_ms - NOW_MS);
	assert_true(x->changes.code.sends);
	assert_true(uuid_equal(&x->receipt.challenge_id, &x->facts.code.challenge_id));
	assert_int_equal(x->receipt.expires_ms, x->facts.code.expires_ms);
	x->facts.now_ms = x->facts.code.created_ms + 5 * MINUTE_MS; // half of its life
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 0);
}

static void asks_anew(struct fixture *x)
{
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_int_equal(x->changes.message_count, 1);
	assert_false(x->changes.code.sends);
	assert_false(uuid_equal(&x->receipt.challenge_id, &x->facts.code.challenge_id));
}

static void a_code_that_is_not_fresh_gets_a_successor(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_up");
	has_code(x, "sign_up");
	const struct facts fresh = x->facts;
	x->facts.now_ms = fresh.code.created_ms + 5 * MINUTE_MS + 1;
	asks_anew(x);
	x->facts = fresh;
	x->facts.code.tries = 1;
	asks_anew(x);
	x->facts = fresh;
	x->facts.code.consumed = true;
	asks_anew(x);
	x->facts = fresh;
	x->facts.now_ms = fresh.code.expires_ms + 1;
	asks_anew(x);
	x->facts = fresh;
	x->facts.code.form.length = 5; // of an older setting
	asks_anew(x);
	x->facts = fresh;
	x->facts.code.seed.epoch = 2; // of a key that is gone
	asks_anew(x);
	x->facts = fresh;
	has_account(x); // that has the address now
	asks_anew(x);
}

static void the_gap_between_two_messages_is_kept(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_up");
	has_code(x, "sign_up");
	x->facts.code.sent_ms = NOW_MS - MINUTE_MS + 1;
	refuses(x, REASON_CODE_TOO_SOON);
	assert_int_equal(x->receipt.next_ms, NOW_MS + 1);
	x->facts.code.consumed = true; // whatever became of it
	refuses(x, REASON_CODE_TOO_SOON);
	x->facts.code.sent_ms--;
	decides(x, REASON_OK);
}

static void what_is_not_sent_does_not_count_as_sent(void **state)
{
	static const struct limit_use limits[] = {
		{.name = "client", .allowed = 100, .window_ms = 60000, .stage = LIMIT_BEFORE_BODY},
		{.name = "sends", .allowed = 5, .window_ms = 60000, .stage = LIMIT_AFTER_RULES},
	};
	struct fixture *x = *state;
	asks(x, "sign_up");
	x->c.limits = limits;
	x->c.limit_count = ARRAY_LEN(limits);
	x->facts.limits[1].used = 2;
	decides(x, REASON_OK);
	assert_true(x->changes.counts[0] && x->changes.counts[1]);
	assert_int_equal(x->receipt.limits[1].remaining, 2);
	has_code(x, "sign_up");
	x->facts.code.sent_ms = NOW_MS;
	refuses(x, REASON_CODE_TOO_SOON);
	assert_true(x->changes.counts[0] && !x->changes.counts[1]);
	assert_int_equal(x->receipt.limits[1].remaining, 3);
	x->facts.limits[1].reached = true;
	refuses(x, REASON_RATE_LIMITED);
}

static void a_locked_address_is_sent_nothing(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_up");
	x->facts.code.locked_until_ms = NOW_MS + 1;
	refuses(x, REASON_CODE_LOCKED);
	assert_int_equal(x->receipt.next_ms, NOW_MS + 1);
	x->facts.now_ms++;
	decides(x, REASON_OK);
}

static void strangers_are_answered_alike_and_sent_nothing(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_in");
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_int_equal(x->changes.message_count, 0);
	struct receipt stranger = x->receipt;
	has_account(x);
	decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count, 1);
	assert_int_equal(x->receipt.expires_ms, stranger.expires_ms);
	assert_int_equal(x->receipt.next_ms, stranger.next_ms);
	assert_true(stranger.has_challenge && !x->receipt.has_account && !stranger.has_account);
}

static void strangers_may_be_refused(void **state)
{
	struct fixture *x = *state;
	struct code_rule refusing;
	asks(x, "sign_in");
	refusing = *x->registration.code.rule;
	refusing.stranger = CODE_STRANGER_REFUSE;
	x->registration.code.rule = &refusing;
	refuses(x, REASON_IDENTITY_UNKNOWN);
	has_account(x);
	decides(x, REASON_OK);
	x->facts.code.holder.found = false;
	refusing.stranger = CODE_STRANGER_SEND;
	decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count, 1);
}

static void stale_requests_send_nothing(void **state)
{
	struct fixture *x = *state;
	asks(x, "sign_up");
	x->request.asked_ms = NOW_MS - 10 * MINUTE_MS;
	decides(x, REASON_OK);
	x->request.asked_ms--;
	refuses(x, REASON_REQUEST_EXPIRED);
	tries_right(x, "sign_up");
	x->request.asked_ms = NOW_MS - 10 * MINUTE_MS - 1;
	refuses(x, REASON_REQUEST_EXPIRED);
}

// --- tried ----------------------------------------------------------------------------------------------------------------

static void the_right_code_makes_an_account_or_signs_in(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_up");
	decides(x, REASON_OK);
	assert_true(x->changes.has_account);
	assert_string_equal(x->changes.account.state, "active");
	assert_int_equal(x->changes.claim_count, 1);
	assert_true(x->receipt.created && x->receipt.verified);
	assert_true(x->changes.code.holds && x->changes.code.tries && x->changes.code.consumes && x->changes.code.verifies);
	assert_true(uuid_equal(&x->changes.code.account_id, &x->changes.account.account_id));
	assert_false(x->changes.code.counts);
	has_account(x);
	x->facts.taken[0] = true;
	decides(x, REASON_OK);
	assert_false(x->changes.has_account);
	assert_false(x->receipt.created);
	assert_true(uuid_equal(&x->receipt.account_id, &x->facts.code.holder.account_id));
	assert_int_equal(x->receipt.account_number, 17);
	assert_true(x->receipt.verified && x->changes.code.verifies && x->changes.code.ousts);
	x->facts.code.holder.pending = false;
	x->facts.code.holder.verified = true;
	decides(x, REASON_OK);
	assert_false(x->receipt.verified || x->changes.code.verifies || x->changes.code.ousts);
}

// Somebody signs up with another's address and a password of his own, and waits for the other to sign in by code.
static void whoever_was_there_before_is_not_let_in_by_a_code(void **state)
{
	static const char *const purposes[] = {"sign_in", "sign_up"};
	struct fixture *x = *state;
	for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
		tries_right(x, purposes[i]);
		has_account(x);
		x->facts.taken[0] = true;
		decides(x, REASON_OK);
		assert_true(x->changes.code.ousts);
		x->facts.code.holder.pending = false; // by another address
		decides(x, REASON_IDENTITY_UNKNOWN);
		assert_false(x->receipt.has_account || x->receipt.has_mint || x->changes.code.verifies);
	}
	tries_right(x, "verify_phone");
	has_account(x);
	decides(x, REASON_OK);
	assert_true(x->changes.code.verifies);
	assert_false(x->changes.code.ousts);
}

static void the_right_code_verifies(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "verify_phone");
	has_account(x);
	x->facts.code.account_id = x->facts.code.holder.account_id;
	x->facts.code.failures = 3;
	decides(x, REASON_OK);
	assert_true(x->changes.code.verifies && x->receipt.verified && x->receipt.has_account);
	assert_true(x->changes.code.counts);
	assert_int_equal(x->changes.code.failures, 0);
	assert_text(x->receipt.address, PHONE);
	assert_int_equal(x->receipt.address_kind, CLAIM_PHONE);
	x->facts.code.account_id = (struct uuid){0};
	x->facts.code.holder.found = false; // before anybody has signed up with it
	decides(x, REASON_OK);
	assert_false(x->receipt.has_account || x->changes.code.verifies || x->changes.has_account);
}

static void signing_in_needs_an_account(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_in");
	decides(x, REASON_IDENTITY_UNKNOWN);
	assert_true(x->changes.code.tries && x->changes.code.consumes);
	assert_false(x->changes.has_account);
	has_account(x);
	decides(x, REASON_OK);
}

static void a_custom_code_brings_about_nothing(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "custom");
	has_account(x);
	decides(x, REASON_OK);
	assert_false(x->receipt.has_account || x->receipt.verified);
	assert_true(x->changes.code.consumes);
}

static void a_wrong_code_is_counted_twice(void **state)
{
	struct fixture *x = *state;
	tries_wrong(x, "sign_up");
	decides(x, REASON_CODE_WRONG);
	assert_true(x->changes.code.holds && x->changes.code.tries && x->changes.code.counts);
	assert_false(x->changes.code.consumes || x->changes.code.verifies || x->changes.has_account);
	assert_int_equal(x->changes.code.failures, 1);
	assert_int_equal(x->changes.code.locked_until_ms, 0);
	assert_int_equal(x->receipt.tries_left, 4);
	x->facts.code.tries = 4;
	decides(x, REASON_CODE_WRONG);
	assert_int_equal(x->receipt.tries_left, 0);
	x->facts.code.tries = 5;
	refuses(x, REASON_CODE_EXHAUSTED);
}

// Of a sign-up that was answered as if: the same words and the same count of tries, and nobody else's address is counted against.
static void no_code_is_right_for_a_decoy(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "verify_phone");
	x->facts.code.decoy = true;
	x->facts.code.account_id = uuid_v8_of((const uint8_t *)"nobody's account");
	decides(x, REASON_CODE_WRONG);
	assert_true(x->changes.code.holds && x->changes.code.tries);
	assert_false(x->changes.code.counts || x->changes.code.consumes || x->changes.code.verifies);
	assert_int_equal(x->receipt.tries_left, 4);
	assert_false(x->receipt.has_account || x->receipt.verified);
	x->facts.code.locked_until_ms = NOW_MS + 1; // the owner's
	decides(x, REASON_CODE_WRONG);
	x->facts.code.tries = 5;
	refuses(x, REASON_CODE_EXHAUSTED);
	x->facts.code.tries = 0;
	x->facts.code.expires_ms = NOW_MS;
	refuses(x, REASON_CODE_EXPIRED);
}

static void failures_outlive_the_code_and_make_the_address_wait(void **state)
{
	struct fixture *x = *state;
	tries_wrong(x, "sign_up");
	x->facts.code.failures = 9;
	decides(x, REASON_CODE_WRONG);
	assert_int_equal(x->changes.code.failures, 10);
	assert_int_equal(x->changes.code.locked_until_ms, 0);
	x->facts.code.failures = 10;
	decides(x, REASON_CODE_WRONG);
	assert_int_equal(x->changes.code.locked_until_ms, NOW_MS + 30000);
	assert_int_equal(x->receipt.next_ms, NOW_MS + 30000);
	int64_t last = 0, sum = 0;
	for (int64_t i = 1; i < 100; i++) {
		assert_true(operation_code_wait(i) >= last);
		last = operation_code_wait(i);
		sum += last;
	}
	assert_true(last == 3600000 && sum > INT64_C(3) * 86400 * 1000);
	assert_int_equal(operation_code_wait(100), INT64_C(30) * 86400 * 1000);
	assert_int_equal(operation_code_wait(INT64_MAX), INT64_C(30) * 86400 * 1000);
}

// The right code, in every state that makes it one that is not accepted: nothing is compared, so nothing is counted.
static void what_is_not_alive_is_not_compared(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_up");
	const struct facts alive = x->facts;
	x->facts.code.found = false;
	refuses(x, REASON_CODE_UNKNOWN);
	x->facts.code.asked = false;
	refuses(x, REASON_CODE_UNKNOWN);
	x->facts = alive;
	x->facts.code.consumed = true;
	refuses(x, REASON_CODE_USED);
	x->facts = alive;
	x->facts.now_ms = alive.code.expires_ms - 1;
	decides(x, REASON_OK);
	x->facts.now_ms = alive.code.expires_ms;
	refuses(x, REASON_CODE_EXPIRED);
	x->facts = alive;
	x->facts.code.tries = 5;
	refuses(x, REASON_CODE_EXHAUSTED);
	x->facts = alive;
	x->facts.code.locked_until_ms = NOW_MS + 1;
	refuses(x, REASON_CODE_LOCKED);
	assert_int_equal(x->receipt.next_ms, NOW_MS + 1);
	x->facts = alive;
	x->facts.code.superseded = true;
	refuses(x, REASON_CODE_SUPERSEDED);
	x->facts = alive;
	x->facts.code.seed.epoch = 2;
	refuses(x, REASON_CODE_UNKNOWN);
	x->facts = alive;
	x->facts.code.purpose = SLICE_LIT("sign_in"); // of a challenge that is named by its id
	refuses(x, REASON_CODE_UNKNOWN);
	x->facts = alive;
	x->facts.code.value = SLICE_LIT("+442071838751");
	refuses(x, REASON_CODE_UNKNOWN);
	x->facts = alive;
	has_account(x); // which is not the one that the code was made for
	x->facts.code.account_id = uuid_v8_of((const uint8_t *)"somebody else's ");
	refuses(x, REASON_CODE_SUPERSEDED);
	x->facts.code.holder.found = false;
	refuses(x, REASON_CODE_SUPERSEDED);
}

static void another_claim_that_is_taken_leaves_the_code_alive(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_up");
	x->facts.taken[0] = true; // and nobody holds the address: cannot be the address
	decides(x, REASON_IDENTITY_TAKEN);
	assert_false(x->changes.code.consumes || x->changes.has_account);
}

static void a_code_may_be_typed_as_people_do(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "custom");
	const char *code = arena_text(x->arena, x->code);
	tries(x, "custom", arena_printf(x->arena, " %.3s-%s ", code, code + 3).ptr);
	has_code(x, "custom");
	decides(x, REASON_OK);
	tries(x, "custom", arena_printf(x->arena, "%s0", code).ptr);
	has_code(x, "custom");
	decides(x, REASON_CODE_WRONG);
	tries(x, "custom", " - ");
	has_code(x, "custom");
	decides(x, REASON_CODE_WRONG);
}

static void the_challenge_may_be_named_by_its_id(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "custom");
	const char *code = arena_text(x->arena, x->code);
	char id[UUID_TEXT_SIZE];
	uuid_format(&x->facts.code.challenge_id, id);
	read_request(x, "POST", "/v1/codes/check", NULL,
		     arena_printf(x->arena, "{\"challenge_id\":\"%s\",\"code\":\"%s\"}", id, code).ptr);
	has_code(x, "custom");
	assert_true(x->registration.code.has_challenge && !x->registration.code.rule);
	decides(x, REASON_OK);
	x->facts.code.purpose = SLICE_LIT("customer_auth"); // of another dialect
	refuses(x, REASON_CODE_UNKNOWN);
}

// --- links ----------------------------------------------------------------------------------------------------------------

static void follows_link(struct fixture *x)
{
	read_request(x, "GET", "/v1/verify", "token=AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIjKlMnOpQ", NULL);
	assert_int_equal(x->c.refusal, REASON_OK);
	has_code(x, "verify_email");
	has_account(x);
	x->facts.code.account_id = x->facts.code.holder.account_id;
	x->facts.code.kind = CLAIM_EMAIL;
	x->facts.code.value = SLICE_LIT("ada@example.com");
}

static void a_code_that_opens_an_account_is_tried_with_its_address(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_up");
	const char *code = arena_text(x->arena, x->code);
	char id[UUID_TEXT_SIZE];
	uuid_format(&x->facts.code.challenge_id, id);
	read_request(x, "POST", "/v1/codes/check", NULL,
		     arena_printf(x->arena, "{\"challenge_id\":\"%s\",\"code\":\"%s\"}", id, code).ptr);
	has_code(x, "sign_up");
	refuses(x, REASON_OPERATION_UNAVAILABLE);
	has_account(x); // is not told
	refuses(x, REASON_OPERATION_UNAVAILABLE);
	follows_link(x);
	x->facts.code.purpose = SLICE_LIT("sign_up");
	refuses(x, REASON_OPERATION_UNAVAILABLE);
}

static void a_link_verifies_once(void **state)
{
	struct fixture *x = *state;
	follows_link(x);
	assert_int_equal(x->registration.code.token_count, 1);
	decides(x, REASON_OK);
	assert_true(x->changes.code.holds && x->changes.code.consumes && x->changes.code.verifies);
	assert_false(x->changes.code.tries);
	assert_text(x->receipt.address, "ada@example.com");
	x->facts.code.tries = 5; // whoever guesses at codes does not spoil the link
	x->facts.code.locked_until_ms = NOW_MS + 1;
	decides(x, REASON_OK);
	x->facts.code.consumed = true;
	refuses(x, REASON_CODE_USED);
}

static void an_old_link_verifies_nothing(void **state)
{
	struct fixture *x = *state;
	follows_link(x);
	const struct facts alive = x->facts;
	x->facts.code.superseded = true;
	refuses(x, REASON_CODE_SUPERSEDED);
	x->facts = alive;
	x->facts.code.holder.account_id.bytes[0] ^= 1; // the address has another account
	refuses(x, REASON_CODE_SUPERSEDED);
	x->facts = alive;
	x->facts.code.holder.found = false; // the account has another address
	refuses(x, REASON_CODE_SUPERSEDED);
	x->facts = alive;
	x->facts.now_ms = alive.code.expires_ms;
	refuses(x, REASON_CODE_EXPIRED);
	x->facts.code = (struct code_facts){0};
	refuses(x, REASON_CODE_UNKNOWN);
}

// --- confirmed ------------------------------------------------------------------------------------------------------------

static void confirms(struct fixture *x, enum reason reason)
{
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
	assert_non_null(strstr(x->changes.receipt.ptr, reason == REASON_OK ? "accepted" : reason_code(reason)));
}

static void other_facts_decide_again(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_up");
	const struct facts alive = x->facts;
	decides(x, REASON_OK);
	x->facts.code.consumed = true;
	confirms(x, REASON_CODE_USED);
	assert_false(x->changes.has_account);
	x->facts = alive;
	decides(x, REASON_OK);
	x->facts.now_ms = alive.code.expires_ms;
	confirms(x, REASON_CODE_EXPIRED);
	x->facts = alive;
	decides(x, REASON_OK);
	has_account(x);
	confirms(x, REASON_OK);
	assert_false(x->changes.has_account);
	tries_wrong(x, "sign_up");
	x->facts.code.failures = 10;
	decides(x, REASON_CODE_WRONG);
	x->facts.now_ms += 5000;
	confirms(x, REASON_CODE_WRONG);
	assert_int_equal(x->changes.code.locked_until_ms, NOW_MS + 35000); // from when it was held
	x->facts.code.tries = 1;                                           // another's try
	x->facts.code.failures = 1;
	confirms(x, REASON_CODE_WRONG);
	assert_int_equal(x->receipt.tries_left, 3);
	assert_int_equal(x->changes.code.failures, 2);
	asks(x, "sign_up");
	decides(x, REASON_OK);
	has_code(x, "sign_up");
	confirms(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 0);
	assert_true(x->changes.code.sends);
	x->facts.code.sent_ms = NOW_MS;
	confirms(x, REASON_CODE_TOO_SOON);
	assert_int_equal(x->changes.message_count, 0);
}

// --- told -----------------------------------------------------------------------------------------------------------------

static void events_tell_what_was_verified(void **state)
{
	struct fixture *x = *state;
	struct output events[OPERATION_EVENTS_MAX];
	tries_right(x, "sign_up");
	decides(x, REASON_OK);
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events),
			 2);
	assert_non_null(
		strstr(events[0].value.ptr, "\"identities\":[{\"kind\":\"phone\",\"value\":\"" PHONE "\",\"verified\":true}]"));
	assert_non_null(strstr(events[1].value.ptr, "\"identity\":{\"kind\":\"phone\",\"value\":\"" PHONE "\"}"));
	struct slice bytes = events[1].value;
	struct receipt read;
	struct fault f;
	assert_int_equal(receipt_read(x->changes.receipt, x->arena, &read, &f), REASON_OK);
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &read, "enroll.accounts", x->arena, events), 2);
	assert_true(slice_equal(events[1].value, bytes));
	tries_wrong(x, "sign_up");
	decides(x, REASON_CODE_WRONG);
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, events),
			 0);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_code_that_is_asked_for_is_made_and_sent),
		test(the_message_speaks_the_language_of_the_account),
		test(asked_again_the_same_code_is_sent_while_it_is_fresh),
		test(a_code_that_is_not_fresh_gets_a_successor),
		test(the_gap_between_two_messages_is_kept),
		test(what_is_not_sent_does_not_count_as_sent),
		test(a_locked_address_is_sent_nothing),
		test(strangers_are_answered_alike_and_sent_nothing),
		test(strangers_may_be_refused),
		test(stale_requests_send_nothing),
		test(the_right_code_makes_an_account_or_signs_in),
		test(whoever_was_there_before_is_not_let_in_by_a_code),
		test(the_right_code_verifies),
		test(signing_in_needs_an_account),
		test(a_custom_code_brings_about_nothing),
		test(a_wrong_code_is_counted_twice),
		test(no_code_is_right_for_a_decoy),
		test(failures_outlive_the_code_and_make_the_address_wait),
		test(what_is_not_alive_is_not_compared),
		test(another_claim_that_is_taken_leaves_the_code_alive),
		test(a_code_may_be_typed_as_people_do),
		test(the_challenge_may_be_named_by_its_id),
		test(a_code_that_opens_an_account_is_tried_with_its_address),
		test(a_link_verifies_once),
		test(an_old_link_verifies_nothing),
		test(other_facts_decide_again),
		test(events_tell_what_was_verified),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
