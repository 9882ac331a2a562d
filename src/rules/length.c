// SPDX-License-Identifier: Apache-2.0
// Length as people count it, nearly: code points.
#include "enrolld/base/utf8.h"
#include "enrolld/rules/rules.h"

size_t rules_code_points(struct slice utf8)
{
	return utf8_length(utf8);
}
