// SPDX-License-Identifier: Apache-2.0
// The derived keys of a ring, by epoch and purpose.
#pragma once

#include <stdint.h>

#include "enrolld/crypto/keys.h"

#define KEY_SIZE 32

// The values are part of the derivation: never renumber.
enum key_purpose {
	KEY_MINT = 1,   // codes and tokens
	KEY_SEAL = 2,   // payloads at rest
	KEY_DIGEST = 3, // look-ups
	KEY_PRINT = 4,  // fingerprints of requests
	KEY_SIGN = 5,   // signed tokens
	KEY_PAIR = 6,   // key pairs of these
};
#define KEY_PURPOSES 6

// A ring without the epoch is a defect of the caller (keyring_has): panic.
const uint8_t *keyring_key(const struct keyring *ring, uint16_t epoch, enum key_purpose purpose) ATTR_MUST_USE;
