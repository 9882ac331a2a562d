// SPDX-License-Identifier: Apache-2.0
// The SMTP transport against a scripted server: what each kind of answer, silence and break becomes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "courier/smtp.h"
#include "smtp_server.h"

struct bench {
	struct smtp_server server;
	struct arena *arena;
	struct courier_conf conf;
	struct stopper stop;
	struct smtp *smtp;
	int asked; // times the gate was asked
	bool shut; // what it says
	int mails_when_asked;
	struct handover h;
};

static bool gate_open(void *ctx)
{
	struct bench *b = ctx;
	b->asked++;
	b->mails_when_asked = smtp_server_mails(&b->server);
	return !b->shut;
}

static void bench_open(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	smtp_server_start(&b->server);
	b->arena = arena_create(4096);
	settings_defaults(&courier_settings, b->arena, &b->conf);
	struct slice url = arena_printf(b->arena, "smtp://127.0.0.1:%d", b->server.sink.port);
	b->conf.smtp_url = url.ptr;
	b->conf.smtp_tls = COURIER_TLS_NONE;
	b->conf.smtp_hello = "worker.example";
	b->conf.connect_timeout_ms = 1500;
	b->conf.smtp_command_timeout_ms = 1500;
	b->conf.answer_timeout_ms = 2500;
}

static void bench_connect(struct bench *b)
{
	struct fault f;
	assert_int_equal(smtp_open(&b->conf, &b->stop, &b->smtp, &f), REASON_OK);
}

static void bench_close(struct bench *b)
{
	smtp_close(b->smtp);
	smtp_server_stop(&b->server);
	arena_destroy(b->arena);
}

static void mail_to(struct bench *b, const char *to)
{
	static const char mail[] = "Subject: x\r\n\r\nHello\r\n.\r\n..dots\r\n";
	const struct gate gate = {gate_open, b};
	b->asked = 0;
	smtp_send(b->smtp, "no-reply@example.com", to, SLICE_LIT(mail), &gate, &b->h);
}

static void mails_share_a_connection(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	for (int i = 1; i <= 5; i++) {
		mail_to(&b, "ada@example.com");
		assert_int_equal(b.h.kind, HANDOVER_ACCEPTED);
		assert_string_equal(b.h.code, "250 2.0.0");
		assert_string_equal(b.h.remote_id, "4F1B2C3D5E");
		assert_int_equal(b.asked, 1);
		assert_int_equal(b.mails_when_asked, i - 1);
		assert_int_equal(smtp_server_mails(&b.server), i);
		assert_string_equal(b.server.last.data, "Subject: x\r\n\r\nHello\r\n.\r\n..dots\r\n");
	}
	assert_int_equal(b.server.sink.count, 1);
	bench_close(&b);
}

static void answers(void **state)
{
	(void)state;
	static const struct {
		const char *to;
		enum handover_kind kind;
		const char *code;
		int asked;
		int mails;
	} rows[] = {
		{"defer+a@example.com", HANDOVER_DEFERRED, "451 4.2.1", 0, 0},
		{"refuse+a@example.com", HANDOVER_REFUSED, "550 5.1.1", 0, 0},
		{"busy+a@example.com", HANDOVER_DEFERRED, "421 4.3.2", 0, 0},
		{"nodata+a@example.com", HANDOVER_DEFERRED, "452 4.3.1", 0, 0},
		{"late+a@example.com", HANDOVER_DEFERRED, "451 4.3.0", 1, 0},
		{"reject+a@example.com", HANDOVER_REFUSED, "554 5.6.0", 1, 0},
		{"drop+a@example.com", HANDOVER_UNKNOWN, "no_answer", 1, 1},
		{"silent+a@example.com", HANDOVER_UNKNOWN, "no_answer", 1, 1},
		{"strange+a@example.com", HANDOVER_UNKNOWN, "no_answer", 1, 1},
		{"slow+a@example.com", HANDOVER_ACCEPTED, "250 2.0.0", 1, 1},
	};
	for (int warm = 0; warm < 2; warm++) { // on a new connection and on one in use
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			static struct bench b;
			bench_open(&b);
			bench_connect(&b);
			if (warm)
				mail_to(&b, "ada@example.com");
			mail_to(&b, rows[i].to);
			if (b.h.kind != rows[i].kind || strcmp(b.h.code, rows[i].code) != 0)
				fail_msg("%s warm %d: kind %d code %s: %s", rows[i].to, warm, (int)b.h.kind, b.h.code,
					 b.h.fault.detail);
			assert_int_equal(b.asked, rows[i].asked);
			assert_int_equal(smtp_server_mails(&b.server), rows[i].mails + warm);
			assert_null(strstr(b.h.fault.detail, "example"));
			mail_to(&b, "ada@example.com"); // whatever it was, the next one goes through
			if (b.h.kind != HANDOVER_ACCEPTED)
				fail_msg("after %s warm %d: kind %d: %s", rows[i].to, warm, (int)b.h.kind, b.h.fault.detail);
			bench_close(&b);
		}
	}
}

static void break_before_the_dot(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	// The server closes after 354. Whether libcurl notices before it says the dot is a race: never accepted, never counted by the server.
	mail_to(&b, "cut+a@example.com");
	assert_true(b.h.kind == HANDOVER_DEFERRED || b.h.kind == HANDOVER_UNKNOWN);
	assert_int_equal(smtp_server_mails(&b.server), 0);
	bench_close(&b);
}

