// SPDX-License-Identifier: Apache-2.0
// Texts as they are compared: NFKC, case-folded, NFKC. Used for passwords too, so that what it holds is wiped when it ends.
#pragma once

#include "enrolld/base/slice.h"

#define FOLD_INLINE 320

struct fold {
	struct slice text; // absent if the input is not UTF-8 or does not settle
	size_t size;       // of heap
	char *heap;        // NULL if inline
	char room[FOLD_INLINE];
};

void fold_start(struct fold *fold, struct slice text);
void fold_end(struct fold *fold);
