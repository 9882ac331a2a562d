// SPDX-License-Identifier: Apache-2.0
// The key ring in memory: per epoch the derived keys, no master key.
#include "enrolld/crypto/keys.h"

#include <sodium.h>
#include <string.h>

#include "crypto/keyring.h"
#include "crypto/keys_file.h"

#define KDF_CONTEXT "enrolld_" // exactly crypto_kdf_CONTEXTBYTES

_Static_assert(sizeof(KDF_CONTEXT) - 1 == crypto_kdf_CONTEXTBYTES, "length of the context");
_Static_assert(KEY_SIZE == crypto_kdf_KEYBYTES, "length of a master key");

struct epoch_keys {
	struct key_info info;
	uint8_t keys[KEY_PURPOSES][KEY_SIZE];
};

struct keyring {
	size_t count;
	struct epoch_keys epochs[];
};

enum reason crypto_setup(struct fault *f)
{
	return sodium_init() < 0 ? fault_set(f, REASON_INTERNAL, "libsodium cannot start") : REASON_OK;
}

static void derive_keys(struct epoch_keys *epoch, const struct master_key *master, bool active)
{
	epoch->info = (struct key_info){.epoch = master->epoch, .active = active, .created_ms = master->created_ms};
	for (unsigned i = 0; i < KEY_PURPOSES; i++)
		(void)crypto_kdf_derive_from_key(epoch->keys[i], KEY_SIZE, i + 1, KDF_CONTEXT, master->key);
}

static struct keyring *ring_from_table(const struct key_table *table)
{
	struct keyring *ring = sodium_malloc(sizeof(*ring) + table->count * sizeof(ring->epochs[0]));
	if (!ring)
		return NULL;
	ring->count = table->count;
	for (size_t i = 0; i < table->count; i++)
		derive_keys(&ring->epochs[i], &table->keys[i], i + 1 == table->count);
	(void)sodium_mprotect_readonly(ring);
	return ring;
}

enum reason keyring_load(const char *path, struct keyring **ret_ring, struct fault *f)
{
	struct key_table *table = key_table_create(f);
	if (!table)
		return REASON_NO_MEMORY;
	enum reason reason = keys_file_read(path, table, f);
	if (reason == REASON_OK) {
		struct keyring *ring = ring_from_table(table);
		if (ring)
			*ret_ring = ring;
		else
			reason = fault_set(f, REASON_NO_MEMORY, "no memory for the key ring");
	}
	key_table_destroy(table);
	return reason;
}

void keyring_destroy(struct keyring *ring)
{
	sodium_free(ring); // wipes, also read-only memory
}

enum reason keyring_create(const char *path, struct fault *f)
{
	struct key_table *table = key_table_create(f);
	if (!table)
		return REASON_NO_MEMORY;
	enum reason reason = key_table_add(table, f);
	if (reason == REASON_OK)
		reason = keys_file_make(path, table, f);
	key_table_destroy(table);
	return reason;
}

static enum reason add_epoch(struct key_table *table, uint16_t *epoch, struct fault *f)
{
	enum reason reason = key_table_add(table, f);
	if (reason == REASON_OK)
		*epoch = table->keys[table->count - 1].epoch;
	return reason;
}

enum reason keyring_rotate(const char *path, uint16_t *ret_epoch, struct fault *f)
{
	uint16_t epoch = 0;
	enum reason reason = keys_file_change(path, add_epoch, &epoch, f);
	if (reason == REASON_OK)
		*ret_epoch = epoch;
	return reason;
}

static enum reason remove_epoch(struct key_table *table, uint16_t *epoch, struct fault *f)
{
	size_t at = 0;
	while (at < table->count && table->keys[at].epoch != *epoch)
		at++;
	if (at == table->count)
		return fault_set(f, REASON_KEYS_INVALID, "there is no epoch %u", *epoch);
	if (at + 1 == table->count)
		return fault_set(f, REASON_KEYS_INVALID, "epoch %u is the active one; rotate first", *epoch);
	memmove(&table->keys[at], &table->keys[at + 1], (table->count - at - 1) * sizeof(table->keys[0]));
	table->count--;
	return REASON_OK;
}

enum reason keyring_remove(const char *path, uint16_t epoch, struct fault *f)
{
	return keys_file_change(path, remove_epoch, &epoch, f);
}

size_t keyring_list(const struct keyring *ring, struct key_info *out, size_t max)
{
	for (size_t i = 0; i < ring->count && i < max; i++)
		out[i] = ring->epochs[i].info;
	return ring->count;
}

uint16_t keyring_active(const struct keyring *ring)
{
	return ring->epochs[ring->count - 1].info.epoch;
}

static const struct epoch_keys *find_epoch(const struct keyring *ring, uint16_t epoch)
{
	for (size_t i = ring->count; i-- > 0;)
		if (ring->epochs[i].info.epoch == epoch)
			return &ring->epochs[i];
	return NULL;
}

bool keyring_has(const struct keyring *ring, uint16_t epoch)
{
	return find_epoch(ring, epoch) != NULL;
}

const uint8_t *keyring_key(const struct keyring *ring, uint16_t epoch, enum key_purpose purpose)
{
	const struct epoch_keys *keys = find_epoch(ring, epoch);
	if (!keys)
		PANIC("the key ring has no epoch %u", epoch);
	return keys->keys[purpose - 1];
}

struct keyring *keyring_for_tests(void)
{
	struct fault f;
	struct key_table *table = key_table_create(&f);
	if (!table)
		PANIC("%s", f.detail);
	table->keys[0].epoch = 1;
	memcpy(table->keys[0].key, "the one key of all tests, 32 by.", KEY_SIZE);
	table->count = 1;
	struct keyring *ring = ring_from_table(table);
	if (!ring)
		PANIC("no memory for the key ring");
	key_table_destroy(table);
	return ring;
}
