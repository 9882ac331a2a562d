// SPDX-License-Identifier: Apache-2.0
// What an SMTP server said during one transfer, and what it means. Pure.
//
// libcurl 7.88 tells little: CURLE_SEND_ERROR for a refusal of MAIL, RCPT or DATA and for a broken link alike, and a RESPONSE_CODE that may be
// older than the error. So the replies are read from the header callback, and the error code says first how the transfer ended.
#pragma once

#include <curl/curl.h>

#include "courier/handover.h"

struct smtp_trace {
	bool greeted;                           // 220 came: the connection is new
	int completed;                          // EHLO, MAIL and RCPT that were answered 25x
	int last;                               // code of the last whole reply before the end of the message
	bool begun;                             // the server waits for the message and the gate is open
	bool ended;                             // libcurl took its last byte: the final dot may be on its way
	int answer;                             // code of the reply after that; 0 if none came
	char enhanced[12];                      // "5.1.1" of the last reply (RFC 3463); "" if none
	char queue_id[HANDOVER_REMOTE_ID_SIZE]; // the server's name for an accepted mail
	enum { SMTP_NOT_ABORTED, SMTP_ABORTED_GATE, SMTP_ABORTED_STOP, SMTP_ABORTED_SILENCE } aborted; // by us
};

// One line as the header callback gets it, with or without its end.
void smtp_trace_line(struct smtp_trace *trace, struct slice line);

// An idle connection was closed by the server before anything was said: worth one more try on a new one.
bool smtp_trace_stale(const struct smtp_trace *trace, CURLcode code, bool reused) ATTR_MUST_USE;

// starttls: a new connection says EHLO twice. error: what broke the link, see curl_setup_error().
void smtp_judge(const struct smtp_trace *trace, CURLcode code, bool starttls, const char *error, struct handover *h);
