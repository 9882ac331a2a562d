// SPDX-License-Identifier: Apache-2.0
// Texts to watched prefixes and codes of them that came back, since the database was told last; and what it says is on hold. Thread-safe; of both
// lanes. Times are monotonic. What is not told yet when a process dies is not counted.
#pragma once

#include "enrolld/operation/sending.h"
#include "enrolld/store/sending.h"

#define TALLY_PLACES 4096 // prefixes between two tellings; of more nothing is counted

struct tally;

struct tally *tally_create(void);
void tally_destroy(struct tally *tally); // NULL is fine

void tally_sent(struct tally *tally, struct slice realm, const struct sending_watch *watch, int64_t now_ns);
void tally_verified(struct tally *tally, struct slice realm, const struct sending_watch *watch);
// What is to be told now: codes that came back at once, texts when their grace is over. Texts live in arena; at most max.
size_t tally_due(struct tally *tally, int64_t now_ns, struct arena *arena, struct prefix_count *out, size_t max) ATTR_MUST_USE;
// The database has these, as tally_due gave them.
void tally_told(struct tally *tally, const struct prefix_count *counts, size_t count);

// All that is on hold; takes the place of what was before. The slices are copied.
void tally_hold(struct tally *tally, const struct prefix_hold *holds, size_t count, int64_t now_ns);
bool tally_held(struct tally *tally, struct slice realm, struct slice prefix, int64_t now_ns) ATTR_MUST_USE;
