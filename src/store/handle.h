// SPDX-License-Identifier: Apache-2.0
// Inside of a struct store.
#pragma once

#include "store/address.h"
#include "store/code.h"
#include "store/connection.h"
#include "store/family.h"
#include "store/limit.h"
#include "store/tables.h"

struct store {
	struct connection link;
	struct arena *scratch; // of one call
	struct arena *held;    // of the transaction between store_begin and store_finish
	bool open;
	size_t item_count;
	struct claim_ref *claims; // asked for by the open transaction
	bool *claim_lost;         // by the same index
	size_t claim_count;
	struct limit_table limits; // that the open transaction counts on
	struct address_table addresses;
	struct account_table accounts; // of items that hold an address
	struct code_ask *codes;        // of items that hold an address
	size_t code_count;
	struct session_ask *sessions; // of items that hold a session
	size_t session_count;
};

// A transaction of its own with one statement, whose result stays in p until pipeline_end.
enum reason store_single(struct store *store, struct pipeline *p, const struct statement *statement, struct params *params,
			 size_t *handle, struct fault *f) ATTR_MUST_USE;
