// SPDX-License-Identifier: Apache-2.0
// Replies and error codes to outcomes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "courier/smtp_reply.h"

// Lines separated by "|"; "!" is the open gate, "." the end of the message.
static struct smtp_trace read_trace(const char *script)
{
	struct smtp_trace trace = {0};
	while (*script) {
		size_t len = strcspn(script, "|");
		if (*script == '!')
			trace.begun = true;
		else if (*script == '.')
			trace.ended = true;
		else
			smtp_trace_line(&trace, (struct slice){script, len});
		script += len + (script[len] == '|');
	}
	return trace;
}

static void judged(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		CURLcode code;
		bool starttls;
		enum handover_kind kind;
		const char *text;
	} rows[] = {
		// The whole way, new and in use, plain, with login and with STARTTLS.
		{"220 hi|250 ehlo|250 mail|250 rcpt|354 go|!|.|250 2.0.0 ok", CURLE_OK, false, HANDOVER_ACCEPTED, "250 2.0.0"},
		{"250 mail|251 rcpt|354 go|!|.|250 ok", CURLE_OK, false, HANDOVER_ACCEPTED, "250"},
		{"220 hi|250 e|220 tls|250 e|235 in|250 m|250 r|354 go|!|.|250 ok", CURLE_OK, true, HANDOVER_ACCEPTED, "250"},
		// Refusals of the recipient and of DATA.
		{"250 mail|550 5.1.1 no|221 bye", CURLE_SEND_ERROR, false, HANDOVER_REFUSED, "550 5.1.1"},
		{"250 mail|451 4.7.1 grey|221 bye", CURLE_SEND_ERROR, false, HANDOVER_DEFERRED, "451 4.7.1"},
		{"220 hi|250-a|250 b|250 mail|550 no", CURLE_SEND_ERROR, false, HANDOVER_REFUSED, "550"},
		{"220 hi|250 e|220 tls|250 e|235 in|250 m|450 later", CURLE_SEND_ERROR, true, HANDOVER_DEFERRED, "450"},
		{"250 mail|250 rcpt|452 full", CURLE_SEND_ERROR, false, HANDOVER_DEFERRED, "452"},
		{"250 mail|250 rcpt|554 never", CURLE_SEND_ERROR, false, HANDOVER_REFUSED, "554"},
		// The same error code and a stale reply: a broken link, nothing more.
		{"250 mail|250 rcpt", CURLE_SEND_ERROR, false, HANDOVER_AWAY, ""},
		{"250 mail", CURLE_RECV_ERROR, false, HANDOVER_AWAY, ""},
		{"", CURLE_COULDNT_CONNECT, false, HANDOVER_AWAY, ""},
		{"", CURLE_OPERATION_TIMEDOUT, false, HANDOVER_AWAY, ""},
		// The sender or the session is refused: not the message's fault.
		{"220 hi|250 e|550 not you", CURLE_SEND_ERROR, false, HANDOVER_AWAY, ""},
		{"550 not you", CURLE_SEND_ERROR, false, HANDOVER_AWAY, ""},
		{"220 hi|250 e|220 tls|250 e|530 login first", CURLE_SEND_ERROR, true, HANDOVER_AWAY, ""},
		{"554 go away", CURLE_WEIRD_SERVER_REPLY, false, HANDOVER_AWAY, ""},
		{"220 hi|250 e|535 no", CURLE_LOGIN_DENIED, false, HANDOVER_AWAY, ""},
		{"220 hi|250 e", CURLE_USE_SSL_FAILED, true, HANDOVER_AWAY, ""},
		// Within the message it is known not to be taken; after it, only an answer tells.
		{"250 m|250 r|354 go|!", CURLE_SEND_ERROR, false, HANDOVER_DEFERRED, "link_broke"},
		{"250 m|250 r|354 go|!|.|451 4.3.0 no", CURLE_WEIRD_SERVER_REPLY, false, HANDOVER_DEFERRED, "451 4.3.0"},
		{"250 m|250 r|354 go|!|.|554-a|554 5.6.0 b", CURLE_WEIRD_SERVER_REPLY, false, HANDOVER_REFUSED, "554 5.6.0"},
		{"250 m|250 r|354 go|!|.", CURLE_RECV_ERROR, false, HANDOVER_UNKNOWN, "no_answer"},
		{"250 m|250 r|354 go|!|.", CURLE_SEND_ERROR, false, HANDOVER_UNKNOWN, "no_answer"},
		{"250 m|250 r|354 go|!|.", CURLE_OPERATION_TIMEDOUT, false, HANDOVER_UNKNOWN, "no_answer"},
		{"250 m|250 r|354 go|!|.|250-more to", CURLE_RECV_ERROR, false, HANDOVER_UNKNOWN, "no_answer"},
		{"250 m|250 r|354 go|!|.|HTTP/1.0 400", CURLE_WEIRD_SERVER_REPLY, false, HANDOVER_UNKNOWN, "no_answer"},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_trace trace = read_trace(rows[i].script);
		struct handover h;
		smtp_judge(&trace, rows[i].code, rows[i].starttls, "", &h);
		if (h.kind != rows[i].kind || strcmp(h.code, rows[i].text) != 0)
			fail_msg("row %zu: kind %d code \"%s\"", i, (int)h.kind, h.code);
		assert_int_equal(h.kind == HANDOVER_ACCEPTED, h.fault.reason == REASON_OK);
	}
}

