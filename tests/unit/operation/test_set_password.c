// SPDX-License-Identifier: Apache-2.0
// Setting a password: by code or by the old one, what is compared with what, and what comes of it.
#include "fixture.h"

#include <string.h>

#include "enrolld/crypto/seal.h"
#include "enrolld/model/payload.h"

#define NOW_MS INT64_C(1795560731123)
#define MINUTE_MS INT64_C(60000)
#define NEW "amber fox under the bridge"
#define MADE SLICE_LIT("$argon2id$new")

static enum reason read_request(struct fixture *x, const char *members)
{
	static const char *const names[] = {"native"};
	const struct dialect *dialect;
	struct fault f;
	registration_forget(&x->registration);
	x->registration = (struct registration){0};
	x->record = (struct record){.at = {"enroll.signup", 0, 7}};
	x->request = (struct request){.record = &x->record,
				      .method = SLICE_LIT("POST"),
				      .path = SLICE_LIT("/v1/password"),
				      .content_type = SLICE_LIT("application/json"),
				      .body = arena_printf(x->arena, "{\"email\":\"ada@example.com\",%s}", members),
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = NOW_MS};
	x->c = (struct operation_case){
		.request = &x->request, .registration = &x->registration, .facts = &x->facts, .arena = x->arena};
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &dialect, &x->c.route, &f), REASON_OK);
	x->c.refusal = dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f);
	x->facts = (struct facts){.now_ms = NOW_MS};
	x->facts.code = (struct code_facts){.asked = true, .kind = CLAIM_EMAIL, .value = SLICE_LIT("ada@example.com")};
	x->facts.code.holder = (struct code_holder){.found = true,
						    .account_id = uuid_v8_of((const uint8_t *)"an account's id "),
						    .verified = true,
						    .number = 17,
						    .locale = SLICE_LIT("ar"),
						    .password_hash = SLICE_LIT("$argon2id$old"),
						    .password_serial = 3,
						    .email = SLICE_LIT("ada@example.com")};
	return x->c.refusal;
}

// A code for a new password that was sent two minutes ago, and the right one is tried.
static void by_code(struct fixture *x)
{
	struct code_seed seed = {.nonce = {{1, 2, 3}}, .epoch = 1};
	struct code_form form = {6, CODE_DIGITS};
	char code[CODE_TEXT_SIZE];
	code_derive(x->keys, SLICE_LIT("reset"), SLICE_LIT("main"), &seed, &form, code);
	assert_int_equal(read_request(x, arena_printf(x->arena, "\"code\":\"%s\",\"password\":\"" NEW "\"", code).ptr), REASON_OK);
	struct code_facts *facts = &x->facts.code;
	facts->found = true;
	facts->purpose = SLICE_LIT("reset");
	facts->challenge_id = uuid_v8_of((const uint8_t *)"a challenge's id");
	facts->account_id = facts->holder.account_id;
	facts->seed = seed;
	facts->form = form;
	facts->created_ms = facts->sent_ms = NOW_MS - 2 * MINUTE_MS;
	facts->expires_ms = facts->created_ms + 10 * MINUTE_MS;
}

static void by_password(struct fixture *x)
{
	assert_int_equal(read_request(x, "\"old_password\":\"old\",\"password\":\"" NEW "\""), REASON_OK);
}

// As the hash pool does.
static void pooled(struct fixture *x, int state)
{
	const struct code_holder *holder = &x->facts.code.holder;
	x->facts.password = (struct password_facts){.state = state,
						    .account_id = holder->account_id,
						    .serial = holder->password_serial,
						    .compared = holder->password_hash,
						    .made = state == PASSWORD_MISFITS ? SLICE_ABSENT : MADE};
}

static void wants_hash(struct fixture *x)
{
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_HASH);
}

static void decides(struct fixture *x, enum reason reason)
{
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_STORE);
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
	if (reason != REASON_OK)
		assert_true(slice_is_absent(x->changes.code.password) && x->changes.message_count == 0);
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

static void the_right_code_sets_it(void **state)
{
	struct fixture *x = *state;
	by_code(x);
	wants_hash(x);
	pooled(x, PASSWORD_UNCOMPARED);
	decides(x, REASON_OK);
	const struct code_change *code = &x->changes.code;
	assert_true(code->holds && code->tries && code->consumes && slice_is_absent(code->subject));
	assert_true(slice_equal(code->password, MADE) && slice_is_absent(code->renews));
	assert_int_equal(code->eases.len, 64); // whoever guessed at the old one is forgotten
	assert_true(uuid_equal(&code->account_id, &x->facts.code.holder.account_id));
	assert_true(x->receipt.has_account && !x->receipt.has_mint);
	assert_int_equal(x->changes.sessions.ends, SESSION_ALL);
	assert_true(uuid_is_nil(&x->changes.sessions.kept));
	assert_null(strstr(x->changes.receipt.ptr, "argon2"));
}

static void a_wrong_code_costs_no_hash_and_is_counted(void **state)
{
	struct fixture *x = *state;
	by_code(x);
	x->facts.code.seed.nonce.bytes[0] ^= 1;
	decides(x, REASON_CODE_WRONG);
	assert_true(x->changes.code.holds && x->changes.code.tries && x->changes.code.counts && !x->changes.code.consumes);
	assert_int_equal(x->receipt.tries_left, 4);
	x->facts.code.tries = 5;
	decides(x, REASON_CODE_EXHAUSTED);
	by_code(x);
	x->facts.code.consumed = true;
	decides(x, REASON_CODE_USED);
}

