// SPDX-License-Identifier: Apache-2.0
// An answer in the frontend's own words, before it is framed for the gateway that asked. Bytes live in the work item's arena.
#pragma once

#include "enrolld/model/record.h"

struct answer {
	int status; // HTTP status
	struct header *headers;
	size_t header_count;
	struct slice body; // absent: none
};
