// SPDX-License-Identifier: Apache-2.0
// Dialects: what a frontend asks and how it is answered, as data files. Loaded as a whole, then read-only and shared by all threads.
// The format is described, with examples, in schemas/dialects/README.md.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/model/answer.h"
#include "enrolld/model/receipt.h"
#include "enrolld/model/registration.h"
#include "enrolld/model/request.h"

struct dialect_set;
struct dialect;
struct route;

// Loads the named dialects from directory/<name>/dialect.yaml, and word lists from directory/../wordlists. A name that comes twice is loaded once.
// DIALECT_INVALID or FILE_UNREADABLE: nothing is kept; the detail has the first error, report (may be NULL) all of them, one a line:
// "file:line: what is wrong; what would be right".
enum reason dialect_load(const char *directory, const char *const *names, size_t count, struct strbuf *report,
			 struct dialect_set **set, struct fault *f) ATTR_MUST_USE;
void dialect_set_destroy(struct dialect_set *set); // NULL is fine

// Which dialect and route a request is for: by event type, or by method and path, among the topic's dialects in their order. Sets request->route.
// ROUTE_UNKNOWN or METHOD_NOT_ALLOWED: *route is NULL and *dialect the one that answers (the topic's first, or the path's owner).
// names: at least one, all of them loaded.
enum reason dialect_route(const struct dialect_set *set, const char *const *names, size_t count, struct request *request,
			  const struct dialect **dialect, const struct route **route, struct fault *f) ATTR_MUST_USE;

// The canonical registration with its violations (INVALID if there are any), or why the body cannot be read (a REFUSE reason; the registration is then
// empty). OK: acceptable so far. Where the dialect takes the id from the body and no header gave one, sets request->request_id.
// The password goes to a secret of pool, which the registration then owns, and its text in the tree is wiped; what is kept lives in the arena, nothing
// points into the record's value, which the caller wipes. HASH_MEMORY (RETRY): the pool is exhausted.
// A route that takes no fields reads nothing.
enum reason dialect_read(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms,
			 struct arena *arena, struct registration *registration, struct fault *f) ATTR_MUST_USE;

// Adds the violation that the dialect has for each taken claim ("taken" facts), in its own words, to a list in the arena.
void dialect_taken(const struct route *route, const struct registration *registration, const bool taken[static CLAIMS_MAX],
		   struct arena *arena, struct violation **violations, size_t *count);

// The answer in the frontend's own words: pure, so that a redelivery gives the same bytes. Texts of violations are found by field and code, whatever
// the receipt has. registration may be NULL (unreadable body), route too.
void dialect_answer(const struct dialect *dialect, const struct route *route, const struct request *request,
		    const struct registration *registration, const struct receipt *receipt, struct arena *arena,
		    struct answer *answer);

enum operation_kind route_operation(const struct route *route) ATTR_MUST_USE;
const char *route_name(const struct route *route) ATTR_MUST_USE; // "native.sign_up": part of the inbox key
const char *dialect_name(const struct dialect *dialect) ATTR_MUST_USE;
