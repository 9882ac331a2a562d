// SPDX-License-Identifier: Apache-2.0
// Sessions as a pure function: begun, gone on with, used twice, ended.
#include "fixture.h"

#include <string.h>

#include "enrolld/doc/json.h"

#define NOW_MS INT64_C(1795560731123)
#define DAY_MS INT64_C(86400000)

static const char *const names[] = {"native", "phone-customers", "password-generator"};

static void read_request(struct fixture *x, const char *method, const char *path, const char *body)
{
	struct fault f;
	registration_forget(&x->registration);
	x->registration = (struct registration){0};
	x->record = (struct record){.at = {"enroll.otp", 0, 7}};
	x->request = (struct request){.record = &x->record,
				      .method = slice_of(method),
				      .path = slice_of(path),
				      .content_type = SLICE_LIT("application/json"),
				      .headers = x->headers,
				      .header_count = x->headers[0].name.len != 0,
				      .body = body ? arena_copy(x->arena, slice_of(body)) : SLICE_ABSENT,
				      .realm = SLICE_LIT("main"),
				      .request_id = SLICE_LIT("id-1"),
				      .asked_ms = x->facts.now_ms};
	assert_int_equal(dialect_route(x->dialects, names, ARRAY_LEN(names), &x->request, &x->dialect, &x->c.route, &f), REASON_OK);
	enum reason refusal = dialect_read(x->c.route, &x->request, x->secrets, NOW_MS, x->arena, &x->registration, &f);
	x->c = (struct operation_case){.request = &x->request,
				       .route = x->c.route,
				       .registration = &x->registration,
				       .refusal = refusal,
				       .facts = &x->facts,
				       .arena = x->arena};
}

static int setup(void **state)
{
	static struct fixture fixture;
	if (fixture_setup(&fixture, names, ARRAY_LEN(names), NULL) != 0)
		return -1;
	fixture.facts = (struct facts){.now_ms = NOW_MS};
	*state = &fixture;
	return 0;
}

static void decides(struct fixture *x, enum reason reason)
{
	assert_int_equal(operation_decide(&x->op, &x->c, &x->receipt, &x->changes), DECISION_STORE);
	if (x->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(x->receipt.reason), reason_code(reason));
}

// A member of the answer to what was decided.
static const char *answered(struct fixture *x, const char *member)
{
	struct answer answer;
	struct fault f;
	const struct node *root;
	dialect_answer(x->dialect, x->c.route, &x->request, &x->registration, &x->receipt, x->arena, &answer);
	assert_int_equal(json_parse(answer.body, (struct json_limits){65536, 8, 1000, false}, x->arena, &root, &f), REASON_OK);
	assert_non_null(node_member(root, member));
	return node_text(node_member(root, member)).ptr;
}

// As the database has it once what was decided is stored.
static void stored(struct fixture *x)
{
	struct session_facts *session = &x->facts.session;
	const struct session_change *change = &x->changes.sessions;
	if (x->changes.has_session) {
		const struct session_row *row = &x->changes.session;
		*session = (struct session_facts){.found = true,
						  .session_id = row->session_id,
						  .account_id = row->account_id,
						  .seed = row->seed,
						  .created_ms = row->created_ms,
						  .refreshed_ms = row->created_ms,
						  .expires_ms = row->expires_ms,
						  .number = 17};
	}
	if (change->turns) {
		session->seed.serial = change->serial;
		session->expires_ms = change->expires_ms;
		session->refreshed_ms = x->facts.now_ms;
	}
	session->revoked = session->revoked || change->ends != SESSION_NONE;
	x->facts.now_ms += 1000;
}

