// SPDX-License-Identifier: Apache-2.0
// The HTTP transport against a scripted provider: what each kind of answer, silence and break becomes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "courier/http.h"
#include "http_server.h"

struct bench {
	struct http_server server;
	struct arena *arena;
	struct courier_conf conf;
	struct provider *provider;
	struct stopper stop;
	struct http *http;
	int asked;
	bool shut;
	int taken_when_asked;
	struct http_job job;
};

static bool gate_open(void *ctx)
{
	struct bench *b = ctx;
	b->asked++;
	b->taken_when_asked = http_server_taken(&b->server);
	return !b->shut;
}

static void bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	http_server_start(&b->server);
	b->arena = arena_create(4096);
	settings_defaults(&courier_settings, b->arena, &b->conf);
	b->conf.text_url = arena_printf(b->arena, "http://127.0.0.1:%d", b->server.sink.port).ptr;
	b->conf.text_connections = 4;
	b->conf.connect_timeout_ms = 1500;
	b->conf.text_answer_timeout_ms = 2500;
	struct fault f;
	if (provider_load(ENROLLD_SCHEMAS_DIR "/providers/generic.yaml", &b->provider, &f) != REASON_OK)
		fail_msg("%s", f.detail);
}

static void bench_connect(struct bench *b)
{
	assert_int_equal(http_open(&b->conf, b->provider, &b->stop, &b->http, NULL), REASON_OK);
}

static void bench_close(struct bench *b)
{
	http_close(b->http);
	provider_free(b->provider);
	http_server_stop(&b->server);
	arena_destroy(b->arena);
}

static void start(struct bench *b, struct http_job *job, const char *path)
{
	struct slice url = arena_printf(b->arena, "%s%s", b->conf.text_url, path);
	const struct provider_values v = {.url = url,
					  .to = SLICE_LIT("+4915112345678"),
					  .text = SLICE_LIT("your code is 012345"),
					  .message_id = SLICE_LIT("0198c0de-1")};
	assert_int_equal(provider_write(b->provider, &v, &job->request, NULL), REASON_OK);
	job->gate = (struct gate){gate_open, b};
	http_start(b->http, job);
}

static struct http_job *wait_for_one(struct bench *b)
{
	struct http_job *job = http_done(b->http);
	for (int i = 0; !job && i < 1000; i++) {
		http_run(b->http, 500);
		job = http_done(b->http);
	}
	assert_non_null(job);
	provider_request_free(&job->request);
	return job;
}

static const struct handover *text_to(struct bench *b, const char *path)
{
	b->asked = 0;
	start(b, &b->job, path);
	return &wait_for_one(b)->handover;
}

static void texts_share_a_connection(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.conf.text_user = "AC1";
	b.conf.text_password = "pa:ss";
	bench_connect(&b);
	for (int i = 1; i <= 5; i++) {
		const struct handover *h = text_to(&b, "/ok");
		assert_int_equal(h->kind, HANDOVER_ACCEPTED);
		assert_string_equal(h->code, "201");
		assert_string_equal(h->remote_id, "SM1");
		assert_int_equal(b.asked, 1);
		assert_int_equal(b.taken_when_asked, i - 1);
	}
	assert_int_equal(b.server.sink.count, 1);
	assert_non_null(strstr(b.server.head.data, "POST /ok HTTP/1.1\n"));
	assert_non_null(strstr(b.server.head.data, "\nIdempotency-Key: 0198c0de-1\n"));
	assert_non_null(strstr(b.server.head.data, "\nAuthorization: Basic QUMxOnBhOnNz\n"));
	assert_non_null(strstr(b.server.head.data, "\nContent-Type: application/json\n"));
	assert_null(strstr(b.server.head.data, "Expect"));
	assert_string_equal(b.server.body.data,
			    "{\"id\":\"0198c0de-1\",\"to\":\"+4915112345678\",\"text\":\"your code is 012345\",\"language\":null,"
			    "\"purpose\":null,\"realm\":null}");
	bench_close(&b);
}

static void bearer(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.conf.text_password = "token-1";
	bench_connect(&b);
	assert_int_equal(text_to(&b, "/ok")->kind, HANDOVER_ACCEPTED);
	assert_non_null(strstr(b.server.head.data, "\nAuthorization: Bearer token-1\n"));
	bench_close(&b);
}

