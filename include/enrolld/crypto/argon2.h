// SPDX-License-Identifier: Apache-2.0
// Password hashes: Argon2id by libsodium (RFC 9106, one lane) with memory that is kept between hashes.
//
// libsodium maps and releases its memory at every hash; the page faults cost a third of the time and more. An argon2_memory is a
// region that is lent to it instead: this module's own mmap() and munmap() stand before the C library's, and act only within
// argon2_hash() and argon2_verify(), on that thread, for an anonymous map of that very size. Every other call goes straight to
// the kernel.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

#define ARGON2_MEMORY_KIB_MIN 8192
#define ARGON2_MEMORY_KIB_MAX 4194304
#define ARGON2_PASSES_MAX 32

struct argon2_cost {
	uint32_t memory_kib; // ARGON2_MEMORY_KIB_MIN to ARGON2_MEMORY_KIB_MAX
	uint32_t passes;     // 1 to ARGON2_PASSES_MAX
};

bool argon2_cost_valid(struct argon2_cost cost) ATTR_MUST_USE;
// At or above OWASP's minimum (Password Storage Cheat Sheet): 46 MiB with 1 pass, 19 MiB with 2, 12 MiB with 3 or more.
bool argon2_cost_strong(struct argon2_cost cost) ATTR_MUST_USE;

struct argon2_memory;

// Memory of one thread's hashes: huge pages where the kernel offers them, left out of core files. NULL if the kernel gives none,
// or in a build with sanitizers; hashes then take the library's own (slower) way. The thread that hashes may differ from the one
// that creates.
struct argon2_memory *argon2_memory_create(struct argon2_cost cost) ATTR_MUST_USE;
void argon2_memory_wipe(struct argon2_memory *m); // when idle, since it holds password-derived data; NULL is fine
size_t argon2_memory_huge(const struct argon2_memory *m) ATTR_MUST_USE; // bytes on huge pages now; reads /proc/self/smaps
bool argon2_memory_used(const struct argon2_memory *m) ATTR_MUST_USE;   // whether the last hash ran in it; NULL: false
void argon2_memory_destroy(struct argon2_memory *m);                    // wipes; NULL is fine

#define ARGON2_TEXT_SIZE 128

// Makes a PHC string. Fails with HASH_MEMORY if the kernel gives none. The memory (or NULL) is this call's alone while it runs.
enum reason argon2_hash(struct argon2_memory *m, struct argon2_cost cost, struct slice password, char out[static ARGON2_TEXT_SIZE],
			struct fault *f) ATTR_MUST_USE;

// Compares with a PHC string ($argon2id$ or $argon2i$, version 19, any lanes) that has passed foreign_check(); its cost is in the
// text. *fits is false for another password and for a text that is damaged. Fails with HASH_MEMORY only.
enum reason argon2_verify(struct argon2_memory *m, const char *text, struct slice password, bool *fits,
			  struct fault *f) ATTR_MUST_USE;
