// SPDX-License-Identifier: Apache-2.0
// Foreign words on their way into rows and log lines.
#include "courier/handover.h"

void handover_copy(char *out, size_t size, struct slice text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.len && n + 1 < size; i++) {
		if (text.ptr[i] >= 0x20 && text.ptr[i] <= 0x7E)
			out[n++] = text.ptr[i];
	}
	out[n] = '\0';
}
