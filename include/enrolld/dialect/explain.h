// SPDX-License-Identifier: Apache-2.0
// How a request is read, told step by step: for people who write a dialect.
#pragma once

#include "enrolld/dialect/dialect.h"

// As dialect_read(), and adds to out what was found where, each rule's verdict in the order of asking, and the registration. Secrets are not shown.
enum reason dialect_explain(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms,
			    struct arena *arena, struct registration *registration, struct strbuf *out,
			    struct fault *f) ATTR_MUST_USE;
