// SPDX-License-Identifier: Apache-2.0
// A store whose requests name no customer: who is let in by a code, whom a link verifies, and who is told what.
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

#include "enrolld/base/hex.h"
#include "enrolld/crypto/seal.h"
#include "enrolld/model/payload.h"

#define NOW_MS INT64_C(1795560731123)
#define MINUTE_MS INT64_C(60000)
#define PHONE "+919962794005"
#define MOBILE "\"mobile\":{\"code\":\"+91\",\"number\":\"9962794005\"}"
#define STORE "/ecommerce/v1/auth"

static const struct dialect_conf verify_url = {.name = "posbytz",
					       .values = {&(struct setting_pair){"verify_url", "https://shop.example/verify"}, 1}};

// A request of the store, and nothing known but the address.
static void read_request(struct fixture *x, const char *path, const char *query, const char *body)
{
	static const char *const names[] = {"posbytz"};
	struct fault f;
	registration_forget(&x->registration);
	x->registration = (struct registration){0};
	x->record = (struct record){.at = {"enroll.otp", 0, 7}};
	x->headers[0] = (struct header){SLICE_LIT("authorization"), SLICE_LIT("Bearer visitor")};
	x->request = (struct request){.record = &x->record,
				      .method = query ? SLICE_LIT("GET") : SLICE_LIT("POST"),
				      .path = arena_printf(x->arena, STORE "%s", path),
				      .query = slice_of(query),
				      .content_type = query ? SLICE_ABSENT : SLICE_LIT("application/json"),
				      .headers = x->headers,
				      .header_count = 1,
				      .body = body ? arena_copy(x->arena, slice_of(body)) : SLICE_ABSENT,
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = NOW_MS};
	x->c = (struct operation_case){
		.request = &x->request, .registration = &x->registration, .facts = &x->facts, .arena = x->arena};
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &x->dialect, &x->c.route, &f), REASON_OK);
	x->c.refusal = dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f);
	assert_int_equal(x->c.refusal, REASON_OK);
	x->facts = (struct facts){.now_ms = NOW_MS};
	x->facts.code = (struct code_facts){.asked = true, .kind = CLAIM_PHONE, .value = SLICE_LIT(PHONE)};
}

static struct uuid account_id(void)
{
	return uuid_v8_of((const uint8_t *)"an account's id ");
}

// The code that was sent two minutes ago at the sign-up of an account that is pending; returns it.
static const char *has_code(struct fixture *x, const char *purpose)
{
	struct code_facts *code = &x->facts.code;
	char text[CODE_TEXT_SIZE];
	code->found = true;
	code->purpose = slice_of(purpose);
	code->challenge_id = uuid_v8_of((const uint8_t *)"a challenge's id");
	code->account_id = account_id();
	code->seed = (struct code_seed){.nonce = {{1, 2, 3}}, .epoch = 1};
	code->form = (struct code_form){6, CODE_DIGITS};
	code->has_caller = x->registration.code.caller_count > 0;
	if (code->has_caller)
		memcpy(code->caller, x->registration.code.callers[0], DIGEST_SIZE);
	code->created_ms = code->sent_ms = NOW_MS - 2 * MINUTE_MS;
	code->expires_ms = code->created_ms + 10 * MINUTE_MS;
	code->holder = (struct code_holder){
		.found = true, .account_id = account_id(), .pending = true, .password_hash = SLICE_LIT("$argon2id$...")};
	code_derive(x->keys, code->purpose, x->request.realm, &code->seed, &code->form, text);
	return arena_text(x->arena, text);
}

static void tries(struct fixture *x, const char *code, const char *purpose)
{
	read_request(x, "/otp/verify", NULL,
		     arena_printf(x->arena, "{\"otp\":%ld,\"source\":\"mobile\"}", strtol(code, NULL, 10)).ptr);
	(void)has_code(x, purpose);
}

static void tries_right(struct fixture *x, const char *purpose)
{
	tries(x, "0", purpose);
	tries(x, has_code(x, purpose), purpose);
}

