// SPDX-License-Identifier: Apache-2.0
// The library as it comes: crypto_pwhash_str() maps and releases its memory each time.
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "hash.h"

struct hash_way {
	unsigned long long passes;
	size_t bytes;
};

struct hash_way *hash_way_create(size_t memory_kib, unsigned passes)
{
	if (sodium_init() < 0)
		die("libsodium does not start");
	struct hash_way *way = bench_alloc(1, sizeof(*way));
	*way = (struct hash_way){passes, memory_kib * 1024};
	return way;
}

void hash_way_hash(struct hash_way *way, const char *password)
{
	char text[crypto_pwhash_STRBYTES];
	if (crypto_pwhash_str(text, password, strlen(password), way->passes, way->bytes) != 0)
		die("no memory for a hash");
}

void hash_way_destroy(struct hash_way *way)
{
	free(way);
}
