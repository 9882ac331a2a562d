// SPDX-License-Identifier: Apache-2.0
// The worker's own way: the same library with memory that is kept between hashes.
#include <stdlib.h>

#include "args.h"
#include "enrolld/crypto/argon2.h"
#include "enrolld/crypto/keys.h"
#include "hash.h"

struct hash_way {
	struct argon2_cost cost;
	struct argon2_memory *memory;
};

struct hash_way *hash_way_create(size_t memory_kib, unsigned passes)
{
	struct fault f;
	if (crypto_setup(&f) != REASON_OK)
		die("%s", f.detail);
	struct hash_way *way = bench_alloc(1, sizeof(*way));
	way->cost = (struct argon2_cost){(uint32_t)memory_kib, passes};
	way->memory = argon2_memory_create(way->cost);
	if (!way->memory)
		die("no memory to keep");
	return way;
}

void hash_way_hash(struct hash_way *way, const char *password)
{
	char text[ARGON2_TEXT_SIZE];
	struct fault f;
	if (argon2_hash(way->memory, way->cost, slice_of(password), text, &f) != REASON_OK)
		die("%s", f.detail);
	if (!argon2_memory_used(way->memory))
		die("the hash did not run in the memory that was lent");
}

void hash_way_destroy(struct hash_way *way)
{
	argon2_memory_destroy(way->memory);
	free(way);
}
