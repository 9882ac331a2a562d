// SPDX-License-Identifier: Apache-2.0
// Exchanges with an HTTP provider, several at once on kept connections: libcurl's multi interface, never more handles than connections, since
// 7.88 walks all of them at each call. Belongs to one thread but for http_wake().
#pragma once

#include "courier/provider.h"
#include "courier/stopper.h"
#include "enrolld/courier/courier.h"

struct http;

// One exchange; the owner keeps it until http_done() gives it back.
struct http_job {
	struct provider_request request;
	struct gate gate; // asked when libcurl wants the first byte of the body: what fails before then has not been handed over
	struct handover handover; // set when done
	int64_t took_ns;          // from start to end
};

// Does not connect. conf, provider and stop must outlive it; stop may be NULL. SETTING_INVALID if libcurl does not take a setting.
enum reason http_open(const struct courier_conf *conf, const struct provider *provider, struct stopper *stop, struct http **http,
		      struct fault *f) ATTR_MUST_USE;
void http_close(struct http *http); // what still runs is dropped without being judged; NULL is fine

size_t http_room(const struct http *http) ATTR_MUST_USE; // exchanges that may be started
size_t http_running(const struct http *http) ATTR_MUST_USE;
void http_start(struct http *http, struct http_job *job); // there must be room

// Lets the exchanges go on until one is done, timeout_ms are over or somebody wakes it.
void http_run(struct http *http, int timeout_ms);
struct http_job *http_done(struct http *http) ATTR_MUST_USE; // the next one that is done, or NULL
void http_wake(struct http *http);                           // thread-safe

// Connects, with TLS, and says nothing. DELIVERY_UNREACHABLE.
enum reason http_probe(const struct courier_conf *conf, struct fault *f) ATTR_MUST_USE;
