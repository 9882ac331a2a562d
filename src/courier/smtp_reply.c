// SPDX-License-Identifier: Apache-2.0
// Replies to outcomes: error code first, then how far the transfer came, then the reply code (RFC 5321 section 4.2).
#include "courier/smtp_reply.h"

#include <stdio.h>

#define REPLY_SIZE 24

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// "4.2.1" at the front of a reply's text.
static void read_enhanced(struct slice text, char *out, size_t size)
{
	size_t n = 0, dots = 0;
	while (n < text.len && n + 1 < size && (is_digit(text.ptr[n]) || (text.ptr[n] == '.' && n > 0)))
		dots += text.ptr[n++] == '.';
	bool whole = dots == 2 && (text.ptr[0] == '2' || text.ptr[0] == '4' || text.ptr[0] == '5') &&
		     (n == text.len || text.ptr[n] == ' ');
	handover_copy(out, size, whole ? (struct slice){text.ptr, n} : SLICE_LIT(""));
}

static bool is_queue_id_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
}

// The last run that can be a queue id ("queued as 4F1B2C3D", "OK id=1oXyZa-0005Fb-2k"): no run with a foreign mark in it, so no address.
static void read_queue_id(struct slice text, char *out, size_t size)
{
	for (size_t end = text.len; end > 0;) {
		size_t start = end;
		while (start > 0 && text.ptr[start - 1] != ' ')
			start--;
		struct slice word = {text.ptr + start, end - start};
		const char *equals = word.len ? memchr(word.ptr, '=', word.len) : NULL;
		if (equals)
			word = (struct slice){equals + 1, (size_t)(word.ptr + word.len - equals - 1)};
		bool fits = word.len >= 6 && word.len < size, digit = false;
		for (size_t i = 0; i < word.len; i++) {
			fits = fits && is_queue_id_char(word.ptr[i]);
			digit = digit || is_digit(word.ptr[i]);
		}
		if (fits && digit) {
			handover_copy(out, size, word);
			return;
		}
		end = start > 0 ? start - 1 : 0;
	}
}

