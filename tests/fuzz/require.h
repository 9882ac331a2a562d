// SPDX-License-Identifier: Apache-2.0
// What must hold in a fuzz target: else it says where, and ends.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define require(what) require_at(what, __FILE__, __LINE__)

static inline void require_at(bool what, const char *file, int line)
{
	if (what)
		return;
	fprintf(stderr, "%s:%d: this does not hold\n", file, line);
	abort();
}
