// SPDX-License-Identifier: Apache-2.0
// One round trip: statements that are sent together and answered in order (PostgreSQL manual, section 34.5, "Pipeline Mode").
//
// struct pipeline p; pipeline_begin(&p, c); n = pipeline_add(&p, &statement, &params); pipeline_commit(&p); pipeline_run(&p, f);
// pipeline_result(&p, n); pipeline_end(&p). Trouble on the way is kept and reported by pipeline_run, so that adding has no error paths.
#pragma once

#include "store/connection.h"
#include "store/param.h"

#define PIPELINE_MAX 64

struct pipeline_entry {
	enum { ENTRY_CONTROL, ENTRY_PREPARE, ENTRY_QUERY } kind;
	const struct statement *statement;
	PGresult *result;
};

struct pipeline {
	struct connection *link;
	enum reason reason; // first trouble
	struct fault fault;
	bool commits;
	size_t count;
	struct pipeline_entry entries[PIPELINE_MAX];
};

// Connects if need be and opens a transaction.
void pipeline_begin(struct pipeline *p, struct connection *link);
// Goes on in the transaction that is open.
void pipeline_resume(struct pipeline *p, struct connection *link);
// Takes the parameters (frees them). Returns the handle for pipeline_result.
size_t pipeline_add(struct pipeline *p, const struct statement *statement, struct params *params);
void pipeline_commit(struct pipeline *p);
// Sends and reads everything. After a failure nothing of the transaction is left open, and there are no results.
enum reason pipeline_run(struct pipeline *p, struct fault *f) ATTR_MUST_USE;
const PGresult *pipeline_result(const struct pipeline *p, size_t handle) ATTR_MUST_USE;
void pipeline_end(struct pipeline *p);

// Rows that an INSERT, UPDATE or DELETE touched.
size_t pipeline_touched(const struct pipeline *p, size_t handle) ATTR_MUST_USE;
