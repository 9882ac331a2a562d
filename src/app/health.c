// SPDX-License-Identifier: Apache-2.0
// enrolld health: asks the running worker's /readyz.
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/admin.h"
#include "app/command.h"
#include "enrolld/conf/process.h"

#define TIMEOUT_SECONDS 5
#define ANSWER_LIMIT 16384

// A worker that listens on every address is asked on loopback.
static bool find_address(const struct process_conf *conf, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	if (!admin_parse_address(conf->admin_address, conf->admin_port, out))
		return false;
	if (out->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (out->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		v6->sin6_addr = in6addr_loopback;
	return true;
}

// One request, and the whole answer with its head. False, with errno, if there is none.
static bool ask(const struct sockaddr_storage *address, struct strbuf *out)
{
	static const char request[] = "GET /readyz HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	struct timeval limit = {.tv_sec = TIMEOUT_SECONDS};
	char buffer[4096];
	socklen_t size = address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	ssize_t n = -1;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); // holds for connect too
	if (connect(fd, (const struct sockaddr *)address, size) == 0 && send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0)
		while ((n = recv(fd, buffer, sizeof(buffer), 0)) > 0 && !strbuf_overflowed(out))
			strbuf_add(out, buffer, (size_t)n);
	int error = errno;
	close(fd);
	if (n == 0)
		errno = ECONNRESET;
	else
		errno = error == EAGAIN || error == EINPROGRESS ? ETIMEDOUT : error;
	return n == 0 && out->len > 0;
}

// "HTTP/1.x 200 ...": the three digits, or 0.
static int status_of(const struct strbuf *answer)
{
	const char *text = answer->data;
	if (answer->len < 12 || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
		return 0;
	int status = 0;
	for (int i = 9; i < 12; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		status = 10 * status + text[i] - '0';
	}
	return status;
}

static int judge(const struct strbuf *answer)
{
	int status = status_of(answer);
	if (status == 200) {
		puts("ready");
		return EX_OK;
	}
	if (status != 503) {
		fprintf(stderr, "enrolld: what answers there is no worker; look at admin.address and admin.port\n");
		return EX_UNAVAILABLE;
	}
	const char *body = strstr(answer->data, "\r\n\r\n");
	printf("not ready\n%s", body ? body + 4 : "");
	return EX_TEMPFAIL;
}

static int run(const struct process_conf *conf)
{
	struct sockaddr_storage address;
	if (!conf->admin_address || !conf->admin_address[0] || conf->admin_port == 0) {
		fprintf(stderr,
			"enrolld: these settings give the admin endpoint no fixed place; set admin.address and admin.port\n");
		return EX_CONFIG;
	}
	if (!find_address(conf, &address)) {
		fprintf(stderr, "enrolld: admin.address: %s is no IP address; give one such as 127.0.0.1 or ::1\n",
			conf->admin_address);
		return EX_CONFIG;
	}
	struct strbuf answer = STRBUF_INIT(ANSWER_LIMIT);
	int status = EX_UNAVAILABLE;
	if (ask(&address, &answer))
		status = judge(&answer);
	else
		fprintf(stderr, "enrolld: no answer from %s port %d: %s. Does the worker run, with these settings?\n",
			conf->admin_address, (int)conf->admin_port, strerrordesc_np(errno));
	strbuf_free(&answer);
	return status;
}

int command_health(const struct invocation *invocation)
{
	struct conf *conf = NULL;
	int status = command_load(invocation, &conf);
	if (status != EX_OK)
		return status;
	status = run(conf_get(conf, &process_settings));
	conf_destroy(conf);
	return status;
}
