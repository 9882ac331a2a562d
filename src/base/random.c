// SPDX-License-Identifier: Apache-2.0
// getrandom(2), whole.
#include "enrolld/base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "enrolld/base/fault.h"

void random_fill(void *bytes, size_t len)
{
	char *at = bytes;
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			PANIC("getrandom: error %d", errno);
		at += got;
		len -= (size_t)got;
	}
}

uint64_t random_below(uint64_t limit)
{
	if (limit == 0)
		PANIC("random_below: nothing is below 0");
	// Values below 2^64 mod limit would make the small results more likely; they are drawn again.
	uint64_t unfair = (0 - limit) % limit;
	uint64_t value;
	do {
		random_fill(&value, sizeof(value));
	} while (value < unfair);
	return value % limit;
}
