// SPDX-License-Identifier: Apache-2.0
// Random bytes of the kernel, fit for keys and nonces. Thread-safe.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"

// Never fails: getrandom(2) with flags 0 waits for the pool once after boot and then always delivers.
void random_fill(void *bytes, size_t len);

// Uniform in [0, limit) without modulo bias; limit is at least 1.
uint64_t random_below(uint64_t limit) ATTR_MUST_USE;