// Between the look and the lock everything may have changed; a hash that is wanted only now sends it back to the look.
static void what_counts_is_what_the_lock_finds(void **state)
{
	struct fixture *x = *state;
	by_code(x);
	assert_false(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	pooled(x, PASSWORD_UNCOMPARED);
	x->facts.code.consumed = true;
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	assert_int_equal(x->receipt.reason, REASON_CODE_USED);
	assert_true(slice_is_absent(x->changes.code.password));
	by_password(x);
	pooled(x, PASSWORD_FITS);
	decides(x, REASON_OK);
	x->facts.code.holder.password_serial++; // another was faster
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	assert_int_equal(x->receipt.reason, REASON_PASSWORD_WRONG);
	assert_true(slice_is_absent(x->changes.code.password) && x->changes.code.counts);
}

static void a_code_is_for_one_thing(void **state)
{
	struct fixture *x = *state;
	by_code(x);
	pooled(x, PASSWORD_UNCOMPARED);
	x->facts.code.purpose = SLICE_LIT("sign_in"); // of which the address has one too
	decides(x, REASON_CODE_UNKNOWN);
	by_code(x);
	x->registration.operation = OPERATION_CODE_CHECK;
	decides(x, REASON_OPERATION_UNAVAILABLE);
	assert_false(x->changes.code.holds);
}

static void only_a_proved_address_sets_it(void **state)
{
	struct fixture *x = *state;
	by_code(x);
	pooled(x, PASSWORD_UNCOMPARED);
	x->facts.code.holder.verified = false;
	decides(x, REASON_IDENTITY_UNKNOWN);
	assert_true(x->changes.code.consumes);
	x->facts.code.holder.pending = true; // nobody else has proved anything: it is whose the address is
	decides(x, REASON_OK);
	assert_true(x->changes.code.verifies && x->receipt.verified);
	assert_true(x->changes.code.ousts); // whoever opened it has no other address of it
	x->facts.code.holder = (struct code_holder){0};
	x->facts.code.account_id = (struct uuid){0};
	decides(x, REASON_IDENTITY_UNKNOWN);
}

static void the_old_one_is_counted_as_at_sign_in(void **state)
{
	struct fixture *x = *state;
	by_password(x);
	assert_true(x->registration.code.by_password && x->registration.password && x->registration.old_password);
	wants_hash(x);
	pooled(x, PASSWORD_MISFITS);
	decides(x, REASON_PASSWORD_WRONG);
	assert_true(x->changes.code.holds && x->changes.code.counts);
	assert_int_equal(x->changes.code.subject.len, 64);
	assert_int_equal(x->changes.code.failures, 1);
	x->facts.code.locked_until_ms = NOW_MS + 1;
	decides(x, REASON_PASSWORD_LOCKED);
	by_password(x);
	pooled(x, PASSWORD_FITS);
	decides(x, REASON_OK);
	assert_true(slice_equal(x->changes.code.password, MADE));
	x->facts.code.holder.pending = true;
	decides(x, REASON_ACCOUNT_PENDING);
}

static void the_owner_is_told(void **state)
{
	struct fixture *x = *state;
	char id[UUID_TEXT_SIZE];
	struct slice plain;
	struct payload payload;
	struct fault f;
	struct output outputs[OPERATION_EVENTS_MAX];
	by_password(x);
	pooled(x, PASSWORD_FITS);
	decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count, 1);
	assert_string_equal(x->changes.messages[0].template_name, "password_changed_email");
	assert_true(uuid_is_nil(&x->changes.messages[0].challenge_id));
	uuid_format(&x->changes.messages[0].message_id, id);
	assert_int_equal(seal_open(x->keys, slice_of(id), x->changes.messages[0].sealed, x->arena, &plain, &f), REASON_OK);
	assert_int_equal(payload_read(plain, x->arena, &payload, &f), REASON_OK);
	assert_true(slice_equal_text(payload.recipient, "ada@example.com") && slice_equal_text(payload.locale, "ar"));
	assert_int_equal(operation_event_outputs(&x->request, &x->registration, &x->receipt, "enroll.accounts", x->arena, outputs),
			 1);
	assert_null(memmem(outputs[0].value.ptr, outputs[0].value.len, "argon2", 6));
	x->facts.code.holder.email = SLICE_ABSENT; // none that was ever proved
	decides(x, REASON_OK);
	assert_int_equal(x->changes.message_count, 0);
}

static void the_new_one_meets_the_rules(void **state)
{
	static const char *const bodies[] = {
		"\"code\":\"123456\",\"password\":\"short\"",
		"\"code\":\"123456\",\"password\":\"ada@example.com\"",
		"\"code\":\"123456\"",
		"\"password\":\"" NEW "\"",
		"\"code\":\"123456\",\"old_password\":\"old\",\"password\":\"" NEW "\"",
	};
	struct fixture *x = *state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		assert_int_equal(read_request(x, bodies[i]), REASON_INVALID);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_right_code_sets_it),
		test(a_wrong_code_costs_no_hash_and_is_counted),
		test(what_counts_is_what_the_lock_finds),
		test(a_code_is_for_one_thing),
		test(only_a_proved_address_sets_it),
		test(the_old_one_is_counted_as_at_sign_in),
		test(the_owner_is_told),
		test(the_new_one_meets_the_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