// Signed in with a password: the refresh token.
static const char *enters(struct fixture *x)
{
	read_request(x, "POST", "/v1/sessions",
		     "{\"email\":\"ada@example.com\",\"password\":\"secret123\",\"device\":{\"registration_id\":\"r\"}}");
	x->facts.session = (struct session_facts){0};
	x->facts.code = (struct code_facts){
		.asked = true,
		.kind = CLAIM_EMAIL,
		.value = SLICE_LIT("ada@example.com"),
		.holder = {.found = true,
			   .account_id = uuid_v8_of((const uint8_t *)"an account's id "),
			   .number = 17,
			   .password_hash = SLICE_LIT("$argon2id$...")},
	};
	const struct code_holder *holder = &x->facts.code.holder;
	x->facts.password = (struct password_facts){.state = PASSWORD_FITS,
						    .account_id = holder->account_id,
						    .serial = holder->password_serial,
						    .compared = holder->password_hash};
	decides(x, REASON_OK);
	const char *token = answered(x, "refresh_token");
	stored(x);
	return token;
}

static void refreshes(struct fixture *x, const char *token, enum reason reason)
{
	read_request(x, "POST", "/v1/sessions/refresh", arena_printf(x->arena, "{\"refresh_token\":\"%s\"}", token).ptr);
	decides(x, reason);
}

static void leaves(struct fixture *x, const char *token, const char *scope, enum reason reason)
{
	read_request(x, "DELETE", "/v1/sessions",
		     arena_printf(x->arena, "{\"refresh_token\":\"%s\",\"scope\":\"%s\"}", token, scope).ptr);
	decides(x, reason);
}

static void tokens_begin_a_session(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	const struct session_row *row = &x->changes.session;
	assert_true(x->changes.has_session && x->receipt.has_session);
	assert_true(uuid_equal(&row->account_id, &x->facts.code.holder.account_id));
	assert_int_equal(row->expires_ms - row->created_ms, 30 * DAY_MS);
	assert_int_equal(strlen(token), 64);
	uint8_t digest[DIGEST_SIZE];
	session_digest(x->keys, "native", 1, slice_of(token), digest);
	assert_memory_equal(digest, row->digest, DIGEST_SIZE);
	assert_null(strstr(x->changes.receipt.ptr, token));
}

static void an_answer_without_tokens_begins_none(void **state)
{
	struct fixture *x = *state;
	read_request(x, "POST", "/v1/accounts",
		     "{\"username\":\"ada\",\"password_hash\":\"$2b$12$abcdefghijklmnopqrstuuPUfP3QrQYQTjWYCK0pAa9sQyLh3Hq8i\"}");
	assert_int_equal(x->c.refusal, REASON_OK);
	decides(x, REASON_OK);
	assert_false(x->changes.has_session || x->receipt.has_mint);
}

static void each_use_gives_the_next_token(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	for (unsigned use = 1; use <= 3; use++) {
		refreshes(x, token, REASON_OK);
		assert_true(x->changes.sessions.holds && x->changes.sessions.turns);
		assert_int_equal(x->changes.sessions.serial, use);
		assert_int_equal(x->changes.sessions.expires_ms, x->facts.now_ms + 30 * DAY_MS);
		assert_false(x->changes.has_session);
		const char *next = answered(x, "refresh_token");
		assert_memory_equal(next, token, SESSION_NAME_LENGTH);
		assert_string_not_equal(next, token);
		assert_string_equal(answered(x, "refresh_token"), next); // whoever asks again
		stored(x);
		token = next;
	}
}

static void a_receipt_gives_the_same_tokens_again(void **state)
{
	struct fixture *x = *state;
	struct fault f;
	refreshes(x, enters(x), REASON_OK);
	const char *refresh = answered(x, "refresh_token"), *access = answered(x, "access_token");
	struct slice written = x->changes.receipt;
	stored(x);
	x->receipt = (struct receipt){0};
	assert_int_equal(receipt_read(written, x->arena, &x->receipt, &f), REASON_OK);
	assert_string_equal(answered(x, "refresh_token"), refresh);
	assert_string_equal(answered(x, "access_token"), access);
}

