// SPDX-License-Identifier: Apache-2.0
// Compiler attributes, spelled once, so that the rest of the tree is plain C17.
#pragma once

#define ATTR_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define ATTR_MUST_USE __attribute__((warn_unused_result))
#define ATTR_NONNULL __attribute__((nonnull))
#define ATTR_UNUSED __attribute__((unused))
#define ATTR_NORETURN __attribute__((noreturn))
#define ATTR_RETURNS_NONNULL __attribute__((returns_nonnull))
#define ATTR_NOINLINE __attribute__((noinline))
#define ATTR_MALLOC __attribute__((malloc, returns_nonnull))
#define ATTR_EXPORT __attribute__((visibility("default"))) // seen by shared libraries

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
