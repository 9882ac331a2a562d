// SPDX-License-Identifier: Apache-2.0
// A slab of fixed slots between two guard pages: locked, left out of core files, wiped slot by slot.
#include "enrolld/base/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct secret {
	struct secret_pool *pool;
	struct secret *next; // in the free list
	size_t len;
	bool live;
	char bytes[SECRET_SIZE_MAX + 1]; // zero beyond len
};

struct secret_pool {
	pthread_mutex_t lock; // guards free, live and the slots' next and live
	struct secret *free;
	size_t live;
	char *mapping; // guard page, slab, guard page
	size_t mapping_size;
	char *slab;
	size_t slab_size;
};

void secret_wipe(void *bytes, size_t len)
{
	if (len > 0)
		explicit_bzero(bytes, len);
}

#define TRACE_SIZE ((size_t)16 << 10)

// The C library copies by vector registers, other ones for other sizes, and they keep what they last held: nothing, after this.
static void wipe_registers(char *scratch, size_t size)
{
	static const char zeros[1024];
	static void *(*volatile const copy)(void *, const void *, size_t) = memcpy; // volatile: no compiler sees through it
	for (size_t n = 12; n <= sizeof(zeros) && n <= size; n *= 2)
		(void)copy(scratch, zeros, n);
}

ATTR_NOINLINE void secret_wipe_traces(void)
{
	char below[TRACE_SIZE];
	secret_wipe(below, sizeof(below));
	wipe_registers(below, sizeof(below));
}

static enum reason map_slab(struct secret_pool *pool, size_t slots, struct fault *f)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes;
	if (__builtin_mul_overflow(slots, sizeof(struct secret), &bytes) || bytes > SIZE_MAX - 3 * page)
		return fault_set(f, REASON_NO_MEMORY, "a pool of %zu secrets", slots);
	size_t slab_size = (bytes + page - 1) / page * page;
	size_t mapping_size = slab_size + 2 * page;
	void *mapping = mmap(NULL, mapping_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mapping == MAP_FAILED)
		return fault_set(f, REASON_NO_MEMORY, "cannot map %zu bytes for secrets: %s", mapping_size, strerrordesc_np(errno));
	char *slab = (char *)mapping + page;
	if (mprotect(slab, slab_size, PROT_READ | PROT_WRITE) != 0) {
		int error = errno;
		(void)munmap(mapping, mapping_size);
		return fault_set(f, REASON_NO_MEMORY, "cannot open %zu bytes for secrets: %s", slab_size, strerrordesc_np(error));
	}
	pool->mapping = mapping;
	pool->mapping_size = mapping_size;
	pool->slab = slab;
	pool->slab_size = slab_size;
	return REASON_OK;
}

enum reason secret_pool_create(size_t slots, struct secret_pool **pool, bool *locked, struct fault *f)
{
	struct secret_pool *made = calloc(1, sizeof(*made));
	if (!made)
		return fault_set(f, REASON_NO_MEMORY, "no memory for a pool of secrets");
	enum reason reason = map_slab(made, slots, f);
	if (reason != REASON_OK) {
		free(made);
		return reason;
	}
	// Core files first: the lock may be denied, this never is on Linux 3.4 and later.
	(void)madvise(made->slab, made->slab_size, MADV_DONTDUMP);
	*locked = mlock(made->slab, made->slab_size) == 0;

	(void)pthread_mutex_init(&made->lock, NULL);
	struct secret *slot = (struct secret *)(void *)made->slab;
	for (size_t i = slots; i-- > 0;) {
		slot[i].pool = made;
		slot[i].next = made->free;
		made->free = &slot[i];
	}
	*pool = made;
	return REASON_OK;
}

void secret_pool_destroy(struct secret_pool *pool)
{
	if (!pool)
		return;
	if (pool->live > 0)
		PANIC("secret pool: %zu secrets are still held", pool->live);
	secret_wipe(pool->slab, pool->slab_size);
	(void)munmap(pool->mapping, pool->mapping_size);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool);
}

struct secret *secret_create(struct secret_pool *pool, struct slice bytes)
{
	if (bytes.len > SECRET_SIZE_MAX)
		return NULL;
	(void)pthread_mutex_lock(&pool->lock);
	struct secret *secret = pool->free;
	if (secret) {
		pool->free = secret->next;
		secret->next = NULL;
		secret->live = true;
		pool->live++;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (!secret)
		return NULL;
	if (bytes.len > 0)
		memcpy(secret->bytes, bytes.ptr, bytes.len);
	secret->len = bytes.len;
	return secret;
}

struct slice secret_bytes(const struct secret *secret)
{
	return (struct slice){secret->bytes, secret->len};
}

void secret_release(struct secret *secret)
{
	if (!secret)
		return;
	struct secret_pool *pool = secret->pool;
	secret_wipe(secret->bytes, secret->len);
	secret->len = 0;

	(void)pthread_mutex_lock(&pool->lock);
	bool live = secret->live;
	if (live) {
		secret->live = false;
		secret->next = pool->free;
		pool->free = secret;
		pool->live--;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (!live)
		PANIC("secret: released twice");
}
