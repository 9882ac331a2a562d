// SPDX-License-Identifier: Apache-2.0
// Where finished hashes gather: in a backlog hashing is the slowest stage by far, and one transaction for many costs the database and the
// brokers far less than one for each. Private to flow.
//
// The rule: what is hashed is handed on when it is an eighth of what still waits for its hash, and TRAY_MAX at the latest. So with eight or
// fewer behind it a request waits for nobody, a lone one and the last ones of a backlog among them, and in a longer queue it waits
// for an eighth of the hashes behind it. There is no timer: the tray waits only for what is hashed or dropped at last, and
// each of these looks at it. Thread-safe.
#pragma once

#include <stddef.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/queue.h"

#define TRAY_MAX 16 // what a transaction costs is shared by so many; more would save little, and wait longer

struct tray;

// to: has room for all that is expected, and outlives the tray.
struct tray *tray_create(struct queue *to) ATTR_MALLOC;
void tray_destroy(struct tray *tray); // nothing may be expected; NULL is fine

void tray_expect(struct tray *tray);          // one more waits for its hash
void tray_put(struct tray *tray, void *item); // one that was expected is hashed; the tray's until it is in the queue
void tray_miss(struct tray *tray);            // one that was expected will not come
// How many are. 0: all that came is in the queue, and whoever put it there has left the tray.
size_t tray_expected(struct tray *tray) ATTR_MUST_USE;
