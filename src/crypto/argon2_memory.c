// SPDX-License-Identifier: Apache-2.0
// Memory that is kept between hashes, and the mmap() and munmap() that lend it to libsodium.
#include "crypto/argon2_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "enrolld/base/secret.h"

#define KIB ((size_t)1024)
#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

struct argon2_memory {
	char *map; // the region with an unreadable page before and after, so that no neighbour's map joins it
	size_t map_size;
	char *region; // aligned to HUGE_PAGE
	size_t size;  // what libsodium asks for
	size_t room;  // size, rounded up to HUGE_PAGE
	bool taken;   // by libsodium, until it unmaps
	bool used;    // by the last hash
	bool dirty;   // since the last wipe
};

// Argon2 rounds the number of its 1 KiB blocks down to a multiple of four for one lane (RFC 9106 section 3.2, m').
static size_t asked_size(struct argon2_cost cost)
{
	return cost.memory_kib / 4 * 4 * KIB;
}

static bool map_region(struct argon2_memory *m)
{
	m->map_size = PAGE + HUGE_PAGE + m->room + PAGE;
	char *map = mmap(NULL, m->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return false;
	uintptr_t first = ((uintptr_t)map + PAGE + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	m->map = map;
	m->region = map + (first - (uintptr_t)map);
	if (mprotect(m->region, m->room, PROT_READ | PROT_WRITE) != 0) {
		(void)munmap(map, m->map_size);
		return false;
	}
	(void)madvise(m->region, m->room, MADV_HUGEPAGE);
	(void)madvise(m->region, m->room, MADV_DONTDUMP);
	return true;
}

struct argon2_memory *argon2_memory_create(struct argon2_cost cost)
{
	if (!ARGON2_MEMORY_LENT || !argon2_cost_valid(cost))
		return NULL;
	struct argon2_memory *m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->size = asked_size(cost);
	m->room = (m->size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	if (map_region(m))
		return m;
	free(m);
	return NULL;
}

void argon2_memory_wipe(struct argon2_memory *m)
{
	if (!m || !m->dirty)
		return;
	secret_wipe(m->region, m->size);
	m->dirty = false;
}

bool argon2_memory_used(const struct argon2_memory *m)
{
	return m && m->used;
}

void argon2_memory_destroy(struct argon2_memory *m)
{
	if (!m)
		return;
	argon2_memory_wipe(m);
	(void)munmap(m->map, m->map_size);
	free(m);
}

// The line "AnonHugePages: <n> kB" of the entry whose first line is "<start>-<end> ...".
size_t argon2_memory_huge(const struct argon2_memory *m)
{
	FILE *smaps = m ? fopen("/proc/self/smaps", "re") : NULL;
	if (!smaps)
		return 0;
	static const char label[] = "AnonHugePages:";
	char start[2 * sizeof(uintptr_t) + 2];
	int start_len = snprintf(start, sizeof(start), "%lx-", (unsigned long)(uintptr_t)m->region);
	char line[512];
	size_t huge = 0;
	bool ours = false;
	while (fgets(line, sizeof(line), smaps)) {
		if (!ours)
			ours = strncmp(line, start, (size_t)start_len) == 0;
		else if (strncmp(line, label, sizeof(label) - 1) == 0) {
			huge = strtoul(line + sizeof(label) - 1, NULL, 10) * KIB;
			break;
		}
	}
	(void)fclose(smaps);
	return huge;
}

// What this thread's call of the library sees.
static _Thread_local struct {
	struct argon2_memory *memory;
	bool open;    // between lend and take_back
	bool starved; // a map failed
} loan;

void argon2_memory_lend(struct argon2_memory *m)
{
	if (loan.open)
		PANIC("Argon2 memory is lent twice");
	loan.memory = m;
	loan.open = true;
	loan.starved = false;
	if (m)
		m->used = false;
}

void argon2_memory_take_back(struct argon2_memory *m, bool *ret_starved)
{
	if (!loan.open || loan.memory != m || (m && m->taken))
		PANIC("the library did not give the Argon2 memory back");
	loan.memory = NULL;
	loan.open = false;
	*ret_starved = loan.starved;
}

#if ARGON2_MEMORY_LENT

static bool wants_region(const void *addr, size_t len, int prot, int flags, int fd)
{
	const struct argon2_memory *m = loan.memory;
	return m && !m->taken && !addr && len == m->size && prot == (PROT_READ | PROT_WRITE) && fd == -1 &&
	       (flags & (MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED)) == (MAP_ANONYMOUS | MAP_PRIVATE);
}

// A shared library's call binds to the program's definition before the C library's; the linker exports it because libsodium asks
// for the name. The allocator and the loader of the C library have their own ways in and never pass here.
ATTR_EXPORT void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (wants_region(addr, len, prot, flags, fd)) {
		loan.memory->taken = true;
		loan.memory->used = true;
		loan.memory->dirty = true;
		return loan.memory->region;
	}
	// NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the kernel answers
	void *map = (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
	if (map == MAP_FAILED && loan.open)
		loan.starved = true;
	return map;
}

ATTR_EXPORT void *mmap64(void *addr, size_t len, int prot, int flags, int fd, off64_t offset)
{
	return mmap(addr, len, prot, flags, fd, offset);
}

ATTR_EXPORT int munmap(void *addr, size_t len)
{
	if (loan.memory && loan.memory->taken && addr == loan.memory->region) {
		loan.memory->taken = false;
		return 0;
	}
	return (int)syscall(SYS_munmap, addr, len);
}

#endif
