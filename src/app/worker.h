// SPDX-License-Identifier: Apache-2.0
// The worker as a whole: its parts are built from the settings in order, and given back in reverse order.
#pragma once

#include "enrolld/base/fault.h"
#include "enrolld/base/strbuf.h"
#include "enrolld/conf/conf.h"

struct worker;

// report: every error of the dialect files, one a line.
enum reason worker_create(const struct conf *conf, struct worker **worker, struct strbuf *report, struct fault *f) ATTR_MUST_USE;
void worker_stop(struct worker *worker, bool *clean);
void worker_destroy(struct worker *worker); // NULL is fine

// Puts the reloadable settings of a newer configuration in force, and the dialects as their files are now; requests in hand keep theirs.
// DIALECT_INVALID, FILE_UNREADABLE: all stays as it was; report has every error, one a line.
enum reason worker_reload(struct worker *worker, const struct conf *conf, struct strbuf *report, struct fault *f) ATTR_MUST_USE;
enum reason worker_failure(struct worker *worker, struct fault *f) ATTR_MUST_USE;
bool worker_ready(struct worker *worker, struct strbuf *why) ATTR_MUST_USE;
bool worker_healthy(struct worker *worker, struct strbuf *why) ATTR_MUST_USE;
void worker_measure(struct worker *worker);
int worker_admin_port(const struct worker *worker) ATTR_MUST_USE; // 0: none
