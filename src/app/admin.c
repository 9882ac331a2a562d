// SPDX-License-Identifier: Apache-2.0
// The admin endpoint on libmicrohttpd.
#include "app/admin.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "app/page.h"
#include "enrolld/base/metric.h"

#define CONNECTIONS 32
#define IDLE_SECONDS 10
#define BODY_LIMIT ((size_t)4 << 20)

struct admin {
	struct admin_sources sources;
	struct MHD_Daemon *daemon;
	int port;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, struct strbuf *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(body->len, body->data ? body->data : (void *)(uintptr_t) "",
									MHD_RESPMEM_MUST_COPY);
	strbuf_free(body);
	if (!response)
		return MHD_NO;
	enum MHD_Result result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	result = MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") && result ? MHD_YES : MHD_NO;
	result = result && MHD_queue_response(connection, status, response) ? MHD_YES : MHD_NO;
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned status, const char *text)
{
	struct strbuf body = STRBUF_INIT(1024);
	strbuf_add_text(&body, text);
	return answer(connection, status, "text/plain; charset=utf-8", &body);
}

static enum MHD_Result probe(struct MHD_Connection *connection, bool (*ask)(void *, struct strbuf *), void *ctx)
{
	struct strbuf why = STRBUF_INIT(8192);
	if (ask(ctx, &why)) {
		strbuf_reset(&why);
		strbuf_add_text(&why, "ok\n");
		return answer(connection, MHD_HTTP_OK, "text/plain; charset=utf-8", &why);
	}
	return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", &why);
}

static enum MHD_Result metrics(struct admin *admin, struct MHD_Connection *connection)
{
	struct strbuf body = STRBUF_INIT(BODY_LIMIT);
	admin->sources.measure(admin->sources.ctx);
	metric_write(&body);
	return answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static enum MHD_Result page(struct admin *admin, struct MHD_Connection *connection)
{
	struct strbuf body = STRBUF_INIT(BODY_LIMIT), why = STRBUF_INIT(8192);
	admin->sources.measure(admin->sources.ctx);
	bool ready = admin->sources.ready(admin->sources.ctx, &why);
	page_write(admin->sources.title, ready, strbuf_slice(&why), &body);
	strbuf_free(&why);
	return answer(connection, MHD_HTTP_OK, "text/html; charset=utf-8", &body);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **state)
{
	static int seen;
	struct admin *admin = ctx;
	(void)version;
	(void)upload;
	if (!*state) { // headers only; the answer comes with the next call
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return say(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD here\n");
	if (strcmp(url, "/healthz") == 0)
		return probe(connection, admin->sources.healthy, admin->sources.ctx);
	if (strcmp(url, "/readyz") == 0)
		return probe(connection, admin->sources.ready, admin->sources.ctx);
	if (strcmp(url, "/metrics") == 0)
		return metrics(admin, connection);
	if (strcmp(url, "/") == 0)
		return page(admin, connection);
	return say(connection, MHD_HTTP_NOT_FOUND, "here are /healthz, /readyz, /metrics and /\n");
}

bool admin_parse_address(const char *text, int64_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

enum reason admin_start(const struct process_conf *conf, const struct admin_sources *sources, struct admin **ret_admin,
			struct fault *f)
{
	struct sockaddr_storage address;
	if (!admin_parse_address(conf->admin_address, conf->admin_port, &address))
		return fault_set(f, REASON_SETTING_INVALID, "admin.address: %s is no IP address; give one such as 127.0.0.1 or ::1",
				 conf->admin_address);
	struct admin *admin = calloc(1, sizeof(*admin));
	if (!admin)
		PANIC("out of memory");
	admin->sources = *sources;
	unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0);
	admin->daemon = MHD_start_daemon(flags, (uint16_t)conf->admin_port, NULL, NULL, handle, admin, MHD_OPTION_SOCK_ADDR,
					 (struct sockaddr *)&address, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
					 MHD_OPTION_CONNECTION_TIMEOUT, IDLE_SECONDS, MHD_OPTION_END);
	if (!admin->daemon) {
		free(admin);
		return fault_set(f, REASON_SETTING_INVALID,
				 "admin.port: cannot listen on %s port %d: it is taken, or not allowed; choose another",
				 conf->admin_address, (int)conf->admin_port);
	}
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(admin->daemon, MHD_DAEMON_INFO_BIND_PORT);
	admin->port = info ? info->port : (int)conf->admin_port;
	*ret_admin = admin;
	return REASON_OK;
}

int admin_port(const struct admin *admin)
{
	return admin->port;
}

void admin_stop(struct admin *admin)
{
	if (!admin)
		return;
	MHD_stop_daemon(admin->daemon);
	free(admin);
}
