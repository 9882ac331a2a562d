// SPDX-License-Identifier: Apache-2.0
// BLAKE2b over a list of parts, each with its length before it, so that no two lists give the same bytes.
#pragma once

#include <sodium.h>
#include <stdint.h>

#include "enrolld/base/slice.h"

struct frame {
	crypto_generichash_state state;
	size_t size; // of the digest
};

// key: KEY_SIZE bytes, or NULL for an unkeyed digest. size: 16 to 64. use: what the digest is for, so that uses never meet.
void frame_start(struct frame *frame, const uint8_t *key, size_t size, const char *use);
void frame_part(struct frame *frame, struct slice part);                        // absent and empty differ
void frame_parts(struct frame *frame, const struct slice *parts, size_t count); // the count goes in, too
void frame_number(struct frame *frame, uint64_t number);
void frame_end(struct frame *frame, uint8_t *out); // wipes the state