static void shut_gate(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	b.shut = true;
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_HELD);
	assert_int_equal(b.asked, 1);
	assert_int_equal(smtp_server_mails(&b.server), 0);
	b.shut = false;
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_ACCEPTED);
	assert_int_equal(smtp_server_mails(&b.server), 1);
	bench_close(&b);
}

static void stale_connections(void **state)
{
	(void)state;
	static const enum smtp_session sessions[] = {SESSION_ONE_MAIL, SESSION_ONE_MAIL_421};
	for (size_t i = 0; i < ARRAY_LEN(sessions); i++) {
		static struct bench b;
		bench_open(&b);
		atomic_store(&b.server.session, sessions[i]);
		bench_connect(&b);
		for (int k = 1; k <= 3; k++) {
			mail_to(&b, "ada@example.com");
			assert_int_equal(b.h.kind, HANDOVER_ACCEPTED);
			assert_int_equal(smtp_server_mails(&b.server), k);
			assert_int_equal(b.asked, 1);
		}
		assert_int_equal(b.server.sink.count, 3);
		bench_close(&b);
	}
}

static void server_away(void **state)
{
	(void)state;
	static const enum smtp_session sessions[] = {SESSION_MUTE, SESSION_CLOSED, SESSION_NO_SENDER, SESSION_MUTE_MAIL};
	for (size_t i = 0; i < ARRAY_LEN(sessions); i++) {
		static struct bench b;
		bench_open(&b);
		atomic_store(&b.server.session, sessions[i]);
		bench_connect(&b);
		int64_t start = clock_mono_ns();
		mail_to(&b, "ada@example.com");
		assert_true(clock_mono_ns() - start < INT64_C(6000000000));
		if (b.h.kind != HANDOVER_AWAY)
			fail_msg("session %d: kind %d: %s", (int)sessions[i], (int)b.h.kind, b.h.fault.detail);
		assert_int_equal(b.h.fault.reason, REASON_DELIVERY_UNREACHABLE);
		assert_int_equal(b.asked, 0);
		atomic_store(&b.server.session, SESSION_GOOD);
		mail_to(&b, "ada@example.com");
		assert_int_equal(b.h.kind, HANDOVER_ACCEPTED);
		sink_close_listener(&b.server.sink);
		bench_close(&b);
	}
}

static void nobody_listens(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	sink_close_listener(&b.server.sink);
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_AWAY);
	struct fault f;
	assert_int_equal(smtp_probe(b.smtp, &f), REASON_DELIVERY_UNREACHABLE);
	bench_close(&b);
}

static void probes(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	bench_connect(&b);
	struct fault f;
	assert_int_equal(smtp_probe(b.smtp, &f), REASON_OK);
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_ACCEPTED);
	assert_int_equal(smtp_probe(b.smtp, &f), REASON_OK);
	mail_to(&b, "refuse+ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_REFUSED);
	assert_int_equal(b.server.sink.count, 1);
	bench_close(&b);
}

static void logins(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.server.login = "AGVucm9sbGQAbWFpbC1zZWNyZXQ="; // \0enrolld\0mail-secret
	b.conf.smtp_user = "enrolld";
	b.conf.smtp_password = "mail-secret";
	bench_connect(&b);
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_ACCEPTED);
	mail_to(&b, "refuse+ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_REFUSED);
	smtp_close(b.smtp);
	b.conf.smtp_password = "wrong";
	bench_connect(&b);
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_AWAY);
	assert_non_null(strstr(b.h.fault.detail, "courier.smtp_password"));
	assert_null(strstr(b.h.fault.detail, "wrong"));
	assert_int_equal(b.server.auths, 2);
	bench_close(&b);
}

static void no_fallback_from_starttls(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.conf.smtp_tls = COURIER_TLS_STARTTLS;
	bench_connect(&b);
	mail_to(&b, "ada@example.com");
	assert_int_equal(b.h.kind, HANDOVER_AWAY);
	assert_non_null(strstr(b.h.fault.detail, "STARTTLS"));
	assert_int_equal(b.server.recipients, 0);
	bench_close(&b);
}

static void *stop_soon(void *ctx)
{
	struct bench *b = ctx;
	clock_sleep_ms(300);
	stopper_ask(&b->stop, 700);
	return NULL;
}

static void stop_while_it_waits(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.conf.answer_timeout_ms = 60000;
	bench_connect(&b);
	pthread_t thread;
	int64_t start = clock_mono_ns();
	pthread_create(&thread, NULL, stop_soon, &b);
	mail_to(&b, "silent+ada@example.com");
	pthread_join(thread, NULL);
	assert_int_equal(b.h.kind, HANDOVER_UNKNOWN);
	int64_t took_ms = (clock_mono_ns() - start) / 1000000;
	assert_true(took_ms >= 900 && took_ms < 3500);
	mail_to(&b, "ada@example.com"); // nothing new begins
	assert_int_equal(b.h.kind, HANDOVER_HELD);
	assert_int_equal(b.asked, 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mails_share_a_connection),
		cmocka_unit_test(answers),
		cmocka_unit_test(break_before_the_dot),
		cmocka_unit_test(shut_gate),
		cmocka_unit_test(stale_connections),
		cmocka_unit_test(server_away),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(probes),
		cmocka_unit_test(logins),
		cmocka_unit_test(no_fallback_from_starttls),
		cmocka_unit_test(stop_while_it_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