static void a_used_token_ends_the_session(void **state)
{
	struct fixture *x = *state;
	const char *first = enters(x);
	refreshes(x, first, REASON_OK);
	const char *second = answered(x, "refresh_token");
	stored(x);
	refreshes(x, first, REASON_TOKEN_USED);
	assert_true(x->changes.sessions.holds);
	assert_int_equal(x->changes.sessions.ends, SESSION_ONE);
	assert_string_equal(x->changes.sessions.why, "reuse");
	assert_false(x->receipt.has_mint);
	stored(x);
	refreshes(x, second, REASON_TOKEN_REVOKED);
	refreshes(x, first, REASON_TOKEN_REVOKED);
	assert_int_equal(x->changes.sessions.ends, SESSION_NONE);
}

static void late_is_too_late(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	refreshes(x, token, REASON_OK);
	x->facts.now_ms += 60000;
	decides(x, REASON_OK);
	x->facts.now_ms++; // whoever asked has given up, and asks again
	decides(x, REASON_REQUEST_EXPIRED);
	assert_false(x->changes.sessions.holds);
}

static void a_client_may_repeat_itself_for_a_while(void **state)
{
	struct fixture *x = *state;
	const char *first = enters(x);
	refreshes(x, first, REASON_OK);
	const char *second = answered(x, "refresh_token");
	stored(x);
	refreshes(x, first, REASON_TOKEN_USED);
	struct session_rule patient = *x->registration.session.rule;
	patient.grace_ms = 10000;
	x->registration.session.rule = &patient;
	x->facts.session.refreshed_ms = x->facts.now_ms - 9999;
	decides(x, REASON_OK);
	assert_false(x->changes.sessions.turns);
	assert_string_equal(answered(x, "refresh_token"), second);
	x->facts.session.refreshed_ms--;
	decides(x, REASON_TOKEN_USED);
	x->facts.session.refreshed_ms++;
	x->facts.session.seed.serial = 2; // another use lies between
	decides(x, REASON_TOKEN_USED);
}

// As when another process was first: the look saw the token unused, the store does not.
static void decided_again_under_the_lock(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	refreshes(x, token, REASON_OK);
	x->facts.session.seed.serial = 1;
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	assert_int_equal(x->receipt.reason, REASON_TOKEN_USED);
	assert_true(x->changes.sessions.holds && x->changes.sessions.ends == SESSION_ONE && !x->changes.sessions.turns);
	x->facts.session.revoked = true;
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	assert_int_equal(x->receipt.reason, REASON_TOKEN_REVOKED);
	x->facts.session = (struct session_facts){0};
	assert_true(operation_confirm(&x->op, &x->c, &x->receipt, &x->changes));
	assert_int_equal(x->receipt.reason, REASON_TOKEN_INVALID);
}

static void a_session_has_an_end(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	x->facts.now_ms = x->facts.session.expires_ms - 1;
	refreshes(x, token, REASON_OK);
	x->facts.now_ms++;
	refreshes(x, token, REASON_TOKEN_EXPIRED);
	x->facts.now_ms = x->facts.session.created_ms + 80 * DAY_MS;
	x->facts.session.expires_ms = x->facts.now_ms + 1;
	refreshes(x, token, REASON_OK);
	assert_int_equal(x->changes.sessions.expires_ms, x->facts.session.created_ms + 90 * DAY_MS);
	assert_int_equal(x->receipt.session_ends_ms, x->changes.sessions.expires_ms);
}

static void what_is_none_of_ours_finds_nothing(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	static const char *const others[] = {"", "x", "0123456789abcdef01234567", "..", "a|b"};
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		refreshes(x, others[i], REASON_TOKEN_INVALID);
		assert_int_equal(x->registration.session.digest_count, 0);
		assert_false(x->changes.sessions.holds);
	}
	x->facts.session.seed.epoch = 2; // of a key that is gone
	refreshes(x, token, REASON_TOKEN_INVALID);
}