static void follows(struct fixture *x, const char *user)
{
	read_request(x, "/email/verify", arena_printf(x->arena, "userId=%s&token=%064d", user, 0).ptr, NULL);
	x->facts.code.kind = CLAIM_EMAIL;
	x->facts.code.value = SLICE_LIT("ada@example.com");
	(void)has_code(x, "verify_email");
}

static void decides(struct fixture *x, enum reason reason)
{
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_STORE);
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
}

static struct payload payload_of(struct fixture *x, size_t message)
{
	char id[UUID_TEXT_SIZE];
	struct slice plain;
	struct payload payload;
	struct fault f;
	uuid_format(&x->changes.messages[message].message_id, id);
	assert_int_equal(seal_open(x->keys, slice_of(id), x->changes.messages[message].sealed, x->arena, &plain, &f), REASON_OK);
	assert_int_equal(payload_read(plain, x->arena, &payload, &f), REASON_OK);
	return payload;
}

static int setup(void **state)
{
	static struct fixture fixture;
	static const char *const names[] = {"posbytz"};
	if (fixture_setup(&fixture, names, ARRAY_LEN(names), &verify_url) != 0)
		return -1;
	*state = &fixture;
	return 0;
}

#define assert_text(slice, text) assert_true(slice_equal_text((slice), (text)))

static void a_sign_up_sends_codes_that_are_its_visitors(void **state)
{
	struct fixture *x = *state;
	char token[TOKEN_TEXT_SIZE], hex[CODE_TOKEN_HEX_SIZE];
	struct answer answer;
	read_request(x, "/signup", NULL, "{\"email\":\"ada@example.com\"," MOBILE ",\"password\":\"secret123\"}");
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_HASH);
	assert_int_equal(x->changes.challenge_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(x->changes.challenges[i].caller, x->registration.code.callers[0], DIGEST_SIZE);
	const struct challenge_row *mail = &x->changes.challenges[0];
	code_link_token(x->keys, SLICE_LIT("verify_email"), x->request.realm, &mail->seed, token);
	code_token_hex(token, hex);
	const struct payload payload = payload_of(x, 0);
	char user[25];
	hex_encode(x->receipt.account_id.bytes, 12, user);
	assert_text(payload.link, arena_printf(x->arena, "https://shop.example/verify?userId=%s&token=", user).ptr);
	assert_text(payload.link_end, "");
	assert_true(payload.hex);
	assert_true(slice_is_absent(payload_of(x, 1).link));
	dialect_answer(x->dialect, x->c.route, &x->request, &x->registration, &x->receipt, x->arena, &answer);
	assert_non_null(memmem(answer.body.ptr, answer.body.len, hex, 64)); // what the mail has
	assert_null(strstr(x->changes.receipt.ptr, hex));
}

static void whoever_signed_up_enters_and_keeps_the_password(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "verify_phone");
	assert_true(x->registration.code.by_caller && x->registration.code.kind == CLAIM_PHONE);
	decides(x, REASON_OK);
	assert_true(x->receipt.has_account && x->receipt.has_mint && x->receipt.verified);
	assert_true(x->changes.code.consumes && x->changes.code.verifies);
	assert_false(x->changes.code.ousts);
	x->facts.code.seed.nonce.bytes[0] ^= 1;
	decides(x, REASON_CODE_WRONG);
	assert_false(x->receipt.has_account || x->receipt.has_mint);
}

// The newest code of the address is another's, who asked after this visitor did: it is neither compared nor are its tries used up.
static void a_code_of_another_visitor_is_not_tried(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "sign_in");
	x->facts.code.caller[0] ^= 1;
	decides(x, REASON_CODE_SUPERSEDED);
	assert_false(x->changes.code.holds || x->changes.code.tries || x->changes.code.counts);
	x->facts.code.has_caller = false;
	decides(x, REASON_CODE_SUPERSEDED);
	tries(x, "0", "sign_in");
	x->facts.code.caller[0] ^= 1;
	decides(x, REASON_CODE_SUPERSEDED);
	assert_false(x->changes.code.counts);
}

