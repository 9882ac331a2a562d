// SPDX-License-Identifier: Apache-2.0
// The courier's mails, from rows of a real PostgreSQL to a scripted server.
#include "post.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "enrolld/base/clock.h"
#include "enrolld/base/log.h"
#include "smtp_server.h"

struct bench {
	struct smtp_server server;
	struct post *post;
};

static void bench_open(struct bench *b)
{
	smtp_server_start(&b->server);
	b->post = post_open();
	b->post->conf.smtp_url = arena_printf(b->post->arena, "smtp://127.0.0.1:%d", b->server.sink.port).ptr;
}

static void bench_close(struct bench *b)
{
	post_close(b->post);
	smtp_server_stop(&b->server);
}

static int occurrences(const char *text, const char *part)
{
	int n = 0;
	for (const char *at = text; at && (at = strstr(at, part)); at++)
		n++;
	return n;
}

static struct posted mail_to(struct bench *b, const char *to)
{
	return post_message(b->post, "email", to, "en", NULL, 600000);
}

#define DAY INT64_C(86400000)

static void mails_go_out(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	struct posted first = post_message(b.post, "email", "ada@example.com", "en-GB", "Ada", DAY);
	struct posted others[18];
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		others[i] = post_message(b.post, "email", "many@example.com", i % 2 ? "es" : "ar", NULL, 600000);
	post_start(b.post);
	post_wait(b.post, 19,
		  "state = 'accepted' AND sealed IS NULL AND code = '250 2.0.0' AND remote_id = '4F1B2C3D5E' AND attempts = 1");
	assert_int_equal(smtp_server_mails(&b.server), 19);
	const char *all = b.server.all.data;
	char line[128];
	(void)snprintf(line, sizeof(line), "Message-ID: <%s@mail.example.com>\r\n", first.id);
	assert_int_equal(occurrences(all, line), 1);
	(void)snprintf(line, sizeof(line), "\r\n    %s\r\n", first.code);
	assert_int_equal(occurrences(all, line), 1);
	assert_int_equal(occurrences(all, "Hello Ada,\r\n"), 1);
	assert_int_equal(occurrences(all, "Subject: Confirm your e-mail address\r\n"), 1);
	assert_int_equal(occurrences(all, "To: ada@example.com\r\n"), 1);
	assert_int_equal(occurrences(all, "Content-Type: multipart/alternative;"), 19);
	assert_int_equal(occurrences(all, "Content-Language: es\r\n"), 9);
	assert_int_equal(occurrences(all, "Content-Language: ar\r\n"), 9);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_int_equal(occurrences(all, others[i].id) > 0, 1);
	// Both connections were used again.
	assert_true(b.server.sink.count <= 2);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.notice WHERE kind = 'message.accepted'"), 19);
	bench_close(&b);
}

// What the worker logs meanwhile, at the finest level, goes to a file.
static int log_to(FILE *file)
{
	fflush(stderr);
	int kept = dup(STDERR_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_JSON);
	return kept;
}

static const char *log_back(struct post *p, FILE *file, int kept)
{
	log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	dup2(kept, STDERR_FILENO);
	close(kept);
	char *text = arena_alloc(p->arena, 65537);
	rewind(file);
	size_t n = fread(text, 1, 65536, file);
	text[n] = '\0';
	return text;
}

// A code that stands by itself: inside longer ids its digits come up by chance.
static bool has_word(const char *text, const char *word)
{
	for (const char *at = text; (at = strstr(at, word)); at++) {
		char before = at == text ? ' ' : at[-1], after = at[strlen(word)];
		if (!isalnum((unsigned char)before) && !isalnum((unsigned char)after))
			return true;
	}
	return false;
}

// I6: neither code nor token is in any row or log line, and the payload is gone.
static void no_secret_stays(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	FILE *file = tmpfile();
	assert_non_null(file);
	int kept = log_to(file);
	struct posted good = mail_to(&b, "ada@example.com"), bad = mail_to(&b, "refuse+ada@example.com");
	post_start(b.post);
	struct posted unknown = mail_to(&b, "drop+ada@example.com"),
		      damaged = mail_to(&b, "ada@example.com\r\nRCPT TO:<x@example.com>");
	post_wait(b.post, 3, "settled_at IS NOT NULL");
	post_wait(b.post, 1, "state = 'unknown'");
	courier_stop(b.post->courier, 1000);
	const char *lines = log_back(b.post, file, kept);
	fclose(file);
	assert_non_null(strstr(lines, "message_settled"));
	assert_non_null(strstr(lines, "message_unknown"));
	assert_non_null(strstr(lines, "message_unwritten"));
	const struct posted *const all[] = {&good, &bad, &unknown, &damaged};
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		assert_non_null(strstr(lines, all[i]->id));
		assert_false(has_word(lines, all[i]->code));
		assert_null(strstr(lines, all[i]->token));
	}
	assert_null(strstr(lines, "ada@"));
	assert_null(strstr(lines, "RCPT"));
	const char *rows = post_sql(
		b.post,
		"SELECT (SELECT string_agg(m::text, ' ') FROM enrolld.message AS m) || "
		"(SELECT string_agg(c::text, ' ') FROM enrolld.challenge AS c) || (SELECT string_agg(n::text, ' ') FROM enrolld.notice AS n)");
	assert_true(strlen(rows) > 500);
	assert_false(has_word(rows, good.code));
	assert_null(strstr(rows, good.token));
	assert_null(strstr(rows, bad.token));
	assert_null(strstr(rows, "ada@"));
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE code = '%s' OR remote_id = '%s'", good.code,
				    good.code),
			 0);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE sealed IS NOT NULL"),
			 1); // the unknown one waits
	bench_close(&b);
}