static void answers(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		enum handover_kind kind;
		const char *code;
		int taken;
		int64_t retry_min, retry_max;
		bool busy;
	} rows[] = {
		{"/ok", HANDOVER_ACCEPTED, "201", 1, 0, 0, false},
		{"/slow", HANDOVER_ACCEPTED, "201", 1, 0, 0, false},
		{"/huge", HANDOVER_ACCEPTED, "201", 1, 0, 0, false},
		{"/status/400", HANDOVER_REFUSED, "400", 1, 0, 0, false},
		{"/status/401", HANDOVER_AWAY, "401", 1, 0, 0, false},
		{"/status/500", HANDOVER_UNKNOWN, "500", 1, 0, 0, false},
		{"/status/503", HANDOVER_DEFERRED, "503", 1, 0, 0, true},
		{"/later", HANDOVER_DEFERRED, "429", 1, 7000, 7000, true},
		{"/date", HANDOVER_DEFERRED, "503", 1, 55000, 61000, true},
		{"/redirect", HANDOVER_AWAY, "307", 1, 0, 0, false},
		{"/drop", HANDOVER_UNKNOWN, "no_answer", 1, 0, 0, false},
		{"/silent", HANDOVER_UNKNOWN, "no_answer", 1, 0, 0, false},
	};
	for (int warm = 0; warm < 2; warm++) { // on a new connection and on one in use
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			static struct bench b;
			bench_open(&b);
			bench_connect(&b);
			if (warm)
				assert_int_equal(text_to(&b, "/ok")->kind, HANDOVER_ACCEPTED);
			const struct handover *h = text_to(&b, rows[i].path);
			if (h->kind != rows[i].kind || strcmp(h->code, rows[i].code) != 0 ||
			    h->retry_after_ms < rows[i].retry_min || h->retry_after_ms > rows[i].retry_max ||
			    h->busy != rows[i].busy)
				fail_msg("%s warm %d: kind %d code %s retry %d: %s", rows[i].path, warm, (int)h->kind, h->code,
					 (int)h->retry_after_ms, h->fault.detail);
			assert_int_equal(b.asked, 1);
			assert_int_equal(http_server_taken(&b.server), rows[i].taken + warm); // above all: never sent twice
			assert_null(strstr(h->fault.detail, "012345"));
			assert_int_equal(text_to(&b, "/ok")->kind, HANDOVER_ACCEPTED);
			bench_close(&b);
		}
	}
}

static void break_before_the_end(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	const struct handover *h = text_to(&b, "/cut");
	assert_true(h->kind == HANDOVER_DEFERRED || h->kind == HANDOVER_UNKNOWN || h->kind == HANDOVER_AWAY);
	assert_int_equal(http_server_taken(&b.server), 0);
	bench_close(&b);
}

// A kept connection that dies under the second request: libcurl would send it again by itself.
static void stale_connection(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	assert_int_equal(text_to(&b, "/once")->kind, HANDOVER_ACCEPTED);
	assert_int_equal(text_to(&b, "/once")->kind, HANDOVER_UNKNOWN);
	assert_int_equal(http_server_taken(&b.server), 2);
	assert_int_equal(b.asked, 1);
	assert_int_equal(text_to(&b, "/once")->kind, HANDOVER_ACCEPTED);
	bench_close(&b);
}

static void shut_gate(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	b.shut = true;
	assert_int_equal(text_to(&b, "/ok")->kind, HANDOVER_HELD);
	assert_int_equal(http_server_taken(&b.server), 0);
	b.shut = false;
	assert_int_equal(text_to(&b, "/ok")->kind, HANDOVER_ACCEPTED);
	assert_int_equal(http_server_taken(&b.server), 1);
	bench_close(&b);
}

static void nobody_listens(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	struct fault f;
	assert_int_equal(http_probe(&b.conf, &f), REASON_OK);
	sink_close_listener(&b.server.sink);
	const struct handover *h = text_to(&b, "/ok");
	assert_int_equal(h->kind, HANDOVER_AWAY);
	assert_int_equal(b.asked, 0);
	assert_int_equal(http_probe(&b.conf, &f), REASON_DELIVERY_UNREACHABLE);
	bench_close(&b);
}

static void several_at_once(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	struct http_job jobs[4];
	memset(jobs, 0, sizeof(jobs));
	int64_t begin = clock_mono_ns();
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(http_room(b.http), 4 - i);
		start(&b, &jobs[i], i == 0 ? "/ok" : "/slow");
	}
	assert_int_equal(http_room(b.http), 0);
	assert_ptr_equal(wait_for_one(&b), &jobs[0]);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(wait_for_one(&b)->handover.kind, HANDOVER_ACCEPTED);
	assert_true(clock_mono_ns() - begin < INT64_C(2900000000));
	assert_int_equal(http_running(b.http), 0);
	assert_true(jobs[1].took_ns > INT64_C(1400000000));
	bench_close(&b);
}

static void stops(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.conf.text_answer_timeout_ms = 60000;
	bench_connect(&b);
	start(&b, &b.job, "/silent");
	for (int i = 0; i < 100 && http_server_taken(&b.server) == 0; i++)
		http_run(b.http, 20);
	int64_t begin = clock_mono_ns();
	stopper_ask(&b.stop, 300);
	assert_int_equal(wait_for_one(&b)->handover.kind, HANDOVER_UNKNOWN);
	int64_t took_ms = (clock_mono_ns() - begin) / 1000000;
	assert_true(took_ms >= 250 && took_ms < 2000);
	assert_int_equal(text_to(&b, "/ok")->kind, HANDOVER_HELD); // nothing new begins
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_share_a_connection), cmocka_unit_test(bearer),           cmocka_unit_test(answers),
		cmocka_unit_test(break_before_the_end),     cmocka_unit_test(stale_connection), cmocka_unit_test(shut_gate),
		cmocka_unit_test(nobody_listens),           cmocka_unit_test(several_at_once),  cmocka_unit_test(stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