// Of an active account of somebody else, who only says that it has the address: its code lets in nobody but who signed up with it.
static void a_code_of_a_sign_up_is_no_way_in_for_who_reads_it(void **state)
{
	struct fixture *x = *state;
	tries_right(x, "verify_phone");
	x->registration.code.by_caller = false;
	x->registration.code.has_challenge = true;
	decides(x, REASON_OPERATION_UNAVAILABLE);
	assert_false(x->changes.code.holds);
	tries_right(x, "sign_in"); // asked for: whoever set the password was never proved to have the number
	decides(x, REASON_OK);
	assert_true(x->changes.code.ousts);
	x->facts.code.holder.pending = false;
	decides(x, REASON_IDENTITY_UNKNOWN);
}

static void numbers_have_lost_their_zeros(void **state)
{
	struct fixture *x = *state;
	tries(x, "0", "verify_phone");
	struct code_facts *code = &x->facts.code;
	char text[CODE_TEXT_SIZE];
	do { // one that begins with 0
		code->seed.serial++;
		code_derive(x->keys, code->purpose, x->request.realm, &code->seed, &code->form, text);
	} while (text[0] != '0');
	uint32_t serial = code->seed.serial;
	tries(x, text, "verify_phone");
	x->facts.code.seed.serial = serial;
	decides(x, REASON_OK);
	read_request(x, "/otp/verify", NULL,
		     arena_printf(x->arena, "{\"otp\":-%ld,\"source\":\"mobile\"}", strtol(text, NULL, 10)).ptr);
	(void)has_code(x, "verify_phone");
	x->facts.code.seed.serial = serial;
	decides(x, REASON_CODE_WRONG);
}

static void a_link_verifies_its_own_account_and_lets_nobody_in(void **state)
{
	struct fixture *x = *state;
	const struct uuid id = account_id();
	char user[25];
	hex_encode(id.bytes, 12, user);
	follows(x, user);
	assert_int_equal(x->registration.code.token_count, 1);
	decides(x, REASON_OK);
	assert_true(x->receipt.verified && x->changes.code.verifies && x->changes.code.consumes);
	assert_false(x->receipt.has_mint || x->changes.code.tries);
	for (char *c = user; *c; c++)
		*c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
	follows(x, user);
	decides(x, REASON_OK);
	user[23] = user[23] == '0' ? '1' : '0';
	follows(x, user);
	decides(x, REASON_CODE_UNKNOWN);
	assert_false(x->changes.code.holds);
	user[23] = '0';
	follows(x, user);
	x->facts.code.account_id = (struct uuid){0}; // made for nobody
	decides(x, REASON_CODE_UNKNOWN);
}

static void asks(struct fixture *x)
{
	read_request(x, "/otp", NULL, "{" MOBILE "}");
	(void)has_code(x, "sign_in");
	x->facts.code.has_caller = true;
	memcpy(x->facts.code.caller, x->registration.code.callers[0], DIGEST_SIZE);
}

static void another_visitors_code_is_not_sent_again(void **state)
{
	struct fixture *x = *state;
	asks(x);
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 0); // once more
	x->facts.code.caller[0] ^= 1;
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_non_null(x->changes.challenges[0].caller);
	x->facts.code.has_caller = false;
	decides(x, REASON_OK);
	assert_int_equal(x->changes.challenge_count, 1);
}

static void signs_in(struct fixture *x, int password)
{
	read_request(x, "/signin", NULL, "{" MOBILE ",\"password\":\"secret123\"}");
	(void)has_code(x, "verify_phone");
	x->facts.password = (struct password_facts){
		.state = password, .account_id = account_id(), .compared = x->facts.code.holder.password_hash};
}

