// SPDX-License-Identifier: Apache-2.0
// What the operations share; not for other modules.
#pragma once

#include "enrolld/operation/operation.h"

// An operation: what an acceptable request (no violation, no claim taken) changes. Adding one is one file and one row in operation.c.
struct operation_row {
	enum decision (*accept)(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);
};

enum decision operation_sign_up(const struct operation *op, const struct operation_case *c, struct receipt *receipt,
				struct changes *changes);

// Bytes of the result record (DESIGN section 4): absent members are left out.
struct slice operation_result_bytes(const struct request *request, bool routed, const struct receipt *receipt, struct arena *arena);

// Writes the receipt's and the result's bytes into the changes.
void operation_seal_case(const struct operation_case *c, const struct receipt *receipt, struct changes *changes);

// An id derived from the request and a word, the same after any crash.
struct uuid operation_id(const struct request *request, const char *word);