static void signing_out(void **state)
{
	struct fixture *x = *state;
	const char *first = enters(x);
	x->facts.session.device_id = uuid_v8_of((const uint8_t *)"the device's id ");
	refreshes(x, first, REASON_OK);
	stored(x);
	leaves(x, first, "one", REASON_OK); // one that was used is good enough
	assert_int_equal(x->changes.sessions.ends, SESSION_ONE);
	assert_false(x->changes.sessions.idles);
	leaves(x, first, "device", REASON_OK);
	assert_int_equal(x->changes.sessions.ends, SESSION_DEVICE);
	assert_true(x->changes.sessions.idles && uuid_equal(&x->changes.sessions.device_id, &x->facts.session.device_id));
	leaves(x, first, "all", REASON_OK);
	assert_int_equal(x->changes.sessions.ends, SESSION_ALL);
	assert_true(x->changes.sessions.idles && uuid_equal(&x->changes.sessions.account_id, &x->facts.session.account_id));
	assert_string_equal(x->changes.sessions.why, "sign_out");
	stored(x);
	leaves(x, first, "all", REASON_OK); // has come true already
	assert_int_equal(x->changes.sessions.ends, SESSION_NONE);
	leaves(x, "nothing of ours", "one", REASON_TOKEN_INVALID);
}

static const char *spoilt(struct fixture *x, const char *token, size_t at)
{
	char *other = arena_alloc(x->arena, strlen(token) + 1);
	memcpy(other, token, strlen(token) + 1);
	other[at] = other[at] == 'x' ? 'y' : 'x';
	return other;
}

// All tokens of a session begin with its name, which whoever sees an access token knows.
static void a_name_is_no_token(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	for (unsigned use = 0; use < 3; use++) {
		static const size_t places[] = {SESSION_NAME_LENGTH, 40, 63};
		for (size_t i = 0; i < ARRAY_LEN(places); i++) {
			const char *other = spoilt(x, token, places[i]);
			refreshes(x, other, REASON_TOKEN_INVALID);
			assert_true(!x->changes.sessions.holds && x->changes.sessions.ends == SESSION_NONE);
			leaves(x, other, "all", REASON_TOKEN_INVALID);
			assert_true(!x->changes.sessions.holds && x->changes.sessions.ends == SESSION_NONE);
		}
		refreshes(x, token, REASON_OK);
		token = answered(x, "refresh_token");
		stored(x);
	}
	x->facts.session.revoked = true;
	refreshes(x, spoilt(x, token, 40), REASON_TOKEN_INVALID);
	leaves(x, spoilt(x, token, 40), "one", REASON_TOKEN_INVALID);
	leaves(x, token, "one", REASON_OK);
}

static void so_many_uses_ago_it_is_still_known(void **state)
{
	struct fixture *x = *state;
	const char *token = enters(x);
	x->facts.session.seed.serial = SESSION_EARLIER_MAX;
	refreshes(x, token, REASON_TOKEN_USED);
	assert_int_equal(x->changes.sessions.ends, SESSION_ONE);
	x->facts.session.seed.serial++;
	refreshes(x, token, REASON_TOKEN_INVALID);
	assert_int_equal(x->changes.sessions.ends, SESSION_NONE);
}

// Opaque ones say nothing of their kind.
static void access_is_asked_for_the_whole_token(void **state)
{
	static const char hex[] = "0123456789abcdef";
	struct fixture *x = *state;
	char token[48 + 1];
	refreshes(x, enters(x), REASON_OK);
	stored(x);
	struct session_use *use = &x->registration.session;
	for (uint32_t serial = 0; serial <= 2; serial++) {
		const struct session_seed seed = {x->facts.session.seed.nonce, 1, serial};
		session_token(x->keys, "token.native.opaque", x->request.realm, &seed, hex, 48, token);
		use->access = true;
		use->kind = "token.native.opaque";
		use->alphabet = hex;
		use->token = (struct slice){token, 48};
		assert_int_equal(operation_access(&x->op, &x->c), serial < 2 ? REASON_OK : REASON_TOKEN_INVALID);
		use->token = slice_of(spoilt(x, token, 47));
		assert_int_equal(operation_access(&x->op, &x->c), REASON_TOKEN_INVALID);
		use->kind = "token.native.refresh";
		use->token = (struct slice){token, 48};
		assert_int_equal(operation_access(&x->op, &x->c), REASON_TOKEN_INVALID);
	}
}