static void aborted_by_us(void **state)
{
	(void)state;
	struct handover h;
	struct smtp_trace trace = read_trace("250 m|250 r|354 go");
	trace.aborted = SMTP_ABORTED_GATE;
	smtp_judge(&trace, CURLE_ABORTED_BY_CALLBACK, false, "", &h);
	assert_int_equal(h.kind, HANDOVER_HELD);
	trace.aborted = SMTP_ABORTED_STOP;
	smtp_judge(&trace, CURLE_ABORTED_BY_CALLBACK, false, "", &h);
	assert_int_equal(h.kind, HANDOVER_HELD);
	trace.begun = true;
	smtp_judge(&trace, CURLE_ABORTED_BY_CALLBACK, false, "", &h);
	assert_int_equal(h.kind, HANDOVER_DEFERRED);
	trace.ended = true;
	smtp_judge(&trace, CURLE_ABORTED_BY_CALLBACK, false, "", &h);
	assert_int_equal(h.kind, HANDOVER_UNKNOWN);
	trace = read_trace("250 m");
	trace.aborted = SMTP_ABORTED_SILENCE;
	smtp_judge(&trace, CURLE_ABORTED_BY_CALLBACK, false, "", &h);
	assert_int_equal(h.kind, HANDOVER_AWAY);
}

static void stale(void **state)
{
	(void)state;
	struct smtp_trace nothing = read_trace(""), idle = read_trace("421 4.4.2 idle"), mail = read_trace("250 m"),
			  fresh = read_trace("220 hi|421 no");
	assert_true(smtp_trace_stale(&nothing, CURLE_SEND_ERROR, true));
	assert_true(smtp_trace_stale(&nothing, CURLE_RECV_ERROR, true));
	assert_true(smtp_trace_stale(&idle, CURLE_SEND_ERROR, true));
	assert_false(smtp_trace_stale(&nothing, CURLE_SEND_ERROR, false));
	assert_false(smtp_trace_stale(&nothing, CURLE_COULDNT_CONNECT, true));
	assert_false(smtp_trace_stale(&mail, CURLE_RECV_ERROR, true));
	assert_false(smtp_trace_stale(&fresh, CURLE_SEND_ERROR, true));
	nothing.aborted = SMTP_ABORTED_STOP;
	assert_false(smtp_trace_stale(&nothing, CURLE_RECV_ERROR, true));
}

static void queue_ids(void **state)
{
	(void)state;
	static const struct {
		const char *reply, *id;
	} rows[] = {
		{"250 2.0.0 Ok: queued as 4F1B2C3D5E", "4F1B2C3D5E"},
		{"250 OK id=1oXyZa-0005Fb-2k", "1oXyZa-0005Fb-2k"},
		{"250 2.0.0 OK 1693412345 ab12-20020a05.37 - gsmtp", "ab12-20020a05.37"},
		{"250 ok", ""},
		{"250 thanks ada1@example.com", ""},
		{"250 2.6.0 <0198c0de-1@mail.example> Queued mail for delivery", ""},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct smtp_trace trace = {.begun = true, .ended = true};
		smtp_trace_line(&trace, slice_of(rows[i].reply));
		assert_string_equal(trace.queue_id, rows[i].id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judged),
		cmocka_unit_test(aborted_by_us),
		cmocka_unit_test(stale),
		cmocka_unit_test(queue_ids),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
