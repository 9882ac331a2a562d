// SPDX-License-Identifier: Apache-2.0
// Numbers as text that machines read, whatever the process's locale.
#pragma once

#include "enrolld/base/attr.h"

#define NUMBER_TEXT_SIZE 32

// The shortest of 15 to 17 digits that reads back as the same value, with a point; "NaN", "+Inf" and "-Inf" as Prometheus spells
// them (JSON has no word for these: check isfinite() first). Returns out.
const char *number_format(double value, char out[static NUMBER_TEXT_SIZE]);
