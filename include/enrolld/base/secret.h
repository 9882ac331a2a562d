// SPDX-License-Identifier: Apache-2.0
// Bytes that must not be seen: passwords and keys. They live in one slab of locked memory that is left out of core files,
// and are wiped when released. There is no way to print one; whoever needs the bytes says so by secret_bytes().
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

#define SECRET_SIZE_MAX 1024 // bytes of one secret; longer passwords are refused before they get here, never cut

struct secret_pool;
struct secret;

// slots: secrets that can exist at once, about 1 KiB each. Thread-safe. *locked tells whether the kernel granted the lock
// (RLIMIT_MEMLOCK); the pool works without, and the caller says so in the log. Fails with REASON_NO_MEMORY.
enum reason secret_pool_create(size_t slots, struct secret_pool **pool, bool *locked, struct fault *f) ATTR_MUST_USE;
void secret_pool_destroy(struct secret_pool *pool); // every secret must have been released

// A copy of the bytes; wiping the source is the caller's. NULL if the pool is exhausted or len is over SECRET_SIZE_MAX.
struct secret *secret_create(struct secret_pool *pool, struct slice bytes) ATTR_MUST_USE;
struct slice secret_bytes(const struct secret *secret) ATTR_MUST_USE; // valid until secret_release; a NUL follows
void secret_release(struct secret *secret);                           // wipes; NULL is fine, twice is a panic

// memset that the compiler may not drop.
void secret_wipe(void *bytes, size_t len);

// Wipes what functions that have returned left behind in this thread: 16 KiB of stack below the caller, and the registers that the C library
// copies with. For threads that have handled a secret and may wait now. Costs less than a microsecond.
void secret_wipe_traces(void);
