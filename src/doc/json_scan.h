// SPDX-License-Identifier: Apache-2.0
// A linear look over JSON text before the recursive parser may see it: depth, number of values, encoding.
#pragma once

#include "enrolld/base/fault.h"
#include "enrolld/base/slice.h"
#include "enrolld/doc/json.h"

// Fails with JSON_TOO_DEEP, RECORD_TOO_LARGE (values), TEXT_NUL or TEXT_INVALID_UTF8. Text that is not JSON may well pass.
enum reason json_scan(struct slice text, const struct json_limits *limits, struct fault *f) ATTR_MUST_USE;
