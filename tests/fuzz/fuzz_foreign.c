// SPDX-License-Identifier: Apache-2.0
// Any bytes as a password hash made elsewhere: never a crash; what is recognised is short and printable.
#include <stdint.h>
#include <stdlib.h>

#include "enrolld/crypto/foreign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice hash = {(const char *)data, size};
	if (foreign_check(hash) == FOREIGN_UNKNOWN)
		return 0;
	if (size > FOREIGN_TEXT_MAX)
		abort();
	for (size_t i = 0; i < size; i++)
		if (data[i] <= ' ' || data[i] > '~')
			abort();
	return 0;
}
