// SPDX-License-Identifier: Apache-2.0
// What the tests of operations stand on: keys, a pool of secrets, dialects, settings, and one request with what is known and what becomes of it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operation/operation_private.h"

#define HORIZON_MS (INT64_C(30) * 24 * 3600 * 1000) // of the operations

struct fixture {
	struct arena *arena;
	struct keyring *keys;
	struct secret_pool *secrets;
	struct dialect_set *dialects;
	const struct dialect *dialect;
	struct operation_conf conf;
	struct operation op; // sending is a test's own, and destroyed with the rest
	struct record record;
	struct request request;
	struct header headers[1];
	struct registration registration;
	struct facts facts;
	struct operation_case c;
	struct receipt receipt;
	struct changes changes;
	char code[CODE_TEXT_SIZE]; // the last that was derived
};

// An empty one with these dialects, of conf if that is not NULL. For a group's setup function: 0, or -1 if it cannot be.
int fixture_setup(struct fixture *x, const char *const *dialects, size_t count, const struct dialect_conf *conf) ATTR_MUST_USE;
int fixture_teardown(void **state);