static void link_carries_the_token(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	struct posted m = mail_to(&b, "ada@example.com");
	post_start(b.post);
	post_wait(b.post, 1, "state = 'accepted'");
	// Quoted-printable: "=" is =3D, long lines end in "=".
	struct strbuf flat = STRBUF_INIT(1 << 20);
	for (const char *at = b.server.last.data; *at; at++) {
		if (strncmp(at, "=\r\n", 3) == 0)
			at += 2;
		else if (strncmp(at, "=3D", 3) == 0) {
			strbuf_add_char(&flat, '=');
			at += 2;
		} else
			strbuf_add_char(&flat, *at);
	}
	char link[200];
	(void)snprintf(link, sizeof(link), "\r\nhttps://example.com/verify?token=%s\r\n", m.token);
	assert_non_null(strstr(flat.data, link));
	(void)snprintf(link, sizeof(link), "<a href=\"https://example.com/verify?token=%s\"", m.token);
	assert_non_null(strstr(flat.data, link));
	strbuf_free(&flat);
	bench_close(&b);
}

static void refused_and_deferred(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	mail_to(&b, "refuse+a@example.com");
	mail_to(&b, "reject+a@example.com");
	post_message(b.post, "email", "defer+a@example.com", NULL, NULL, 2500);
	post_message(b.post, "email", "late+a@example.com", NULL, NULL, 2500);
	post_start(b.post);
	post_wait(b.post, 1, "state = 'refused' AND code = '550 5.1.1' AND attempts = 1");
	post_wait(b.post, 1, "state = 'refused' AND code = '554 5.6.0' AND attempts = 1");
	post_wait(b.post, 1, "state = 'deferred' AND code = '451 4.2.1' AND attempts >= 2");
	post_wait(b.post, 2, "state = 'expired' AND attempts BETWEEN 2 AND 9 AND sealed IS NULL");
	assert_int_equal(smtp_server_mails(&b.server), 0);
	bench_close(&b);
}

static void unknown_is_sent_once_more(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	struct posted m = post_message(b.post, "email", "drop+a@example.com", NULL, NULL, 4000);
	post_start(b.post);
	post_wait(b.post, 1, "state = 'unknown' AND attempts = 1 AND due_at IS NOT NULL AND code = 'no_answer'");
	assert_int_equal(smtp_server_mails(&b.server), 1);
	post_wait(b.post, 1, "state = 'unknown' AND attempts = 2 AND due_at IS NULL AND sealed IS NULL");
	clock_sleep_ms(500);
	assert_int_equal(smtp_server_mails(&b.server), 2);
	char line[128];
	(void)snprintf(line, sizeof(line), "Message-ID: <%s@mail.example.com>\r\n", m.id);
	assert_int_equal(occurrences(b.server.all.data, line), 2);
	(void)snprintf(line, sizeof(line), "\r\n    %s\r\n", m.code);
	assert_int_equal(occurrences(b.server.all.data, line), 2);
	bench_close(&b);
}

static void unknown_is_final_by_setting(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.post->conf.resend_unknown_mail = false;
	post_message(b.post, "email", "silent+a@example.com", NULL, NULL, 600000);
	post_start(b.post);
	post_wait(b.post, 1, "state = 'unknown' AND attempts = 1 AND due_at IS NULL AND sealed IS NULL");
	assert_int_equal(smtp_server_mails(&b.server), 1);
	bench_close(&b);
}

