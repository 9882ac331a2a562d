// SPDX-License-Identifier: Apache-2.0
// Finding a header of a record or request.
#include "enrolld/model/record.h"

#include "enrolld/model/request.h"

const struct header *header_find(const struct header *headers, size_t count, const char *name)
{
	struct slice wanted = slice_of(name);
	for (size_t i = count; i > 0; i--) {
		if (slice_equal_nocase(headers[i - 1].name, wanted))
			return &headers[i - 1];
	}
	return NULL;
}

const struct header *record_header(const struct record *record, const char *name)
{
	return header_find(record->headers, record->header_count, name);
}

struct slice record_header_value(const struct record *record, const char *name)
{
	const struct header *header = record_header(record, name);
	return header ? header->value : SLICE_ABSENT;
}

struct slice request_header_value(const struct request *request, const char *name)
{
	const struct header *header = header_find(request->headers, request->header_count, name);
	return header ? header->value : SLICE_ABSENT;
}
