// SPDX-License-Identifier: Apache-2.0
// A mail server that takes everything and keeps nothing, so that a measurement is of the worker: port=0. Prints its port,
// and at the end of standard input the number of mails it took.
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "args.h"

static atomic_long mails;

struct visitor {
	int fd;
	char bytes[8192];
	size_t count; // unread in bytes
	bool in_data;
};

static bool say(const struct visitor *v, const char *text)
{
	size_t size = strlen(text);
	return write(v->fd, text, size) == (ssize_t)size;
}

static bool starts(const char *line, const char *word)
{
	return strncasecmp(line, word, strlen(word)) == 0;
}

// Answers one line without its end; false: the visit is over.
static bool answer(struct visitor *v, const char *line)
{
	if (v->in_data) {
		if (strcmp(line, ".") != 0)
			return true;
		v->in_data = false;
		atomic_fetch_add(&mails, 1);
		return say(v, "250 2.0.0 taken\r\n");
	}
	if (starts(line, "EHLO"))
		return say(v, "250-bench\r\n250 8BITMIME\r\n");
	if (starts(line, "DATA")) {
		v->in_data = true;
		return say(v, "354 go on\r\n");
	}
	if (starts(line, "QUIT")) {
		(void)say(v, "221 bye\r\n");
		return false;
	}
	return say(v, "250 2.0.0 ok\r\n");
}

// All whole lines that have come; a line longer than the room for it is data, and its parts are answered as such.
static bool answer_lines(struct visitor *v)
{
	char *from = v->bytes, *end;
	while ((end = memchr(from, '\n', v->count))) {
		size_t size = (size_t)(end - from) + 1;
		*end = '\0';
		if (end > from && end[-1] == '\r')
			end[-1] = '\0';
		if (!answer(v, from))
			return false;
		from += size;
		v->count -= size;
	}
	memmove(v->bytes, from, v->count);
	if (v->count == sizeof(v->bytes))
		v->count = 0;
	return true;
}

static void *serve(void *ctx)
{
	struct visitor *v = ctx;
	ssize_t n;
	bool open = say(v, "220 bench ESMTP\r\n");
	while (open && (n = read(v->fd, v->bytes + v->count, sizeof(v->bytes) - v->count)) > 0) {
		v->count += (size_t)n;
		open = answer_lines(v);
	}
	close(v->fd);
	free(v);
	return NULL;
}

static void *welcome(void *ctx)
{
	int listener = *(int *)ctx, fd;
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		struct visitor *v = bench_alloc(1, sizeof(*v));
		pthread_t thread;
		v->fd = fd;
		if (pthread_create(&thread, NULL, serve, v) != 0)
			die("no thread for a visitor");
		(void)pthread_detach(thread);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct args args = args_of(argc, argv);
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)args_number(&args, "port", 0)),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	pthread_t thread;
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listener, (const struct sockaddr *)&at, size) != 0 || listen(listener, 64) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &size) != 0)
		die("listen: %s", strerrordesc_np(errno));
	if (pthread_create(&thread, NULL, welcome, &listener) != 0)
		die("no thread to listen with");
	printf("%d\n", ntohs(at.sin_port));
	fflush(stdout);
	while (getchar() != EOF)
		;
	printf("{\"mails\": %ld}\n", atomic_load(&mails));
	fflush(stdout);
	_exit(0); // visitors may be at work still
}
