// SPDX-License-Identifier: Apache-2.0
// A record as a readable text: what a gateway wrote, kept in a file.
//
//	# Kong 3.9 with forward_method and forward_uri; a line that begins with # is a comment
//	topic enroll.signup
//	partition 3
//	offset 42
//	timestamp 1700000000000
//	key k-1
//	header content-type = application/json
//	header kafka_correlationId = \x00\xff\x10
//	header x-nothing = \null
//	value
//	{"method": "POST", "uri": "/v1/accounts", "body": "{}"}
//
// Lines may be left out; "header" comes once a header, in order, its name up to " = ". In key and headers \xHH is a byte and \\ a backslash,
// \null alone a null. "value" ends the head: what follows is the value byte for byte, without the file's last line break; after "value
// escaped" \xHH, \\ and, at a line's end, a backslash that joins two lines are taken as such. A head without "value" is a record with a
// null value. The head's lines end with a line feed, or with a carriage return and one.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/model/record.h"

#define RECORDING_HEADERS_MAX 256

// What is left out: no topic "", partition 0, offset 0, no timestamp (-1), null key. All bytes live in the arena.
// FILE_UNREADABLE with "line N: what is wrong".
enum reason recording_read(struct slice text, struct arena *arena, struct record *record, struct fault *f) ATTR_MUST_USE;
