// SPDX-License-Identifier: Apache-2.0
// A record to be produced. Bytes belong to the work item's arena until the Kafka transaction is over.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "enrolld/model/record.h"

enum output_kind { OUTPUT_RESULT, OUTPUT_REPLY, OUTPUT_EVENT, OUTPUT_DEAD };

struct output {
	enum output_kind kind;
	struct slice topic;
	int32_t partition;  // -1: by key (murmur2, as Java clients do)
	struct slice key;   // absent: null
	struct slice value; // absent: null
	struct header *headers;
	size_t header_count;
};
