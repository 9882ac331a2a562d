// SPDX-License-Identifier: Apache-2.0
// A link to PostgreSQL that breaks on demand, exactly at the COMMIT.
#pragma once

#include "fixture.h"

enum proxy_mode {
	PROXY_PASS,
	PROXY_CUT_BEFORE_COMMIT, // the server never sees it
	PROXY_CUT_AFTER_COMMIT,  // the server has answered it, the client never hears
	PROXY_SILENT,            // nothing passes either way, nothing is closed
};

struct proxy;
struct proxy *proxy_open(const struct fixture *fx);
void proxy_close(struct proxy *proxy);
// Once a link was cut, the mode is PROXY_PASS again.
void proxy_set(struct proxy *proxy, enum proxy_mode mode);
// The worker's settings, through the proxy.
struct store_conf proxy_conf(const struct proxy *proxy);
