// SPDX-License-Identifier: Apache-2.0
// Looks for many byte strings in files at once, whatever the files are. Built by the test that uses it.
//
// usage: scan PATTERNS < LIST     LIST: one path a line
// PATTERNS: for each pattern its length (4 bytes, little-endian) and its bytes, 8 or more of them.
// Prints "OFFSET<tab>NUMBER<tab>PATH" for each place where a pattern stands, NUMBER counting patterns from 0; at the end "BYTES<tab>FILES" read.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD 8 // bytes of each pattern that are looked up
#define BITS 22
#define SLOTS ((size_t)1 << BITS)

struct pattern {
	uint64_t head;
	const uint8_t *bytes;
	uint32_t size;
	uint32_t next; // with the same slot, plus 1
};

static struct pattern *patterns;
static uint32_t count;
static uint32_t *slots;           // index of the first pattern, plus 1
static uint64_t used[SLOTS / 64]; // which slots have any: small enough to stay in the processor's cache

static void fail(const char *what)
{
	fprintf(stderr, "scan: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t head_of(const uint8_t *bytes)
{
	uint64_t head;
	memcpy(&head, bytes, sizeof(head));
	return head;
}

static size_t slot_of(uint64_t head)
{
	return (size_t)(head * UINT64_C(0x9e3779b97f4a7c15) >> (64 - BITS));
}

// The file's bytes; NULL if it is empty or gone.
static uint8_t *map(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	*size = 0;
	if (fd < 0 || fstat(fd, &st) != 0) {
		if (errno != ENOENT)
			fail(path);
		return NULL;
	}
	void *bytes = st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	close(fd);
	if (bytes == MAP_FAILED)
		fail(path);
	*size = (size_t)st.st_size;
	return bytes;
}

static void read_patterns(const char *path)
{
	size_t size, at = 0;
	const uint8_t *bytes = map(path, &size);
	slots = calloc(SLOTS, sizeof(*slots));
	patterns = calloc(size / (HEAD + 4) + 1, sizeof(*patterns));
	if (!bytes || !slots || !patterns)
		fail(path);
	while (at + 4 <= size) {
		struct pattern *p = &patterns[count];
		memcpy(&p->size, bytes + at, 4);
		p->bytes = bytes + at + 4;
		at += 4 + (size_t)p->size;
		if (p->size < HEAD || at > size) {
			errno = EINVAL;
			fail(path);
		}
		p->head = head_of(p->bytes);
		if (p->head == 0) {
			errno = EINVAL;
			fail(path);
		}
		p->next = slots[slot_of(p->head)];
		slots[slot_of(p->head)] = ++count;
		used[slot_of(p->head) / 64] |= UINT64_C(1) << slot_of(p->head) % 64;
	}
}

static void look(const uint8_t *bytes, size_t size, const char *path)
{
	for (size_t at = 0; at + HEAD <= size; at++) {
		uint64_t head = head_of(bytes + at);
		if (head == 0) { // cores are full of zeros; a pattern that begins with some has less than all of these
			at += HEAD - 2;
			continue;
		}
		size_t slot = slot_of(head);
		if (!(used[slot / 64] >> slot % 64 & 1))
			continue;
		for (uint32_t n = slots[slot]; n; n = patterns[n - 1].next) {
			const struct pattern *p = &patterns[n - 1];
			if (p->head == head && p->size <= size - at && memcmp(p->bytes, bytes + at, p->size) == 0)
				printf("%zu\t%u\t%s\n", at, n - 1, path);
		}
	}
}

int main(int argc, char **argv)
{
	char *path = NULL;
	size_t room = 0, size, total = 0, files = 0;
	if (argc != 2) {
		fputs("usage: scan PATTERNS < LIST\n", stderr);
		return 64;
	}
	read_patterns(argv[1]);
	for (ssize_t length; (length = getline(&path, &room, stdin)) > 0;) {
		path[strcspn(path, "\n")] = '\0';
		uint8_t *bytes = map(path, &size);
		files++;
		if (!bytes)
			continue;
		look(bytes, size, path);
		munmap(bytes, size);
		total += size;
	}
	free(path);
	printf("%zu\t%zu\n", total, files);
	return fflush(stdout) == 0 ? 0 : 2;
}