static void outage_costs_no_attempt(void **state)
{
	(void)state;
	static const enum smtp_session outages[] = {SESSION_CLOSED, SESSION_MUTE, SESSION_NO_SENDER};
	for (size_t i = 0; i < ARRAY_LEN(outages); i++) {
		static struct bench b;
		bench_open(&b);
		atomic_store(&b.server.session, outages[i]);
		for (int k = 0; k < 6; k++)
			mail_to(&b, "ada@example.com");
		post_start(b.post);
		clock_sleep_ms(2500);
		assert_int_equal(smtp_server_mails(&b.server), 0);
		assert_false(courier_ready(b.post->courier, NULL));
		assert_int_equal(
			post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE attempts = 0 AND due_at IS NOT NULL"), 6);
		atomic_store(&b.server.session, SESSION_GOOD);
		post_wait(b.post, 6, "state = 'accepted' AND attempts = 1");
		assert_int_equal(smtp_server_mails(&b.server), 6);
		for (int k = 0; k < 200 && !courier_ready(b.post->courier, NULL); k++)
			clock_sleep_ms(50);
		assert_true(courier_ready(b.post->courier, NULL));
		bench_close(&b);
	}
}

// A mail that the server did not want from us expires; with none left nothing says that the next one is not wanted either.
static void unwanted_ends_with_the_mails(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	atomic_store(&b.server.session, SESSION_NO_SENDER);
	(void)post_message(b.post, "email", "ada@example.com", NULL, NULL, 8000);
	post_start(b.post);
	for (int k = 0; k < 140 && courier_ready(b.post->courier, NULL); k++)
		clock_sleep_ms(50);
	assert_false(courier_ready(b.post->courier, NULL)); // and stays so while it waits
	clock_sleep_ms(500);
	assert_false(courier_ready(b.post->courier, NULL));
	post_wait(b.post, 1, "state = 'expired'");
	for (int k = 0; k < 200 && !courier_ready(b.post->courier, NULL); k++)
		clock_sleep_ms(50);
	assert_true(courier_ready(b.post->courier, NULL));
	bench_close(&b);
}

static void database_goes_away(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	mail_to(&b, "slow+a@example.com"); // taken while the database is away: its answer must not be lost
	post_start(b.post);
	post_wait(b.post, 1, "state = 'transmitting'");
	post_sql(b.post, "ALTER ROLE %s NOLOGIN", b.post->database);
	post_sql(b.post, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = '%s'", b.post->database);
	for (int k = 0; k < 5; k++)
		mail_to(&b, "ada@example.com");
	clock_sleep_ms(2500);
	assert_false(courier_ready(b.post->courier, NULL));
	assert_int_equal(smtp_server_mails(&b.server), 1);
	post_sql(b.post, "ALTER ROLE %s LOGIN", b.post->database);
	post_wait(b.post, 6, "state = 'accepted' AND attempts = 1");
	assert_int_equal(smtp_server_mails(&b.server), 6);
	bench_close(&b);
}

static void stop_finishes_what_it_began(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.post->conf.smtp_connections = 1;
	b.post->conf.answer_timeout_ms = 60000;
	mail_to(&b, "slow+a@example.com");
	mail_to(&b, "ada@example.com");
	post_start(b.post);
	post_wait(b.post, 1, "state = 'transmitting'");
	int64_t start = clock_mono_ns();
	courier_stop(b.post->courier, 5000);
	assert_true(clock_mono_ns() - start < INT64_C(4000000000));
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'accepted'"), 1);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'deferred' AND attempts = 0"), 1);
	assert_int_equal(smtp_server_mails(&b.server), 1);
	courier_destroy(b.post->courier);

	post_message(b.post, "email", "silent+a@example.com", NULL, NULL, 600000);
	post_start(b.post);
	post_wait(b.post, 1, "state = 'transmitting'");
	start = clock_mono_ns();
	courier_stop(b.post->courier, 500);
	assert_true(clock_mono_ns() - start < INT64_C(3000000000));
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.message WHERE state = 'unknown'"), 1);
	bench_close(&b);
}

