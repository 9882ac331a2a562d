// SPDX-License-Identifier: Apache-2.0
// Sessions on a real database, decided by the real operations: one token has one use, and what ends is ended, whoever comes at once.
#include "integration/store/fixture.h"

#include <stdatomic.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "enrolld/doc/json.h"
#include "enrolld/operation/operation.h"

#define ACCOUNT "00000000-0000-8000-8000-00000000000"
#define HASH "$argon2id$v=19$m=8192,t=1,p=1$c2FsdHNhbHQ$aGFzaA"

static struct fixture *fx;
static struct store *store, *other;
static struct arena *arena;
static struct keyring *keys;
static struct secret_pool *secrets;
static struct dialect_set *dialects;
static struct operation_conf conf;
static struct operation op;
static int64_t offset;

static int open_all(void **state)
{
	static const char *const names[] = {"native"};
	struct fault f;
	bool locked;
	(void)state;
	fx = fixture_open(false);
	store = fixture_store(fx, "enrolld/test/session");
	other = fixture_store(fx, "enrolld/test/session");
	arena = arena_create(65536);
	if (crypto_setup(&f) != REASON_OK || secret_pool_create(64, &secrets, &locked, &f) != REASON_OK)
		return -1;
	keys = keyring_for_tests();
	const struct dialect_options options = {.keys = keys};
	assert_ok(dialect_load(ENROLLD_SCHEMAS_DIR "/dialects", names, 1, &options, NULL, &dialects, &f_));
	settings_defaults(&operation_settings, arena, &conf);
	op = (struct operation){.conf = &conf, .keys = keys, .horizon_ms = INT64_C(30) * 86400000};
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	dialect_set_destroy(dialects);
	secret_pool_destroy(secrets);
	keyring_destroy(keys);
	arena_destroy(arena);
	store_close(store);
	store_close(other);
	fixture_close(fx);
	return 0;
}

// A request with all that becomes of it.
struct passing {
	struct record record;
	struct request request;
	const struct dialect *dialect;
	const struct route *route;
	struct registration registration;
	struct facts facts;
	struct receipt receipt;
	struct changes changes;
	enum store_outcome outcome;
};

static struct passing *make(const char *realm, const char *method, const char *path, const char *body)
{
	static const char *const names[] = {"native"};
	struct passing *p = ARENA_NEW(arena, struct passing);
	int64_t at = offset++;
	p->record = (struct record){.at = {"enroll.otp", 0, at}};
	p->request = (struct request){.record = &p->record,
				      .method = slice_of(method),
				      .path = slice_of(path),
				      .content_type = SLICE_LIT("application/json"),
				      .body = arena_copy(arena, slice_of(body)),
				      .realm = slice_of(realm),
				      .request_id = arena_printf(arena, "r%lld", (long long)at),
				      .asked_ms = clock_wall_ms(),
				      .fingerprint_count = 1};
	p->request.fingerprints[0].epoch = 1;
	assert_ok(dialect_route(dialects, names, 1, &p->request, &p->dialect, &p->route, &f_));
	assert_ok(dialect_read(p->route, &p->request, secrets, clock_wall_ms(), arena, &p->registration, &f_));
	return p;
}

static struct passing *refreshing(const char *realm, const char *token)
{
	return make(realm, "POST", "/v1/sessions/refresh", arena_printf(arena, "{\"refresh_token\":\"%s\"}", token).ptr);
}

static struct passing *leaving(const char *realm, const char *token, const char *scope)
{
	return make(realm, "DELETE", "/v1/sessions",
		    arena_printf(arena, "{\"refresh_token\":\"%s\",\"scope\":\"%s\"}", token, scope).ptr);
}

static struct passing *entering(const char *realm, const char *device)
{
	return make(realm, "POST", "/v1/sessions",
		    arena_printf(arena, "{\"username\":\"somebody\",\"password\":\"x\",\"device\":{\"registration_id\":\"%s\"}}",
				 device)
			    .ptr);
}

static struct operation_case case_of(const struct passing *p)
{
	return (struct operation_case){
		.request = &p->request, .route = p->route, .registration = &p->registration, .facts = &p->facts, .arena = arena};
}

static void look(struct store *with, struct passing *p)
{
	struct look_item item = {.request = &p->request, .registration = &p->registration, .arena = arena, .facts = &p->facts};
	assert_ok(store_look(with, "enrolld.otp", NULL, 0, &item, 1, &f_));
	if (p->facts.hit != HIT_NONE)
		return;
	if (p->registration.code.by_password) { // as the hash pool does
		const struct code_holder *holder = &p->facts.code.holder;
		p->facts.password = (struct password_facts){.state = PASSWORD_FITS,
							    .account_id = holder->account_id,
							    .serial = holder->password_serial,
							    .compared = holder->password_hash};
	}
	struct operation_case c = case_of(p);
	assert_int_equal(operation_decide(&op, &c, &p->receipt, &p->changes), DECISION_STORE);
}