void smtp_trace_line(struct smtp_trace *trace, struct slice line)
{
	while (line.len > 0 && (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == '\n'))
		line.len--;
	if (line.len < 3 || !is_digit(line.ptr[0]) || !is_digit(line.ptr[1]) || !is_digit(line.ptr[2]))
		return;
	if (line.len > 3 && line.ptr[3] != ' ') // "250-": more lines follow
		return;
	int code = (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + line.ptr[2] - '0';
	if (code == 221) // the answer to libcurl's QUIT after a refusal
		return;
	struct slice text = line.len > 4 ? (struct slice){line.ptr + 4, line.len - 4} : SLICE_LIT("");
	read_enhanced(text, trace->enhanced, sizeof(trace->enhanced));
	if (trace->ended) {
		trace->answer = code;
		if (code / 100 == 2)
			read_queue_id(text, trace->queue_id, sizeof(trace->queue_id));
		return;
	}
	// 220 is the greeting and the answer to STARTTLS.
	trace->greeted = trace->greeted || code == 220;
	trace->completed += code >= 250 && code <= 259;
	trace->last = code;
}

bool smtp_trace_stale(const struct smtp_trace *trace, CURLcode code, bool reused)
{
	bool told = trace->last == 421; // "idle for too long", read when we spoke again
	bool broke = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
		     code == CURLE_WEIRD_SERVER_REPLY;
	return reused && !trace->greeted && trace->completed == 0 && !trace->begun && trace->aborted == SMTP_NOT_ABORTED &&
	       (told || (broke && trace->last == 0));
}

// Which command a refusal before the message was the answer to.
enum stage { STAGE_SESSION, STAGE_MAIL, STAGE_RCPT, STAGE_DATA };

static enum stage stage_of(const struct smtp_trace *trace, bool starttls)
{
	int hellos = !trace->greeted ? 0 : starttls ? 2 : 1;
	int done = trace->completed - hellos;
	return done < 0 ? STAGE_SESSION : done == 0 ? STAGE_MAIL : done == 1 ? STAGE_RCPT : STAGE_DATA;
}

static void set_code(struct handover *h, int code, const char *enhanced)
{
	(void)snprintf(h->code, sizeof(h->code), enhanced[0] ? "%d %s" : "%d", code, enhanced);
}

static void set_answered(struct handover *h, int code, const char *enhanced, const char *where)
{
	bool permanent = code / 100 == 5;
	h->answered = true;
	h->kind = permanent ? HANDOVER_REFUSED : HANDOVER_DEFERRED;
	set_code(h, code, enhanced);
	fault_set(&h->fault, permanent ? REASON_DELIVERY_REFUSED : REASON_DELIVERY_DEFERRED, "the mail server answered %s to %s",
		  h->code, where);
}

static void judge_ended(const struct smtp_trace *trace, CURLcode code, struct handover *h)
{
	int class = trace->answer / 100;
	if (class == 2 || code == CURLE_OK) {
		h->kind = HANDOVER_ACCEPTED;
		h->answered = true;
		set_code(h, trace->answer ? trace->answer : 250, trace->enhanced);
		handover_copy(h->remote_id, sizeof(h->remote_id), slice_of(trace->queue_id));
	} else if (class == 4 || class == 5) {
		set_answered(h, trace->answer, trace->enhanced, "the message");
	} else {
		h->kind = HANDOVER_UNKNOWN;
		handover_copy(h->code, sizeof(h->code), SLICE_LIT("no_answer"));
		fault_set(&h->fault, REASON_DELIVERY_UNKNOWN, "no answer to the end of the message: %s", curl_easy_strerror(code));
	}
}

static void judge_away(const struct smtp_trace *trace, CURLcode code, enum stage stage, const char *error, struct handover *h)
{
	enum reason reason = REASON_DELIVERY_UNREACHABLE;
	char reply[REPLY_SIZE];
	(void)snprintf(reply, sizeof(reply), trace->enhanced[0] ? "%d %s" : "%d", trace->last, trace->enhanced);
	h->kind = HANDOVER_AWAY;
	h->refused_us = code == CURLE_SEND_ERROR && stage == STAGE_MAIL && trace->last / 100 >= 4;
	if (trace->aborted == SMTP_ABORTED_SILENCE)
		fault_set(&h->fault, reason, "the mail server does not answer");
	else if (code == CURLE_LOGIN_DENIED)
		fault_set(&h->fault, reason, "the mail server refuses the login; see courier.smtp_user and courier.smtp_password");
	else if (code == CURLE_USE_SSL_FAILED)
		fault_set(&h->fault, reason, "the mail server does not offer STARTTLS; see courier.smtp_tls");
	else if (h->refused_us)
		fault_set(&h->fault, reason, "the mail server answered %s to the sender; see courier.mail_from", reply);
	else if (trace->last / 100 >= 4)
		fault_set(&h->fault, reason, "the mail server answered %s to the session", reply);
	else
		fault_set(&h->fault, reason, "%s", error);
}

void smtp_judge(const struct smtp_trace *trace, CURLcode code, bool starttls, const char *error, struct handover *h)
{
	*h = (struct handover){.kind = HANDOVER_AWAY};
	enum stage stage = stage_of(trace, starttls);
	if (trace->ended) {
		judge_ended(trace, code, h);
	} else if (trace->aborted == SMTP_ABORTED_GATE || (trace->aborted == SMTP_ABORTED_STOP && !trace->begun)) {
		h->kind = HANDOVER_HELD;
		fault_set(&h->fault, REASON_STOPPING, "not sent");
	} else if (trace->begun) {
		// Without its final dot a server must not deliver what it has (RFC 5321 section 4.1.1.4).
		h->kind = HANDOVER_DEFERRED;
		handover_copy(h->code, sizeof(h->code), SLICE_LIT("link_broke"));
		fault_set(&h->fault, REASON_DELIVERY_DEFERRED, "the link broke before the end of the message: %s",
			  curl_easy_strerror(code));
	} else if (code == CURLE_SEND_ERROR && (stage == STAGE_RCPT || stage == STAGE_DATA) && trace->last / 100 >= 4) {
		set_answered(h, trace->last, trace->enhanced, stage == STAGE_RCPT ? "the recipient" : "DATA");
	} else {
		judge_away(trace, code, stage, error, h);
	}
}