static void two_couriers_send_nothing_twice(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	enum { COUNT = 120 };
	struct posted posted[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		posted[i] = mail_to(&b, i % 10 == 0 ? "late+a@example.com" : "ada@example.com");
	struct courier *other = NULL;
	post_start(b.post);
	assert_int_equal(courier_create(&b.post->conf, &b.post->worker, b.post->keys, "other",
					(struct courier_listener){NULL, NULL}, &other, NULL),
			 REASON_OK);
	for (int i = 0; i < 50; i++) {
		courier_wake(b.post->courier);
		courier_wake(other);
		clock_sleep_ms(10);
	}
	post_wait(b.post, COUNT - COUNT / 10, "state = 'accepted' AND attempts = 1");
	courier_destroy(other);
	courier_stop(b.post->courier, 1000);
	assert_int_equal(smtp_server_mails(&b.server), COUNT - COUNT / 10);
	for (size_t i = 0; i < COUNT; i++) {
		char line[128];
		(void)snprintf(line, sizeof(line), "Message-ID: <%s@mail.example.com>\r\n", posted[i].id);
		if (i % 10 != 0)
			assert_int_equal(occurrences(b.server.all.data, line), 1);
	}
	bench_close(&b);
}

static void wakes_at_once(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.post->conf.poll_ms = 30000;
	post_start(b.post);
	clock_sleep_ms(500);
	mail_to(&b, "ada@example.com");
	clock_sleep_ms(500);
	assert_int_equal(smtp_server_mails(&b.server), 0);
	courier_wake(b.post->courier);
	post_wait(b.post, 1, "state = 'accepted'");
	bench_close(&b);
}

static void what_cannot_be_written(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	struct posted damaged = mail_to(&b, "ada@example.com"), foreign = mail_to(&b, "ada@example.com"),
		      kind = mail_to(&b, "ada@example.com");
	mail_to(&b, "ada@example.com\r\nRCPT TO:<victim@example.com>");
	mail_to(&b, "ada@example.com>\r\n");
	post_sql(b.post, "UPDATE enrolld.message SET sealed = substr(sealed, 1, length(sealed) - 1) WHERE message_id = '%s'",
		 damaged.id);
	post_sql(
		b.post,
		"UPDATE enrolld.challenge SET key_epoch = 99 WHERE challenge_id = (SELECT challenge_id FROM enrolld.message WHERE message_id = '%s')",
		foreign.id);
	post_sql(b.post, "UPDATE enrolld.message SET template = '../../x' WHERE message_id = '%s'", kind.id);
	mail_to(&b, "ada@example.com");
	post_start(b.post);
	post_wait(b.post, 1, "state = 'accepted'");
	post_wait(b.post, 2, "state = 'refused' AND code = 'delivery_refused' AND attempts = 0");
	post_wait(b.post, 2, "state = 'deferred' AND code = 'keys_invalid' AND attempts = 0");
	post_wait(b.post, 1, "state = 'deferred' AND code = 'dialect_invalid' AND attempts = 0");
	assert_int_equal(smtp_server_mails(&b.server), 1);
	assert_int_equal(b.server.recipients, 1);
	bench_close(&b);
}

// What a process leaves that dies: what it had only taken goes out, what it was transmitting does so once more at most, by setting.
static void a_dead_ones_rows(void **state)
{
	(void)state;
	for (int resend = 0; resend < 2; resend++) {
		static struct bench b;
		bench_open(&b);
		b.post->conf.resend_unknown_mail = resend;
		mail_to(&b, "ada@example.com");
		struct posted m = post_message(b.post, "email", "ada@example.com", NULL, NULL, 4000);
		post_sql(b.post, "UPDATE enrolld.message SET state = 'claimed', claimed_at = now(), due_at = now()");
		post_sql(b.post, "UPDATE enrolld.message SET state = 'transmitting', attempts = 1 WHERE message_id = '%s'", m.id);
		post_start(b.post);
		post_wait(b.post, 1, "state = 'accepted' AND attempts = 1");
		if (resend)
			post_wait(b.post, 1, "state = 'accepted' AND attempts = 2 AND unknowns = 1");
		else
			post_wait(b.post, 1, "state = 'unknown' AND sealed IS NULL");
		assert_int_equal(smtp_server_mails(&b.server), 1 + resend);
		bench_close(&b);
	}
}

// An answer that takes longer than the lease of a claim is still waited for.
static void a_slow_answer_outlives_the_lease(void **state)
{
	(void)state;
	static struct bench b;
	bench_open(&b);
	b.post->conf.lease_ms = 300;
	b.post->conf.smtp_connections = 2;
	for (int i = 0; i < 3; i++)
		mail_to(&b, "slow+a@example.com");
	post_start(b.post);
	post_wait(b.post, 3, "state = 'accepted' AND attempts = 1");
	assert_int_equal(smtp_server_mails(&b.server), 3);
	assert_int_equal(post_count(b.post, "SELECT count(*) FROM enrolld.notice WHERE kind <> 'message.accepted'"), 0);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mails_go_out),
		cmocka_unit_test(no_secret_stays),
		cmocka_unit_test(link_carries_the_token),
		cmocka_unit_test(refused_and_deferred),
		cmocka_unit_test(unknown_is_sent_once_more),
		cmocka_unit_test(unknown_is_final_by_setting),
		cmocka_unit_test(outage_costs_no_attempt),
		cmocka_unit_test(unwanted_ends_with_the_mails),
		cmocka_unit_test(database_goes_away),
		cmocka_unit_test(stop_finishes_what_it_began),
		cmocka_unit_test(two_couriers_send_nothing_twice),
		cmocka_unit_test(wakes_at_once),
		cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(a_dead_ones_rows),
		cmocka_unit_test(a_slow_answer_outlives_the_lease),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
