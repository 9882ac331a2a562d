// SPDX-License-Identifier: Apache-2.0
// Forwards bytes between sockets, one thread a link, and watches for the word COMMIT.
#include "proxy.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct proxy {
	const struct fixture *fx;
	atomic_int mode;
	atomic_bool stopping;
	atomic_int links;
	int listener;
	uint16_t port, server_port;
	pthread_t acceptor;
};

struct link {
	struct proxy *proxy;
	int client, server;
};

static struct sockaddr_in address_of(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static uint16_t server_port(void)
{
	long port = 5432;
	PQconninfoOption *options = PQconninfoParse(getenv("ENROLLD_DSN"), NULL);
	for (PQconninfoOption *option = options; option && option->keyword; option++) {
		if (strcmp(option->keyword, "port") == 0 && option->val)
			port = strtol(option->val, NULL, 10);
	}
	PQconninfoFree(options);
	return (uint16_t)port;
}

static bool send_all(int fd, const char *bytes, ssize_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, bytes, (size_t)len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		bytes += sent;
		len -= sent;
	}
	return true;
}

// Waits for the server's "C" (CommandComplete) of the COMMIT and keeps it from the client.
static void swallow_answer(int server)
{
	char bytes[65536];
	ssize_t len;
	do {
		len = recv(server, bytes, sizeof(bytes), 0);
	} while (len > 0 && !memmem(bytes, (size_t)len, "COMMIT", 6));
}

static bool forward(struct link *link, int from, int to)
{
	char bytes[65536];
	ssize_t len = recv(from, bytes, sizeof(bytes), 0);
	if (len <= 0)
		return false;
	int mode = atomic_load(&link->proxy->mode);
	bool commit = from == link->client && memmem(bytes, (size_t)len, "COMMIT", 6);
	if (!commit || (mode != PROXY_CUT_BEFORE_COMMIT && mode != PROXY_CUT_AFTER_COMMIT))
		return send_all(to, bytes, len);
	if (mode == PROXY_CUT_AFTER_COMMIT && send_all(to, bytes, len))
		swallow_answer(link->server);
	atomic_store(&link->proxy->mode, PROXY_PASS);
	return false;
}

static void *run_link(void *arg)
{
	struct link *link = arg;
	struct pollfd fds[2] = {{.fd = link->client, .events = POLLIN}, {.fd = link->server, .events = POLLIN}};
	bool open = true;
	while (open && !atomic_load(&link->proxy->stopping)) {
		if (atomic_load(&link->proxy->mode) == PROXY_SILENT) {
			(void)poll(NULL, 0, 10);
			continue;
		}
		if (poll(fds, 2, 10) <= 0)
			continue;
		if (fds[0].revents)
			open = forward(link, link->client, link->server);
		if (open && fds[1].revents)
			open = forward(link, link->server, link->client);
	}
	(void)close(link->client);
	(void)close(link->server);
	atomic_fetch_sub(&link->proxy->links, 1);
	free(link);
	return NULL;
}

static void start_link(struct proxy *proxy, int client)
{
	struct link *link = calloc(1, sizeof(*link));
	*link = (struct link){proxy, client, socket(AF_INET, SOCK_STREAM, 0)};
	struct sockaddr_in server = address_of(proxy->server_port);
	pthread_t thread;
	atomic_fetch_add(&proxy->links, 1);
	if (connect(link->server, (const struct sockaddr *)&server, sizeof(server)) == 0 &&
	    pthread_create(&thread, NULL, run_link, link) == 0)
		(void)pthread_detach(thread);
	else
		abort();
}

static void *accept_links(void *arg)
{
	struct proxy *proxy = arg;
	struct pollfd pfd = {.fd = proxy->listener, .events = POLLIN};
	while (!atomic_load(&proxy->stopping)) {
		if (poll(&pfd, 1, 10) > 0)
			start_link(proxy, accept(proxy->listener, NULL, NULL));
	}
	return NULL;
}

struct proxy *proxy_open(const struct fixture *fx)
{
	struct proxy *proxy = calloc(1, sizeof(*proxy));
	proxy->fx = fx;
	proxy->server_port = server_port();
	proxy->listener = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in own = address_of(0);
	socklen_t len = sizeof(own);
	assert_int_equal(bind(proxy->listener, (const struct sockaddr *)&own, len), 0);
	assert_int_equal(listen(proxy->listener, 16), 0);
	assert_int_equal(getsockname(proxy->listener, (struct sockaddr *)&own, &len), 0);
	proxy->port = ntohs(own.sin_port);
	assert_int_equal(pthread_create(&proxy->acceptor, NULL, accept_links, proxy), 0);
	return proxy;
}

void proxy_close(struct proxy *proxy)
{
	atomic_store(&proxy->stopping, true);
	assert_int_equal(pthread_join(proxy->acceptor, NULL), 0);
	while (atomic_load(&proxy->links) > 0)
		(void)poll(NULL, 0, 5);
	(void)close(proxy->listener);
	free(proxy);
}

void proxy_set(struct proxy *proxy, enum proxy_mode mode)
{
	atomic_store(&proxy->mode, (int)mode);
}

struct store_conf proxy_conf(const struct proxy *proxy)
{
	struct store_conf conf = proxy->fx->worker;
	struct setting_pair *pairs = ARENA_ARRAY(proxy->fx->arena, conf.properties.count + 2, struct setting_pair);
	memcpy(pairs, conf.properties.pairs, conf.properties.count * sizeof(*pairs));
	pairs[conf.properties.count] = (struct setting_pair){"host", "127.0.0.1"};
	pairs[conf.properties.count + 1] = (struct setting_pair){"port", arena_printf(proxy->fx->arena, "%u", proxy->port).ptr};
	conf.properties = (struct setting_map){pairs, conf.properties.count + 2};
	return conf;
}
