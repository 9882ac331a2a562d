// SPDX-License-Identifier: Apache-2.0
// Argon2id by libsodium: costs, hashes, comparisons.
#include "enrolld/crypto/argon2.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "crypto/argon2_memory.h"

#define KIB_PER_MIB 1024

_Static_assert(ARGON2_TEXT_SIZE == crypto_pwhash_STRBYTES, "the library's texts fit exactly");

bool argon2_cost_valid(struct argon2_cost cost)
{
	return cost.memory_kib >= ARGON2_MEMORY_KIB_MIN && cost.memory_kib <= ARGON2_MEMORY_KIB_MAX && cost.passes >= 1 &&
	       cost.passes <= ARGON2_PASSES_MAX;
}

bool argon2_cost_strong(struct argon2_cost cost)
{
	static const struct argon2_cost floors[] = {{46 * KIB_PER_MIB, 1}, {19 * KIB_PER_MIB, 2}, {12 * KIB_PER_MIB, 3}};
	for (size_t i = 0; i < ARRAY_LEN(floors); i++)
		if (cost.memory_kib >= floors[i].memory_kib && cost.passes >= floors[i].passes)
			return true;
	return false;
}

// The library takes no NULL, even of length 0.
static const char *bytes_of(struct slice password)
{
	return password.ptr ? password.ptr : "";
}

enum reason argon2_hash(struct argon2_memory *m, struct argon2_cost cost, struct slice password, char out[static ARGON2_TEXT_SIZE],
			struct fault *f)
{
	if (!argon2_cost_valid(cost))
		return fault_set(f, REASON_INTERNAL, "Argon2 with %u KiB and %u passes", cost.memory_kib, cost.passes);
	char text[ARGON2_TEXT_SIZE];
	argon2_memory_lend(m);
	int failed = crypto_pwhash_str(text, bytes_of(password), password.len, cost.passes, (size_t)cost.memory_kib * 1024);
	bool starved;
	argon2_memory_take_back(m, &starved); // with valid parameters, nothing else can fail
	if (failed)
		return fault_set(f, REASON_HASH_MEMORY, "%u KiB", cost.memory_kib);
	memcpy(out, text, sizeof(text));
	return REASON_OK;
}

enum reason argon2_verify(struct argon2_memory *m, const char *text, struct slice password, bool *ret_fits, struct fault *f)
{
	argon2_memory_lend(m);
	errno = 0;
	int failed = crypto_pwhash_str_verify(text, bytes_of(password), password.len);
	bool starved, no_memory = errno == ENOMEM;
	argon2_memory_take_back(m, &starved);
	if (failed && (starved || no_memory))
		return fault_set(f, REASON_HASH_MEMORY, "the memory that a stored hash asks for");
	*ret_fits = !failed;
	return REASON_OK;
}
