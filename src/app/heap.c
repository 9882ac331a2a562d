// SPDX-License-Identifier: Apache-2.0
// The program's free() and realloc(), which wipe what they give back.
//
// Passwords, codes and links pass through the heaps of libraries that do not clean up: records in librdkafka's fetch buffers, bodies in jansson,
// mails in libcurl and OpenSSL. What the dynamic linker finds here holds for all of them. The rest of the allocator stays glibc's.
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/secret.h"

// glibc's own, under the names that it keeps for replacements like this one.
void __libc_free(void *bytes);                                // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
void *__libc_malloc(size_t size);                             // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
void *__libc_realloc(void *bytes, size_t size) ATTR_MUST_USE; // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

// Not inlined: there a compiler that knows the size asked for would take the usable size for an overflow.
ATTR_EXPORT ATTR_NOINLINE void free(void *bytes)
{
	if (!bytes)
		return;
	secret_wipe(bytes, malloc_usable_size(bytes));
	__libc_free(bytes);
}

ATTR_EXPORT ATTR_NOINLINE void *realloc(void *bytes, size_t size)
{
	if (!bytes)
		return __libc_malloc(size);
	if (size == 0) {
		free(bytes);
		return NULL;
	}
	size_t held = malloc_usable_size(bytes);
	if (size <= held) { // what is cut off goes back unseen by free()
		secret_wipe((char *)bytes + size, held - size);
		return __libc_realloc(bytes, size);
	}
	void *larger = __libc_malloc(size);
	if (!larger)
		return NULL;
	memcpy(larger, bytes, held);
	free(bytes);
	return larger;
}
