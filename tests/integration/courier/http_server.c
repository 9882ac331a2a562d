// SPDX-License-Identifier: Apache-2.0
// The scripted HTTP provider.
#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static void pause_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

static void answer(int fd, int status, const char *headers, const char *body)
{
	char text[1024];
	(void)snprintf(text, sizeof(text),
		       "HTTP/1.1 %d Whatever\r\nContent-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers,
		       strlen(body), body);
	send_text(fd, text);
}

static void answer_date(int fd)
{
	char header[128];
	struct tm tm;
	time_t then = time(NULL) + 60;
	(void)strftime(header, sizeof(header), "Retry-After: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&then, &tm));
	answer(fd, 503, header, "{}");
}

static void answer_huge(int fd)
{
	send_text(fd, "HTTP/1.1 201 Created\r\nContent-Length: 204800\r\n\r\n");
	char block[1025];
	memset(block, ' ', sizeof(block) - 1);
	block[sizeof(block) - 1] = '\0';
	for (int i = 0; i < 200; i++)
		send_text(fd, block);
}

static bool is(const char *path, const char *what)
{
	return strncmp(path, what, strlen(what)) == 0;
}

// false ends the connection.
static bool respond(int fd, const char *path, int number)
{
	if (is(path, "/drop") || (is(path, "/once") && number > 1))
		return false;
	if (is(path, "/slow"))
		pause_ms(1500);
	if (is(path, "/silent")) {
		pause_ms(4000);
		return false;
	}
	if (is(path, "/status/"))
		answer(fd, (int)strtol(path + 8, NULL, 10), "", "{}");
	else if (is(path, "/later"))
		answer(fd, 429, "Retry-After: 7\r\n", "{}");
	else if (is(path, "/date"))
		answer_date(fd);
	else if (is(path, "/huge"))
		answer_huge(fd);
	else if (is(path, "/redirect"))
		answer(fd, 307, "Location: /ok\r\n", "");
	else
		answer(fd, 201, "X-Message-Id: H1\r\n", "{\"sid\":\"SM1\"}");
	return true;
}

static bool read_request(struct http_server *s, struct reader *r, char *path, size_t path_size)
{
	char line[4096];
	size_t length = 0;
	struct strbuf head = STRBUF_INIT(65536), body = STRBUF_INIT(1 << 20);
	bool good = reader_line(r, line, sizeof(line));
	const char *start = good ? strchr(line, ' ') : NULL;
	if (start)
		(void)snprintf(path, path_size, "%.*s", (int)strcspn(start + 1, " "), start + 1);
	while (good && line[0] != '\0') {
		strbuf_add_text(&head, line);
		strbuf_add_char(&head, '\n');
		if (strncasecmp(line, "Content-Length: ", 16) == 0)
			length = strtoul(line + 16, NULL, 10);
		good = reader_line(r, line, sizeof(line));
	}
	good = good && !is(path, "/cut");
	for (size_t i = 0; good && i < length; i++) {
		int c = reader_byte(r);
		good = c >= 0;
		strbuf_add_char(&body, (char)c);
	}
	if (good) {
		pthread_mutex_lock(&s->sink.lock);
		s->taken++;
		strbuf_reset(&s->head);
		strbuf_add_slice(&s->head, strbuf_slice(&head));
		strbuf_reset(&s->body);
		strbuf_add_slice(&s->body, strbuf_slice(&body));
		strbuf_add_slice(&s->bodies, strbuf_slice(&body));
		strbuf_add_char(&s->bodies, '\n');
		pthread_mutex_unlock(&s->sink.lock);
	}
	strbuf_free(&head);
	strbuf_free(&body);
	return good;
}

static void serve(void *ctx, int fd, int number)
{
	(void)number;
	struct http_server *s = ctx;
	struct reader r = {.fd = fd};
	char path[512] = "";
	for (int requests = 1; read_request(s, &r, path, sizeof(path)); requests++) {
		if (!respond(fd, path, requests))
			return;
	}
}

void http_server_start(struct http_server *s)
{
	memset(s, 0, sizeof(*s));
	s->head = STRBUF_INIT(65536);
	s->body = STRBUF_INIT(1 << 20);
	s->bodies = STRBUF_INIT(8 << 20);
	sink_start(&s->sink, serve, s);
}

void http_server_stop(struct http_server *s)
{
	sink_stop(&s->sink);
	strbuf_free(&s->head);
	strbuf_free(&s->body);
	strbuf_free(&s->bodies);
}

int http_server_taken(struct http_server *s)
{
	pthread_mutex_lock(&s->sink.lock);
	int n = s->taken;
	pthread_mutex_unlock(&s->sink.lock);
	return n;
}
