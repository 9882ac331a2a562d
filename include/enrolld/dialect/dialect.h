// SPDX-License-Identifier: Apache-2.0
// Dialects: what a frontend asks and how it is answered, as data files. Loaded as a whole, then read-only and shared by all threads.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/secret.h"
#include "enrolld/model/answer.h"
#include "enrolld/model/receipt.h"
#include "enrolld/model/registration.h"
#include "enrolld/model/request.h"

struct dialect_set;
struct dialect;
struct route;

// Loads the named dialects from directory/<name>/dialect.yaml. Every error of every file is in the detail's first line and in *report (arena text, one a line).
enum reason dialect_load(const char *directory, const char *const *names, size_t count, struct dialect_set **set, struct fault *f) ATTR_MUST_USE;
void dialect_set_destroy(struct dialect_set *set);

// Which dialect and route a request is for: by event type, or by method and path, among the topic's dialects in their order. Sets request->route
// and, where the dialect takes the id from the body, request->request_id later by dialect_read.
// ROUTE_UNKNOWN or METHOD_NOT_ALLOWED: *route is NULL and *dialect the one that answers (the topic's first, or the path's owner).
enum reason dialect_route(const struct dialect_set *set, const char *const *names, size_t count, struct request *request,
			  const struct dialect **dialect, const struct route **route, struct fault *f) ATTR_MUST_USE;

// The canonical registration with its violations (reason INVALID if there are any), or why the body cannot be read. The password goes to a secret of pool;
// the caller wipes the record's value afterwards. REASON_OK: acceptable so far.
enum reason dialect_read(const struct route *route, struct request *request, struct secret_pool *pool, int64_t now_ms, struct arena *arena,
			 struct registration *registration, struct fault *f) ATTR_MUST_USE;

// Adds the violation that the dialect has for a taken claim ("taken" facts), in its own words.
void dialect_taken(const struct route *route, const struct registration *registration, const bool taken[static CLAIMS_MAX], struct arena *arena,
		   struct violation **violations, size_t *count);

// The answer in the frontend's own words: pure, so that a redelivery gives the same bytes. registration may be NULL (unreadable body), route too.
void dialect_answer(const struct dialect *dialect, const struct route *route, const struct request *request, const struct registration *registration,
		    const struct receipt *receipt, struct arena *arena, struct answer *answer);

enum operation_kind route_operation(const struct route *route) ATTR_MUST_USE;
const char *route_name(const struct route *route) ATTR_MUST_USE; // "native.sign_up": part of the inbox key
