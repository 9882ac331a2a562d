// SPDX-License-Identifier: Apache-2.0
// One thread's way to hash: hash_stock.c and hash_kept.c each give one.
#pragma once

#include <stddef.h>

#include "enrolld/base/attr.h"

struct hash_way;

struct hash_way *hash_way_create(size_t memory_kib, unsigned passes) ATTR_MUST_USE;
void hash_way_hash(struct hash_way *way, const char *password); // ends the program if it fails
void hash_way_destroy(struct hash_way *way);
