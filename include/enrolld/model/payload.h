// SPDX-License-Identifier: Apache-2.0
// What a message needs to be written, before it is sealed into its row: made by an operation, read by the courier.
#pragma once

#include "enrolld/base/arena.h"
#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"

struct payload {
	struct slice recipient;      // e-mail address or E.164 number, as stored
	struct slice locale;         // absent: the deployment's default
	struct slice name;           // how to greet; absent if unknown
	struct slice link, link_end; // what stands before and behind the token in its link; absent: as the courier's settings say
	bool hex;                    // the token is written in hexadecimal digits
};

struct slice payload_write(const struct payload *payload, struct arena *arena) ATTR_MUST_USE; // JSON
enum reason payload_read(struct slice json, struct arena *arena, struct payload *payload,
			 struct fault *f) ATTR_MUST_USE; // INTERNAL if it is none
