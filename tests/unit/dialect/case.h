// SPDX-License-Identifier: Apache-2.0
// One request to a dialect, with all that it needs, and the answer as text.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "enrolld/dialect/dialect.h"

#define NOW_MS INT64_C(1700000000000) // 2023-11-14

struct dialect_case {
	struct arena *arena;
	struct secret_pool *pool;
	const char *name;
	struct keyring *keys;
	struct dialect_set *set;
	struct record record;
	struct request request;
	const struct dialect *dialect;
	const struct route *route;
	struct registration registration;
	struct receipt receipt;
	struct answer answer;
	struct fault fault;
};

// Loads schemas/dialects/<name>; fails the test with the report if that cannot be.
void case_start(struct dialect_case *c, const char *directory, const char *name);
void case_end(struct dialect_case *c);
// Routes and reads a request; the reason that stopped it, or OK. The body is copied, and wiped afterwards as the caller of dialect_read does.
enum reason case_read(struct dialect_case *c, const char *method, const char *path, struct slice body);
// What the receipt would be for that reason; then the answer's body.
const char *case_answer(struct dialect_case *c, enum reason reason);
// "field:code field:code ..." in order.
const char *case_violations(struct dialect_case *c);
