// SPDX-License-Identifier: Apache-2.0
// Links that break, servers that are away, logins that are refused: the reason each gives, and that the handle goes on afterwards.
#include "proxy.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "enrolld/base/clock.h"

static struct fixture *fx;
static struct proxy *proxy;
static struct arena *arena;
static int64_t offsets;

static int open_all(void **state)
{
	(void)state;
	fx = fixture_open(false);
	proxy = proxy_open(fx);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	proxy_close(proxy);
	fixture_close(fx);
	return 0;
}

static int open_arena(void **state)
{
	(void)state;
	arena = arena_create(4096);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static struct sample *sign_up(void)
{
	int64_t n = offsets++;
	struct sample *s = sample_create(arena, "faults", arena_printf(arena, "r%lld", (long long)n).ptr, n);
	sample_claim(s, CLAIM_EMAIL, arena_printf(arena, "f%lld@a.example", (long long)n).ptr);
	sample_accept(s);
	return s;
}

static int64_t accounts(void)
{
	return fixture_count(fx, "SELECT count(*) FROM enrolld.account");
}

static void terminate_workers(void)
{
	(void)fixture_sql(fx, "SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity WHERE usename = '%s'",
			  fx->database);
}

static void a_commit_whose_answer_is_lost_shows_as_redelivery(void **state)
{
	(void)state;
	const struct store_conf conf = proxy_conf(proxy);
	struct store *store;
	assert_ok(store_open(&conf, "enrolld/test/lost", &store, &f_));
	struct sample *s = sign_up();
	struct store_item item = sample_item(s);
	int64_t had = accounts();
	struct fault f;
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	proxy_set(proxy, PROXY_CUT_AFTER_COMMIT);
	assert_int_equal(store_finish(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f), REASON_STORE_UNAVAILABLE);
	assert_int_equal(accounts(), had + 1);

	struct look_item look = sample_look(s);
	assert_ok(store_look(store, SAMPLE_GROUP, NULL, 0, &look, 1, &f_));
	assert_int_equal(s->facts.hit, HIT_REDELIVERY);
	assert_ok(store_batch(store, &item, 1, &f_));
	assert_int_equal(item.outcome, STORE_HIT);
	assert_int_equal(s->facts.hit, HIT_REDELIVERY);
	assert_true(slice_equal(s->facts.row.result, s->changes.result));
	assert_int_equal(accounts(), had + 1);
	store_close(store);
}

static void a_commit_that_never_arrived_is_done_again(void **state)
{
	(void)state;
	const struct store_conf conf = proxy_conf(proxy);
	struct store *store;
	assert_ok(store_open(&conf, "enrolld/test/lost", &store, &f_));
	struct store_item item = sample_item(sign_up());
	int64_t had = accounts();
	struct fault f;
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	proxy_set(proxy, PROXY_CUT_BEFORE_COMMIT);
	assert_int_equal(store_finish(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f), REASON_STORE_UNAVAILABLE);
	assert_ok(store_batch(store, &item, 1, &f_));
	assert_int_equal(item.outcome, STORE_WON);
	assert_int_equal(accounts(), had + 1);
	store_close(store);
}

static void a_silent_link_is_given_up(void **state)
{
	(void)state;
	struct store_conf conf = proxy_conf(proxy);
	conf.statement_timeout_ms = 100;
	conf.lock_timeout_ms = 50;
	struct store *store;
	assert_ok(store_open(&conf, "enrolld/test/silent", &store, &f_));
	assert_ok(store_ping(store, &f_));
	proxy_set(proxy, PROXY_SILENT);
	struct fault f;
	int64_t start_ns = clock_mono_ns();
	assert_int_equal(store_ping(store, &f), REASON_STORE_UNAVAILABLE);
	assert_string_equal(f.detail, "no answer in time");
	assert_true(clock_mono_ns() - start_ns < INT64_C(8000000000));
	proxy_set(proxy, PROXY_PASS);
	assert_ok(store_ping(store, &f_));
	store_close(store);
}

static void a_link_that_was_closed_while_idle_is_made_again(void **state)
{
	(void)state;
	struct store *store = fixture_store(fx, "enrolld/test/idle");
	assert_ok(store_ping(store, &f_));
	terminate_workers();
	assert_ok(store_ping(store, &f_));
	terminate_workers();
	assert_int_equal(store_one(store, sign_up()), STORE_WON);
	store_close(store);
}

static void a_backend_that_dies_within_the_transaction_leaves_nothing(void **state)
{
	(void)state;
	struct store *store = fixture_store(fx, "enrolld/test/killed");
	struct store_item item = sample_item(sign_up());
	int64_t had = accounts();
	struct fault f;
	assert_ok(store_begin(store, SAMPLE_GROUP, &item, 1, &f_));
	terminate_workers();
	assert_int_equal(store_finish(store, SAMPLE_GROUP, NULL, 0, &item, 1, &f), REASON_STORE_UNAVAILABLE);
	assert_int_equal(accounts(), had);
	assert_ok(store_batch(store, &item, 1, &f_));
	assert_int_equal(item.outcome, STORE_WON);
	store_close(store);
}

static atomic_bool storm_over;

static void *storm(void *arg)
{
	(void)arg;
	while (!atomic_load(&storm_over)) {
		terminate_workers();
		clock_sleep_ms(2);
	}
	return NULL;
}

// Every item ends once, however often the backend dies under it; retried by the rules of the contract.
static void a_storm_of_57P01_neither_loses_nor_doubles(void **state)
{
	(void)state;
	enum { BATCHES_MAX = 4000, FAILURES = 20, ITEMS = 10 };
	struct store *store = fixture_store(fx, "enrolld/test/storm");
	int64_t had = accounts();
	pthread_t thread;
	int failures = 0, redelivered = 0, batches = 0;
	assert_int_equal(pthread_create(&thread, NULL, storm, NULL), 0);
	for (; failures < FAILURES && batches < BATCHES_MAX; batches++) {
		struct store_item items[ITEMS];
		for (int i = 0; i < ITEMS; i++)
			items[i] = sample_item(sign_up());
		struct fault f;
		enum reason reason;
		while ((reason = store_batch(store, items, ITEMS, &f)) != REASON_OK) {
			if (reason != REASON_STORE_UNAVAILABLE)
				fail_msg("%s: %s", reason_code(reason), f.detail);
			failures++;
		}
		for (int i = 0; i < ITEMS; i++) {
			redelivered += items[i].outcome == STORE_HIT;
			assert_int_not_equal(items[i].outcome, STORE_LOST);
			assert_true(items[i].outcome == STORE_WON || items[i].facts->hit == HIT_REDELIVERY);
		}
	}
	atomic_store(&storm_over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("%d batches, %d failures, %d redelivered\n", batches, failures, redelivered);
	assert_true(failures >= FAILURES);
	assert_int_equal(accounts(), had + batches * ITEMS);
	store_close(store);
}

static void a_lock_held_too_long_is_a_conflict(void **state)
{
	(void)state;
	struct store_conf conf = fx->worker;
	conf.lock_timeout_ms = 200;
	struct store *store, *holder = fixture_store(fx, "enrolld/test/holder");
	assert_ok(store_open(&conf, "enrolld/test/waits", &store, &f_));
	struct sample *first = sign_up(), *second = sign_up();
	second->registration.claims[0].value = first->registration.claims[0].value;
	struct store_item held = sample_item(first), wanted = sample_item(second);
	struct fault f;
	assert_ok(store_begin(holder, SAMPLE_GROUP, &held, 1, &f_));
	assert_int_equal(store_begin(store, SAMPLE_GROUP, &wanted, 1, &f), REASON_STORE_CONFLICT);
	assert_string_equal(f.detail, "claim_insert: SQLSTATE 55P03");
	assert_ok(store_finish(holder, SAMPLE_GROUP, NULL, 0, &held, 1, &f_));
	assert_ok(store_batch(store, &wanted, 1, &f_));
	assert_int_equal(wanted.outcome, STORE_LOST);
	store_close(store);
	store_close(holder);
}

static void a_stopped_process_frees_its_locks(void **state)
{
	(void)state;
	struct store_conf conf = fx->worker;
	conf.idle_timeout_ms = 1000;
	struct store *stopped, *other = fixture_store(fx, "enrolld/test/other");
	assert_ok(store_open(&conf, "enrolld/test/stopped", &stopped, &f_));
	struct store_item item = sample_item(sign_up());
	struct fault f;
	assert_ok(store_begin(stopped, SAMPLE_GROUP, &item, 1, &f_));
	struct store_item same = item;
	assert_ok(store_batch(other, &same, 1, &f_)); // waits until the lock is free
	assert_int_equal(same.outcome, STORE_WON);
	assert_int_equal(store_finish(stopped, SAMPLE_GROUP, NULL, 0, &item, 1, &f), REASON_STORE_UNAVAILABLE);
	assert_ok(store_batch(stopped, &item, 1, &f_));
	assert_int_equal(item.outcome, STORE_HIT);
	store_close(stopped);
	store_close(other);
}

static enum reason try_once(const struct store_conf *conf, struct fault *f)
{
	struct store *store;
	assert_ok(store_open(conf, "enrolld/test/try", &store, &f_));
	enum reason reason = store_ping(store, f);
	store_close(store);
	return reason;
}

static struct store_conf with(const char *name, const char *value)
{
	struct store_conf conf = fx->worker;
	struct setting_pair *pairs = ARENA_ARRAY(arena, conf.properties.count + 1, struct setting_pair);
	memcpy(pairs, conf.properties.pairs, conf.properties.count * sizeof(*pairs));
	pairs[conf.properties.count] = (struct setting_pair){name, value};
	conf.properties = (struct setting_map){pairs, conf.properties.count + 1};
	return conf;
}

static void refusals_halt_a_handle_that_never_worked(void **state)
{
	(void)state;
	struct fault f;
	struct store_conf conf = with("user", "enrolld_no_such_login");
	assert_int_equal(try_once(&conf, &f), REASON_STORE_DENIED);
	assert_non_null(strstr(f.detail, "SQLSTATE 28"));
	assert_null(strstr(f.detail, "no_such_login"));
	conf = with("dbname", "enrolld_no_such_database");
	assert_int_equal(try_once(&conf, &f), REASON_STORE_DENIED);
	assert_string_equal(f.detail, "connect: SQLSTATE 3D000");
}

static void refusals_pause_a_handle_that_has_worked(void **state)
{
	(void)state;
	struct store *store = fixture_store(fx, "enrolld/test/denied");
	assert_ok(store_ping(store, &f_));
	struct fault f;
	(void)fixture_sql(fx, "ALTER ROLE %s NOLOGIN", fx->database);
	terminate_workers();
	assert_int_equal(store_ping(store, &f), REASON_STORE_UNAVAILABLE);
	assert_string_equal(f.detail, "connect: SQLSTATE 28000");
	assert_int_equal(try_once(&fx->worker, &f), REASON_STORE_DENIED);
	(void)fixture_sql(fx, "ALTER ROLE %s LOGIN", fx->database);
	assert_ok(store_ping(store, &f_));

	(void)fixture_sql(fx, "REVOKE INSERT ON enrolld.account FROM enrolld_worker");
	struct store_item item = sample_item(sign_up());
	assert_int_equal(store_batch(store, &item, 1, &f), REASON_STORE_UNAVAILABLE);
	assert_string_equal(f.detail, "account_insert: SQLSTATE 42501");
	struct store *fresh = fixture_store(fx, "enrolld/test/fresh");
	const struct coordinates at = {"t", 0, 0};
	(void)fixture_sql(fx, "REVOKE INSERT ON enrolld.hand FROM enrolld_worker");
	int before;
	assert_int_equal(store_hand_on(fresh, "g", &at, &before, &f), REASON_STORE_DENIED);
	(void)fixture_sql(fx, "GRANT INSERT ON enrolld.account, enrolld.hand TO enrolld_worker");
	assert_ok(store_batch(store, &item, 1, &f_));
	store_close(fresh);
	store_close(store);
}

// Accepts by the kernel's grace, as many as fit its queue, and never answers.
static int mute_server(int queue, uint16_t *port)
{
	int mute = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(own);
	assert_int_equal(bind(mute, (const struct sockaddr *)&own, len), 0);
	assert_int_equal(listen(mute, queue), 0);
	assert_int_equal(getsockname(mute, (struct sockaddr *)&own, &len), 0);
	*port = ntohs(own.sin_port);
	return mute;
}

static void a_server_that_is_away_is_unavailable(void **state)
{
	(void)state;
	struct fault f;
	struct store_conf conf = with("port", "1");
	assert_int_equal(try_once(&conf, &f), REASON_STORE_UNAVAILABLE);
	if (!strstr(f.detail, "connect: connection to server at \"...\", port 1 failed: Connection refused"))
		fail_msg("%s", f.detail);

	uint16_t port;
	int mute = mute_server(8, &port);
	conf = with("port", arena_printf(arena, "%u", port).ptr);
	conf.connect_timeout_ms = 300;
	int64_t start_ns = clock_mono_ns();
	assert_int_equal(try_once(&conf, &f), REASON_STORE_UNAVAILABLE);
	assert_string_equal(f.detail, "connect: no answer within 300 ms");
	assert_true(clock_mono_ns() - start_ns < 2000000000);
	(void)close(mute);
}

static struct store_conf two_hosts(unsigned first, const char *second)
{
	struct store_conf conf = with("port", arena_printf(arena, "%u,%s", first, second).ptr);
	struct setting_pair *pairs = ARENA_ARRAY(arena, conf.properties.count + 1, struct setting_pair);
	memcpy(pairs, conf.properties.pairs, conf.properties.count * sizeof(*pairs));
	pairs[conf.properties.count] = (struct setting_pair){"host", "127.0.0.1,127.0.0.1"};
	conf.properties = (struct setting_map){pairs, conf.properties.count + 1};
	return conf;
}

static void the_next_host_is_tried(void **state)
{
	(void)state;
	const char *good = fixture_sql(fx, "SELECT inet_server_port()");
	struct store_conf conf = two_hosts(1, good);
	struct fault f;
	assert_int_equal(try_once(&conf, &f), REASON_OK);

	// A machine that is gone does not even refuse: with its queue full, this socket drops what comes.
	uint16_t port;
	int gone = mute_server(0, &port), fillers[3];
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	for (int i = 0; i < 3; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fillers[i], (const struct sockaddr *)&own, sizeof(own));
	}
	conf = two_hosts(port, good);
	conf.connect_timeout_ms = 1500;
	if (try_once(&conf, &f) != REASON_OK)
		fail_msg("%s", f.detail);
	for (int i = 0; i < 3; i++)
		(void)close(fillers[i]);
	(void)close(gone);
}

// libpq stays with a server that takes connections and says nothing: the next attempt begins with another one.
static void a_host_that_hangs_does_not_keep_us(void **state)
{
	(void)state;
	uint16_t port;
	int mute = mute_server(8, &port);
	struct store_conf conf = two_hosts(port, fixture_sql(fx, "SELECT inet_server_port()"));
	conf.connect_timeout_ms = 300;
	struct store *store;
	struct fault f;
	assert_ok(store_open(&conf, "enrolld/test/hang", &store, &f_));
	int64_t start_ns = clock_mono_ns();
	assert_int_equal(store_ping(store, &f), REASON_STORE_UNAVAILABLE);
	assert_string_equal(f.detail, "connect: no answer within 300 ms");
	assert_true(clock_mono_ns() - start_ns < INT64_C(5000000000));
	assert_ok(store_ping(store, &f_));
	store_close(store);
	(void)close(mute);
}

static void a_read_only_server_is_unavailable(void **state)
{
	(void)state;
	struct fault f;
	(void)fixture_sql(fx, "ALTER ROLE %s SET default_transaction_read_only = on", fx->database);
	assert_int_equal(try_once(&fx->worker, &f), REASON_STORE_UNAVAILABLE);
	assert_non_null(strstr(f.detail, "read-only"));
	(void)fixture_sql(fx, "ALTER ROLE %s RESET default_transaction_read_only", fx->database);
}

static void a_dsn_does_not_leak(void **state)
{
	(void)state;
	struct store_conf conf = fx->worker;
	conf.properties = (struct setting_map){0};
	conf.dsn = "postgresql://u:top@secret@127.0.0.1:1/x"; // an @ that was not escaped: libpq takes the rest for the host
	struct fault f;
	assert_int_equal(try_once(&conf, &f), REASON_STORE_UNAVAILABLE);
	assert_null(strstr(f.detail, "secret"));
	struct store *store;
	conf.dsn = "postgresql://u:secret@[::1/x";
	assert_int_equal(store_open(&conf, "n", &store, &f), REASON_SETTING_INVALID);
	assert_null(strstr(f.detail, "secret"));
	conf.dsn = "host=a pasword=secret";
	assert_int_equal(store_open(&conf, "n", &store, &f), REASON_SETTING_INVALID);
	assert_null(strstr(f.detail, "secret"));
	conf = with("ssl_mode", "secret");
	assert_int_equal(store_open(&conf, "n", &store, &f), REASON_SETTING_INVALID);
	assert_string_equal(f.detail, "database.properties.ssl_mode: libpq has no such keyword");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_commit_whose_answer_is_lost_shows_as_redelivery),
		TEST(a_commit_that_never_arrived_is_done_again),
		TEST(a_silent_link_is_given_up),
		TEST(a_link_that_was_closed_while_idle_is_made_again),
		TEST(a_backend_that_dies_within_the_transaction_leaves_nothing),
		TEST(a_storm_of_57P01_neither_loses_nor_doubles),
		TEST(a_lock_held_too_long_is_a_conflict),
		TEST(a_stopped_process_frees_its_locks),
		TEST(refusals_halt_a_handle_that_never_worked),
		TEST(refusals_pause_a_handle_that_has_worked),
		TEST(a_server_that_is_away_is_unavailable),
		TEST(the_next_host_is_tried),
		TEST(a_host_that_hangs_does_not_keep_us),
		TEST(a_read_only_server_is_unavailable),
		TEST(a_dsn_does_not_leak),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
