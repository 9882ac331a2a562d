// SPDX-License-Identifier: Apache-2.0
// A borrowed run of bytes. The owner is named where the slice is stored; a slice never owns.
// Absent is (ptr NULL, len 0); empty is (ptr non-NULL, len 0).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "enrolld/base/attr.h"

struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE_LIT(text) ((struct slice){(text), sizeof(text) - 1})
#define SLICE_ABSENT ((struct slice){NULL, 0})

static inline struct slice slice_of(const char *text)
{
	return text ? (struct slice){text, strlen(text)} : SLICE_ABSENT;
}

static inline bool slice_is_absent(struct slice s)
{
	return s.ptr == NULL;
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_equal_text(struct slice a, const char *text)
{
	return slice_equal(a, slice_of(text));
}

// ASCII letters compare without case, as header names do (RFC 9110 section 5.1).
bool slice_equal_nocase(struct slice a, struct slice b) ATTR_MUST_USE;

// Order of memcmp, shorter first on a common prefix: the order of PostgreSQL's COLLATE "C".
int slice_compare(struct slice a, struct slice b) ATTR_MUST_USE;
