// SPDX-License-Identifier: Apache-2.0
// The admin endpoint: /healthz, /readyz, /metrics, and a page for people at /. HTTP/1.1, one thread, no login: for loopback.
#pragma once

#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/conf/process.h"

struct admin;

// What the endpoint asks the worker. Called on the endpoint's thread, one at a time.
struct admin_sources {
	void *ctx;
	bool (*healthy)(void *ctx, struct strbuf *why);
	bool (*ready)(void *ctx, struct strbuf *why);
	void (*measure)(void *ctx); // before metrics are written
	const char *title;          // instance
};

enum reason admin_start(const struct process_conf *conf, const struct admin_sources *sources, struct admin **admin,
			struct fault *f) ATTR_MUST_USE;
int admin_port(const struct admin *admin) ATTR_MUST_USE;
void admin_stop(struct admin *admin); // NULL is fine

struct sockaddr_storage;
// An IPv4 or IPv6 address as text; false if it is neither.
bool admin_parse_address(const char *text, int64_t port, struct sockaddr_storage *out) ATTR_MUST_USE;
