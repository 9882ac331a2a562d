// SPDX-License-Identifier: Apache-2.0
// Signing in with a password: what is compared with what, and what comes of it.
#include "fixture.h"

#include <string.h>

#define NOW_MS INT64_C(1795560731123)

static const struct header headers[] = {{{"authorization", 13}, {"Bearer visitor", 14}}};

static void read_request(struct fixture *x, const char *body)
{
	static const char *const names[] = {"posbytz"};
	const struct dialect *dialect;
	struct fault f;
	secret_release(x->registration.password);
	x->registration = (struct registration){0};
	x->record = (struct record){.at = {"enroll.otp", 0, 7}};
	x->request = (struct request){.record = &x->record,
				      .method = SLICE_LIT("POST"),
				      .path = SLICE_LIT("/ecommerce/v1/auth/signin"),
				      .content_type = SLICE_LIT("application/json"),
				      .headers = headers,
				      .header_count = 1,
				      .body = arena_copy(x->arena, slice_of(body)),
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = NOW_MS};
	assert_int_equal(dialect_route(x->dialects, names, 1, &x->request, &dialect, &x->c.route, &f), REASON_OK);
	assert_int_equal(dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f), REASON_OK);
	x->c = (struct operation_case){.request = &x->request,
				       .route = x->c.route,
				       .registration = &x->registration,
				       .facts = &x->facts,
				       .arena = x->arena};
	x->facts = (struct facts){.now_ms = NOW_MS};
	x->facts.code = (struct code_facts){.asked = true, .kind = CLAIM_EMAIL, .value = SLICE_LIT("ada@example.com")};
}

static void has_account(struct fixture *x)
{
	x->facts.code.holder = (struct code_holder){.found = true,
						    .account_id = uuid_v8_of((const uint8_t *)"an account's id "),
						    .number = 17,
						    .password_hash = SLICE_LIT("$argon2id$...")};
}

static int setup(void **state)
{
	static struct fixture fixture;
	static const char *const names[] = {"posbytz"};
	if (fixture_setup(&fixture, names, ARRAY_LEN(names), NULL) != 0)
		return -1;
	read_request(&fixture, "{\"email\":\"Ada@example.com\",\"password\":\"secret123\"}");
	*state = &fixture;
	return 0;
}

static void decides(struct fixture *x, enum reason reason)
{
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_STORE);
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
}

// As the hash pool does.
static void compared(struct fixture *x, int password)
{
	const struct code_holder *holder = &x->facts.code.holder;
	x->facts.password = (struct password_facts){.state = password,
						    .account_id = holder->account_id,
						    .serial = holder->password_serial,
						    .compared = holder->password_hash};
}

static void confirms(struct fixture *x, enum reason reason)
{
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
}

static void everybody_costs_a_hash_first(void **state)
{
	struct fixture *x = *state;
	assert_true(x->registration.code.by_password && x->registration.code.kind == CLAIM_EMAIL);
	assert_true(slice_equal_text(x->registration.code.value, "ada@example.com"));
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_HASH); // a stranger
	has_account(x);
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_HASH);
	assert_false(x->changes.has_account || x->changes.code.holds);
}

static void the_right_password_enters(void **state)
{
	struct fixture *x = *state;
	has_account(x);
	compared(x, PASSWORD_FITS);
	decides(x, REASON_OK);
	assert_true(x->receipt.has_account && x->receipt.has_mint);
	assert_true(uuid_equal(&x->receipt.account_id, &x->facts.code.holder.account_id));
	assert_int_equal(x->receipt.account_number, 17);
	assert_true(x->changes.code.holds); // what it was compared with may be another's when it is stored
	assert_false(x->changes.code.counts);
	x->facts.code.failures = 3; // are over then
	decides(x, REASON_OK);
	assert_true(x->changes.code.counts);
	assert_int_equal(x->changes.code.failures, 0);
	assert_null(strstr(x->changes.receipt.ptr, "argon2"));
}

static void wrong_ones_are_told_and_counted_alike(void **state)
{
	struct fixture *x = *state;
	compared(x, PASSWORD_MISFITS);
	decides(x, REASON_PASSWORD_WRONG);
	struct changes stranger = x->changes;
	struct slice bytes = x->changes.receipt;
	assert_true(stranger.code.holds && stranger.code.counts);
	assert_int_equal(stranger.code.failures, 1);
	has_account(x);
	x->facts.code.holder.pending = true; // is told to nobody without the password
	decides(x, REASON_PASSWORD_WRONG);
	assert_true(slice_equal(bytes, x->changes.receipt));
	assert_int_equal(x->changes.code.failures, 1);
	x->facts.code.failures = 10;
	decides(x, REASON_PASSWORD_WRONG);
	assert_int_equal(x->changes.code.locked_until_ms, NOW_MS + 30000);
	x->facts.code.locked_until_ms = NOW_MS + 30000;
	compared(x, PASSWORD_FITS);
	decides(x, REASON_PASSWORD_LOCKED);
	x->facts.password.state = PASSWORD_UNCOMPARED; // without a hash, whoever it is
	decides(x, REASON_PASSWORD_LOCKED);
	assert_int_equal(x->receipt.next_ms, NOW_MS + 30000);
}

