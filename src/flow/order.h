// SPDX-License-Identifier: Apache-2.0
// Order keys: which requests may be looked at, and which must wait for a predecessor with the same request id or claim.
//
// Thread-safe. A request waits before the look until nobody before it on any of its keys may still change something. When a predecessor ends,
// its waiters are released together, so that a flood for one identity is answered in one go; after the look those that would change something
// although another before them may do so too go back to waiting. A derived claim's stem is a key too, whose waiters are released one by one: the
// next must see which value this one took. Limits are no keys: they are sums.
#pragma once

#include "flow/work.h"

struct order;

// limit: requests that may stand on one key.
struct order *order_create(size_t limit);
void order_destroy(struct order *order); // must be empty

enum order_entry { ORDER_FIRST, ORDER_MUST_WAIT, ORDER_KEY_FULL };
// Takes the keys of the work (request id; claims and stems of a registration that is acceptable so far). FIRST: look at it now. MUST_WAIT: it comes out of order_leave or
// order_recheck later. KEY_FULL: nothing was taken, try again when something ended.
enum order_entry order_enter(struct order *order, struct work *work) ATTR_MUST_USE;

enum order_need {
	ORDER_NEED_NOTHING, // answered from what is there
	ORDER_NEED_ID,      // stores a row under its request id
	ORDER_NEED_ALL,     // takes claims
};
// After the look: may the work go on? false: it waits again, and comes out of order_leave to be looked at again.
bool order_go_on(struct order *order, struct work *work, enum order_need need) ATTR_MUST_USE;

// The work has ended (stored, answered or dropped). Returns those that may be looked at now, linked by order_next, in order of arrival.
struct work *order_leave(struct order *order, struct work *work) ATTR_MUST_USE;
// Next of a list that order_leave returned, to be asked before the work is handed on.
struct work *order_next(const struct work *work) ATTR_MUST_USE;
size_t order_waiting(struct order *order) ATTR_MUST_USE;
