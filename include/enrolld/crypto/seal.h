// SPDX-License-Identifier: Apache-2.0
// Payloads encrypted at rest: XChaCha20-Poly1305 under the epoch's seal key. Layout: version 1, epoch (2, big-endian), nonce
// (24), ciphertext, tag.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/crypto/keys.h"

// context is authenticated but not kept: the same must be given to open (e.g. the message id), so that rows cannot be swapped.
struct slice seal_close(const struct keyring *ring, struct slice context, struct slice plain, struct arena *arena) ATTR_MUST_USE;
// KEYS_INVALID if the epoch is gone or the bytes are not ours.
enum reason seal_open(const struct keyring *ring, struct slice context, struct slice sealed, struct arena *arena,
		      struct slice *plain, struct fault *f) ATTR_MUST_USE;