static void a_pending_account_is_not_entered(void **state)
{
	struct fixture *x = *state;
	has_account(x);
	x->facts.code.holder.pending = true;
	compared(x, PASSWORD_FITS);
	decides(x, REASON_ACCOUNT_PENDING);
	assert_false(x->receipt.has_account || x->receipt.has_mint);
}

// Whoever typed the password has given up; so has whoever goes on with a session.
static void what_waited_is_not_compared(void **state)
{
	struct fixture *x = *state;
	has_account(x);
	compared(x, PASSWORD_FITS);
	x->request.asked_ms = NOW_MS - 60000;
	decides(x, REASON_OK);
	x->request.asked_ms--;
	decides(x, REASON_REQUEST_EXPIRED);
	assert_false(x->changes.code.holds);
	const struct session_rule rule = {.request_age_ms = 120000};
	x->registration.session.rule = &rule;
	x->registration.session.opens = false;
	decides(x, REASON_OK);
}

// People type anything into such a field, a password too: it is not kept, and what is counted by it is not the address's.
static void failures_are_counted_by_a_digest(void **state)
{
	struct fixture *x = *state;
	compared(x, PASSWORD_MISFITS);
	decides(x, REASON_PASSWORD_WRONG);
	struct slice subject = x->changes.code.subject;
	assert_int_equal(subject.len, 64);
	assert_null(strstr(subject.ptr, "ada"));
	assert_true(slice_equal(subject, x->registration.code.subject));
	read_request(x, "{\"email\":\"ada@EXAMPLE.com\",\"password\":\"secret124\"}");
	assert_true(slice_equal(subject, x->registration.code.subject));
	read_request(x, "{\"email\":\"eda@example.com\",\"password\":\"secret123\"}");
	assert_false(slice_equal(subject, x->registration.code.subject));
}

static void nobody_is_not_compared(void **state)
{
	struct fixture *x = *state;
	read_request(x, "{\"password\":\"secret123\"}");
	decides(x, REASON_PASSWORD_WRONG);
	assert_false(x->changes.code.holds);
}

static void confirmed_under_the_lock(void **state)
{
	struct fixture *x = *state;
	has_account(x);
	compared(x, PASSWORD_MISFITS);
	decides(x, REASON_PASSWORD_WRONG);
	x->facts.code.failures = 1; // another's
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	assert_int_equal(x->changes.code.failures, 2);
}

// The password that was compared is the account's, whatever hash it has by now, and no other account's.
static void what_was_compared_is_what_is_entered(void **state)
{
	struct fixture *x = *state;
	has_account(x);
	compared(x, PASSWORD_FITS);
	const struct facts then = x->facts;
	decides(x, REASON_OK);
	x->facts.code.holder.password_hash = SLICE_LIT("$argon2id$another"); // of the same password
	confirms(x, REASON_OK);
	x->facts.code.holder.password_serial++; // has another one now
	confirms(x, REASON_PASSWORD_WRONG);
	x->facts = then;
	x->facts.code.holder.account_id.bytes[0] ^= 1; // the identity is another account's
	confirms(x, REASON_PASSWORD_WRONG);
	assert_false(x->receipt.has_account || x->receipt.has_mint);
	assert_int_equal(x->changes.code.failures, 1);
	x->facts.code.holder.password_hash = SLICE_ABSENT;
	confirms(x, REASON_PASSWORD_WRONG);
	x->facts.code.holder = (struct code_holder){0};
	confirms(x, REASON_PASSWORD_WRONG);
	x->facts = then;
	x->facts.code.locked_until_ms = NOW_MS + 1;
	confirms(x, REASON_PASSWORD_LOCKED);
	x->facts = then;
	x->facts.code.holder.pending = true;
	confirms(x, REASON_ACCOUNT_PENDING);
	x->facts = then;
	confirms(x, REASON_OK);
}

// The same password in a hash of today's cost: only in place of the one that was compared, and only by who enters.
static void a_hash_is_renewed(void **state)
{
	struct fixture *x = *state;
	has_account(x);
	compared(x, PASSWORD_FITS);
	decides(x, REASON_OK);
	assert_true(slice_is_absent(x->changes.code.password));
	x->facts.password.made = SLICE_LIT("$argon2id$today");
	decides(x, REASON_OK);
	assert_true(slice_equal_text(x->changes.code.password, "$argon2id$today"));
	assert_true(slice_equal_text(x->changes.code.renews, "$argon2id$..."));
	assert_true(uuid_equal(&x->changes.code.account_id, &x->facts.code.holder.account_id));
	x->facts.code.holder.password_serial++;
	confirms(x, REASON_PASSWORD_WRONG);
	assert_true(slice_is_absent(x->changes.code.password));
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(everybody_costs_a_hash_first),
		test(the_right_password_enters),
		test(wrong_ones_are_told_and_counted_alike),
		test(a_pending_account_is_not_entered),
		test(what_waited_is_not_compared),
		test(failures_are_counted_by_a_digest),
		test(nobody_is_not_compared),
		test(confirmed_under_the_lock),
		test(what_was_compared_is_what_is_entered),
		test(a_hash_is_renewed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
