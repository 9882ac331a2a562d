// SPDX-License-Identifier: Apache-2.0
// The courier's texts, from rows of a real PostgreSQL to a scripted provider.
#include "post.h"

#include <stdio.h>
#include <string.h>

#include "enrolld/base/clock.h"
#include "http_server.h"

struct bench {
	struct http_server server;
	struct post *post;
};

static void set_path(struct bench *b, const char *path)
{
	b->post->conf.text_url = arena_printf(b->post->arena, "http://127.0.0.1:%d%s", b->server.sink.port, path).ptr;
}

static void bench_open(struct bench *b, const char *path)
{
	http_server_start(&b->server);
	b->post = post_open();
	set_path(b, path);
}

static void bench_close(struct bench *b)
{
	post_close(b->post);
	http_server_stop(&b->server);
}

static struct posted text_to(struct bench *b, const char *to, const char *locale)
{
	return post_message(b->post, "sms", to, locale, NULL, 600000);
}

static int occurrences(const char *text, const char *part)
{
	int n = 0;
	for (const char *at = text; at && (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void texts_go_out(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/ok");
	enum { COUNT = 40 };
	struct posted posted[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		posted[i] = text_to(&b, "+4915112345678", i % 2 ? "es-MX" : "en");
	post_start(b.post);
	post_wait(b.post, COUNT, "state = 'accepted' AND sealed IS NULL AND code = '201' AND remote_id = 'SM1' AND attempts = 1");
	assert_int_equal(http_server_taken(&b.server), COUNT);
	assert_true(b.server.sink.count <= 4);
	for (size_t i = 0; i < COUNT; i++) {
		char body[300];
		(void)snprintf(
			body, sizeof(body),
			i % 2 ? "{\"id\":\"%s\",\"to\":\"+4915112345678\",\"text\":\"Example: tu código es %s. Válido 10 min. No lo compartas.\",\"language\":\"es\","
			      : "{\"id\":\"%s\",\"to\":\"+4915112345678\",\"text\":\"Example: your code is %s. Valid for 10 min. Do not share it.\",\"language\":\"en\",",
			posted[i].id, posted[i].code);
		assert_int_equal(occurrences(b.server.bodies.data, body), 1);
		assert_null(strstr(b.server.bodies.data, posted[i].token));
	}
	assert_int_equal(occurrences(b.server.bodies.data, "\n"), COUNT);
	bench_close(&b);
}

// The answer is lost: an ordinary provider gets nothing again, ever.
static void unknown_is_never_repeated(void **state)
{
	(void)state;
	static const char *const paths[] = {"/drop", "/silent", "/status/500"};
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		static struct bench b;
		bench_open(&b, paths[i]);
		text_to(&b, "+4915112345678", NULL);
		post_start(b.post);
		post_wait(b.post, 1, "state = 'unknown' AND attempts = 1 AND due_at IS NULL AND sealed IS NULL");
		clock_sleep_ms(1200);
		assert_int_equal(http_server_taken(&b.server), 1);
		bench_close(&b);
	}
}

static void idempotent_provider_gets_it_again(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/drop");
	b.post->conf.providers_dir = TESTS_DATA_DIR "/providers";
	b.post->conf.text_provider = "idempotent";
	struct posted m = post_message(b.post, "sms", "+4915112345678", NULL, NULL, 3000);
	post_start(b.post);
	post_wait(b.post, 1, "state = 'deferred' AND code = 'no_answer' AND attempts >= 2");
	post_wait(b.post, 1, "state = 'expired'");
	assert_true(http_server_taken(&b.server) >= 2);
	char header[100];
	(void)snprintf(header, sizeof(header), "Idempotency-Key: %s\n", m.id);
	assert_non_null(strstr(b.server.head.data, header));
	bench_close(&b);
}

static void refused_and_busy(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/status/422");
	text_to(&b, "+4915112345678", NULL);
	text_to(&b, "not a number", NULL);
	post_start(b.post);
	post_wait(b.post, 1, "state = 'refused' AND code = '422' AND attempts = 1");
	post_wait(b.post, 1, "state = 'refused' AND code = 'delivery_refused' AND attempts = 0");
	assert_int_equal(http_server_taken(&b.server), 1);
	courier_destroy(b.post->courier);
	b.post->courier = NULL;

	// 429 with Retry-After: 7: the four in hand wait for so long, and the others are held back.
	set_path(&b, "/later");
	for (int i = 0; i < 10; i++)
		text_to(&b, "+4915112345678", NULL);
	post_start(b.post);
	post_wait(b.post, 4, "state = 'deferred' AND code = '429' AND attempts = 1 AND due_at > now() + interval '3 seconds'");
	clock_sleep_ms(1000);
	assert_false(courier_ready(b.post->courier, NULL));
	courier_stop(b.post->courier, 1000);
	assert_int_equal(http_server_taken(&b.server), 5);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'queued'"), 6);
	bench_close(&b);
}

static void outage_costs_no_attempt(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/status/401"); // no login: about us, not the text
	for (int i = 0; i < 3; i++)
		text_to(&b, "+4915112345678", NULL);
	post_start(b.post);
	clock_sleep_ms(1500);
	assert_false(courier_ready(b.post->courier, NULL));
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE due_at IS NOT NULL"), 3);
	courier_destroy(b.post->courier);
	b.post->courier = NULL;
	post_sql(b.post, "UPDATE enrolld.message SET attempts = 0, state = 'queued', due_at = now()");

	b.post->conf.text_url = "http://127.0.0.1:9"; // nobody listens
	post_start(b.post);
	clock_sleep_ms(1500);
	assert_false(courier_ready(b.post->courier, NULL));
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE due_at IS NOT NULL AND attempts = 0"), 3);
	courier_destroy(b.post->courier);
	b.post->courier = NULL;

	set_path(&b, "/ok");
	post_start(b.post);
	post_wait(b.post, 3, "state = 'accepted' AND attempts = 1");
	assert_true(courier_ready(b.post->courier, NULL));
	bench_close(&b);
}

static void database_goes_away(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/slow");
	for (int i = 0; i < 4; i++)
		text_to(&b, "+4915112345678", NULL);
	post_start(b.post);
	post_wait(b.post, 4, "state = 'transmitting'");
	post_sql(b.post, "ALTER ROLE %s NOLOGIN", b.post->database);
	post_sql(b.post, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '%s'", b.post->database);
	clock_sleep_ms(2500);
	assert_false(courier_ready(b.post->courier, NULL));
	post_sql(b.post, "ALTER ROLE %s LOGIN", b.post->database);
	post_wait(b.post, 4, "state = 'accepted' AND attempts = 1");
	assert_int_equal(http_server_taken(&b.server), 4);
	bench_close(&b);
}

static void stop_finishes_what_it_began(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/slow");
	for (int i = 0; i < 6; i++)
		text_to(&b, "+4915112345678", NULL);
	post_start(b.post);
	post_wait(b.post, 4, "state = 'transmitting'");
	courier_stop(b.post->courier, 5000);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'accepted'"), 4);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'queued'"), 2);
	courier_destroy(b.post->courier);

	set_path(&b, "/silent");
	b.post->conf.text_answer_timeout_ms = 60000;
	post_start(b.post);
	post_wait(b.post, 2, "state = 'transmitting'");
	int64_t start = clock_mono_ns();
	courier_stop(b.post->courier, 400);
	assert_true(clock_mono_ns() - start < INT64_C(2500000000));
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'unknown'"), 2);
	bench_close(&b);
}

static void wakes_at_once(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b, "/ok");
	b.post->conf.poll_ms = 30000;
	post_start(b.post);
	clock_sleep_ms(800);
	text_to(&b, "+4915112345678", NULL);
	clock_sleep_ms(800);
	assert_int_equal(http_server_taken(&b.server), 0);
	courier_wake(b.post->courier);
	post_wait(b.post, 1, "state = 'accepted'");
	bench_close(&b);
}

static void nothing_to_send_to(void **state)
{
	(void)state;
	struct post *post = post_open();
	post->conf.text_url = NULL;
	post->conf.messages_dir = "/nonexistent";
	post_start(post);
	courier_wake(post->courier);
	assert_true(courier_ready(post->courier, NULL));
	courier_stop(post->courier, 100);
	courier_destroy(post->courier);
	post->courier = NULL;
	struct fault f = {0};
	post->conf.text_url = "http://127.0.0.1:9";
	assert_int_equal(courier_create(&post->conf, &post->worker, post->keys, "test", (struct courier_listener){NULL, NULL},
					&post->courier, &f),
			 REASON_FILE_UNREADABLE);
	assert_non_null(strstr(f.detail, "/nonexistent"));
	post_close(post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_go_out),
		cmocka_unit_test(unknown_is_never_repeated),
		cmocka_unit_test(idempotent_provider_gets_it_again),
		cmocka_unit_test(refused_and_busy),
		cmocka_unit_test(outage_costs_no_attempt),
		cmocka_unit_test(database_goes_away),
		cmocka_unit_test(stop_finishes_what_it_began),
		cmocka_unit_test(wakes_at_once),
		cmocka_unit_test(nothing_to_send_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