static void who_knows_the_password_is_sent_the_code_once_more(void **state)
{
	struct fixture *x = *state;
	signs_in(x, PASSWORD_FITS);
	decides(x, REASON_ACCOUNT_PENDING);
	assert_int_equal(x->changes.challenge_count, 1);
	assert_int_equal(x->changes.message_count, 1);
	assert_string_equal(x->changes.challenges[0].purpose, "verify_phone");
	assert_true(uuid_equal(&x->changes.challenges[0].account_id, &x->facts.code.holder.account_id));
	assert_memory_equal(x->changes.challenges[0].caller, x->registration.code.callers[0], DIGEST_SIZE);
	assert_text(payload_of(x, 0).recipient, PHONE);
	assert_int_equal(x->changes.recipient_count, 1);
	assert_true(x->changes.code.holds && x->changes.code.reminds && !slice_is_absent(x->changes.code.subject));
	x->c.withheld[CLAIM_PHONE] = REASON_PREFIX_HELD;
	decides(x, REASON_ACCOUNT_PENDING);
	assert_int_equal(x->changes.challenge_count + x->changes.message_count, 0);
	x->c.withheld[CLAIM_PHONE] = REASON_OK;
	x->facts.code.sent_ms = NOW_MS - MINUTE_MS + 1;
	decides(x, REASON_ACCOUNT_PENDING);
	assert_int_equal(x->changes.challenge_count + x->changes.message_count, 0);
	x->facts.code.sent_ms = 0;
	x->facts.password.state = PASSWORD_MISFITS;
	decides(x, REASON_PASSWORD_WRONG);
	assert_int_equal(x->changes.challenge_count + x->changes.message_count, 0);
}

static void reminders_are_counted_and_one_too_many_is_not_sent(void **state)
{
	static const struct limit_use limits[] = {
		{.name = "client", .allowed = 100, .window_ms = 60000, .stage = LIMIT_BEFORE_BODY},
		{.name = "sends_hour", .allowed = 5, .window_ms = 3600000, .stage = LIMIT_SENDS},
	};
	struct fixture *x = *state;
	signs_in(x, PASSWORD_FITS);
	assert_int_equal(x->registration.limit_count, 1);
	assert_string_equal(x->registration.limits[0].name, "sends_hour");
	assert_int_equal(x->registration.limits[0].stage, LIMIT_SENDS);
	x->c.limits = limits;
	x->c.limit_count = ARRAY_LEN(limits);
	decides(x, REASON_ACCOUNT_PENDING);
	assert_int_equal(x->changes.message_count, 1);
	assert_true(x->changes.counts[0] && x->changes.counts[1]);
	x->facts.limits[1].reached = true;
	decides(x, REASON_ACCOUNT_PENDING);
	assert_int_equal(x->changes.challenge_count + x->changes.message_count, 0);
	assert_true(x->changes.counts[0] && !x->changes.counts[1]);
	assert_int_equal(x->receipt.limit_count, 1);
	x->facts.limits[1].reached = false;
	x->facts.code.sent_ms = NOW_MS;
	decides(x, REASON_ACCOUNT_PENDING);
	assert_false(x->changes.counts[1]);
}

static void all_identities_must_be_known(void **state)
{
	struct fixture *x = *state;
	read_request(x, "/account/validate", NULL, "{\"email\":\"ada@example.com\"," MOBILE "}");
	decides(x, REASON_IDENTITY_UNKNOWN);
	x->facts.taken[0] = true;
	decides(x, REASON_IDENTITY_UNKNOWN);
	x->facts.taken[1] = true;
	decides(x, REASON_OK);
	assert_false(x->receipt.has_account || x->changes.code.holds);
	x->registration.claim_count = 0;
	decides(x, REASON_IDENTITY_UNKNOWN);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_sign_up_sends_codes_that_are_its_visitors),
		test(whoever_signed_up_enters_and_keeps_the_password),
		test(a_code_of_a_sign_up_is_no_way_in_for_who_reads_it),
		test(numbers_have_lost_their_zeros),
		test(a_link_verifies_its_own_account_and_lets_nobody_in),
		test(another_visitors_code_is_not_sent_again),
		test(who_knows_the_password_is_sent_the_code_once_more),
		test(reminders_are_counted_and_one_too_many_is_not_sent),
		test(all_identities_must_be_known),
		test(a_code_of_another_visitor_is_not_tried),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
