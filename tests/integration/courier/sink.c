// SPDX-License-Identifier: Apache-2.0
// Sockets and threads of the scripted servers.
#include "sink.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct accepted {
	struct sink *sink;
	int fd, number;
};

static void *run_connection(void *arg)
{
	struct accepted a = *(struct accepted *)arg;
	free(arg);
	a.sink->serve(a.sink->ctx, a.fd, a.number);
	pthread_mutex_lock(&a.sink->lock);
	a.sink->fds[a.number - 1] = -1;
	pthread_mutex_unlock(&a.sink->lock);
	close(a.fd);
	return NULL;
}

static void *run_listener(void *arg)
{
	struct sink *sink = arg;
	for (;;) {
		int fd = accept(sink->listener, NULL, NULL);
		if (fd < 0)
			return NULL;
		struct accepted *a = malloc(sizeof(*a));
		pthread_mutex_lock(&sink->lock);
		if (!a || sink->stopping || sink->count == SINK_CONNECTIONS_MAX)
			abort();
		*a = (struct accepted){sink, fd, ++sink->count};
		sink->fds[a->number - 1] = fd;
		if (pthread_create(&sink->threads[a->number - 1], NULL, run_connection, a) != 0)
			abort();
		pthread_mutex_unlock(&sink->lock);
	}
}

void sink_start(struct sink *sink, void (*serve)(void *ctx, int fd, int number), void *ctx)
{
	memset(sink, 0, sizeof(*sink));
	sink->serve = serve;
	sink->ctx = ctx;
	pthread_mutex_init(&sink->lock, NULL);
	sink->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(sink->listener >= 0);
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(sink->listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(sink->listener, 32), 0);
	socklen_t size = sizeof(at);
	assert_int_equal(getsockname(sink->listener, (struct sockaddr *)&at, &size), 0);
	sink->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&sink->thread, NULL, run_listener, sink), 0);
}

void sink_close_listener(struct sink *sink)
{
	if (sink->listener < 0)
		return;
	shutdown(sink->listener, SHUT_RDWR);
	pthread_join(sink->thread, NULL);
	close(sink->listener);
	sink->listener = -1;
}

void sink_stop(struct sink *sink)
{
	sink_close_listener(sink);
	pthread_mutex_lock(&sink->lock);
	for (int i = 0; i < sink->count; i++) {
		if (sink->fds[i] >= 0)
			shutdown(sink->fds[i], SHUT_RDWR);
	}
	pthread_mutex_unlock(&sink->lock);
	for (int i = 0; i < sink->count; i++)
		pthread_join(sink->threads[i], NULL);
	pthread_mutex_destroy(&sink->lock);
}

int reader_byte(struct reader *r)
{
	if (r->at == r->len) {
		ssize_t n = recv(r->fd, r->data, sizeof(r->data), 0);
		if (n <= 0)
			return -1;
		r->len = (size_t)n;
		r->at = 0;
	}
	return (unsigned char)r->data[r->at++];
}

bool reader_line(struct reader *r, char *out, size_t size)
{
	size_t n = 0;
	for (;;) {
		int c = reader_byte(r);
		if (c < 0 || n + 1 == size)
			return false;
		if (c == '\n')
			break;
		out[n++] = (char)c;
	}
	if (n > 0 && out[n - 1] == '\r')
		n--;
	out[n] = '\0';
	return true;
}

void send_text(int fd, const char *text)
{
	for (size_t left = strlen(text); left > 0;) {
		ssize_t n = send(fd, text, left, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
}