// Customers of phone-customers: the receipt of a code that was right, as the database has it then.
static void customer(struct fixture *x)
{
	read_request(x, "POST", "/api/refresh-token/", "{\"refresh\":\"x\"}");
	x->receipt = (struct receipt){.at_ms = NOW_MS,
				      .has_account = true,
				      .account_id = uuid_v8_of((const uint8_t *)"an account's id "),
				      .account_number = 17,
				      .has_mint = true,
				      .mint_nonce = {{1, 2, 3}},
				      .mint_epoch = 1,
				      .has_session = true,
				      .session_epoch = 1,
				      .session_ends_ms = NOW_MS + DAY_MS};
	x->facts.session = (struct session_facts){.found = true,
						  .account_id = x->receipt.account_id,
						  .seed = {{{1, 2, 3}}, 1, 0},
						  .created_ms = NOW_MS,
						  .expires_ms = NOW_MS + DAY_MS,
						  .number = 17};
}

static void shows(struct fixture *x, const char *token, enum reason reason)
{
	x->headers[0] = (struct header){SLICE_LIT("authorization"), arena_printf(x->arena, "Bearer %s", token)};
	read_request(x, "POST", "/api/users/logout-all-devices/", NULL);
	x->headers[0] = (struct header){0};
	decides(x, reason);
}

static void signed_tokens(void **state)
{
	struct fixture *x = *state;
	customer(x);
	const char *refresh = answered(x, "refresh"), *access = answered(x, "access");
	read_request(x, "POST", "/api/refresh-token/", arena_printf(x->arena, "{\"refresh\":\"%s\"}", refresh).ptr);
	decides(x, REASON_OK);
	assert_int_equal(x->registration.session.expires_ms, (NOW_MS / 1000 + 86400) * 1000);
	assert_int_equal(x->receipt.account_number, 17);
	stored(x);
	read_request(x, "POST", "/api/refresh-token/", arena_printf(x->arena, "{\"refresh\":\"%s\"}", refresh).ptr);
	decides(x, REASON_TOKEN_USED);
	assert_int_equal(x->changes.sessions.ends, SESSION_NONE); // the frontend's own: the session goes on
	read_request(x, "POST", "/api/refresh-token/", arena_printf(x->arena, "{\"refresh\":\"%s\"}", access).ptr);
	decides(x, REASON_TOKEN_INVALID);
	shows(x, access, REASON_OK);
	assert_int_equal(x->changes.sessions.ends, SESSION_ALL);
	shows(x, refresh, REASON_TOKEN_INVALID);
	shows(x, "x", REASON_TOKEN_INVALID);
	x->facts.now_ms = NOW_MS + 3600 * 1000; // its own life is over before the session's
	shows(x, access, REASON_TOKEN_EXPIRED);
	x->facts.now_ms = NOW_MS;
	x->facts.session.revoked = true;
	shows(x, access, REASON_TOKEN_REVOKED);
}

static void a_frontend_may_take_old_ones(void **state)
{
	struct fixture *x = *state;
	customer(x);
	read_request(x, "POST", "/api/token/refresh/", "{\"refresh\":\"x\"}");
	const char *refresh = answered(x, "refresh");
	for (unsigned use = 1; use <= 3; use++) {
		read_request(x, "POST", "/api/token/refresh/", arena_printf(x->arena, "{\"refresh\":\"%s\"}", refresh).ptr);
		decides(x, REASON_OK);
		assert_int_equal(x->changes.sessions.serial, use);
		assert_string_not_equal(answered(x, "refresh"), refresh);
		stored(x);
	}
}

