// SPDX-License-Identifier: Apache-2.0
// The database schema: versioned SQL, forward only, and what "enrolld check" asks of the server.
#pragma once

#include <stdio.h>

#include "enrolld/base/strbuf.h"
#include "enrolld/store/store.h"

#define SCHEMA_VERSION 9

// Applies what is missing, each step in its transaction, under an advisory lock; prints one line a step. dry_run prints the SQL instead.
enum reason schema_migrate(const struct store_conf *conf, bool dry_run, FILE *out, struct fault *f) ATTR_MUST_USE;

enum check_level { CHECK_OK, CHECK_WARN, CHECK_FAIL };
// Receives one finding: what was looked at, what was found, and the remedy ("" if ok).
typedef void check_report(void *ctx, enum check_level level, const char *what, const char *found, const char *remedy);
// Server version, durability (fsync, synchronous_commit, full_page_writes), schema version, privileges, connections, clock.
void schema_check(const struct store_conf *conf, check_report *report, void *ctx);

// Adds one line for each library this module is built on: its name and the version that is loaded.
void store_libraries(struct strbuf *out);