// As the storer does it.
static void begin(struct store *with, struct passing *p, struct store_item *item)
{
	*item = (struct store_item){.request = &p->request,
				    .registration = &p->registration,
				    .changes = &p->changes,
				    .arena = arena,
				    .facts = &p->facts};
	assert_ok(store_begin(with, "enrolld.otp", item, 1, &f_));
	struct operation_case c = case_of(p);
	if (item->outcome == STORE_WON && (p->changes.code.holds || p->changes.sessions.holds)) {
		assert_true(operation_confirm(&op, &c, &p->receipt, &p->changes));
		item->completed = true;
	}
	p->outcome = item->outcome;
}

static void store_it(struct store *with, struct passing *p)
{
	struct store_item item;
	begin(with, p, &item);
	assert_ok(store_finish(with, "enrolld.otp", NULL, 0, &item, 1, &f_));
	registration_forget(&p->registration);
}

static struct passing *pass(struct passing *p)
{
	look(store, p);
	store_it(store, p);
	return p;
}

static void assert_reason(const struct passing *p, enum reason reason)
{
	if (p->receipt.reason != reason)
		fail_msg("%s instead of %s", reason_code(p->receipt.reason), reason_code(reason));
}

static const char *token_of(const struct passing *p)
{
	struct answer answer;
	const struct node *root;
	assert_reason(p, REASON_OK);
	dialect_answer(p->dialect, p->route, &p->request, &p->registration, &p->receipt, arena, &answer);
	assert_ok(json_parse(answer.body, (struct json_limits){65536, 8, 1000, false}, arena, &root, &f_));
	return node_text(node_member(root, "refresh_token")).ptr;
}

// An account of the realm, that somebody can sign in to with a password.
static void account(const char *realm, int n)
{
	(void)fixture_sql(fx,
			  "INSERT INTO enrolld.account (account_id, realm, state, password_hash) VALUES ('" ACCOUNT
			  "%d', '%s', 'active', '" HASH "')",
			  n, realm);
	(void)fixture_sql(
		fx,
		"INSERT INTO enrolld.claim (realm, kind, value, account_id, shown) VALUES ('%s', 'username', 'somebody', '" ACCOUNT
		"%d', 'x')",
		realm, n);
}

// Uses and ends of the realm's sessions, oldest first.
static const char *state_of(const char *realm)
{
	return fixture_sql(fx,
			   "SELECT string_agg(serial || coalesce(' ' || revoked_reason, ''), ', ' ORDER BY created_at, session_id) "
			   "FROM enrolld.session WHERE realm = '%s'",
			   realm);
}

static void a_token_has_one_use(void **state)
{
	(void)state;
	account("one", 1);
	const char *token = token_of(pass(entering("one", "d")));
	struct passing *late = refreshing("one", token), *early = refreshing("one", token);
	look(store, late); // both see it unused
	look(other, early);
	assert_reason(late, REASON_OK);
	assert_reason(early, REASON_OK);
	store_it(other, early);
	store_it(store, late);
	assert_reason(early, REASON_OK);
	assert_reason(late, REASON_TOKEN_USED);
	assert_string_equal(state_of("one"), "1 reuse");
	assert_int_equal(fixture_count(fx, "SELECT count(*) FROM enrolld.inbox WHERE realm = 'one' AND reason = 'token_used'"), 1);
	assert_reason(pass(refreshing("one", token_of(early))), REASON_TOKEN_REVOKED);
}

static void a_redelivery_is_no_second_use(void **state)
{
	(void)state;
	account("redelivery", 2);
	struct passing *p = pass(refreshing("redelivery", token_of(pass(entering("redelivery", "d")))));
	const char *token = token_of(p);
	look(store, p);
	assert_int_equal(p->facts.hit, HIT_REDELIVERY);
	p->facts = (struct facts){0}; // and if the look had come before the first delivery was stored
	struct store_item item;
	begin(store, p, &item);
	assert_int_equal(item.outcome, STORE_HIT);
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	assert_string_equal(state_of("redelivery"), "1");
	assert_reason(pass(refreshing("redelivery", token)), REASON_OK);
	assert_string_equal(state_of("redelivery"), "2");
}

// Held by one, waited for by another: what it sees then is what the first has made of it.
static void who_holds_a_session_is_waited_for(void **state)
{
	(void)state;
	account("held", 3);
	const char *token = token_of(pass(entering("held", "d")));
	struct passing *p = refreshing("held", token);
	struct store_item item;
	look(store, p);
	begin(store, p, &item);
	assert_int_equal(
		fixture_count(
			fx,
			"SELECT count(*) FROM (SELECT 1 FROM enrolld.session WHERE realm = 'held' FOR UPDATE SKIP LOCKED) AS s"),
		0);
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	assert_int_equal(
		fixture_count(
			fx,
			"SELECT count(*) FROM (SELECT 1 FROM enrolld.session WHERE realm = 'held' FOR UPDATE SKIP LOCKED) AS s"),
		1);
	assert_string_equal(state_of("held"), "1");
}

