// SPDX-License-Identifier: Apache-2.0
// NFKC and case fold (Unicode chapter 3.13, toNFKC_Casefold without its removal of ignorables), until nothing changes.
#include "rules/fold.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#include "enrolld/base/secret.h"
#include "enrolld/base/utf8.h"

#define ROUNDS_MAX 4

static bool fold_ascii(struct fold *fold, struct slice text)
{
	if (text.len > FOLD_INLINE)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c >= 0x80)
			return false;
		fold->room[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	fold->text = (struct slice){fold->room, text.len};
	return true;
}

// Takes the result over; false if the library gave none.
static bool keep(struct fold *fold, uint8_t *result, size_t len)
{
	fold_end(fold);
	if (!result)
		return false;
	fold->heap = (char *)result;
	fold->size = len;
	fold->text = (struct slice){fold->heap, len};
	return true;
}

// A round makes NFKC, folds, and makes NFKC again: letters that only appear by compatibility (such as a bold A) are folded in the next.
static bool fold_round(struct fold *fold, struct slice text)
{
	size_t normal_len = 0, len = 0;
	uint8_t *normal = u8_normalize(UNINORM_NFKC, (const uint8_t *)text.ptr, text.len, NULL, &normal_len);
	if (!normal)
		return keep(fold, NULL, 0);
	uint8_t *folded = u8_casefold(normal, normal_len, NULL, UNINORM_NFKC, NULL, &len);
	secret_wipe(normal, normal_len);
	free(normal);
	return keep(fold, folded, len);
}

void fold_start(struct fold *fold, struct slice text)
{
	*fold = (struct fold){0};
	if (slice_is_absent(text) || text.len == 0 || fold_ascii(fold, text)) {
		if (text.len == 0 && text.ptr)
			fold->text = SLICE_LIT("");
		return;
	}
	if (!utf8_valid(text) || !fold_round(fold, text))
		return;
	for (int round = 1; round < ROUNDS_MAX; round++) {
		struct fold before = *fold;
		*fold = (struct fold){0};
		bool done = fold_round(fold, before.text) && slice_equal(fold->text, before.text);
		fold_end(&before);
		if (done || slice_is_absent(fold->text))
			return;
	}
	fold_end(fold);
}

void fold_end(struct fold *fold)
{
	if (fold->heap) {
		secret_wipe(fold->heap, fold->size);
		free(fold->heap);
	}
	secret_wipe(fold, sizeof(*fold));
	*fold = (struct fold){0};
}
