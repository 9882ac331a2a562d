// SPDX-License-Identifier: Apache-2.0
// Signing under a key that is given, open to its test.
#pragma once

#include <stdint.h>

#include "enrolld/base/arena.h"

struct slice sign_compact(const uint8_t *key, size_t key_len, struct slice header, struct slice payload,
			  struct arena *arena) ATTR_MUST_USE;
