// SPDX-License-Identifier: Apache-2.0
// Rows of table notice: what arose without a request. They are written with the change that they tell of; here they are taken, and marked as published.
#pragma once

#include "enrolld/store/store.h"

struct notice {
	struct uuid notice_id;
	struct slice kind;    // "message.accepted", "sending.held", ...
	struct slice subject; // what it is about
	struct slice key;     // who is concerned, else the subject
	struct slice payload; // a JSON object
	int64_t created_ms;   // since 1970
};

// Opens a transaction that holds the oldest that wait, at most max, unless there is none (*count is 0). Those that another worker holds are passed
// over (SKIP LOCKED), and so is what has one key with an older one of them: of a key they come in their order. Texts live in arena.
enum reason store_notice_take(struct store *store, size_t max, struct arena *arena, struct notice *out, size_t *count,
			      struct fault *f) ATTR_MUST_USE;
// They were published: marks them and commits. store_cancel gives them back instead, as does the end of the link.
enum reason store_notice_mark(struct store *store, const struct notice *notices, size_t count, struct fault *f) ATTR_MUST_USE;
// How many wait, for the metric.
enum reason store_notice_waiting(struct store *store, int64_t *count, struct fault *f) ATTR_MUST_USE;
