// SPDX-License-Identifier: Apache-2.0
// Doubles as text.
#include "enrolld/base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *number_format(double value, char out[static NUMBER_TEXT_SIZE])
{
	if (isnan(value))
		return memcpy(out, "NaN", sizeof("NaN"));
	if (isinf(value))
		return memcpy(out, value > 0 ? "+Inf" : "-Inf", sizeof("+Inf"));
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(out, NUMBER_TEXT_SIZE, "%.*g", digits, value);
		// Equality of bits is meant, and the sign of zero is of no interest.
		double back = strtod(out, NULL);
		if (!(back < value) && !(back > value))
			break;
	}
	char *comma = strchr(out, ',');
	if (comma)
		*comma = '.';
	return out;
}