// Dialects may share a realm, and their payloads and types may be alike: what the one has used up is nothing to the other, which may take old ones.
static void of_one_dialect_none_in_another(void **state)
{
	struct fixture *x = *state;
	static const char *const paths[] = {"/api/refresh-token/", "/api/token/refresh/"};
	const char *tokens[ARRAY_LEN(paths)];
	uint8_t digest[DIGEST_SIZE];
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		customer(x);
		read_request(x, "POST", paths[i], "{\"refresh\":\"x\"}");
		tokens[i] = answered(x, "refresh");
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		for (size_t j = 0; j < ARRAY_LEN(paths); j++) {
			customer(x);
			read_request(x, "POST", paths[i], arena_printf(x->arena, "{\"refresh\":\"%s\"}", tokens[j]).ptr);
			decides(x, i == j ? REASON_OK : REASON_TOKEN_INVALID);
			assert_true(x->changes.sessions.holds == (i == j) && x->changes.sessions.ends == SESSION_NONE);
			const struct session_use *use = &x->registration.session;
			if (i != j)
				continue;
			session_name_digest(x->keys, names[1 + i], x->request.realm, &x->facts.session.seed, digest);
			assert_memory_equal(use->digests[0], digest, DIGEST_SIZE);
		}
}

// Whoever took an address before its owner proved to have it loses the sessions too.
static void an_owner_ends_what_was_begun_before(void **state)
{
	struct fixture *x = *state;
	read_request(x, "POST", "/v1/codes/check", "{\"purpose\":\"sign_in\",\"phone\":\"+442071838750\",\"code\":\"000000\"}");
	struct code_facts *code = &x->facts.code;
	*code = (struct code_facts){
		.asked = true, .kind = CLAIM_PHONE, .value = SLICE_LIT("+442071838750"), .purpose = SLICE_LIT("sign_in")};
	code->found = true;
	code->seed = (struct code_seed){.nonce = {{1, 2, 3}}, .epoch = 1};
	code->form = (struct code_form){6, CODE_DIGITS};
	code->expires_ms = NOW_MS + 1;
	code->holder = (struct code_holder){
		.found = true, .account_id = uuid_v8_of((const uint8_t *)"an account's id "), .pending = true};
	char text[CODE_TEXT_SIZE];
	code_derive(x->keys, code->purpose, x->request.realm, &code->seed, &code->form, text);
	const struct code_facts facts = *code;
	read_request(x, "POST", "/v1/codes/check",
		     arena_printf(x->arena, "{\"purpose\":\"sign_in\",\"phone\":\"+442071838750\",\"code\":\"%s\"}", text).ptr);
	*code = facts;
	decides(x, REASON_OK);
	assert_int_equal(x->changes.sessions.ends, SESSION_ALL);
	assert_true(uuid_equal(&x->changes.sessions.account_id, &code->holder.account_id));
	assert_true(x->changes.has_session);
	code->holder.pending = false;
	code->holder.verified = true;
	decides(x, REASON_OK);
	assert_int_equal(x->changes.sessions.ends, SESSION_NONE);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(tokens_begin_a_session),
		test(an_answer_without_tokens_begins_none),
		test(each_use_gives_the_next_token),
		test(a_receipt_gives_the_same_tokens_again),
		test(a_used_token_ends_the_session),
		test(late_is_too_late),
		test(a_client_may_repeat_itself_for_a_while),
		test(decided_again_under_the_lock),
		test(a_session_has_an_end),
		test(what_is_none_of_ours_finds_nothing),
		test(signing_out),
		test(a_name_is_no_token),
		test(so_many_uses_ago_it_is_still_known),
		test(access_is_asked_for_the_whole_token),
		test(signed_tokens),
		test(a_frontend_may_take_old_ones),
		test(of_one_dialect_none_in_another),
		test(an_owner_ends_what_was_begun_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
