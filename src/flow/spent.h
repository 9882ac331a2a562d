// SPDX-License-Identifier: Apache-2.0
// Limits that the store has seen used up, for as long as they are: a hint, so that a flood is looked at again before its passwords are hashed.
// Thread-safe. What it says may be out of date; the look and the store decide.
#pragma once

#include "enrolld/store/store.h"

struct spent;

struct spent *spent_create(void);
void spent_destroy(struct spent *spent); // NULL is fine

// The limits that an item was counted on or refused by, as store_begin left its facts.
void spent_note(struct spent *spent, const struct store_item *item);
// Is any limit that would count this request known to be used up?
bool spent_holds(struct spent *spent, const struct request *request, const struct changes *changes) ATTR_MUST_USE;
