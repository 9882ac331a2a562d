// SPDX-License-Identifier: Apache-2.0
// Reading UTF-8 as Unicode defines it (chapter 3, table 3-7): no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrolld/base/attr.h"
#include "enrolld/base/slice.h"

#define UTF8_INVALID UINT32_MAX

// The code point at the front of a text that is not empty; returns its bytes, 1 to 4. Where the text is not well-formed,
// *code_point is UTF8_INVALID and the bytes are those that one U+FFFD replaces ("maximal subpart").
size_t utf8_next(struct slice text, uint32_t *code_point);

bool utf8_valid(struct slice text) ATTR_MUST_USE;

// Code points, with each ill-formed part counted as one.
size_t utf8_length(struct slice text) ATTR_MUST_USE;

// The longest front of at most max bytes that does not end inside a code point.
struct slice utf8_cut(struct slice text, size_t max) ATTR_MUST_USE;
