// SPDX-License-Identifier: Apache-2.0
// A mail server that does as the test says. What becomes of a mail is told by the recipient's local part up to "+":
//   defer    451 at RCPT            refuse  550 at RCPT           busy    421 at RCPT and the end
//   nodata   452 at DATA            cut     closes after 354      late    451 4.3.0 after the dot
//   reject   554 5.6.0 after the dot  drop  keeps it, closes      silent  keeps it, never answers
//   strange  keeps it, answers no SMTP      slow    keeps it, answers after 1500 ms
#pragma once

#include <stdatomic.h>

#include "enrolld/base/strbuf.h"
#include "sink.h"

enum smtp_session {
	SESSION_GOOD,
	SESSION_MUTE,         // takes the connection and says nothing
	SESSION_CLOSED,       // 554 instead of a greeting
	SESSION_NO_SENDER,    // 550 at MAIL
	SESSION_ONE_MAIL,     // closes at the next MAIL without a word
	SESSION_ONE_MAIL_421, // says 421 at the next MAIL
	SESSION_MUTE_MAIL,    // no answer to MAIL
};

#define SERVER_MAILS_MAX 256

struct smtp_server {
	struct sink sink;
	atomic_int session; // enum smtp_session
	const char *login;  // base64 of AUTH PLAIN that is taken; NULL: AUTH is not offered
	// Under sink.lock:
	int mails;      // whole ones, their dot read
	int recipients; // RCPT commands
	int auths;
	int max_open; // most connections at once
	int open;
	struct strbuf last; // bytes of the last whole mail, dots undone
	struct strbuf all;  // of all whole mails
};

void smtp_server_start(struct smtp_server *s);
void smtp_server_stop(struct smtp_server *s);
int smtp_server_mails(struct smtp_server *s);
