// SPDX-License-Identifier: Apache-2.0
// A listener on loopback with a thread for each connection: the ground of the scripted servers.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define SINK_CONNECTIONS_MAX 64

struct sink {
	int listener;
	int port;
	void (*serve)(void *ctx, int fd, int number); // one connection, numbered from 1; fd is closed afterwards
	void *ctx;
	pthread_t thread;
	pthread_mutex_t lock; // guards all below, and whatever the server built on this keeps
	bool stopping;
	int count; // connections so far
	int fds[SINK_CONNECTIONS_MAX];
	pthread_t threads[SINK_CONNECTIONS_MAX];
};

void sink_start(struct sink *sink, void (*serve)(void *ctx, int fd, int number), void *ctx);
void sink_stop(struct sink *sink);           // breaks all connections, joins all threads
void sink_close_listener(struct sink *sink); // connection refused from now on

struct reader {
	int fd;
	char data[16384];
	size_t len, at;
};
int reader_byte(struct reader *r); // -1: end
// Up to and without LF or CRLF; false at the end or if it is too long.
bool reader_line(struct reader *r, char *out, size_t size);
void send_text(int fd, const char *text);
