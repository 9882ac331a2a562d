// SPDX-License-Identifier: Apache-2.0
// The key ring: one 256-bit master key per epoch, kept outside the database; every other key is derived from one of them.
//
// New values are made under the active epoch, which is the newest; older ones stay readable until their epoch is removed.
// A loaded ring is read-only memory, locked and left out of core files, and safe to share between threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"
#include "enrolld/base/strbuf.h"

// sodium_init; call before anything else of this module, as often as you like. INTERNAL if the library cannot start.
enum reason crypto_setup(struct fault *f) ATTR_MUST_USE;

struct keyring;

#define KEYS_MAX 256 // epochs of one file

struct key_info {
	uint16_t epoch;     // 1 to 32767
	bool active;        // the epoch that new values are made under
	int64_t created_ms; // wall clock
};

// A text file made by keyring_create(). KEYS_INVALID if it is missing, damaged, or open to others: mode 0600 or stricter if it is
// ours, 0640 or stricter if it is root's (a Kubernetes secret; PostgreSQL's rule for key files).
enum reason keyring_load(const char *path, struct keyring **ring, struct fault *f) ATTR_MUST_USE;
void keyring_destroy(struct keyring *ring); // wipes; NULL is fine
// Makes the file with epoch 1. FILE_UNREADABLE if the file exists.
enum reason keyring_create(const char *path, struct fault *f) ATTR_MUST_USE;
// Adds an epoch and makes it the active one. Like keyring_remove(): the file is replaced atomically with its owner and mode kept,
// one process at a time, and workers that run keep the ring they have loaded.
enum reason keyring_rotate(const char *path, uint16_t *epoch, struct fault *f) ATTR_MUST_USE;
// Takes an old epoch out: what was made under it cannot be read or recognised any more. KEYS_INVALID for the active one and for
// one that is not there.
enum reason keyring_remove(const char *path, uint16_t epoch, struct fault *f) ATTR_MUST_USE;
// The epochs in ascending order; returns how many there are, also beyond max.
size_t keyring_list(const struct keyring *ring, struct key_info *out, size_t max);
uint16_t keyring_active(const struct keyring *ring) ATTR_MUST_USE;
bool keyring_has(const struct keyring *ring, uint16_t epoch) ATTR_MUST_USE;
// For tests: a ring with one fixed key as epoch 1, nothing on disk.
struct keyring *keyring_for_tests(void);

// Adds one line for each library this module is built on: its name and the version that is loaded.
void crypto_libraries(struct strbuf *out);