static void all_of_an_account_end(void **state)
{
	(void)state;
	account("all", 4);
	const char *token = token_of(pass(entering("all", "a")));
	(void)token_of(pass(entering("all", "b")));
	(void)fixture_sql(fx, "INSERT INTO enrolld.device (device_id, realm, account_id, registration) "
			      "VALUES (gen_random_uuid(), 'all', '" ACCOUNT "9', 'stranger')");
	assert_reason(pass(leaving("all", token, "all")), REASON_OK);
	assert_string_equal(state_of("all"), "0 sign_out, 0 sign_out");
	assert_string_equal(
		fixture_sql(
			fx,
			"SELECT string_agg(registration || ' ' || active, ', ' ORDER BY registration) FROM enrolld.device WHERE realm = 'all'"),
		"a false, b false, stranger true");
}

static void those_of_one_device_end(void **state)
{
	(void)state;
	account("device", 5);
	const char *token = token_of(pass(entering("device", "da")));
	(void)token_of(pass(entering("device", "db")));
	(void)token_of(pass(entering("device", "da")));
	assert_reason(pass(leaving("device", token, "device")), REASON_OK);
	assert_string_equal(state_of("device"), "0 sign_out, 0, 0 sign_out");
	assert_string_equal(
		fixture_sql(
			fx,
			"SELECT string_agg(registration || ' ' || active, ', ' ORDER BY registration) FROM enrolld.device WHERE realm = 'device'"),
		"da false, db true");
}

// Whoever sets another password ends what was begun before, but for what they go on with; what was compared with the old one does not begin.
static void a_new_password_ends_the_others(void **state)
{
	(void)state;
	account("password", 6);
	const char *kept = token_of(pass(entering("password", "a")));
	(void)token_of(pass(entering("password", "b")));
	struct passing *late = entering("password", "c"), *change = refreshing("password", kept),
		       *early = entering("password", "d");
	struct store_item item;
	look(store, late); // compared with the old one, and not there yet
	look(store, early);
	begin(store, early, &item);
	assert_int_equal(
		fixture_count(
			fx,
			"SELECT count(*) FROM (SELECT 1 FROM enrolld.account WHERE realm = 'password' FOR UPDATE SKIP LOCKED) AS a"),
		0); // who sets another one waits, and finds the session to be ended
	assert_ok(store_finish(store, "enrolld.otp", NULL, 0, &item, 1, &f_));
	registration_forget(&early->registration);

	look(other, change);
	change->changes.sessions.ends = SESSION_ALL;
	change->changes.sessions.kept = change->facts.session.session_id;
	change->changes.sessions.why = "password";
	item = (struct store_item){.request = &change->request,
				   .registration = &change->registration,
				   .changes = &change->changes,
				   .arena = arena,
				   .facts = &change->facts};
	(void)fixture_sql(fx, "UPDATE enrolld.account SET password_hash = 'another', password_serial = 1 WHERE realm = 'password'");
	assert_ok(store_begin(other, "enrolld.otp", &item, 1, &f_));
	assert_ok(store_finish(other, "enrolld.otp", NULL, 0, &item, 1, &f_));

	store_it(store, late);
	assert_reason(late, REASON_PASSWORD_WRONG);
	assert_string_equal(state_of("password"), "1, 0 password, 0 password");
}

static void what_was_held_for_another_reason_is_found_gone(void **state)
{
	(void)state;
	account("gone", 7);
	const char *token = token_of(pass(entering("gone", "d")));
	struct passing *p = refreshing("gone", token);
	look(store, p);
	(void)fixture_sql(fx, "DELETE FROM enrolld.session WHERE realm = 'gone'");
	store_it(store, p);
	assert_reason(p, REASON_TOKEN_INVALID);
}

static void ended_ones_are_swept(void **state)
{
	(void)state;
	size_t deleted;
	account("swept", 8);
	(void)token_of(pass(entering("swept", "sa")));
	(void)token_of(pass(entering("swept", "sb")));
	(void)fixture_sql(fx, "UPDATE enrolld.session SET expires_at = now() - interval '1 second' WHERE device_id = "
			      "(SELECT device_id FROM enrolld.device WHERE realm = 'swept' AND registration = 'sa')");
	assert_ok(store_sweep(store, 1000, &deleted, &f_));
	assert_string_equal(state_of("swept"), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_has_one_use),
		cmocka_unit_test(a_redelivery_is_no_second_use),
		cmocka_unit_test(who_holds_a_session_is_waited_for),
		cmocka_unit_test(all_of_an_account_end),
		cmocka_unit_test(those_of_one_device_end),
		cmocka_unit_test(a_new_password_ends_the_others),
		cmocka_unit_test(what_was_held_for_another_reason_is_found_gone),
		cmocka_unit_test(ended_ones_are_swept),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
