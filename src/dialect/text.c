// SPDX-License-Identifier: Apache-2.0
// Sentences by code and language.
#include "dialect/dialect_private.h"

const struct text_row *text_find(const struct text_list *texts, struct slice code)
{
	for (size_t i = 0; i < texts->count; i++)
		if (slice_equal(texts->items[i].code, code))
			return &texts->items[i];
	return NULL;
}

const struct template *words_in(const struct words *words, size_t language)
{
	if (!words->in)
		return NULL;
	return words->in[language] ? words->in[language] : words->in[0];
}
