// SPDX-License-Identifier: Apache-2.0
// The name that was probably meant.
#include "enrolld/doc/yaml.h"

#define WORD_MAX 96
#define DISTANCE_MAX 3

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. Letters compare without case.
static size_t distance(struct slice a, struct slice b)
{
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = fold(a.ptr[i - 1]) == fold(b.ptr[j - 1]);

			row[j] = min(above[j - 1] + !same, min(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a.ptr[i - 1]) == fold(b.ptr[j - 2]) && fold(a.ptr[i - 2]) == fold(b.ptr[j - 1]))
				row[j] = min(row[j], above2[j - 2] + 1);
		}
	}
	return rows[a.len % 3][b.len];
}

const char *doc_nearest(struct slice word, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t best = min(DISTANCE_MAX, word.len / 3) + 1;

	if (word.len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct slice candidate = slice_of(candidates[i]);
		size_t gap = candidate.len > word.len ? candidate.len - word.len : word.len - candidate.len;

		if (candidate.len > WORD_MAX || gap >= best)
			continue;
		gap = distance(word, candidate);
		if (gap < best) {
			best = gap;
			nearest = candidates[i];
		}
	}
	return nearest;
}
