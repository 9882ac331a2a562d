// SPDX-License-Identifier: Apache-2.0
// Sets of words: one block of text, one open-addressed table of offsets.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrolld/crypto/digest.h"
#include "enrolld/rules/rules.h"
#include "rules/fold.h"

#define FILE_MAX (32u << 20)

struct word_list {
	char *words; // length byte, then the word
	size_t used, size;
	uint32_t *table;   // offset into words plus 1; 0 is free
	size_t table_size; // a power of two
	size_t count;
};

static enum reason read_file(const char *path, char **bytes, size_t *len, struct fault *f)
{
	enum reason reason = REASON_OK;
	struct stat status;
	char *read_bytes = NULL;
	size_t have = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0) {
		reason = fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", path, strerrorname_np(errno));
		goto out;
	}
	if (!S_ISREG(status.st_mode) || status.st_size > (off_t)FILE_MAX) {
		reason = fault_set(f, REASON_FILE_UNREADABLE, "%s: not a file of at most %u MiB", path, FILE_MAX >> 20);
		goto out;
	}
	read_bytes = malloc((size_t)status.st_size + 1);
	if (!read_bytes)
		PANIC("out of memory");
	while (have < (size_t)status.st_size) {
		ssize_t n = read(fd, read_bytes + have, (size_t)status.st_size - have);
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR) {
			reason = fault_set(f, REASON_FILE_UNREADABLE, "%s: %s", path, strerrorname_np(errno));
			free(read_bytes);
			goto out;
		}
		have += n > 0 ? (size_t)n : 0;
	}
	*bytes = read_bytes;
	*len = have;
out:
	if (fd >= 0)
		(void)close(fd);
	return reason;
}

static struct slice word_at(const struct word_list *list, uint32_t offset)
{
	const char *at = list->words + offset;
	return (struct slice){at + 1, (unsigned char)*at};
}

// The slot that holds the folded word, or the free one where it belongs.
static size_t slot_of(const struct word_list *list, struct slice word)
{
	size_t slot = digest_short(word) & (list->table_size - 1);
	while (list->table[slot] && !slice_equal(word_at(list, list->table[slot] - 1), word))
		slot = (slot + 1) & (list->table_size - 1);
	return slot;
}

static enum reason add(struct word_list *list, const char *path, size_t line, struct slice word, struct fault *f)
{
	struct fold fold;
	enum reason reason = REASON_OK;
	fold_start(&fold, word);
	if (slice_is_absent(fold.text) || fold.text.len > UINT8_MAX) {
		reason = fault_set(f, REASON_DIALECT_INVALID, "%s:%zu: not UTF-8, or a word over %d bytes", path, line,
				   WORD_SIZE_MAX - 1);
	} else if (fold.text.len) {
		size_t slot = slot_of(list, fold.text);
		if (list->table[slot] == 0) {
			if (list->used + fold.text.len + 1 > list->size)
				PANIC("a word list outgrew its file");
			list->table[slot] = (uint32_t)list->used + 1;
			list->words[list->used] = (char)fold.text.len;
			memcpy(list->words + list->used + 1, fold.text.ptr, fold.text.len);
			list->used += fold.text.len + 1;
			list->count++;
		}
	}
	fold_end(&fold);
	return reason;
}

enum reason word_list_load(const char *path, struct word_list **list, struct fault *f)
{
	char *bytes;
	size_t len, lines = 1;
	enum reason reason = read_file(path, &bytes, &len, f);
	if (reason != REASON_OK)
		return reason;
	for (size_t i = 0; i < len; i++)
		lines += bytes[i] == '\n';

	struct word_list *made = calloc(1, sizeof(*made));
	size_t table_size = 16;
	while (table_size < lines * 2)
		table_size *= 2;
	if (!made)
		PANIC("out of memory");
	// Folding lengthens a text: by 18 times at most (one code point of 3 bytes, 54 after NFKC).
	made->size = 18 * len + lines;
	made->words = malloc(made->size);
	made->table_size = table_size;
	made->table = calloc(table_size, sizeof(*made->table));
	if (!made->words || !made->table)
		PANIC("out of memory");

	size_t line = 1;
	for (size_t start = 0; start < len && reason == REASON_OK; line++) {
		const char *end = memchr(bytes + start, '\n', len - start);
		size_t stop = end ? (size_t)(end - bytes) : len;
		size_t word_len = stop - start;
		if (word_len && bytes[stop - 1] == '\r')
			word_len--;
		reason = add(made, path, line, (struct slice){bytes + start, word_len}, f);
		start = stop + 1;
	}
	free(bytes);
	if (reason != REASON_OK) {
		word_list_destroy(made);
		return reason;
	}
	char *shrunk = realloc(made->words, made->used ? made->used : 1);
	if (shrunk)
		made->words = shrunk;
	*list = made;
	return REASON_OK;
}

bool word_list_has(const struct word_list *list, struct slice word)
{
	struct fold fold;
	if (word.len == 0 || word.len > WORD_SIZE_MAX)
		return false;
	fold_start(&fold, word);
	bool found = fold.text.len != 0 && list->table[slot_of(list, fold.text)] != 0;
	fold_end(&fold);
	return found;
}

size_t word_list_size(const struct word_list *list)
{
	return list->count;
}

void word_list_destroy(struct word_list *list)
{
	if (!list)
		return;
	free(list->table);
	free(list->words);
	free(list);
}
