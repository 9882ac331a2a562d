// SPDX-License-Identifier: Apache-2.0
// Where messages are handed to: a URL of the settings, looked at before anything is sent there. Pure.
#pragma once

#include <stdbool.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

struct endpoint {
	bool tls;      // from the first byte
	bool loopback; // localhost, 127.0.0.0/8, ::1
};

// plain and tls: the two schemes allowed. SETTING_INVALID for any other, for a missing host, for user or password, query or fragment in the
// URL (they would show up in messages of the system), and for control characters. The path is free with http only.
enum reason endpoint_parse(const char *text, const char *plain, const char *tls, struct endpoint *endpoint,
			   struct fault *f) ATTR_MUST_USE;

// Letters, digits, dots, hyphens and the marks of an address literal.
bool endpoint_is_host(struct slice text) ATTR_MUST_USE;
