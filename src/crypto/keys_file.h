// SPDX-License-Identifier: Apache-2.0
// The key file: text that is read whole, checked, and replaced atomically.
//
//	# comments, at the top only
//	enrolld-keys 1
//	1 retired 1764024000000 <key: 43 characters of base64url, 256 bits>
//	2 active 1771800000000 <key>
//	sum <22 characters of base64url: BLAKE2b-128 of all bytes before this line>
//
// A line is epoch, state, creation (ms since 1970) and key. Epochs ascend; the last one is active, all others are retired. The
// sum finds damage (a torn copy, an edited line); it is no defence against somebody who may write the file.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/keyring.h"

#define EPOCH_MAX 32767

struct master_key {
	int64_t created_ms;
	uint16_t epoch;
	uint8_t key[KEY_SIZE];
};

// Lives in sodium_malloc'd memory: keys_table_create().
struct key_table {
	size_t count; // the last one is active
	struct master_key keys[KEYS_MAX];
};

struct key_table *key_table_create(struct fault *f) ATTR_MUST_USE; // empty; NULL: NO_MEMORY
void key_table_destroy(struct key_table *table);                   // wipes; NULL is fine
// Appends a random key as the newest epoch. KEYS_INVALID if the table is full.
enum reason key_table_add(struct key_table *table, struct fault *f) ATTR_MUST_USE;

enum reason keys_file_read(const char *path, struct key_table *table, struct fault *f) ATTR_MUST_USE;
// Makes the file; FILE_UNREADABLE if it exists.
enum reason keys_file_make(const char *path, const struct key_table *table, struct fault *f) ATTR_MUST_USE;
// Reads the file, lets change() alter the table, and replaces the file, all under a lock that keeps other processes out.
enum reason keys_file_change(const char *path, enum reason (*change)(struct key_table *table, uint16_t *epoch, struct fault *f),
			     uint16_t *epoch, struct fault *f) ATTR_MUST_USE;

// The text itself, for the two above and for tests.
#define KEYS_TEXT_SIZE 65536
enum reason keys_text_parse(struct slice text, struct key_table *table, struct fault *f) ATTR_MUST_USE;
#define KEYS_SUM_TEXT_SIZE 23
void keys_text_sum(struct slice bytes, char out[static KEYS_SUM_TEXT_SIZE]);
size_t keys_text_write(const struct key_table *table, char out[static KEYS_TEXT_SIZE]);
