// SPDX-License-Identifier: Apache-2.0
// The rejection step of derived codes, open to its test.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DERIVE_BLOCK_SIZE 64

// The first of the block's eight numbers (64-bit, big-endian) that can be reduced without bias; false if none can.
bool derive_reduce(const uint8_t block[static DERIVE_BLOCK_SIZE], uint64_t modulus, uint64_t *value);
