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
// With one of its settings.
void case_start_with(struct dialect_case *c, const char *directory, const char *name, const char *setting, const char *value);
void case_end(struct dialect_case *c);
// Routes and reads a request; the reason that stopped it, or OK. The body is copied, and wiped afterwards as the caller of dialect_read does.
enum reason case_read(struct dialect_case *c, const char *method, const char *path, struct slice body);
// What the receipt would be for that reason; then the answer's body.
const char *case_answer(struct dialect_case *c, enum reason reason);

// One exchange, for tables.
struct case_request {
	const char *name;          // of the test
	const char *method, *path; // NULL: POST, and the path of the row before
	const char *type;          // content type as sent; NULL: application/json, "": none
	const char *query;         // NULL: none
	const char *headers;       // "name: value\n..."; NULL: none
	const char *body;          // NULL: none
	const char *taken;         // names of claim kinds that others hold: "email username"; NULL: none
	const char *answer;        // "STATUS body"
};
// The answer to it, after the rules and the database have had their say, as "STATUS body".
const char *case_exchange(struct dialect_case *c, const struct case_request *request);
// All rows; tells those that differ and fails in the end.
void case_table(struct dialect_case *c, const char *path, const struct case_request *rows, size_t count);
// A header of the last answer; "" if there is none.
const char *case_header(const struct dialect_case *c, const char *name);
// "field:code field:code ..." in order.
const char *case_violations(struct dialect_case *c);
