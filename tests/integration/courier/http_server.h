// SPDX-License-Identifier: Apache-2.0
// An HTTP provider that does as the path says: /ok /status/<code> /later (429, Retry-After: 7) /date (503, Retry-After as a date in about 60 s)
// /drop (takes it, closes) /cut (closes before the body) /slow (answers after 1500 ms) /silent /huge (an answer of 200 KiB)
// /once (the second request of a connection is taken, then the connection closes) /redirect.
#pragma once

#include "enrolld/base/strbuf.h"
#include "sink.h"

struct http_server {
	struct sink sink;
	// Under sink.lock:
	int taken;          // requests whose body was read to its end
	struct strbuf head; // of the last one
	struct strbuf body;
	struct strbuf bodies; // of all, one a line
};

void http_server_start(struct http_server *s);
void http_server_stop(struct http_server *s);
int http_server_taken(struct http_server *s);
