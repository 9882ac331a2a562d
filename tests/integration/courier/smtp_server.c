// SPDX-License-Identifier: Apache-2.0
// The scripted mail server.
#include "smtp_server.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static bool does(const char *line, const char *what)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "<%s+", what);
	return strstr(line, path) != NULL;
}

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

// Reads the mail up to its dot; false if the link ends before.
static bool read_mail(struct smtp_server *s, struct reader *r)
{
	struct strbuf mail = STRBUF_INIT(1 << 20);
	char line[2048];
	bool whole = false;
	while (!whole && reader_line(r, line, sizeof(line))) {
		whole = strcmp(line, ".") == 0;
		if (whole)
			break;
		strbuf_add_text(&mail, line[0] == '.' ? line + 1 : line);
		strbuf_add_text(&mail, "\r\n");
	}
	if (whole) {
		pthread_mutex_lock(&s->sink.lock);
		s->mails++;
		strbuf_reset(&s->last);
		strbuf_add_slice(&s->last, strbuf_slice(&mail));
		strbuf_add_slice(&s->all, strbuf_slice(&mail));
		pthread_mutex_unlock(&s->sink.lock);
	}
	strbuf_free(&mail);
	return whole;
}

// DATA; false ends the connection.
static bool serve_data(struct smtp_server *s, struct reader *r, const char *recipient)
{
	if (does(recipient, "nodata")) {
		send_text(r->fd, "452 4.3.1 no room\r\n");
		return true;
	}
	send_text(r->fd, "354 go on\r\n");
	if (does(recipient, "cut"))
		return false;
	bool kept = !does(recipient, "late") && !does(recipient, "reject");
	if (!read_mail(s, r))
		return false;
	if (!kept) {
		pthread_mutex_lock(&s->sink.lock);
		s->mails--;
		pthread_mutex_unlock(&s->sink.lock);
	}
	if (does(recipient, "drop"))
		return false;
	if (does(recipient, "silent")) {
		char line[256];
		return reader_line(r, line, sizeof(line));
	}
	if (does(recipient, "slow"))
		pause_ms(1500);
	send_text(r->fd, does(recipient, "late")      ? "451 4.3.0 cannot store it now\r\n"
			 : does(recipient, "reject")  ? "554-5.6.0 not this one\r\n554 5.6.0 never\r\n"
			 : does(recipient, "strange") ? "HTTP/1.0 400 what?\r\n"
						      : "250 2.0.0 Ok: queued as 4F1B2C3D5E\r\n");
	return true;
}

static bool serve_rcpt(struct smtp_server *s, int fd, const char *line)
{
	pthread_mutex_lock(&s->sink.lock);
	s->recipients++;
	pthread_mutex_unlock(&s->sink.lock);
	if (does(line, "busy")) {
		send_text(fd, "421 4.3.2 closing\r\n");
		return false;
	}
	send_text(fd, does(line, "defer")    ? "451 4.2.1 mailbox is busy\r\n"
		      : does(line, "refuse") ? "550 5.1.1 no such mailbox\r\n"
					     : "250 2.1.5 fine\r\n");
	return true;
}

static bool serve_mail_from(int fd, int session, int number)
{
	if (session == SESSION_MUTE_MAIL)
		return true;
	if (session == SESSION_ONE_MAIL && number > 1)
		return false;
	if (session == SESSION_ONE_MAIL_421 && number > 1) {
		send_text(fd, "421 4.4.2 idle for too long\r\n");
		return false;
	}
	send_text(fd, session == SESSION_NO_SENDER ? "550 5.7.1 not from here\r\n" : "250 fine\r\n");
	return true;
}

static void serve_auth(struct smtp_server *s, int fd, const char *line)
{
	pthread_mutex_lock(&s->sink.lock);
	s->auths++;
	pthread_mutex_unlock(&s->sink.lock);
	const char *blob = strrchr(line, ' ');
	bool good = s->login && blob && strcmp(blob + 1, s->login) == 0;
	send_text(fd, good ? "235 2.7.0 welcome\r\n" : "535 5.7.8 no\r\n");
}

static void serve_session(struct smtp_server *s, int fd)
{
	struct reader r = {.fd = fd};
	char line[1024], recipient[1024] = "";
	int mails = 0, session = atomic_load(&s->session);
	if (session == SESSION_MUTE) {
		(void)reader_line(&r, line, sizeof(line));
		return;
	}
	send_text(fd, session == SESSION_CLOSED ? "554 not today\r\n" : "220-mail.example\r\n220 ready\r\n");
	bool on = true;
	while (on && reader_line(&r, line, sizeof(line))) {
		session = atomic_load(&s->session);
		if (strncasecmp(line, "EHLO", 4) == 0) {
			send_text(fd, s->login ? "250-mail.example\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"
					       : "250-mail.example\r\n250 8BITMIME\r\n");
		} else if (strncasecmp(line, "AUTH", 4) == 0) {
			serve_auth(s, fd, line);
		} else if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
			on = serve_mail_from(fd, session, ++mails);
		} else if (strncasecmp(line, "RCPT TO:", 8) == 0) {
			(void)snprintf(recipient, sizeof(recipient), "%s", line);
			on = serve_rcpt(s, fd, line);
		} else if (strcasecmp(line, "DATA") == 0) {
			on = serve_data(s, &r, recipient);
		} else if (strcasecmp(line, "QUIT") == 0) {
			send_text(fd, "221 bye\r\n");
			on = false;
		} else {
			send_text(fd, strcasecmp(line, "NOOP") == 0 ? "250 fine\r\n" : "500 what?\r\n");
		}
	}
}

static void serve(void *ctx, int fd, int number)
{
	(void)number;
	struct smtp_server *s = ctx;
	pthread_mutex_lock(&s->sink.lock);
	s->open++;
	s->max_open = s->open > s->max_open ? s->open : s->max_open;
	pthread_mutex_unlock(&s->sink.lock);
	serve_session(s, fd);
	pthread_mutex_lock(&s->sink.lock);
	s->open--;
	pthread_mutex_unlock(&s->sink.lock);
}

void smtp_server_start(struct smtp_server *s)
{
	memset(s, 0, sizeof(*s));
	s->last = STRBUF_INIT(1 << 20);
	s->all = STRBUF_INIT(8 << 20);
	sink_start(&s->sink, serve, s);
}

void smtp_server_stop(struct smtp_server *s)
{
	sink_stop(&s->sink);
	strbuf_free(&s->last);
	strbuf_free(&s->all);
}

int smtp_server_mails(struct smtp_server *s)
{
	pthread_mutex_lock(&s->sink.lock);
	int n = s->mails;
	pthread_mutex_unlock(&s->sink.lock);
	return n;
}
