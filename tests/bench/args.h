// SPDX-License-Identifier: Apache-2.0
// Arguments of the bench programs, written name=value. What is missing or wrong ends the program with a sentence.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "enrolld/base/attr.h"

struct args {
	int count;
	char **words;
};

struct args args_of(int argc, char **argv) ATTR_MUST_USE;
const char *args_text(const struct args *args, const char *name, const char *fallback) ATTR_MUST_USE; // fallback NULL: required
long args_number(const struct args *args, const char *name, long fallback) ATTR_MUST_USE; // 0 or more; fallback -1: required
// The index-th value of a name that may be given more than once; NULL behind the last.
const char *args_nth(const struct args *args, const char *name, size_t index) ATTR_MUST_USE;

void die(const char *format, ...) ATTR_PRINTF(1, 2) ATTR_NORETURN;
void *bench_alloc(size_t count, size_t size) ATTR_MUST_USE; // zeroed, never NULL
