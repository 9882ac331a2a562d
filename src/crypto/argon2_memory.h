// SPDX-License-Identifier: Apache-2.0
// Lending an argon2_memory to the library, for the duration of one call.
#pragma once

#include "enrolld/crypto/argon2.h"

// Whether this build has the mmap() that lends: the sanitizers have one of their own, and 32-bit kernels count offsets in pages.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define ARGON2_MEMORY_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ARGON2_MEMORY_SANITIZED 1
#endif
#if defined(__linux__) && defined(__LP64__) && !defined(ARGON2_MEMORY_SANITIZED)
#define ARGON2_MEMORY_LENT 1
#else
#define ARGON2_MEMORY_LENT 0
#endif

// Between the two, a map of the right size that this thread asks for is the region. NULL lends nothing. Calls do not nest.
void argon2_memory_lend(struct argon2_memory *m);
// *starved: the kernel refused a map in between. (libsodium 1.0.18 tells a failed allocation and a wrong password alike.)
void argon2_memory_take_back(struct argon2_memory *m, bool *starved);
