// SPDX-License-Identifier: Apache-2.0
// Finding a header of a record.
#include "enrolld/model/record.h"

const struct header *record_header(const struct record *record, const char *name)
{
	struct slice wanted = slice_of(name);
	for (size_t i = record->header_count; i > 0; i--) {
		if (slice_equal_nocase(record->headers[i - 1].name, wanted))
			return &record->headers[i - 1];
	}
	return NULL;
}

struct slice record_header_value(const struct record *record, const char *name)
{
	const struct header *header = record_header(record, name);
	return header ? header->value : SLICE_ABSENT;
}
