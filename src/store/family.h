// SPDX-License-Identifier: Apache-2.0
// What is known of the sessions whose tokens are shown: the same question for the look and, once the sessions are held, for the store.
#pragma once

#include "store/pipeline.h"
#include "store/tables.h"

struct session_ask {
	const struct request *request;
	const struct session_use *use;
	struct facts *facts;
};

// Does the registration show a session's token?
bool session_asks(const struct registration *registration) ATTR_MUST_USE;
size_t session_find(struct pipeline *p, const struct session_ask *asks, size_t count);
// Fills facts->session of those that ask, and the now_ms of those that are found with the time of the answer.
void session_read(const PGresult *result, const struct session_ask *asks, size_t count);
// Does it end others than the one it holds?
bool session_ends_many(const struct session_change *change) ATTR_MUST_USE;
bool session_idles(const struct session_change *change) ATTR_MUST_USE; // devices of its account
// Locks, in key order, the sessions that items hold and those of accounts of which all are to end.
void session_take(struct pipeline *p, const struct store_item *items, size_t count);
void session_turn(struct pipeline *p, const struct store_item *items, size_t count);
void session_end(struct pipeline *p, const struct store_item *items, size_t count);
void session_insert(struct pipeline *p, const struct store_item *items, size_t count);
