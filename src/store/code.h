// SPDX-License-Identifier: Apache-2.0
// What is known of the addresses and challenges that requests name: the same question for the look and, once the addresses are held, for the store.
#pragma once

#include "store/pipeline.h"
#include "store/tables.h"

struct code_ask {
	size_t item; // into the items
	const struct request *request;
	const struct code_use *use;
	struct facts *facts;
	const struct uuid *account_id; // that this transaction makes, which is no holder yet; NULL: none
	struct arena *arena;           // takes what is read
};

// Does the registration name an address or a challenge?
bool code_asks(const struct registration *registration) ATTR_MUST_USE;
size_t code_find(struct pipeline *p, const struct code_ask *asks, size_t count);
// Fills facts->code of those that ask, and their now_ms with the time of the answer.
void code_read(const PGresult *result, const struct code_ask *asks, size_t count);
